//! Opens a namespace that does not simply come from the target.

use super::by_id;
use super::target::Target;
use crate::error::Error;
use crate::names;
use insula_launch::plan::Kind;
use insula_launch::step::same_namespaces::Seen;
use insula_sys::net::namespace_of;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};
use std::ffi::OsStr;
use std::path::Path;

/// Behind a file, or the name of a named one. The second: how to call it.
pub(super) fn by_file(kind: Kind, path: &Path) -> Result<(OwnedFd, String), Error> {
    let shown = path.display().to_string();
    // O_NONBLOCK: what is named may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = match (open(path, flags, Mode::empty()), path.to_str()) {
        // A file wins, as there; a word that is none may be a name. A name has no slash.
        (Err(Errno::NOENT), Some(word)) if !word.contains('/') => {
            match (names::open(kind, OsStr::new(word))?, names::read(word)?) {
                (Some(file), _) => Ok(file),
                // It says what the name lacks.
                (None, Some(named)) => Ok(named.open(kind)?),
                (None, None) => Err(Errno::NOENT),
            }
        }
        (opened, _) => opened,
    };
    let file = file.map_err(|errno| Error::File("open the namespace", shown.clone(), errno))?;
    check_kind(kind, &file, &shown)?;
    Ok((file, shown))
}

/// setns(2) would say EINVAL of both.
fn check_kind(kind: Kind, file: &OwnedFd, shown: &str) -> Result<(), Error> {
    let asked =
        |reason: String, hint: String| Err(Error::Asked { what: shown.to_owned(), reason, hint: Some(hint) });
    let found = match nsfs::kind(file.as_fd()) {
        Err(Errno::NOTTY | Errno::INVAL) => {
            let hint = "a namespace is one of /proc/PID/ns, or a file on which one is mounted".to_owned();
            return asked("this file is no namespace".to_owned(), hint);
        }
        Err(errno) => return Err(Error::File("ask the kind of", shown.to_owned(), errno)),
        Ok(flag) => Kind::ALL.into_iter().find(|kind| u64::try_from(flag) == Ok(kind.flag())),
    };
    match found {
        Some(found) if found == kind => Ok(()),
        Some(found) => asked(
            format!("this is a {} namespace, no {} namespace", found.name(), kind.name()),
            format!("`--{}={shown}` enters it", flag(found)),
        ),
        None => asked("this kind of namespace is not known here".to_owned(), "see namespaces(7)".to_owned()),
    }
}

/// nsenter(1)'s word for a kind.
fn flag(kind: Kind) -> &'static str {
    if kind == Kind::Mnt { "mount" } else { kind.name() }
}

/// With a 64-bit id.
pub(super) fn by_id(kind: Kind, id: u64) -> Result<(OwnedFd, String), Error> {
    let shown = format!(":{id}");
    let file = by_id::open(kind, id)?;
    check_kind(kind, &file, &shown)?;
    Ok((file, shown))
}

/// The network namespace of a socket of the target.
pub(super) fn of_socket(target: &Target, number: i32) -> Result<(OwnedFd, String), Error> {
    let what = format!("--net-socket {number}");
    let asked = |reason: &str, hint: &str| Error::Asked {
        what: what.clone(),
        reason: reason.to_owned(),
        hint: Some(hint.to_owned()),
    };
    let pidfd = target.pidfd.as_ref().ok_or_else(|| {
        asked("the kernel gives no pidfd for this process", "it is a thread, or Linux is older than 5.3")
    })?;
    let socket = match pidfd_getfd(pidfd, number, PidfdGetfdFlags::empty()) {
        Err(Errno::BADF) => {
            return Err(asked("the target has no such descriptor open", "`ls -l /proc/PID/fd` lists them"));
        }
        got => got.map_err(|errno| target.refused(format!("take the descriptor {number}"), errno))?,
    };
    match namespace_of(socket.as_fd()) {
        Ok(namespace) => Ok((namespace, format!("socket {number} of process {}", target.pid))),
        Err(Errno::NOTTY | Errno::OPNOTSUPP) => {
            Err(asked("this descriptor is no socket", "`ls -l /proc/PID/fd` shows which are"))
        }
        Err(Errno::PERM) => Err(asked(
            "we may not ask a socket for its network namespace",
            "it wants CAP_NET_ADMIN in the user namespace that owns that network namespace (SIOCGSKNS)",
        )),
        Err(errno) => Err(Error::File("ask for the network namespace of", what, errno)),
    }
}

/// The user namespace that owns another one: that of `--user=FILE`, else the target's.
pub(super) fn parent(user: &OwnedFd, of: &str) -> Result<(OwnedFd, String), Error> {
    match nsfs::owner(user.as_fd()) {
        Ok(parent) => Ok((parent, format!("the parent of the user namespace of {of}"))),
        Err(Errno::PERM) => Err(Error::Asked {
            what: "--user-parent".to_owned(),
            reason: format!("the parent of the user namespace of {of} is not ours to see"),
            hint: Some(
                "it must be our own user namespace or one below that (ioctl_ns(2), NS_GET_USERNS)".to_owned(),
            ),
        }),
        Err(errno) => Err(Error::File("ask for the parent of the user namespace of", of.to_owned(), errno)),
    }
}

/// Which one a namespace is that is open.
pub(super) fn seen(kind: Kind, file: &OwnedFd, shown: &str) -> Result<Seen, Error> {
    let stat = fstat(file).map_err(|errno| Error::File("look at", shown.to_owned(), errno))?;
    Ok(Seen { kind, device: stat.st_dev, inode: stat.st_ino })
}
