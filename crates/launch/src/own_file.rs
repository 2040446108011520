//! Our own program's file, out of a container's reach: executed again from a clone of its mount that nobody can write through.
//!
//! A process that stands in a container's pid namespace while it still has our program as its `/proc/PID/exe` shows the way
//! to that file. [`PR_SET_DUMPABLE`](insula_sys::prctl::dumpable) closes it to all but those with CAP_SYS_PTRACE in the user
//! namespace that the program was started in; against them the file itself has to be one that cannot be opened for writing
//! (CVE-2019-5736). docs/design/002-our-own-binary.md tells who needs it, and what it costs.

use crate::error::{Failure, preparing};
use crate::injected;
use insula_sys::exec::{Strings, execveat};
use insula_sys::mount::{MountAttr, attr, mount_setattr, open_tree_attr};
use insula_sys::signal;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    Access, AtFlags, CWD, MemfdFlags, Mode, OFlags, SealFlags, StatVfsMountFlags, accessat, fcntl_add_seals,
    fcntl_get_seals, fstat, fstatvfs, memfd_create, open,
};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::process::geteuid;
use std::ffi::CString;

const SELF: &str = "/proc/self/exe";
/// `MFD_EXEC`, memfd_create(2), Linux 6.3.
const EXEC: MemfdFlags = MemfdFlags::from_bits_retain(0x10);
/// What makes a file in memory final.
const SEALS: SealFlags =
    SealFlags::WRITE.union(SealFlags::GROW).union(SealFlags::SHRINK).union(SealFlags::SEAL);

/// Makes sure that this process' `/proc/self/exe` cannot be opened for writing by anybody. If it can, this program is
/// executed again, from the beginning and with the same words, out of what cannot: so that this is called before there is
/// any effect.
///
/// Returns if it is so already, or if we could not write to the file either.
pub fn keep_out_of_reach() -> Result<(), Failure> {
    if injected::exposes_file() {
        return Ok(());
    }
    kept().map_err(preparing("keep our own program out of the container's reach"))
}

fn kept() -> Result<(), Errno> {
    let own = open(SELF, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    if is_out_of_reach(&own)? {
        return Ok(());
    }
    let again = clone_read_only(&own).or_else(|_| copy_sealed())?;
    // Else we would execute ourselves for ever.
    if !is_out_of_reach(&again)? {
        return Err(Errno::ROFS);
    }
    let words = |path| {
        let text = std::fs::read(path).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        Ok(Strings::new(lines(&text)))
    };
    let (argv, envp) = (words("/proc/self/cmdline")?, words("/proc/self/environ")?);
    // What our caller ignores is passed on, not what the standard library of this first life does.
    signal::restore_pipe()?;
    Err(execveat(again.as_fd(), argv.vector(), envp.vector()))
}

/// Is it on a mount that is read-only, a sealed file in memory, or another's that we may not write?
fn is_out_of_reach(file: &OwnedFd) -> Result<bool, Errno> {
    if fstatvfs(file)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(true);
    }
    if !geteuid().is_root() && fstat(file)?.st_uid != geteuid().as_raw() {
        let may_write = accessat(CWD, SELF, Access::WRITE_OK, AtFlags::EACCESS);
        if matches!(may_write, Err(Errno::ACCESS | Errno::ROFS | Errno::PERM)) {
            return Ok(true);
        }
    }
    Ok(fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SEALS))
        || open(SELF, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .and_then(fcntl_get_seals)
            .is_ok_and(|seals| seals.contains(SEALS)))
}

/// A detached clone of the file's mount: read-only for whoever finds it by `/proc/PID/exe`, whatever the mount is that it
/// was cloned from. Wants CAP_SYS_ADMIN, which is where it is needed.
fn clone_read_only(own: &OwnedFd) -> Result<OwnedFd, Errno> {
    let read_only = MountAttr { set: attr::RDONLY, ..MountAttr::default() };
    open_tree_attr(own.as_fd(), read_only).or_else(|_| {
        let flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
        let clone = open_tree(own, "", flags)?;
        mount_setattr(clone.as_fd(), false, read_only, None).map(|()| clone)
    })
}

/// A sealed copy in memory: for users, who may clone no mount, and where a filter forbids it.
fn copy_sealed() -> Result<OwnedFd, Errno> {
    let own = open(SELF, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = memfd_create(c"insula", flags | EXEC).or_else(|errno| match errno {
        // Before 6.3 every memfd could be executed, and the flag was unknown.
        Errno::INVAL => memfd_create(c"insula", flags),
        other => Err(other),
    })?;
    const CHUNK: usize = 1 << 24;
    while rustix::fs::sendfile(&copy, &own, None, CHUNK)? > 0 {}
    fcntl_add_seals(&copy, SEALS)?;
    Ok(copy)
}

/// Words that each end in NUL, as /proc shows them.
fn lines(text: &[u8]) -> Vec<CString> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    // Between two NULs there is none.
    text.split(|byte| *byte == 0).map(|word| CString::new(word).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_lies_before_each_nul() {
        assert_eq!(lines(b"a\0\0b=c d\0"), [c"a".to_owned(), c"".to_owned(), c"b=c d".to_owned()]);
        assert_eq!(lines(b""), Vec::<CString>::new());
    }

    #[test]
    fn a_sealed_copy_is_out_of_reach_and_has_every_byte() {
        let copy = copy_sealed().unwrap();
        assert_eq!(is_out_of_reach(&copy), Ok(true));
        assert_eq!(rustix::io::write(&copy, b"x"), Err(Errno::PERM));
        let own = std::fs::metadata(SELF).unwrap();
        assert_eq!(u64::try_from(fstat(&copy).unwrap().st_size), Ok(own.len()));
    }

    #[test]
    fn through_a_clone_nobody_writes() {
        insula_proof::need!(root);
        // One that nobody executes, which would be ETXTBSY.
        let scratch = insula_proof::scratch::Scratch::new();
        let file = scratch.write("file", "");
        let file = open(&file, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let clone = insula_proof::or_skip!(clone_read_only(&file).map_err(|errno| errno.to_string()));
        assert_eq!(is_out_of_reach(&clone), Ok(true));
        let path = |fd: &OwnedFd| format!("/proc/self/fd/{}", rustix::fd::AsRawFd::as_raw_fd(fd));
        let writes = |fd: &OwnedFd| open(path(fd).as_str(), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
        assert!(writes(&file).is_ok(), "else it would prove nothing");
        let written = writes(&clone);
        assert_eq!(written.err(), Some(Errno::ROFS));
    }
}
