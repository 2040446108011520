//! `--json`: what a supervisor wants to know of the child, a line of JSON each, on a descriptor of its choice.
//!
//! The keys are those of bwrap's `--json-status-fd`: `child-pid` and `KIND-namespace`, then `exit-code`.

use insula_launch::error::Named;
use insula_launch::perform::Running;
use insula_launch::plan::Kind;
use insula_namespaces::error::Error;
use insula_namespaces::wait::Ended;
use insula_sys::{inherited, nsfs};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, open, openat, statat};
use rustix::io::Errno;
use serde_json::{Map, Value, json};

/// What a shell adds to the number of a signal.
const SIGNALED: i32 = 128;

/// The descriptor, and the namespaces of before.
#[derive(Debug)]
pub struct Status {
    to: OwnedFd,
    /// Our own `/proc/self/ns`, opened while /proc is still the one that shows us.
    own: OwnedFd,
    before: [u64; Kind::ALL.len()],
}

impl Status {
    /// Takes the descriptor `number` over: the program does not get it.
    pub fn on(number: i32) -> Result<Status, Error> {
        let to = inherited::take(number)
            .map_err(|errno| Error::File("write to descriptor", number.to_string(), errno))?;
        let path = c"/proc/self/ns";
        let own = open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::File("open", "/proc/self/ns".to_owned(), errno))?;
        let before = inodes(&own);
        Ok(Status { to, own, before })
    }

    /// The program runs.
    pub fn started(&self, running: &Running) {
        let mut all = Map::new();
        all.insert("child-pid".to_owned(), running.pid.into());
        let now = inodes(&self.own);
        for ((kind, now), before) in Kind::ALL.into_iter().zip(now).zip(self.before) {
            if now != before {
                all.insert(format!("{}-namespace", kind.name()), now.into());
                if let Ok(id) = self.id(kind) {
                    all.insert(format!("{}-namespace-id", kind.name()), id.into());
                }
            }
        }
        let why = |kind: Kind| {
            let errno = running.skipped.why(kind.flag())?;
            Some((kind.name().to_owned(), Named(errno).to_string().into()))
        };
        let skipped: Map<String, Value> = Kind::ALL.into_iter().filter_map(why).collect();
        if !skipped.is_empty() {
            all.insert("skipped".to_owned(), skipped.into());
        }
        self.tell(&all.into());
    }

    /// It has ended.
    pub fn ended(&self, ended: Ended) {
        self.tell(&match ended {
            Ended::Exited(code) => json!({ "exit-code": code }),
            Ended::Signaled(signal) => json!({ "exit-code": SIGNALED + signal, "signal": signal }),
        });
    }

    /// It never ran.
    pub fn failed(&self, error: &Error, code: u8) {
        let cause = error.cause().map(|cause| json!({ "key": cause.key(), "text": cause.to_string() }));
        let (error, hint) = (error.to_string(), error.hint());
        self.tell(&json!({ "exit-code": code, "error": error, "cause": cause, "hint": hint }));
    }

    /// Namespace ids that are never used again, from Linux 6.18 on.
    fn id(&self, kind: Kind) -> Result<u64, Errno> {
        let file = openat(&self.own, of_children(kind), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        nsfs::id(file.as_fd())
    }

    /// One line, in one write.
    fn tell(&self, value: &Value) {
        let line = format!("{value}\n");
        // Who has stopped listening misses nothing.
        let _ = rustix::io::write(&self.to, line.as_bytes());
    }
}

/// We are in the child's namespaces, but for those that are for children only.
fn of_children(kind: Kind) -> &'static str {
    match kind {
        Kind::Pid => "pid_for_children",
        Kind::Time => "time_for_children",
        kind => kind.name(),
    }
}

/// The inode of each, 0 where there is none.
fn inodes(own: &OwnedFd) -> [u64; Kind::ALL.len()] {
    Kind::ALL.map(|kind| statat(own, of_children(kind), AtFlags::empty()).map_or(0, |stat| stat.st_ino))
}
