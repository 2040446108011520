//! What a word on a command line means: a name, a process, or one namespace by a file, its inode or its 64-bit id.

use crate::error::Error;
use crate::id::Identity;
use crate::names::{self, Named};
use crate::scan::{self, Look};
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FsWord, Mode, OFlags, fstatfs, open, openat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The highest number that a pid can be: `PID_MAX_LIMIT`, proc_sys_kernel(5). Inodes of namespaces are far beyond.
const MOST_PIDS: u64 = 1 << 22;
/// `NSFS_MAGIC`, statfs(2).
const NSFS_MAGIC: FsWord = 0x6e73_6673;

/// What a word means.
#[derive(Debug)]
pub struct Subject {
    /// As what it was understood.
    pub of: Of,
    /// The namespaces, in the order of their kinds, each kind once.
    pub parts: Vec<Part>,
}

/// As what a word was understood.
#[derive(Debug)]
pub enum Of {
    /// A name.
    Name(Box<Named>),
    /// A process of this pid.
    Process(u32),
    /// One namespace.
    Namespace,
}

/// One namespace of a subject.
#[derive(Debug)]
pub struct Part {
    /// Its kind.
    pub kind: Kind,
    /// Which one it is.
    pub identity: Option<Identity>,
    /// A file of it; `None`: it could not be opened.
    pub file: Option<OwnedFd>,
    /// Why there is none behind the name, or none that we may open.
    pub fault: Option<Error>,
}

impl Part {
    /// One that is open.
    fn open(kind: Kind, file: OwnedFd) -> Result<Part, Errno> {
        let identity = Identity::of_file(file.as_fd())?;
        Ok(Part { kind, identity: Some(identity), file: Some(file), fault: None })
    }

    /// Its file, where it is open.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    /// Its inode, where it is known.
    pub fn inode(&self) -> Option<u64> {
        self.identity.as_ref().map(|identity| identity.inode)
    }
}

impl Subject {
    /// Finds what a word means. A name is looked for first; what is all digits is a pid, where there is such a process, an
    /// inode or an id; `:ID` is an id and `KIND:[INODE]` an inode; a word with a slash is a file, any other may be one.
    pub fn find(word: &OsStr) -> Result<Subject, Error> {
        let shown = word.to_string_lossy().into_owned();
        if word.as_bytes().contains(&b'/') {
            return of_file(word, &shown);
        }
        if let Some(named) = names::find(word)? {
            return Ok(of_name(named));
        }
        if let Some(inode) = link(&shown) {
            return by_scan(&shown, |namespace| (namespace.kind.name(), namespace.inode) == inode);
        }
        if let Some(id) = shown.strip_prefix(':').and_then(number) {
            return by_id(&shown, id);
        }
        match number(&shown) {
            Some(pid) if pid <= MOST_PIDS => match of_process(u32::try_from(pid).unwrap_or(0)) {
                // Ids begin at 1.
                Err(Gone::Not) => by_id(&shown, pid).map_err(|_| neither(&shown)),
                Err(Gone::Error(error)) => Err(error),
                Ok(subject) => Ok(subject),
            },
            Some(number) => {
                by_scan(&shown, |namespace| namespace.inode == number || namespace.id == Some(number))
            }
            None => match of_file(word, &shown) {
                Err(Error::File(_, _, Errno::NOENT | Errno::NAMETOOLONG)) => Err(unknown(&shown)),
                found => found,
            },
        }
    }

    /// The namespaces that are known, as a scan takes them.
    pub fn wanted(&self) -> Vec<(Kind, u64)> {
        self.parts.iter().filter_map(|part| Some((part.kind, part.inode()?))).collect()
    }

    /// The kinds among them, as a scan takes them.
    pub fn kinds(&self) -> [bool; 8] {
        let mut kinds = [false; 8];
        self.parts.iter().for_each(|part| kinds[part.kind as usize] = true);
        kinds
    }
}

/// The namespaces of a name: those that are there, and of the others why not.
fn of_name(named: Named) -> Subject {
    let opened = named.open_all(&named.kinds()).map(|all| all.into_iter().map(Ok).collect());
    // One that is stale spoils not the others.
    let each = |_| {
        named
            .kinds()
            .into_iter()
            .map(|kind| named.open(kind).map(|file| (kind, file)).map_err(|error| (kind, error)))
    };
    let opened: Vec<Result<(Kind, OwnedFd), (Kind, Error)>> =
        opened.unwrap_or_else(|error| each(error).collect());
    let part = |opened| match opened {
        Ok((kind, file)) => Part::open(kind, file).unwrap_or_else(|errno| {
            let fault = Error::File("ask the kind of", named.shown(), errno);
            Part { kind, identity: None, file: None, fault: Some(fault) }
        }),
        Err((kind, error)) => Part { kind, identity: None, file: None, fault: Some(error) },
    };
    Subject { parts: opened.into_iter().map(part).collect(), of: Of::Name(Box::new(named)) }
}

/// Why there is no such process.
enum Gone {
    /// There is none.
    Not,
    /// It is not ours to look at.
    Error(Error),
}

