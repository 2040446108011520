//! `tmpcopyup`: a new tmpfs begins with what the image has at its place.
//!
//! The image's files are the attacker's: everything goes by descriptors, no link is followed, nothing is opened that
//! could block, and the depth is bounded. Nothing allocates.

use crate::fault::{Call, Done, Fault};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, Stat, chownat, fchmod, fchown, fstat, mkdirat, mknodat, openat,
    readlinkat_raw, sendfile, statat, symlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// Deeper trees are refused: ELOOP.
const MOST_DEPTH: u32 = 64;
/// The space for the entries of a directory.
const ENTRIES_BYTES: usize = 4096;
/// PATH_MAX, and its NUL.
const LINK_BYTES: usize = 4097;
/// How much is copied at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Copies what is in the directory `from` into the directory `to`, with owners and modes; `from` itself lends its own.
pub(super) fn copy_up(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Done {
    let own = fstat(from).map_err(Call::Fstat.failed())?;
    // What was mounted a moment ago is a place (`O_PATH`), not yet a file to work on.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let to = openat(to, c".", flags, Mode::empty()).map_err(Call::Openat2.failed())?;
    directory(from, to.as_fd(), 0)?;
    own_as(to.as_fd(), &own)
}

fn directory(from: BorrowedFd<'_>, to: BorrowedFd<'_>, depth: u32) -> Done {
    if depth == MOST_DEPTH {
        return Err(Fault { call: Call::Mkdirat, errno: Errno::LOOP });
    }
    // By a description of its own, which is read from the beginning.
    let from = openat(from, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(Call::Openat2.failed())?;
    let mut space = [MaybeUninit::<u8>::uninit(); ENTRIES_BYTES];
    let mut entries = RawDir::new(&from, &mut space);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(Call::Read.failed())?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            one(from.as_fd(), to, name, depth)?;
        }
    }
    Ok(())
}

fn one(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr, depth: u32) -> Done {
    let stat = match statat(from, name, AtFlags::SYMLINK_NOFOLLOW) {
        // It was removed meanwhile.
        Err(Errno::NOENT) => return Ok(()),
        stat => stat.map_err(Call::Fstat.failed())?,
    };
    let kind = FileType::from_raw_mode(stat.st_mode);
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match kind {
        FileType::Directory => {
            mkdirat(to, name, Mode::from_raw_mode(0o700)).map_err(Call::Mkdirat.failed())?;
            let flags = flags | OFlags::RDONLY | OFlags::DIRECTORY;
            let (from, to) = both(from, to, name, flags, flags)?;
            directory(from.as_fd(), to.as_fd(), depth + 1)?;
            own_as(to.as_fd(), &stat)
        }
        FileType::RegularFile => {
            let new = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
            let (from, to) = both(from, to, name, flags | OFlags::RDONLY, new)?;
            while sendfile(&to, &from, None, PIECE_BYTES).map_err(Call::Write.failed())? > 0 {}
            own_as(to.as_fd(), &stat)
        }
        FileType::Symlink => {
            let mut space = [MaybeUninit::<u8>::uninit(); LINK_BYTES];
            let (target, _) =
                readlinkat_raw(from, name, &mut space[..LINK_BYTES - 1]).map_err(Call::Read.failed())?;
            let mut text = [0u8; LINK_BYTES];
            text[..target.len()].copy_from_slice(target);
            let target = CStr::from_bytes_until_nul(&text)
                .map_err(|_| Fault { call: Call::Symlinkat, errno: Errno::NAMETOOLONG })?;
            symlinkat(target, to, name).map_err(Call::Symlinkat.failed())?;
            let (uid, gid) = owner(&stat);
            chownat(to, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW).map_err(Call::Fchown.failed())
        }
        FileType::Fifo | FileType::Socket => {
            mknodat(to, name, kind, Mode::from_raw_mode(stat.st_mode & 0o7777), 0)
                .map_err(Call::Mknodat.failed())?;
            let (uid, gid) = owner(&stat);
            chownat(to, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW).map_err(Call::Fchown.failed())
        }
        // Devices of an image are nobody's gift.
        _ => Ok(()),
    }
}

fn both(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    read: OFlags,
    write: OFlags,
) -> Result<(OwnedFd, OwnedFd), Fault> {
    let from = openat(from, name, read, Mode::empty()).map_err(Call::Openat2.failed())?;
    let to = openat(to, name, write, Mode::from_raw_mode(0o600)).map_err(Call::Openat2.failed())?;
    Ok((from, to))
}

fn owner(stat: &Stat) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))
}

/// The owner first: a change of owner takes set-id bits away.
fn own_as(file: BorrowedFd<'_>, stat: &Stat) -> Done {
    let (uid, gid) = owner(stat);
    fchown(file, uid, gid).map_err(Call::Fchown.failed())?;
    fchmod(file, Mode::from_raw_mode(stat.st_mode & 0o7777)).map_err(Call::Fchmod.failed())
}
