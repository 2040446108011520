//! The look at a process whose user namespace was not mapped.

use super::IdMaps;
use super::rules::{Facts, broken};
use crate::fault::{Call, Fault};
use crate::id_map::IdMap;
use crate::why::act::{Ids, Maps, Writer};
use crate::why::subject::Subject;
use crate::why::user_namespace::{UserNamespace, levels};
use rustix::io::Errno;

/// `CAP_SETGID`, capabilities(7).
const CAP_SETGID: u32 = 6;
/// `CAP_SETUID`.
const CAP_SETUID: u32 = 7;
/// `CAP_SYS_ADMIN`.
const CAP_SYS_ADMIN: u32 = 21;
/// `CAP_SETFCAP`.
const CAP_SETFCAP: u32 = 31;

/// Looks for the rule that a map breaks.
pub(crate) fn mapped(maps: &Maps, fault: Fault, subject: &Subject) -> Option<IdMaps> {
    if fault.call != Call::Write || !matches!(fault.errno, Errno::PERM | Errno::INVAL) {
        return None;
    }
    let user = [(Ids::User, &maps.uid)];
    let group = [(Ids::Group, &maps.gid)];
    // In the order of the steps; one that has been written as it should be is not the one that was refused.
    let order = match maps.writer {
        Writer::Itself => user.into_iter().chain(group),
        Writer::Caller | Writer::Helper => group.into_iter().chain(user),
    };
    order.filter(|(_, lines)| !lines.is_empty()).find_map(|(ids, lines)| {
        let present = subject.read(ids.file()).map(|text| IdMap::parse(&text))?;
        let done = present.len() == lines.len()
            && present.iter().zip(lines).all(|(a, b)| (a.inside, a.size) == (b.inside, b.size));
        if done { None } else { broken(lines, &facts(ids, &present, maps.writer, subject)?) }
    })
}

fn facts(ids: Ids, present: &[IdMap], writer: Writer, subject: &Subject) -> Option<Facts> {
    let caller = subject.caller();
    let has = |capability: u32| caller.capabilities & (1 << capability) != 0;
    let user = UserNamespace::of(subject)?;
    // A process in it writes with the rights that it has inside: none of those above.
    let outside = writer != Writer::Itself;
    let levels = levels(subject);
    let above = match levels.get(1) {
        Some(above) if above.ours => Subject::ourselves().read(ids.file()),
        // We are in it ourselves: who is below the same one as we were shows its map.
        _ => subject.parent().and_then(|parent| parent.read(ids.file())),
    };
    Some(Facts {
        ids,
        user,
        written: !present.is_empty(),
        own: if ids == Ids::User { caller.uid } else { caller.gid },
        uid: caller.uid,
        // Inside one sees the owner by an id of the inside.
        owner: user.owner.filter(|_| levels.len() > 1),
        admin: has(CAP_SYS_ADMIN),
        any: outside && has(if ids == Ids::User { CAP_SETUID } else { CAP_SETGID }),
        setfcap: has(CAP_SETFCAP),
        denied: subject.read("setgroups").is_some_and(|text| text.trim() == "deny"),
        above: above.map(|text| IdMap::parse(&text)),
    })
}

/// Looks for the reason why /proc/PID/setgroups takes no `allow` (`true`) or `deny`.
pub(crate) fn groups_file(allow: bool, fault: Fault, subject: &Subject) -> Option<IdMaps> {
    let status = subject.status()?;
    match (fault.call, fault.errno) {
        (Call::Openat2, Errno::ACCESS | Errno::PERM) if !status.has(CAP_SYS_ADMIN) => {
            Some(IdMaps::SetgroupsCapability(UserNamespace::of(subject)?))
        }
        (Call::Write, Errno::PERM) if allow => {
            (subject.read("setgroups")?.trim() == "deny").then_some(IdMaps::SetgroupsDenied)
        }
        (Call::Write, Errno::PERM) => {
            (!subject.read("gid_map")?.trim().is_empty()).then_some(IdMaps::SetgroupsTooLate)
        }
        _ => None,
    }
}
