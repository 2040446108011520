//! Keeps a namespace at a file: mounted there, it stays without a process in it, namespaces(7).

use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::plan::Kind;
use crate::why::{Act, Around, Attempt};
use rustix::fs::{Mode, OFlags, open, stat};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Persist {
    /// Which namespace of the process.
    pub kind: Kind,
    /// The file, as the caller wrote it: a symbolic link is followed.
    pub target: CString,
}

impl Persist {
    /// The process's file of the namespace. What was made with it is for children, if it is of these two kinds.
    fn source(&self, pid: i32) -> String {
        let name = match self.kind {
            Kind::Pid => "pid_for_children",
            Kind::Time => "time_for_children",
            kind => kind.name(),
        };
        format!("/proc/{pid}/ns/{name}")
    }

    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let target = self.target.as_c_str();
        // Each side by itself, so that it is known which of the two is missing.
        open(target, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(Call::Openat2.failed())?;
        let source = self.source(at.pid);
        stat(source.as_str()).map_err(Call::Fstat.failed())?;
        mount_bind(source.as_str(), target).map_err(Call::Mount.failed())
    }

    /// Is it mounted there? Not known once the process is gone.
    pub(crate) fn is_made(&self, pid: i32) -> bool {
        let file = |of: &rustix::fs::Stat| (of.st_dev, of.st_ino);
        let (source, target) = (stat(self.source(pid).as_str()), stat(self.target.as_c_str()));
        source.ok().zip(target.ok()).is_some_and(|(source, target)| file(&source) == file(&target))
    }

    /// Takes it back, where the launch fails after it.
    pub(crate) fn undo(&self) {
        // What resists is not worth more words than the failure itself, which is told.
        let _ = unmount(self.target.as_c_str(), UnmountFlags::DETACH);
    }
}

impl fmt::Display for Persist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keep the {} namespace at `{}`", self.kind.name(), self.target.to_string_lossy())
    }
}

impl Describe for Persist {
    const NAME: &'static str = "persist";

    fn why(&self) -> Cow<'static, str> {
        "in the old mount namespace, where others find it; last, so that nothing is left there if anything fails".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        let target = self.target.to_string_lossy();
        Some(match (fault.call, fault.errno) {
            (Call::Openat2, Errno::NOENT) => format!("a namespace is mounted on a file that is there: `touch {target}`"),
            (Call::Openat2, Errno::NOTDIR) => "a part of the path is no directory".to_owned(),
            (Call::Openat2, Errno::ACCESS) => "this user may not pass through a directory of the path".to_owned(),
            (Call::Fstat, Errno::NOENT) if self.kind == Kind::Pid => {
                "a pid namespace has its file from its first process on: add `--fork`".to_owned()
            }
            (Call::Fstat, Errno::NOENT) => {
                "/proc is not mounted here, or this kernel has no such kind of namespace".to_owned()
            }
            (Call::Mount, Errno::NOTDIR) => {
                format!("`{target}` is a directory; a namespace is mounted on a regular file: `touch` one")
            }
            (Call::Mount, Errno::PERM) => "mounting wants CAP_SYS_ADMIN in the present mount namespace: root, or a process \
                                          inside `unshare --user --map-root-user --mount`"
                .to_owned(),
            (Call::Mount, Errno::INVAL) if self.kind == Kind::Mnt => format!(
                "a mount namespace cannot be kept on a shared mount, which would spread it into itself; give its \
                 directory a mount of its own: `mount --bind {0} {0} && mount --make-private {0}`; nor in a namespace \
                 that is numbered later, as one made a moment ago on another CPU may be (Linux 6.18): try again",
                directory(&target)
            ),
            _ => return None,
        }
        .into())
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let path = self.target.to_string_lossy().into_owned();
        match (fault.call, fault.errno) {
            // Where it is missing, the step's own hint says what makes it.
            (Call::Openat2, Errno::NOENT) => None,
            (Call::Openat2, _) => Some(Act::Mount(Attempt::Reach { path })),
            (Call::Mount, Errno::INVAL) if self.kind == Kind::Mnt => {
                Some(Act::Mount(Attempt::Keep { target: path }))
            }
            (Call::Mount, Errno::PERM | Errno::NOSPC) => Some(Act::Mount(Attempt::Attach { target: path })),
            _ => None,
        }
    }
}

fn directory(target: &str) -> &str {
    match target.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((directory, _)) => directory,
        None => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_a_target() {
        let targets = [("/run/ns/mnt", "/run/ns"), ("/mnt", "/"), ("mnt", "."), ("a/b", "a")];
        for (target, expected) in targets {
            assert_eq!(directory(target), expected);
        }
    }

    #[test]
    fn pid_and_time_are_those_of_children() {
        let source = |kind| Persist { kind, target: c"x".to_owned() }.source(7);
        assert_eq!(source(Kind::Pid), "/proc/7/ns/pid_for_children");
        assert_eq!(source(Kind::Time), "/proc/7/ns/time_for_children");
        assert_eq!(source(Kind::Mnt), "/proc/7/ns/mnt");
    }
}
