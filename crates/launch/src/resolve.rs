//! The one resolver: paths inside a root file system, by openat2(2), never outside it.
//!
//! What the root holds is the attacker's. Every look-up starts at the root's descriptor with `RESOLVE_IN_ROOT` (links,
//! absolute ones too, stay inside) and `RESOLVE_NO_MAGICLINKS` (no way out by `/proc/PID/fd`). Missing directories are
//! made one component at a time on the descriptor of their parent. Nothing here allocates: the prefixes of a path are
//! cut when the plan is compiled.

use crate::fault::{Call, Fault};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat2};
use rustix::io::Errno;
use std::ffi::{CStr, CString};

/// How often EAGAIN (a rename raced with the look-up, openat2(2)) is tried again.
const TRIES: u32 = 128;

/// A path inside a root, with what is needed to make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The path, relative to the root, without a leading slash; `.` for the root itself.
    path: CString,
    /// Each prefix of it with its last component, from the shortest.
    prefixes: Vec<(CString, CString)>,
}

impl Target {
    /// The directory that it is in, unless that is the root, and its name there; `None` for the root itself.
    pub(crate) fn within(&self) -> Option<(Option<&CStr>, &CStr)> {
        let ((_, name), above) = self.prefixes.split_last()?;
        Some((above.last().map(|(path, _)| path.as_c_str()), name))
    }

    /// Cuts an absolute path. `None`: it has a NUL, or a `..` component (which would name another place than it says).
    pub fn new(path: &str) -> Option<Target> {
        let mut prefixes = Vec::new();
        let mut so_far = String::new();
        for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
            if part == ".." {
                return None;
            }
            if !so_far.is_empty() {
                so_far.push('/');
            }
            so_far.push_str(part);
            prefixes.push((CString::new(so_far.as_str()).ok()?, CString::new(part).ok()?));
        }
        let path = CString::new(if so_far.is_empty() { "." } else { &so_far }).ok()?;
        Some(Target { path, prefixes })
    }

    /// The path as it is shown: absolute.
    pub fn shown(&self) -> String {
        if self.is_root() { "/".to_owned() } else { format!("/{}", self.path.to_string_lossy()) }
    }

    /// Is it the root itself?
    pub fn is_root(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// The path as the kernel takes it, relative to the root.
    pub fn as_c_str(&self) -> &CStr {
        &self.path
    }
}

/// What stands at the end of a path that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// A directory.
    Directory,
    /// An empty regular file.
    File,
}

/// openat2(2) below `root`, with `O_CLOEXEC`, following links inside it only.
pub fn open(root: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..TRIES {
        match openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

/// An `O_PATH` descriptor of a path below `root`.
pub fn locate(root: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd, Errno> {
    open(root, path, OFlags::PATH)
}

/// An `O_PATH` descriptor of a path that the caller trusts: one of the host's, before the root changes.
pub fn locate_host(path: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

/// A descriptor of a target, whose missing parts are made first: directories 0755, a file 0644.
pub fn make(root: BorrowedFd<'_>, target: &Target, make: Make) -> Result<OwnedFd, Fault> {
    match locate(root, &target.path) {
        Err(Errno::NOENT) => {}
        found => return found.map_err(Call::Openat2.failed()),
    }
    let Some(((_, name), above)) = target.prefixes.split_last() else {
        return Err(Fault { call: Call::Openat2, errno: Errno::NOENT });
    };
    match parent(root, above)? {
        Some(parent) => create(parent.as_fd(), name, make),
        None => create(root, name, make),
    }
}

/// The directory of a target, made if it is missing, and the target's name in it; `None`: the target is the root. The first
/// is `None` where that directory is the root itself.
pub fn make_parent<'a>(
    root: BorrowedFd<'_>,
    target: &'a Target,
) -> Result<Option<(Option<OwnedFd>, &'a CStr)>, Fault> {
    let Some(((_, name), above)) = target.prefixes.split_last() else { return Ok(None) };
    Ok(Some((parent(root, above)?, name)))
}

/// The directory that the last prefix names, made if it is missing; `None` for the root itself.
fn parent(root: BorrowedFd<'_>, prefixes: &[(CString, CString)]) -> Result<Option<OwnedFd>, Fault> {
    // From the longest that is there: mostly that is the first one tried.
    let mut there = prefixes.len();
    let mut found = None;
    while there > 0 && found.is_none() {
        match locate(root, &prefixes[there - 1].0) {
            Ok(fd) => found = Some(fd),
            Err(Errno::NOENT) => there -= 1,
            Err(errno) => return Err(Fault { call: Call::Openat2, errno }),
        }
    }
    for (_, name) in &prefixes[there..] {
        found = Some(create(found.as_ref().map_or(root, AsFd::as_fd), name, Make::Directory)?);
    }
    Ok(found)
}

/// Makes one component in the directory `at`, and opens it. A dangling link of that name is EEXIST: it is not followed.
fn create(at: BorrowedFd<'_>, name: &CStr, make: Make) -> Result<OwnedFd, Fault> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match make {
        Make::Directory => {
            mkdirat(at, name, Mode::from_raw_mode(0o755)).map_err(Call::Mkdirat.failed())?;
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            openat2(at, name, flags, Mode::empty(), resolve).map_err(Call::Openat2.failed())
        }
        Make::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY;
            openat2(at, name, flags, Mode::from_raw_mode(0o644), resolve).map_err(Call::Openat2.failed())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_cut_into_prefixes() {
        let target = Target::new("//dev/./pts/").unwrap();
        assert_eq!(target.path.to_str(), Ok("dev/pts"));
        assert_eq!(target.shown(), "/dev/pts");
        assert_eq!(target.prefixes.len(), 2);
        assert!(Target::new("/").unwrap().is_root());
        assert_eq!(Target::new("/").unwrap().shown(), "/");
        assert_eq!(Target::new("/.hidden").unwrap().shown(), "/.hidden");
        assert_eq!(Target::new("/a/../b"), None);
        assert_eq!(Target::new("/a\0b"), None);
    }
}
