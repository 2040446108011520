//! Paths: what is not there, closed, no directory, read-only, full, or not to be executed; path_resolution(7).

use super::super::key::keys;
use super::super::user_namespace::OVERFLOW;
use super::view::View;
use rustix::fd::AsRawFd;
use rustix::fs::{FileType, Stat, getxattr};
use rustix::io::Errno;
use std::fmt;

/// `CAP_DAC_OVERRIDE`, capabilities(7).
const CAP_DAC_OVERRIDE: u32 = 1;
/// `CAP_DAC_READ_SEARCH`.
const CAP_DAC_READ_SEARCH: u32 = 2;

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A part of the path is not there.
    Absent {
        /// The path up to that part.
        part: String,
    },
    /// A part of the path that others follow is no directory.
    NoDirectory {
        /// The path up to that part.
        part: String,
    },
    /// Symbolic links lead in a circle.
    Links {
        /// The path up to the link.
        part: String,
    },
    /// A directory on the way may not be passed.
    Closed {
        /// The directory.
        part: String,
        /// Its permission bits.
        mode: u32,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        uid: u32,
    },
    /// Nothing may be made or changed in a directory, or written to a file.
    Unwritable {
        /// Which.
        path: String,
        /// Its permission bits.
        mode: u32,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        uid: u32,
    },
    /// The mount is read-only.
    ReadOnly {
        /// Where it is mounted.
        point: String,
        /// The type of its file system.
        fstype: String,
        /// The file system itself is, not only this mount of it.
        whole: bool,
    },
    /// There is no room.
    Full {
        /// Where the file system is mounted.
        point: String,
        /// Its type.
        fstype: String,
        /// It is files that there can be no more of, not bytes.
        inodes: bool,
    },
    /// The mount is `noexec`.
    NoExec {
        /// The program.
        path: String,
        /// Where it is mounted.
        point: String,
    },
    /// The file is not executable.
    NoProgram {
        /// The program.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The program names an interpreter that is not there.
    Interpreter {
        /// The program.
        path: String,
        /// What it names.
        interpreter: String,
    },
    /// The owner has no id in the user namespace, so that nobody there has a right over it.
    Unmapped {
        /// The file.
        path: String,
    },
}

keys! { Place {
    Absent = "path-absent",
    NoDirectory = "path-no-directory",
    Links = "path-links",
    Closed = "path-closed",
    Unwritable = "path-unwritable",
    ReadOnly = "read-only",
    Full = "no-room",
    NoExec = "noexec",
    NoProgram = "not-executable",
    Interpreter = "no-interpreter",
    Unmapped = "owner-unmapped",
} }

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Absent { part } => write!(f, "`{part}` is not there"),
            Place::NoDirectory { part } => write!(f, "`{part}` is no directory"),
            Place::Links { part } => write!(f, "the symbolic link `{part}` leads back to itself"),
            Place::Closed { part, mode, owner, uid } => {
                write!(f, "`{part}` is closed to uid {uid}: it is {}, with mode {mode:04o}", Whose(*owner))
            }
            Place::Unwritable { path, mode, owner, uid } => {
                write!(
                    f,
                    "uid {uid} may not write to `{path}`: it is {}, with mode {mode:04o}",
                    Whose(*owner)
                )
            }
            Place::ReadOnly { point, fstype, whole: true } => {
                write!(f, "the {fstype} on `{point}` is read-only as a whole")
            }
            Place::ReadOnly { point, fstype, whole: false } => {
                write!(f, "the mount of {fstype} on `{point}` is read-only")
            }
            Place::Full { point, fstype, inodes } => {
                let what = if *inodes { "files" } else { "bytes" };
                write!(f, "the {fstype} on `{point}` has no {what} left")
            }
            Place::NoExec { path, point } => {
                write!(f, "`{path}` is on the mount `{point}`, which is noexec")
            }
            Place::NoProgram { path, mode } => {
                write!(f, "`{path}` has no permission to be executed: its mode is {mode:04o}")
            }
            Place::Interpreter { path, interpreter } => {
                write!(f, "`{path}` is there, but the interpreter that it names, `{interpreter}`, is not")
            }
            Place::Unmapped { path } => {
                write!(
                    f,
                    "the owner of `{path}` has no id in this user namespace, so that its root has no rights over it"
                )
            }
        }
    }
}

/// The owner of a file in words.
struct Whose(u32);

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            OVERFLOW => f.write_str("nobody's who has an id here"),
            uid => write!(f, "uid {uid}'s"),
        }
    }
}

