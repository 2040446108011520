//! Reading a file that may be anything: nothing blocks, and nothing is read without an end.

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

/// Why a file was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// A call failed.
    Call(Errno),
    /// It may not be read: the reason.
    Refused(&'static str),
}

/// Reads a regular file of at most `most` bytes.
pub(super) fn read_regular(file: &OwnedFd, most: u64) -> Result<Vec<u8>, Unread> {
    let stat = fstat(file).map_err(Unread::Call)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Unread::Refused("it is no regular file"));
    }
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    if size > most {
        return Err(Unread::Refused("it is too large"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    let mut piece = [0u8; 16 * 1024];
    loop {
        match rustix::io::read(file, &mut piece) {
            Ok(0) => return Ok(bytes),
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Unread::Call(errno)),
        }
        if bytes.len() as u64 > most {
            return Err(Unread::Refused("it is too large"));
        }
    }
}
