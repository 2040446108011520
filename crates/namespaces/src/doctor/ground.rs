//! The ground that a probe stands on: a user namespace, and a mount namespace that nobody else sees.

use super::answer::Answer;
use insula_launch::error::Named;
use insula_launch::fault::{Call, Fault};
use insula_launch::host::ids::Ids;
use insula_launch::plan::Kind;
use insula_launch::step::map_ids::IdMap;
use insula_launch::why::{self, Act, Cause, Maps, Subject, Writer};
use insula_sys::birth::unshare;
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{getegid, geteuid};
use std::fs;
use std::io;

/// What could not be had: the act in words, the errno, and the cause with its cure if it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) act: String,
    pub(super) errno: Errno,
    pub(super) cause: Option<Box<Cause>>,
}

impl Refused {
    /// An act that nothing more is known of.
    pub(super) fn at(act: impl Into<String>) -> impl FnOnce(Errno) -> Refused {
        let act = act.into();
        move |errno| Refused { act, errno, cause: None }
    }

    /// Looks for the cause: this process is the one that was refused.
    fn explained(act: String, call: Call, errno: Errno, tried: Act) -> Refused {
        let refusal = why::Refusal { act: tried, fault: Fault { call, errno } };
        Refused { act, errno, cause: why::find(&refusal, &Subject::ourselves()).map(Box::new) }
    }

    /// The same in words.
    pub(super) fn words(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{}: {} ({cause})", self.act, Named(self.errno)),
            None => format!("{}: {}", self.act, Named(self.errno)),
        }
    }

    /// As the answer to a check.
    pub(super) fn answer(&self) -> Answer {
        let answer = Answer::missing(self.words());
        match &self.cause {
            Some(cause) => answer.fix(cause.cure()),
            None => answer,
        }
    }
}

/// An I/O error's errno.
pub(super) fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// May we mount where we are?
pub(super) fn may_mount() -> bool {
    insula_sys::prctl::capget().is_ok_and(|(effective, _, _)| effective & (1 << Ids::SYS_ADMIN) != 0)
}

/// Makes a user namespace in which we are root, as `unshare --map-root-user` does.
pub(super) fn user_namespace() -> Result<(), Refused> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    new(Kind::User)?;
    // user_namespaces(7): who may not set groups may map his own group without more rights.
    let lines = |first| vec![IdMap { inside: 0, outside: first, size: 1 }];
    let own = |uid, gid| Act::Map(Maps { uid, gid, writer: Writer::Itself });
    write("setgroups", "deny", Act::Setgroups(false))?;
    write("uid_map", &format!("0 {uid} 1"), own(lines(uid), Vec::new()))?;
    write("gid_map", &format!("0 {gid} 1"), own(Vec::new(), lines(gid)))
}

fn write(file: &str, text: &str, tried: Act) -> Result<(), Refused> {
    let path = format!("/proc/self/{file}");
    fs::write(&path, text)
        .map_err(|error| Refused::explained(format!("write `{path}`"), Call::Write, errno(&error), tried))
}

/// Makes a namespace of this kind.
pub(super) fn new(kind: Kind) -> Result<(), Refused> {
    unshare(kind.flag()).map_err(|errno| {
        let act = format!("unshare a {} namespace", kind.name());
        Refused::explained(act, Call::Unshare, errno, Act::Make(vec![kind]))
    })
}

/// Makes a mount namespace whose mounts nobody else sees: as we are where we may, else through a user namespace.
pub(super) fn mounts() -> Result<(), Refused> {
    rights()?;
    private_mounts()
}

/// Sees to it that we may make namespaces: as we are where we may, else through a user namespace.
pub(super) fn rights() -> Result<(), Refused> {
    if may_mount() { Ok(()) } else { user_namespace() }
}

/// The same through a user namespace in any case.
pub(super) fn user_mounts() -> Result<(), Refused> {
    user_namespace()?;
    private_mounts()
}

fn private_mounts() -> Result<(), Refused> {
    new(Kind::Mnt)?;
    match mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC) {
        // A chroot: its root is no mount point. What a probe mounts is detached, or on a mount of its own.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(errno) => Err(Refused::at("make the mounts private")(errno)),
    }
}

/// Where there is no ground to try something on: why stands in the answers about namespaces.
pub(super) fn no_ground(refused: &Refused) -> Answer {
    Answer::unknown(format!("there is no namespace to try it in: {}; see `user` and `mnt`", refused.act))
}
