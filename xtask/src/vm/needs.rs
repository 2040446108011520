//! What a virtual machine takes, and what of it is not here.

use std::env;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use super::ask::Accelerator;

/// Programs, each with Debian's package.
type Program = (&'static str, &'static str);

/// To run one that is prepared.
const TO_RUN: &[Program] = &[
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("mke2fs", "e2fsprogs"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
];

/// To prepare it.
const TO_PREPARE: &[Program] = &[
    ("apt-get", "apt"),
    ("dpkg-deb", "dpkg"),
    ("mmdebstrap", "mmdebstrap"),
    ("depmod", "kmod"),
    ("modprobe", "kmod"),
    ("cpio", "cpio"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// Debian's keys: what is downloaded is checked against them.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Why there can be no virtual machine here, in words; nothing where there can.
pub fn lacking(prepared: bool) -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return Some("the machine's kernels and emulator are those of x86_64".into());
    }
    let wanted = TO_RUN.iter().chain(if prepared { &[] } else { TO_PREPARE });
    let gone: Vec<&Program> = wanted.filter(|(program, _)| !installed(program)).collect();
    if !gone.is_empty() {
        let programs: Vec<&str> = gone.iter().map(|(program, _)| *program).collect();
        let mut packages: Vec<&str> = gone.iter().map(|(_, package)| *package).collect();
        packages.dedup();
        let (programs, packages) = (programs.join(", "), packages.join(" "));
        return Some(format!("not installed: {programs} (Debian: apt-get install {packages})"));
    }
    if !prepared && !Path::new(KEYS).is_file() {
        return Some(format!("there is no `{KEYS}` (Debian: debian-archive-keyring)"));
    }
    None
}

/// KVM, where this user may open it. Whether it boots a kernel shows when it does.
pub fn accelerator() -> Accelerator {
    let kvm = OpenOptions::new().read(true).write(true).open("/dev/kvm");
    if kvm.is_ok() { Accelerator::Kvm } else { Accelerator::Tcg }
}

fn installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(system).any(|directory| directory.join(program).is_file())
}
