//! Where a path of a tracee leads: a file of the kernel's, of a control group, a device, or none of these.
//!
//! Paths are told as the tracee sees them; nothing is opened by them.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// What kind of file a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A setting: what is written there is an order to the kernel.
    Setting,
    /// A control group's file.
    Cgroup,
    /// Below /proc, /sys, /dev or /run.
    Kernel,
    /// Somewhere else.
    Elsewhere,
}

impl Place {
    /// Of an absolute path, as text.
    pub(super) fn of(path: &[u8]) -> Place {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        if below(path, b"/sys/fs/cgroup") || is_of_cgroup(name) {
            Place::Cgroup
        } else if below(path, b"/proc") || below(path, b"/sys") {
            Place::Setting
        } else if below(path, b"/dev") || below(path, b"/run") || below(path, b"/var/run") {
            Place::Kernel
        } else {
            Place::Elsewhere
        }
    }

    /// Does a refused open of it count?
    pub(super) fn is_kernels(self) -> bool {
        self != Place::Elsewhere
    }

    /// Does a refused write to it count?
    pub(super) fn is_setting(self) -> bool {
        matches!(self, Place::Setting | Place::Cgroup)
    }
}

fn below(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
}

/// A file of a control group has its controller's name before a dot, cgroups(7).
fn is_of_cgroup(name: &[u8]) -> bool {
    const CONTROLLERS: [&[u8]; 14] = [
        b"cgroup", b"cpu", b"cpuacct", b"cpuset", b"memory", b"pids", b"io", b"blkio", b"hugetlb", b"rdma",
        b"misc", b"devices", b"freezer", b"net_cls",
    ];
    let Some(dot) = name.iter().position(|byte| *byte == b'.') else { return false };
    // A source file `memory.c` is none of them.
    CONTROLLERS.contains(&&name[..dot]) && name.len() > dot + 2
}

/// The path that `path` means for the thread `tid`, whose `dirfd` it may be relative to (`None`: its working directory).
pub(super) fn absolute(tid: i32, dirfd: Option<i32>, path: &[u8]) -> Vec<u8> {
    if path.first() == Some(&b'/') {
        return path.to_vec();
    }
    let mut whole = match dirfd {
        None => link(tid, "cwd"),
        Some(fd) => link(tid, &format!("fd/{fd}")),
    }
    .unwrap_or_default();
    if !path.is_empty() {
        whole.push(b'/');
        whole.extend_from_slice(path);
    }
    whole
}

/// Does /proc show our own pid namespace? In that of another the numbers of our tracees are those of strangers.
pub(super) fn is_ours() -> bool {
    static OURS: OnceLock<bool> = OnceLock::new();
    *OURS.get_or_init(|| {
        let number = std::process::id().to_string();
        fs::read_link("/proc/self").is_ok_and(|own| own.as_os_str().as_bytes() == number.as_bytes())
    })
}

/// The text of `/proc/TID/NAME`.
pub(super) fn text(tid: i32, name: &str) -> Option<String> {
    is_ours()
        .then(|| fs::read(format!("/proc/{tid}/{name}")).ok())?
        .map(|text| String::from_utf8_lossy(&text).into_owned())
}

/// What the link `/proc/TID/NAME` says.
pub(super) fn link(tid: i32, name: &str) -> Option<Vec<u8>> {
    if !is_ours() {
        return None;
    }
    let target = fs::read_link(format!("/proc/{tid}/{name}")).ok()?;
    Some(Path::as_os_str(&target).as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_place() {
        let table: [(&str, Place); 12] = [
            ("/proc/7/uid_map", Place::Setting),
            ("/proc", Place::Setting),
            ("/process", Place::Elsewhere),
            ("/sys/fs/cgroup/a/cgroup.procs", Place::Cgroup),
            ("/mnt/unified/pids.max", Place::Cgroup),
            ("/home/me/memory.c", Place::Elsewhere),
            ("/home/me/cgroup", Place::Elsewhere),
            ("/dev/net/tun", Place::Kernel),
            ("/run/netns/x", Place::Kernel),
            ("/var/run/x", Place::Kernel),
            ("/etc/shadow", Place::Elsewhere),
            ("", Place::Elsewhere),
        ];
        for (path, expected) in table {
            assert_eq!(Place::of(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn a_relative_path_is_below_the_working_directory() {
        let own = i32::try_from(std::process::id()).unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(absolute(own, None, b"x"), here.join("x").as_os_str().as_bytes());
        assert_eq!(absolute(own, None, b"/x"), b"/x");
        // A descriptor that is not open has no path, and the rest is told all the same.
        assert_eq!(absolute(own, Some(-9), b"x"), b"/x");
    }
}
