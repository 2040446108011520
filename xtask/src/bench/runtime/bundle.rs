//! The bundle that all run: `bench/config.json`, filled in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scratch::Scratch;
use crate::bench::measure::{failed, output};
use crate::build;
use crate::stop::Stop;
use crate::tree;

/// Docker's profile or podman's, which is the same in all that counts here, where their packages leave it.
const PROFILES: [&str; 2] = [
    "/usr/share/containers/seccomp.json",
    "/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json",
];

const NAMESPACES: [&str; 5] = ["pid", "network", "ipc", "uts", "mount"];
/// Of a crowd, which need not cost what network namespaces cost.
const FEW: [&str; 2] = ["pid", "mount"];

/// A directory with configurations in it, and one root.
pub struct Bundle {
    directory: PathBuf,
}

/// `linux.seccomp` of the profile that this machine has, or of the file in INSULA_BENCH_SECCOMP; `None`: it has none.
pub fn profile() -> Result<Option<String>, Stop> {
    let asked = std::env::var("INSULA_BENCH_SECCOMP").ok();
    let found = PROFILES.iter().map(|path| (*path).to_owned()).find(|path| Path::new(path).is_file());
    let Some(path) = asked.or(found) else { return Ok(None) };
    let resolve = build::example("insula-seccomp", "resolve")?;
    let text = output(Command::new(resolve).arg(path))?;
    Ok(Some(String::from_utf8_lossy(&text).trim().to_owned()))
}

impl Bundle {
    pub fn make(scratch: &Scratch, program: &Path, seccomp: Option<&str>) -> Result<Bundle, Stop> {
        let name = if seccomp.is_some() { "filtered" } else { "plain" };
        let bundle = Bundle { directory: scratch.path.join(name) };
        let rootfs = bundle.directory.join("rootfs");
        for directory in ["proc", "dev", "sys"] {
            let path = rootfs.join(directory);
            fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))?;
        }
        fs::copy(program, rootfs.join("program")).map_err(|error| failed("copy", program, &error))?;
        bundle.write(&bundle.directory, "\"/program\"", &NAMESPACES, seccomp)?;
        bundle.write(&bundle.directory.join("stays"), "\"/program\", \"stay\"", &NAMESPACES, seccomp)?;
        bundle.write(&bundle.directory.join("crowd"), "\"/program\", \"stay\"", &FEW, None)?;
        Ok(bundle)
    }

    fn write(&self, at: &Path, args: &str, kinds: &[&str], seccomp: Option<&str>) -> Result<(), Stop> {
        let template = tree::root().join("bench/config.json");
        let text = fs::read_to_string(&template).map_err(|error| failed("read", &template, &error))?;
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("{{ \"type\": \"{kind}\" }}")).collect();
        let seccomp = seccomp.map(|seccomp| format!("\"seccomp\": {seccomp},")).unwrap_or_default();
        let text = text
            .replace("@ARGS@", args)
            .replace("@ROOTFS@", &self.rootfs())
            .replace("@NAMESPACES@", &kinds.join(", "))
            .replace("    @SECCOMP@\n", &seccomp);
        fs::create_dir_all(at).map_err(|error| failed("make", at, &error))?;
        fs::write(at.join("config.json"), text).map_err(|error| failed("write", at, &error))
    }

    pub fn path(&self) -> String {
        self.directory.display().to_string()
    }

    /// The same, with a program that stays.
    pub fn staying(&self) -> String {
        format!("{}/stays", self.path())
    }

    /// The same, with few namespaces.
    pub fn crowded(&self) -> String {
        format!("{}/crowd", self.path())
    }

    pub fn rootfs(&self) -> String {
        format!("{}/rootfs", self.path())
    }

    /// The name of the group that the floor makes.
    pub fn floor_group(&self) -> String {
        format!("insula-bench-{}", std::process::id())
    }
}
