//! Why newuidmap(1) or newgidmap(1) wrote no map: what they grant, and whether they have the rights to write it.

use super::act::{Ids, Maps};
use super::key::keys;
use super::subject::Subject;
use super::user_namespace::OVERFLOW;
use crate::fault::{Call, Fault};
use crate::host::ids::{Range, SUBGID, SUBUID, granted, user_name};
use crate::id_map::IdMap;
use rustix::fs::{StatVfsMountFlags, getxattr, statvfs};
use rustix::io::Errno;
use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// `S_ISUID`, inode(7).
const SET_USER_ID: u32 = 0o4000;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Newuidmap {
    /// It is not on the PATH.
    Absent(&'static str),
    /// The user has no range at all.
    NoRange {
        /// /etc/subuid or /etc/subgid.
        file: &'static str,
        /// Whose ranges.
        user: User,
    },
    /// The user's ranges do not hold what was asked for.
    OutOfRange {
        /// /etc/subuid or /etc/subgid.
        file: &'static str,
        /// Whose ranges.
        user: User,
        /// The ranges.
        granted: Vec<Range>,
        /// The line that is not in one of them.
        line: IdMap,
    },
    /// The file's rights do not count, as no program gains any.
    NoNewPrivs(&'static str),
    /// It is neither set-user-ID root nor has file capabilities.
    NotPrivileged {
        /// Its path.
        path: String,
        /// Whose the file is, as we see it.
        owner: u32,
    },
    /// It lies on a file system that is mounted `nosuid`.
    Nosuid {
        /// Its path.
        path: String,
    },
}

/// A user, by name where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name in /etc/passwd.
    pub name: Option<String>,
    /// The number.
    pub uid: u32,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "user {name} ({})", self.uid),
            None => write!(f, "user {} (who has no line in /etc/passwd)", self.uid),
        }
    }
}

keys! { Newuidmap {
    Absent = "helper-absent",
    NoRange = "subordinate-ids-none",
    OutOfRange = "subordinate-ids-too-few",
    NoNewPrivs = "helper-no-new-privs",
    NotPrivileged = "helper-not-privileged",
    Nosuid = "helper-nosuid",
} }

impl fmt::Display for Newuidmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(program) => write!(f, "{program} is not installed: no directory of PATH has it"),
            Self::NoRange { file, user } => write!(f, "{file} grants {user} no ids"),
            Self::OutOfRange { file, user, granted, line } => {
                write!(f, "{file} grants {user} the ids")?;
                for range in granted {
                    let last = u64::from(range.first) + u64::from(range.count) - 1;
                    write!(f, " {}–{last}", range.first)?;
                }
                let last = u64::from(line.outside) + u64::from(line.size).saturating_sub(1);
                write!(f, ", and {}–{last} were asked for", line.outside)
            }
            Self::NoNewPrivs(program) => write!(
                f,
                "no_new_privs is set for this process (by a sandbox, a container or systemd): {program} gets none of its rights"
            ),
            Self::NotPrivileged { path, owner } => write!(
                f,
                "`{path}` has no right to map ids: it is neither set-user-ID root (its owner shows as {owner}) nor has file \
                 capabilities"
            ),
            Self::Nosuid { path } => {
                write!(
                    f,
                    "`{path}` lies on a file system that is mounted `nosuid`, where it gets none of its rights"
                )
            }
        }
    }
}

impl Newuidmap {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::Absent(_) => "install newuidmap and newgidmap (Debian, Ubuntu: package uidmap; Fedora: shadow-utils); without \
                                them a user has a single id to give: `--map-root-user`"
                .to_owned(),
            Self::NoRange { user: User { name: None, .. }, .. } => {
                "ranges are granted to accounts: give the user one (`useradd`), which brings ranges with it; or with a single id: \
                 `--map-root-user`"
                    .to_owned()
            }
            Self::NoRange { file, user } | Self::OutOfRange { file, user, .. } => {
                let (flag, name) = (if *file == SUBUID { "uids" } else { "gids" }, shown(user));
                format!(
                    "as root of the machine: `usermod --add-sub{flag} 100000-165535 {name}`, or a line `{name}:100000:65536` in \
                     {file}, with a range that nobody has"
                )
            }
            Self::NoNewPrivs(_) => {
                "call it where no_new_privs is not set (systemd: `NoNewPrivileges=no`; Docker: without \
                 `--security-opt no-new-privileges`); or with a single id: `--map-root-user`"
                    .to_owned()
            }
            Self::NotPrivileged { path, .. } => format!(
                "as root of the machine: `chmod u+s {path}`, or reinstall the package; in a user namespace it has no effect: \
                 call it outside"
            ),
            Self::Nosuid { .. } => "install it where programs may gain rights, or with a single id: `--map-root-user`".to_owned(),
        }
    }
}

fn shown(user: &User) -> String {
    user.name.clone().unwrap_or_else(|| user.uid.to_string())
}

/// Looks for the cause.
pub(super) fn refused(maps: &Maps, fault: Fault, subject: &Subject) -> Option<Newuidmap> {
    let (ids, program, lines) = match fault.call {
        Call::Newuidmap => (Ids::User, "newuidmap", &maps.uid),
        Call::Newgidmap => (Ids::Group, "newgidmap", &maps.gid),
        _ => return None,
    };
    let Some(path) = on_path(program) else {
        return (fault.errno == Errno::NOENT).then_some(Newuidmap::Absent(program));
    };
    not_granted(ids, lines, subject).or_else(|| no_rights(program, &path, subject))
}

fn not_granted(ids: Ids, lines: &[IdMap], subject: &Subject) -> Option<Newuidmap> {
    let file = if ids == Ids::User { SUBUID } else { SUBGID };
    let caller = subject.caller();
    let own = if ids == Ids::User { caller.uid } else { caller.gid };
    let name = user_name(caller.uid);
    let granted = granted(file, caller.uid, name.as_deref()).unwrap_or_default();
    let holds = |line: &&IdMap| {
        let last = u64::from(line.outside) + u64::from(line.size);
        let within = |range: &Range| {
            range.first <= line.outside && last <= u64::from(range.first) + u64::from(range.count)
        };
        (line.size == 1 && line.outside == own) || granted.iter().any(within)
    };
    let line = *lines.iter().find(|line| !holds(line))?;
    let user = User { name, uid: caller.uid };
    Some(match granted.is_empty() {
        true => Newuidmap::NoRange { file, user },
        false => Newuidmap::OutOfRange { file, user, granted, line },
    })
}

fn no_rights(program: &'static str, path: &Path, subject: &Subject) -> Option<Newuidmap> {
    if subject.status()?.no_new_privs {
        return Some(Newuidmap::NoNewPrivs(program));
    }
    let shown = || path.display().to_string();
    let file = std::fs::metadata(path).ok()?;
    // In a user namespace without a map, as the new one is, everybody looks like this.
    let is_root = file.uid() == 0 || (subject.is_us() && file.uid() == OVERFLOW);
    let set_user_id = file.mode() & SET_USER_ID != 0 && is_root;
    let mut value = [0u8; 64];
    let capable = getxattr(path, c"security.capability", &mut value[..]).is_ok();
    if !set_user_id && !capable {
        return Some(Newuidmap::NotPrivileged { path: shown(), owner: file.uid() });
    }
    let nosuid = statvfs(path).is_ok_and(|at| at.f_flag.contains(StatVfsMountFlags::NOSUID));
    nosuid.then(|| Newuidmap::Nosuid { path: shown() })
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|path| path.is_file())
}