impl Place {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Place::Absent { part } => format!("make it, or look how it is written: `ls -d {}`", above(part)),
            Place::NoDirectory { part } => format!("`ls -ld {part}` shows what it is"),
            Place::Links { part } => format!("`readlink {part}` shows where it leads"),
            Place::Closed { part, .. } => {
                format!("its owner opens it, `chmod a+x {part}`; in a user namespace that uid has to be mapped")
            }
            Place::Unwritable { .. } => {
                "be its owner or root; in a user namespace its root has that right only over owners who are mapped".to_owned()
            }
            Place::ReadOnly { point, whole: true, .. } => {
                format!("choose another place, or as root of the host: `mount -o remount,rw {point}`")
            }
            Place::ReadOnly { point, whole: false, .. } => format!(
                "choose another place, or `mount -o remount,bind,rw {point}`, which a user namespace may not where the host has set it"
            ),
            Place::Full { inodes: true, .. } => {
                "remove files, or make it with more (tmpfs: the option nr_inodes=)".to_owned()
            }
            Place::Full { point, .. } => format!("remove something (`du -x {point}`), or make it larger (tmpfs: size=)"),
            Place::NoExec { point, .. } => {
                format!("put the program elsewhere, or as who mounted it: `mount -o remount,bind,exec {point}`")
            }
            Place::NoProgram { path, .. } => format!("if it is a program: `chmod a+x {path}`"),
            Place::Interpreter { interpreter, .. } => format!(
                "install what has `{interpreter}`; another C library's (musl, glibc) or another machine's programs want its files in this root"
            ),
            Place::Unmapped { .. } => {
                "map that id too (`--map-users`, `--map-auto` with subordinate ids), or copy the files to one that is mapped".to_owned()
            }
        }
    }
}

/// The directory that a path lies in.
fn above(part: &str) -> &str {
    match part.rfind('/') {
        None => ".",
        Some(0) => "/",
        Some(at) => &part[..at],
    }
}

/// Why a path could not be reached.
pub(super) fn reached(path: &str, errno: Errno, view: &View<'_>) -> Option<Place> {
    match errno {
        // The message names the path already.
        Errno::NOENT if is_last_part_absent(path, view) => None,
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS => walk(path, errno, view),
        _ => None,
    }
}

fn is_last_part_absent(path: &str, view: &View<'_>) -> bool {
    view.open(above(path.trim_end_matches('/'))).is_ok()
}

/// Goes along the path, part by part, to the first that answers so.
fn walk(path: &str, errno: Errno, view: &View<'_>) -> Option<Place> {
    let mut parts: Vec<&str> =
        path.match_indices('/').map(|(at, _)| &path[..at]).filter(|part| !part.is_empty()).collect();
    parts.push(path.trim_end_matches('/'));
    let count = parts.len();
    if path.starts_with('/')
        && let Some(closed) = closed("/", errno, view)
    {
        return Some(closed);
    }
    for (number, part) in parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty()) {
        let is_last = number + 1 == count;
        match view.stat(part) {
            Err(found) if found == errno => {
                let part = part.to_owned();
                return match errno {
                    Errno::NOENT => Some(Place::Absent { part }),
                    Errno::LOOP => Some(Place::Links { part }),
                    Errno::NOTDIR => Some(Place::NoDirectory { part }),
                    _ => None,
                };
            }
            Err(_) => return None,
            Ok(stat) if errno == Errno::NOTDIR && kind(&stat) != FileType::Directory => {
                // What the last part has to be, the call knows: those that come here want directories.
                return Some(Place::NoDirectory { part: part.to_owned() });
            }
            Ok(stat) if kind(&stat) == FileType::Directory => {
                if let Some(found) = closed(part, errno, view) {
                    return Some(found);
                }
            }
            Ok(_) if is_last => {}
            Ok(_) => return None,
        }
    }
    None
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// A directory that the process may not pass, by its permission bits: we who look may have more rights.
fn closed(part: &str, errno: Errno, view: &View<'_>) -> Option<Place> {
    if errno != Errno::ACCESS {
        return None;
    }
    let stat = view.stat(part).ok()?;
    if may(&stat, 0o1, view)? || has_acl(part, view) {
        return None;
    }
    let uid = view.subject.status()?.uid[1];
    Some(Place::Closed { part: part.to_owned(), mode: stat.st_mode & 0o7777, owner: stat.st_uid, uid })
}

/// Whether the bits are not all that decides: a list of who may what lies beside them, acl(5).
fn has_acl(path: &str, view: &View<'_>) -> bool {
    let Ok(file) = view.open(path) else { return false };
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    // Too small for any list: that there is one is told by ERANGE.
    matches!(getxattr(link, c"system.posix_acl_access", &mut [0_u8; 1]), Ok(_) | Err(Errno::RANGE))
}

