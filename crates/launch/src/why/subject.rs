//! The process that was refused something, while it still waits: what there is to see of it in /proc.

use super::status::Status;
use insula_sys::prctl;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstatfs, open, openat, readlinkat};
use rustix::process::{getegid, geteuid};
use std::cell::OnceCell;
use std::fs::File;
use std::io::Read as _;

/// `PROC_SUPER_MAGIC`, statfs(2).
const PROC: u64 = 0x9fa0;
/// The most of a file of /proc that is read.
const MOST_BYTES: u64 = 64 << 10;
/// The most of a table.
const MOST_TABLE_BYTES: u64 = 4 << 20;

/// Who asked for it: what it was before anything changed, in the user namespace that it was in then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Effective capabilities, bit N for capability N.
    pub capabilities: u64,
}

impl Caller {
    /// This process, as it is now.
    pub fn now() -> Caller {
        let capabilities = prctl::capget().map_or(0, |(effective, _, _)| effective);
        Caller { uid: geteuid().as_raw(), gid: getegid().as_raw(), capabilities }
    }
}

/// The process.
#[derive(Debug)]
pub struct Subject {
    pid: Option<i32>,
    caller: Option<Caller>,
    directory: OnceCell<Option<OwnedFd>>,
    status: OnceCell<Option<Status>>,
}

impl Subject {
    /// We ourselves.
    pub fn ourselves() -> Subject {
        Subject { pid: None, caller: None, directory: OnceCell::new(), status: OnceCell::new() }
    }

    /// The process or thread of this number, in our own pid namespace: it has to wait until the looking is over.
    pub fn process(pid: i32) -> Subject {
        Subject { pid: Some(pid), ..Subject::ourselves() }
    }

    /// With the one who asked, who is another or was another.
    #[must_use]
    pub fn called_by(self, caller: Caller) -> Subject {
        Subject { caller: Some(caller), ..self }
    }

    /// Is it this process? Then more can be tried out.
    pub fn is_us(&self) -> bool {
        self.pid.is_none()
    }

    /// Its pid; `None`: it is this process.
    pub fn pid(&self) -> Option<i32> {
        self.pid
    }

    /// Who asked; by default this process as it is.
    pub fn caller(&self) -> Caller {
        self.caller.unwrap_or_else(Caller::now)
    }

    /// Its status; `None`: there is no procfs here, or the process is gone.
    pub fn status(&self) -> Option<&Status> {
        self.status.get_or_init(|| self.read("status").map(|text| Status::parse(&text))).as_ref()
    }

    /// Its parent, in our own pid namespace.
    pub fn parent(&self) -> Option<Subject> {
        let status = self.read("status")?;
        let pid = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
        // 0: outside of our pid namespace.
        (pid > 0).then(|| Subject::process(pid))
    }

    /// A file of its directory in /proc, as text, up to 64 KiB.
    pub fn read(&self, name: &str) -> Option<String> {
        self.read_up_to(name, MOST_BYTES)
    }

    /// A table of its directory, which may be long: up to 4 MiB.
    pub fn read_all(&self, name: &str) -> Option<String> {
        self.read_up_to(name, MOST_TABLE_BYTES)
    }

    fn read_up_to(&self, name: &str, most: u64) -> Option<String> {
        let file = self.open(name)?;
        let mut bytes = Vec::new();
        File::from(file).take(most).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A file of its directory, opened for a look at what it is: `ns/user`.
    pub fn open(&self, name: &str) -> Option<OwnedFd> {
        openat(self.directory()?, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
    }

    /// Where a link of its directory leads: `net:[4026531840]`.
    pub fn link(&self, name: &str) -> Option<String> {
        readlinkat(self.directory()?, name, Vec::new()).ok()?.into_string().ok()
    }

    /// Its directory; only of a real procfs, since a root that somebody else has made can have anything there.
    fn directory(&self) -> Option<&OwnedFd> {
        let path = self.pid.map_or_else(|| "/proc/self".to_owned(), |pid| format!("/proc/{pid}"));
        self.directory
            .get_or_init(|| {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                open(path, flags, Mode::empty()).ok().filter(is_procfs)
            })
            .as_ref()
    }
}

/// A setting of the kernel, by its name in /proc/sys: `user/max_net_namespaces`. Those of `user` are those of our own user
/// namespace.
pub fn sysctl(name: &str) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(format!("/proc/sys/{name}"), flags, Mode::empty()).ok().filter(is_procfs)?;
    let mut text = String::new();
    File::from(file).take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text.trim_end().to_owned())
}

fn is_procfs(file: &OwnedFd) -> bool {
    fstatfs(file.as_fd()).is_ok_and(|stat| u64::try_from(stat.f_type) == Ok(PROC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen_as_itself_and_by_its_number() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let (us, numbered) = (Subject::ourselves(), Subject::process(pid));
        assert!(us.is_us() && !numbered.is_us());
        assert_eq!(us.status().map(|status| status.uid), numbered.status().map(|status| status.uid));
        assert_eq!(us.link("ns/user"), numbered.link("ns/user"));
        assert!(us.link("ns/user").is_some_and(|link| link.starts_with("user:[")));
        assert_eq!(Subject::process(i32::MAX).status(), None);
    }

    #[test]
    fn a_setting_is_read_without_its_newline() {
        let most = sysctl("kernel/pid_max").unwrap();
        assert!(most.parse::<u64>().is_ok(), "{most:?}");
        assert_eq!(sysctl("no/such"), None);
    }
}
