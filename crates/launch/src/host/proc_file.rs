//! Files of the kernel's own file systems, read in as few calls as it takes.
//!
//! They have no size to ask for, and the kernel writes a text anew for each read that is too small for it: so nothing is asked,
//! and the first read is large.

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

const AT_A_TIME: usize = 8 * 1024;

/// The whole of a file, such as one of /proc.
pub fn read(path: &str) -> Result<Vec<u8>, Errno> {
    drain(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?.as_fd())
}

/// All that is left to read.
pub fn drain(file: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    let mut piece = [0u8; AT_A_TIME];
    loop {
        match rustix::io::read(file, &mut piece) {
            Ok(0) => return Ok(bytes),
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_length_is_read_whole() {
        assert_eq!(read("/proc/self/mountinfo").unwrap(), std::fs::read("/proc/self/mountinfo").unwrap());
        let (hear, tell) = rustix::pipe::pipe().unwrap();
        let long = vec![b'x'; 3 * AT_A_TIME + 1];
        rustix::io::write(&tell, &long).unwrap();
        drop(tell);
        assert_eq!(drain(hear.as_fd()).unwrap(), long);
        assert_eq!(read("/proc/self/no-such-file"), Err(Errno::NOENT));
    }
}
