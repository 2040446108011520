//! What a process may write about its own user namespace, user_namespaces(7): one id each, and whether setgroups(2) is
//! allowed.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::id_map::IdMap;
use crate::why::{Act, Around, Maps, Writer};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;

const UID_MAP: &CStr = c"/proc/self/uid_map";
const GID_MAP: &CStr = c"/proc/self/gid_map";
const SETGROUPS: &CStr = c"/proc/self/setgroups";

/// One id: `inside` is what we are seen as, `outside` our own effective id in the parent user namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnId {
    inside: u32,
    outside: u32,
    line: String,
}

impl OwnId {
    /// The id and the line that maps it, written before the birth of anyone who may not allocate.
    pub fn new(inside: u32, outside: u32) -> OwnId {
        OwnId { inside, outside, line: format!("{inside} {outside} 1") }
    }
}

/// Maps our own effective ids.
#[derive(Debug)]
pub struct MapOwnIds {
    /// The user id.
    pub uid: Option<OwnId>,
    /// The group id; setgroups(2) is denied first.
    pub gid: Option<OwnId>,
}

impl MapOwnIds {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        if let Some(uid) = &self.uid {
            write(UID_MAP, &uid.line)?;
        }
        if let Some(gid) = &self.gid {
            deny_or_allow(false)?;
            write(GID_MAP, &gid.line)?;
        }
        Ok(())
    }
}

fn write(path: &CStr, text: &str) -> Done {
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).map_err(Call::Openat2.failed())?;
    rustix::io::write(&file, text.as_bytes()).map(drop).map_err(Call::Write.failed())
}

fn deny_or_allow(allow: bool) -> Done {
    match write(SETGROUPS, if allow { "allow" } else { "deny" }) {
        // Before Linux 3.19, and without user namespaces, nobody asks.
        Err(Fault { call: Call::Openat2, errno: Errno::NOENT }) => Ok(()),
        done => done,
    }
}

impl fmt::Display for MapOwnIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("map")?;
        if let Some(uid) = &self.uid {
            write!(f, " our user id {} to {}", uid.outside, uid.inside)?;
        }
        if let Some(gid) = &self.gid {
            f.write_str(if self.uid.is_some() { ", and" } else { "" })?;
            write!(f, " our group id {} to {}, with setgroups(2) denied", gid.outside, gid.inside)?;
        }
        Ok(())
    }
}

impl Describe for MapOwnIds {
    const NAME: &'static str = "map-own-ids";

    fn why(&self) -> Cow<'static, str> {
        "one line with the own id is what every process may write for itself; a group only where setgroups(2) is denied"
            .into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let lines = |id: &Option<OwnId>| {
            let line = |id: &OwnId| IdMap { inside: id.inside, outside: id.outside, size: 1 };
            id.iter().map(line).collect()
        };
        let maps = Maps { uid: lines(&self.uid), gid: lines(&self.gid), writer: Writer::Itself };
        matches!(fault.call, Call::Write | Call::Openat2).then_some(Act::Map(maps))
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Write, Errno::PERM) => Some(
                "the map is written already, or our own effective id is not mapped in the user namespace above \
                 (user_namespaces(7))"
                    .into(),
            ),
            _ => unreachable(fault),
        }
    }
}

/// /proc/self cannot be written.
fn unreachable(fault: &Fault) -> Option<Cow<'static, str>> {
    match (fault.call, fault.errno) {
        (Call::Openat2, Errno::NOENT) => {
            Some("/proc is not mounted here, or this kernel has no user namespaces (CONFIG_USER_NS)".into())
        }
        (Call::Openat2, Errno::ACCESS) => Some(
            "writing it wants CAP_SYS_ADMIN in the user namespace: one of its own has it (`--user`)".into(),
        ),
        (Call::Openat2, Errno::ROFS) => Some("/proc is mounted read-only here, as containers do".into()),
        _ => None,
    }
}

/// Allows or denies setgroups(2) in the user namespace.
#[derive(Debug)]
pub struct Setgroups {
    /// `allow`, or `deny`, which cannot be taken back.
    pub allow: bool,
}

impl Setgroups {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        deny_or_allow(self.allow)
    }
}

impl fmt::Display for Setgroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.allow { "allow setgroups(2)" } else { "deny setgroups(2) for ever" })
    }
}

impl Describe for Setgroups {
    const NAME: &'static str = "setgroups";

    fn why(&self) -> Cow<'static, str> {
        "the kernel takes it only before a group map is written, or as a repetition of what holds".into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        matches!(fault.call, Call::Write | Call::Openat2).then_some(Act::Setgroups(self.allow))
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Write, Errno::PERM) if self.allow => Some(
                "setgroups(2) is denied in this user namespace already, or in the one above; that cannot be taken back"
                    .into(),
            ),
            (Call::Write, Errno::PERM) => Some(
                "the group map of this user namespace is written already, so that it is too late to deny; it takes a \
                 user namespace of its own (`--user`)"
                    .into(),
            ),
            _ => unreachable(fault),
        }
    }
}
