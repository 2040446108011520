//! Why an id map, or what it allows, was refused: the rules of user_namespaces(7), one by one.

mod look;
mod rules;

use super::act::Ids;
use super::key::keys;
use super::user_namespace::UserNamespace;
use crate::id_map::IdMap;
pub(super) use look::{groups_file, mapped};
pub use rules::{MOST_LINES, PAGE_BYTES};
use std::fmt;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdMaps {
    /// The map is there already.
    Written(Ids),
    /// The initial user namespace has no map that could be written.
    Initial,
    /// The writer has no right over the user namespace.
    NotOurs {
        /// Which it is.
        user: UserNamespace,
        /// Who would write.
        uid: u32,
    },
    /// More lines than the kernel takes.
    TooManyLines(Ids, usize),
    /// More text than the kernel takes.
    TooLong(Ids, usize),
    /// A line with no ids in it, or with ids that are none.
    NoRange(Ids, IdMap),
    /// Two lines share ids.
    Overlap(Ids, IdMap, IdMap),
    /// Without the capability there is one line, of one id.
    SeveralIds {
        /// Which map.
        ids: Ids,
        /// How many lines.
        lines: usize,
        /// How many ids.
        count: u64,
    },
    /// Without the capability that one id is the writer's own.
    NotOwnId {
        /// Which map.
        ids: Ids,
        /// The line.
        line: IdMap,
        /// The writer's own.
        own: u32,
    },
    /// Without the capability a group map is written only where setgroups(2) is denied.
    SetgroupsFirst,
    /// A line names ids that the user namespace above does not have.
    Unmapped {
        /// Which map.
        ids: Ids,
        /// The line.
        line: IdMap,
        /// What is mapped there.
        above: Vec<IdMap>,
    },
    /// User 0 of the user namespace above is given away by somebody without CAP_SETFCAP (Linux 5.12).
    RootWithoutSetfcap(IdMap),
    /// setgroups(2) is denied for ever.
    SetgroupsDenied,
    /// It cannot be denied any more.
    SetgroupsTooLate,
    /// The file wants CAP_SYS_ADMIN in the user namespace.
    SetgroupsCapability(UserNamespace),
}

keys! { IdMaps {
    Written = "id-map-written",
    Initial = "id-map-initial",
    NotOurs = "id-map-not-ours",
    TooManyLines = "id-map-too-many-lines",
    TooLong = "id-map-too-long",
    NoRange = "id-map-no-range",
    Overlap = "id-map-overlap",
    SeveralIds = "id-map-several-ids",
    NotOwnId = "id-map-not-own-id",
    SetgroupsFirst = "id-map-setgroups-first",
    Unmapped = "id-map-unmapped-above",
    RootWithoutSetfcap = "id-map-root-without-setfcap",
    SetgroupsDenied = "setgroups-denied",
    SetgroupsTooLate = "setgroups-too-late",
    SetgroupsCapability = "setgroups-no-capability",
} }

impl Ids {
    /// The file's name.
    pub fn file(self) -> &'static str {
        match self {
            Ids::User => "uid_map",
            Ids::Group => "gid_map",
        }
    }

    /// The capability that lets any id be mapped.
    fn capability(self) -> &'static str {
        match self {
            Ids::User => "CAP_SETUID",
            Ids::Group => "CAP_SETGID",
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Ids::User => "user",
            Ids::Group => "group",
        }
    }
}

