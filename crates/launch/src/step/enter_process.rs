//! Enters namespaces of one process, all in one setns(2) by its pidfd where the kernel can.

use super::enter::refused;
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::plan::{Kind, mask};
use crate::why::{self, Act, Around};
use insula_sys::birth::setns;
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct EnterProcess {
    /// Its pid, for people.
    pub pid: i32,
    /// Its pidfd, if the kernel gave one.
    pub pidfd: Option<Slot>,
    /// Its directory in /proc, if there is one.
    pub directory: Option<Slot>,
    /// Which namespaces, in the order in which they are entered one by one where that is how it is done.
    pub kinds: Vec<Kind>,
}

impl EnterProcess {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let together = self.together(at);
        // Before Linux 5.8 (EINVAL) they are entered one by one; and so is found which of them is refused.
        match (together, self.directory) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(directory)) => {
                self.kinds.iter().try_for_each(|kind| enter_one(at, directory, *kind))
            }
            (Err(errno), None) => Err(Fault { call: Call::Setns, errno }),
        }
    }

    fn together(&self, at: &Child<'_>) -> Result<(), Errno> {
        let pidfd = at.kit.get(self.pidfd.ok_or(Errno::INVAL)?)?;
        setns(pidfd, i32::try_from(mask(&self.kinds)).map_err(|_| Errno::INVAL)?)
    }
}

/// By its file in the process' directory, which means this process and no later one of its pid.
fn enter_one(at: &Child<'_>, directory: Slot, kind: Kind) -> Done {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let directory = at.kit.get(directory).map_err(Call::Check.failed())?;
    let entered =
        openat(directory, kind.file(), flags, Mode::empty()).map_err(Call::Openat2.failed()).and_then(
            |file| setns(file.as_fd(), i32::try_from(kind.flag()).unwrap_or(0)).map_err(Call::Setns.failed()),
        );
    if entered.is_err() {
        at.slate.note(kind.name().as_bytes());
    }
    entered
}

impl fmt::Display for EnterProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kinds[..] {
            [kind] => write!(f, "enter the {} namespace", kind.name())?,
            _ => {
                f.write_str("enter the namespaces")?;
                self.kinds.iter().try_for_each(|kind| write!(f, " {}", kind.name()))?;
            }
        }
        write!(f, " of process {}", self.pid)
    }
}

impl Describe for EnterProcess {
    const NAME: &'static str = "enter-process";

    fn why(&self) -> Cow<'static, str> {
        match (self.kinds.len(), self.pidfd) {
            (1, _) => "by what is open already: a later process of the same pid is never meant".into(),
            (_, Some(_)) => "in one call: all of them or none, each with the rights that we have now".into(),
            (_, None) => "one by one: the kernel gives no descriptor for this process".into(),
        }
    }

    fn act(&self, fault: &Fault, around: &Around<'_>) -> Option<Act> {
        let named = Kind::ALL.into_iter().find(|kind| around.said == Some(kind.name()));
        let kind = named.or(match self.kinds[..] {
            [only] => Some(only),
            _ => None,
        });
        let directory = self.directory.and_then(|slot| around.kit.get(slot).ok());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file =
            directory.zip(kind).and_then(|(at, kind)| openat(at, kind.file(), flags, Mode::empty()).ok());
        let enter = why::Enter { kind, file, target: Some(self.pid), with_user: around.enters_user };
        matches!(fault.call, Call::Setns | Call::Openat2).then_some(Act::Enter(enter))
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::SRCH => Some("the process has ended".into()),
            errno => refused(errno).map(Cow::from),
        }
    }
}
