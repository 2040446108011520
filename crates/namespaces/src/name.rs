//! Where named namespaces live: files on which a namespace is mounted, so that it stays without a process in it.

use insula_launch::plan::Kind;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The directory of named network namespaces, ip-netns(8).
pub const NETNS: &str = "/run/netns";

/// The longest name of a file, `NAME_MAX`.
const MOST_BYTES: usize = 255;

/// The directory in which names of this kind live; `None` where the kind has no names.
pub fn directory(kind: Kind) -> Option<&'static Path> {
    (kind == Kind::Net).then(|| Path::new(NETNS))
}

/// Can this be a name? What ip(8) takes: one component of a path, neither `.` nor `..`.
pub fn is_valid(name: impl AsRef<OsStr>) -> bool {
    let name = name.as_ref().as_bytes();
    !name.is_empty()
        && name.len() <= MOST_BYTES
        && !matches!(name, b"." | b"..")
        && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

/// The file behind a name, if there is one. Whether it is a namespace is seen when it is opened: ip(8) leaves an empty
/// file where it is interrupted.
pub fn lookup(kind: Kind, name: &str) -> Option<PathBuf> {
    find(directory(kind)?, name)
}

fn find(directory: &Path, name: &str) -> Option<PathBuf> {
    let path = is_valid(name).then(|| directory.join(name))?;
    path.exists().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_component_of_a_path() {
        for name in ["blue", "a b", "..x", "é", "-", &"x".repeat(255)] {
            assert!(is_valid(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "/", "../etc", "a\0b", &"x".repeat(256)] {
            assert!(!is_valid(name), "{name}");
        }
    }

    #[test]
    fn a_name_leads_to_a_file_that_is_there() {
        let directory = Path::new("/proc/self/ns");
        assert_eq!(find(directory, "net"), Some(directory.join("net")));
        assert_eq!(find(directory, "blue"), None);
        assert_eq!(find(directory, "../ns/net"), None);
    }

    #[test]
    fn only_network_namespaces_have_names() {
        assert_eq!(directory(Kind::Net), Some(Path::new(NETNS)));
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Net) {
            assert_eq!(lookup(kind, "net"), None);
        }
    }
}