/// Whether the process has a right (4 read, 2 write, 1 pass or execute), by bits, ids and capabilities.
fn may(stat: &Stat, right: u32, view: &View<'_>) -> Option<bool> {
    let status = view.subject.status()?;
    let groups = view.subject.read("status").unwrap_or_default();
    let groups = groups.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap_or_default().to_owned();
    let in_group =
        status.gid[3] == stat.st_gid || groups.split_whitespace().any(|gid| gid == stat.st_gid.to_string());
    let shift = if status.uid[3] == stat.st_uid {
        6
    } else if in_group {
        3
    } else {
        0
    };
    if stat.st_mode >> shift & right == right {
        return Some(true);
    }
    let strong = status.has(CAP_DAC_OVERRIDE) || (right == 1 && status.has(CAP_DAC_READ_SEARCH));
    // A capability in a user namespace counts only over files whose owner and group are mapped in it.
    Some(strong && !is_unmapped(stat, view))
}

/// Whether the owner or the group has no id in the process's user namespace.
pub(super) fn is_unmapped(stat: &Stat, view: &View<'_>) -> bool {
    let mapped = |file: &str, id: u32| {
        let Some(map) = view.subject.read(file) else { return true };
        // The second column is in our terms if the process is elsewhere, else the ids that we see are the first.
        map.lines().any(|line| {
            let numbers: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [inside, outside, size] = numbers[..] else { return false };
            let first = if same_user_namespace(view) { inside } else { outside };
            id >= first && u64::from(id) < u64::from(first) + u64::from(size)
        })
    };
    !mapped("uid_map", stat.st_uid) || !mapped("gid_map", stat.st_gid)
}

fn same_user_namespace(view: &View<'_>) -> bool {
    let own = std::fs::read_link("/proc/self/ns/user")
        .ok()
        .and_then(|link| link.into_os_string().into_string().ok());
    view.subject.is_us() || (own.is_some() && own == view.subject.link("ns/user"))
}

/// Why something could not be made or written.
pub(super) fn written(path: &str, errno: Errno, view: &View<'_>) -> Option<Place> {
    let there = if view.open(path).is_ok() { path } else { above(path) };
    match errno {
        Errno::ROFS => {
            let mount = view.mount(there)?;
            let whole = mount.super_options.iter().any(|option| option == "ro");
            (whole || mount.has("ro")).then(|| Place::ReadOnly {
                point: mount.point.clone(),
                fstype: mount.fstype.clone(),
                whole,
            })
        }
        Errno::NOSPC => {
            let mount = view.mount(there)?;
            let room = view.open(there).ok().and_then(|file| rustix::fs::fstatvfs(&file).ok())?;
            let inodes = room.f_files > 0 && room.f_favail == 0;
            (inodes || room.f_bavail == 0).then(|| Place::Full {
                point: mount.point.clone(),
                fstype: mount.fstype.clone(),
                inodes,
            })
        }
        Errno::PERM | Errno::OVERFLOW | Errno::ACCESS => {
            let stat = view.stat(there).ok()?;
            let is_open = errno == Errno::ACCESS && may(&stat, 2, view) != Some(false);
            let is_unmapped = !is_open && view.is_in_user_namespace() && is_unmapped(&stat, view);
            match errno {
                _ if is_unmapped => Some(Place::Unmapped { path: there.to_owned() }),
                Errno::ACCESS => walk(path, errno, view).or_else(|| unwritable(there, &stat, view)),
                _ => None,
            }
        }
        errno => reached(above(path), errno, view),
    }
}

fn unwritable(path: &str, stat: &Stat, view: &View<'_>) -> Option<Place> {
    let uid = view.subject.status()?.uid[1];
    (may(stat, 2, view) == Some(false) && !has_acl(path, view)).then(|| Place::Unwritable {
        path: path.to_owned(),
        mode: stat.st_mode & 0o7777,
        owner: stat.st_uid,
        uid,
    })
}

/// Why a program could not be executed: of several places it is the first that has it.
pub(super) fn executed(paths: &[String], errno: Errno, view: &View<'_>) -> Option<Place> {
    match paths {
        [path] => execution(path, errno, view),
        paths => execution(paths.iter().find(|path| view.open(path).is_ok())?, errno, view),
    }
}

fn execution(path: &str, errno: Errno, view: &View<'_>) -> Option<Place> {
    match errno {
        Errno::ACCESS | Errno::PERM => {
            let mount = view.mount(path)?;
            if mount.has("noexec") {
                return Some(Place::NoExec { path: path.to_owned(), point: mount.point.clone() });
            }
            if let Some(closed) = walk(path, Errno::ACCESS, view) {
                return Some(closed);
            }
            let stat = view.stat(path).ok()?;
            let is_file = kind(&stat) == FileType::RegularFile;
            (is_file && (stat.st_mode & 0o111 == 0 || may(&stat, 1, view) == Some(false)))
                .then(|| Place::NoProgram { path: path.to_owned(), mode: stat.st_mode & 0o7777 })
        }
        Errno::NOENT if view.open(path).is_ok() => {
            let interpreter = super::interpreter::named(path, view)?;
            view.open(&interpreter)
                .is_err()
                .then(|| Place::Interpreter { path: path.to_owned(), interpreter })
        }
        errno => reached(path, errno, view),
    }
}