impl fmt::Display for IdMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written(ids) => {
                write!(f, "{} of this user namespace is written already, and the kernel takes it once only", ids.file())
            }
            Self::Initial => f.write_str("this is the initial user namespace, whose maps cannot be written"),
            Self::NotOurs { user, uid } => write!(
                f,
                "{user} is not for user {uid} to map: that wants CAP_SYS_ADMIN in it, which its maker has, and root of the one above"
            ),
            Self::TooManyLines(ids, lines) => {
                write!(f, "{} would have {lines} lines, and the kernel takes {MOST_LINES}", ids.file())
            }
            Self::TooLong(ids, bytes) => {
                write!(f, "{} would have {bytes} bytes, and the kernel takes less than {PAGE_BYTES}", ids.file())
            }
            Self::NoRange(ids, line) => write!(
                f,
                "the line `{line}` of {} is no range: it has at least one id, and ids end at 4294967294",
                ids.file()
            ),
            Self::Overlap(ids, one, other) => {
                write!(f, "the lines `{one}` and `{other}` of {} have ids in common", ids.file())
            }
            Self::SeveralIds { ids, lines, count } => write!(
                f,
                "{} would map {count} ids in {lines} {}, and without {} in the user namespace above the kernel takes one line \
                 with one id, the own one",
                ids.file(),
                if *lines == 1 { "line" } else { "lines" },
                ids.capability()
            ),
            Self::NotOwnId { ids, line, own } => write!(
                f,
                "the line `{line}` of {} maps {} {}, and without {} in the user namespace above only the own id may be \
                 mapped, which is {own}",
                ids.file(),
                ids.word(),
                line.outside,
                ids.capability()
            ),
            Self::SetgroupsFirst => f.write_str(
                "gid_map is written without CAP_SETGID in the user namespace above, and setgroups(2) is not denied yet in this one",
            ),
            Self::Unmapped { ids, line, above } => {
                write!(
                    f,
                    "the line `{line}` of {} names ids outside that the user namespace above does not have; it has",
                    ids.file()
                )?;
                if above.is_empty() {
                    return f.write_str(" none");
                }
                let last = |line: &IdMap| u64::from(line.inside) + u64::from(line.size) - 1;
                above.iter().try_for_each(|line| match line.size {
                    1 => write!(f, " {}", line.inside),
                    _ => write!(f, " {}–{}", line.inside, last(line)),
                })
            }
            Self::RootWithoutSetfcap(line) => write!(
                f,
                "the line `{line}` of uid_map maps user 0 of the user namespace above, and since Linux 5.12 that wants CAP_SETFCAP, \
                 which was missing there"
            ),
            Self::SetgroupsDenied => f.write_str(
                "/proc/self/setgroups says `deny`, for this user namespace or from one above, and that cannot be taken back",
            ),
            Self::SetgroupsTooLate => f.write_str(
                "gid_map of this user namespace is written already, and setgroups(2) can be denied only before that",
            ),
            Self::SetgroupsCapability(user) => write!(
                f,
                "/proc/self/setgroups is opened for writing only with CAP_SYS_ADMIN, which this process does not have in {user}"
            ),
        }
    }
}

impl IdMaps {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::Written(_) => "make a new user namespace (`--user`), and write the whole map at once",
            Self::Initial | Self::SetgroupsTooLate | Self::SetgroupsCapability(_) => {
                "make a user namespace of its own: `--user`"
            }
            Self::NotOurs { .. } => "write it as the user who made the user namespace",
            Self::TooManyLines(..) | Self::TooLong(..) => "join ranges that follow one another into one line",
            Self::NoRange(..) => "write INSIDE OUTSIDE COUNT, with a COUNT of at least 1",
            Self::Overlap(..) => "each id may stand in one line only, inside and outside",
            Self::SeveralIds { .. } => {
                "ranges of ids are granted in /etc/subuid and /etc/subgid, and written by newuidmap(1) and newgidmap(1): \
                 `--map-auto`; or call it as root"
            }
            Self::NotOwnId { .. } => {
                "map the own id (`--map-root-user`, `--map-current-user`), or call it as root"
            }
            Self::SetgroupsFirst => "write `deny` to /proc/PID/setgroups first (`--setgroups=deny`)",
            Self::Unmapped { .. } => {
                "map ids that /proc/self/uid_map and gid_map show there in the first column; or give the outer user namespace \
                 more of them"
            }
            Self::RootWithoutSetfcap(_) => {
                "call it with CAP_SETFCAP (Docker, Podman: `--cap-add SETFCAP`), or map another id"
            }
            Self::SetgroupsDenied => {
                "make the user namespace anew with a group map that newgidmap(1) or root writes (`--map-auto`): there nothing \
                 is denied; one inside this does not help"
            }
        }
        .to_owned()
    }
}
