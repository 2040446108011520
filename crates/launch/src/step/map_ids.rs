//! Writes the user namespace's id maps, user_namespaces(7).

use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
pub use crate::id_map::IdMap;
use crate::why::{self, Act, Around, Maps};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::process::{Command, Stdio};

/// Who may write the maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// We ourselves: as root any map, as a user one line with the own id.
    Direct,
    /// newuidmap(1) and newgidmap(1), which grant the ranges of /etc/subuid and /etc/subgid.
    Helpers,
}

/// The step.
#[derive(Debug)]
pub struct MapIds {
    /// `uid_map`; not written where it is empty.
    pub uid: Vec<IdMap>,
    /// `gid_map`, likewise.
    pub gid: Vec<IdMap>,
    /// Write `deny` to `setgroups` first, as the kernel demands where an unprivileged process writes `gid_map`.
    pub deny_setgroups: bool,
    /// Who writes them.
    pub writer: Writer,
}

impl MapIds {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let procfs = format!("/proc/{}", at.pid);
        if self.deny_setgroups {
            write(&format!("{procfs}/setgroups"), "deny")?;
        }
        let maps = [("gid", Call::Newgidmap, &self.gid), ("uid", Call::Newuidmap, &self.uid)];
        for (kind, call, lines) in maps.into_iter().filter(|(_, _, lines)| !lines.is_empty()) {
            match self.writer {
                Writer::Direct => write(&format!("{procfs}/{kind}_map"), &text(lines))?,
                Writer::Helpers => help(&format!("new{kind}map"), call, lines, at)?,
            }
        }
        Ok(())
    }
}

pub(super) fn text(maps: &[IdMap]) -> String {
    maps.iter().fold(String::new(), |mut text, map| {
        let _ = writeln!(text, "{} {} {}", map.inside, map.outside, map.size);
        text
    })
}

/// The kernel takes a whole map in one write(2), or refuses it.
pub(super) fn write(path: &str, text: &str) -> Done {
    let errno =
        |e: std::io::Error| Fault { call: Call::Write, errno: Errno::from_io_error(&e).unwrap_or(Errno::IO) };
    std::fs::write(path, text).map_err(errno)
}

/// Runs a helper; what it writes to stderr is kept for the message.
fn help(program: &str, call: Call, maps: &[IdMap], at: &mut Parent<'_>) -> Done {
    let mut command = Command::new(program);
    command.arg(at.pid.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
    for map in maps {
        command.args([map.inside, map.outside, map.size].map(|n| n.to_string()));
    }
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            at.said = Some(String::from_utf8_lossy(&output.stderr).trim_end().to_owned());
            Err(Fault { call, errno: Errno::PERM })
        }
        Err(e) => Err(Fault { call, errno: Errno::from_io_error(&e).unwrap_or(Errno::IO) }),
    }
}

/// The maps for people: ` user ids 0→1000; group ids 0→1000`.
pub(super) fn show(f: &mut fmt::Formatter<'_>, uid: &[IdMap], gid: &[IdMap]) -> fmt::Result {
    for (kind, maps) in [("user", uid), ("group", gid)] {
        if maps.is_empty() {
            continue;
        }
        write!(f, "{} {kind} ids", if kind == "user" || uid.is_empty() { "" } else { ";" })?;
        for map in maps {
            let last = |first: u32| u64::from(first) + u64::from(map.size) - 1;
            if map.size == 1 {
                write!(f, " {}→{}", map.inside, map.outside)?;
            } else {
                write!(f, " {}–{}→{}–{}", map.inside, last(map.inside), map.outside, last(map.outside))?;
            }
        }
    }
    Ok(())
}

impl Display for MapIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("map")?;
        show(f, &self.uid, &self.gid)?;
        if self.writer == Writer::Helpers {
            f.write_str(" (by newuidmap and newgidmap)")?;
        }
        Ok(())
    }
}

impl Describe for MapIds {
    const NAME: &'static str = "map-ids";

    fn why(&self) -> Cow<'static, str> {
        "until it is mapped, every id in the new user namespace is nobody; only a process outside it may write the maps"
            .into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        let helper = matches!(fault.call, Call::Newuidmap | Call::Newgidmap);
        let writer = if helper { why::Writer::Helper } else { why::Writer::Caller };
        let maps = Maps { uid: self.uid.clone(), gid: self.gid.clone(), writer };
        (helper || fault.call == Call::Write).then_some(Act::Map(maps))
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        Some(match (fault.call, fault.errno) {
            (Call::Newuidmap | Call::Newgidmap, Errno::NOENT) => {
                "newuidmap and newgidmap are not installed (Debian: package uidmap); \
                 without them a user has a single id to give"
                    .into()
            }
            (Call::Newuidmap | Call::Newgidmap, _) => {
                "the ranges must stand in /etc/subuid and /etc/subgid for this user, and the helpers must be setuid root"
                    .into()
            }
            (Call::Write, Errno::PERM) => "the kernel lets a process map ids that it does not own only with CAP_SETUID \
                                           and CAP_SETGID in the parent user namespace (user_namespaces(7))"
                .into(),
            (Call::Write, Errno::INVAL) => {
                "every id outside must be mapped in the user namespace above (/proc/self/uid_map, gid_map there), and a map \
                 has at most 340 lines"
                    .into()
            }
            _ => return None,
        })
    }
}