/// The namespaces of a process, all through one directory: whoever gets its pid later is not meant.
fn of_process(pid: u32) -> Result<Subject, Gone> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open(format!("/proc/{pid}"), flags, Mode::empty()).map_err(|_| Gone::Not)?;
    let mut parts = Vec::new();
    for kind in Kind::ALL {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(&directory, kind.file(), flags, Mode::empty());
        match file.and_then(|file| Part::open(kind, file)) {
            Ok(part) => parts.push(part),
            // A kind that the kernel lacks, or that a zombie has lost.
            Err(Errno::NOENT) => {}
            Err(Errno::SRCH) => return Err(Gone::Not),
            Err(errno) => {
                let what = "look at the namespaces".to_owned();
                let error = Error::process(what, i32::try_from(pid).unwrap_or(0), errno);
                return Err(Gone::Error(error));
            }
        }
    }
    Ok(Subject { of: Of::Process(pid), parts })
}

/// A namespace file. It is proven to be one before it is opened: an open(2) of anything else could block, or do something.
fn of_file(path: &OsStr, shown: &str) -> Result<Subject, Error> {
    let failed = |what| move |errno| Error::File(what, shown.to_owned(), errno);
    let place =
        open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(failed("open the namespace"))?;
    let system = fstatfs(&place).map_err(failed("look at the file system of"))?;
    if system.f_type != NSFS_MAGIC {
        return Err(Error::Asked {
            what: shown.to_owned(),
            reason: "this file is no namespace".to_owned(),
            hint: Some("a namespace is one of /proc/PID/ns, or a file on which one is mounted".to_owned()),
        });
    }
    let again = format!("/proc/self/fd/{}", place.as_raw_fd());
    let file = openat(CWD, again, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(failed("open the namespace"))?;
    one(file).map_err(failed("ask the kind of"))
}

fn one(file: OwnedFd) -> Result<Subject, Errno> {
    let kind = Identity::of_file(file.as_fd())?.kind;
    Ok(Subject { of: Of::Namespace, parts: vec![Part::open(kind, file)?] })
}

fn by_id(shown: &str, id: u64) -> Result<Subject, Error> {
    // Linux 6.19; before it wants the inode as well.
    if let Ok(subject) = nsfs::open_by_id(id, 0, 0).and_then(one) {
        return Ok(subject);
    }
    by_scan(shown, |namespace| namespace.id == Some(id))
}

/// One that is found by looking at all that there are.
fn by_scan(shown: &str, is_it: impl Fn(&scan::Namespace) -> bool) -> Result<Subject, Error> {
    let snapshot = scan::take(&Look { ids: true, ..Look::HOLDERS })?;
    let Some(found) = snapshot.namespaces.iter().find(|namespace| is_it(namespace)) else {
        return Err(Error::Asked {
            what: shown.to_owned(),
            reason: "no namespace that we may see has this number".to_owned(),
            hint: Some(match snapshot.unseen {
                0 => "`insula lsns --all-holders` lists them".to_owned(),
                unseen => format!(
                    "`insula lsns --all-holders` lists them; {unseen} processes could not be looked at, and root may"
                ),
            }),
        });
    };
    match scan::open(&snapshot, found).map(one) {
        Some(Ok(subject)) => Ok(subject),
        // It shows only in a table of mounts: what the scan knows is all.
        _ => {
            let identity = Identity {
                kind: found.kind,
                device: 0,
                inode: found.inode,
                id: found.id,
                boot: String::new(),
            };
            let part = Part { kind: found.kind, identity: Some(identity), file: None, fault: None };
            Ok(Subject { of: Of::Namespace, parts: vec![part] })
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// `KIND:[INODE]`, as readlink(1) shows it.
fn link(text: &str) -> Option<(&str, u64)> {
    let (kind, rest) = text.split_once(":[")?;
    Some((kind, rest.strip_suffix(']').and_then(number)?))
}

fn neither(shown: &str) -> Error {
    Error::Asked {
        what: shown.to_owned(),
        reason: "there is no process of this pid, and no namespace of this id that we may see".to_owned(),
        hint: Some("a pid counts in the pid namespace that /proc shows; `ps -e` lists them".to_owned()),
    }
}

fn unknown(shown: &str) -> Error {
    Error::Asked {
        what: shown.to_owned(),
        reason: "this is no name, pid, inode or id of a namespace, and no file".to_owned(),
        hint: Some(
            "`insula ns ls` lists the names; a namespace without one is a pid's, or KIND:[INODE]".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(word: &str) -> Result<Subject, Error> {
        Subject::find(OsStr::new(word))
    }

    #[test]
    fn one_namespace_is_found_by_each_of_its_words() {
        let uts = Identity::of("/proc/self/ns/uts").expect("our own");
        let mut words =
            vec!["/proc/self/ns/uts".to_owned(), uts.inode.to_string(), format!("uts:[{}]", uts.inode)];
        words.extend(uts.id.map(|id| format!(":{id}")));
        for word in words {
            let subject = find(&word).unwrap_or_else(|error| panic!("{word}: {error}"));
            assert!(matches!(subject.of, Of::Namespace), "{word}");
            assert_eq!(subject.wanted(), [(Kind::Uts, uts.inode)], "{word}");
        }
    }

    #[test]
    fn a_process_has_all_kinds() {
        let subject = find(&std::process::id().to_string()).expect("ourselves");
        assert!(matches!(subject.of, Of::Process(pid) if pid == std::process::id()));
        assert!(subject.parts.len() >= 6 && subject.parts.iter().all(|part| part.file.is_some()));
    }

    #[test]
    fn what_is_nothing_is_refused() {
        for word in [
            "",
            "no such name",
            "net:[1]",
            "uts:[x]",
            ":1x",
            "4194303",
            "99999999999",
            "/proc/self/status",
            ".",
        ] {
            assert!(find(word).is_err(), "{word}");
        }
    }
}
