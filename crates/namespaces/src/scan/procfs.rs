//! Reading /proc with few system calls: paths in a buffer on the stack, links without allocation.

use crate::error::Error;
use insula_launch::plan::Kind;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FsWord, Mode, OFlags, PROC_SUPER_MAGIC, fstatfs, open, openat, readlinkat_raw};
use rustix::io::Errno;
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// The longest path that is made here: `PID/task/TID/ns/time_for_children`.
const PATH_BYTES: usize = 64;
/// The longest link that is read to its end: `time_for_children:[4294967295]`.
const LINK_BYTES: usize = 48;

/// The directory of processes, proc(5).
pub(super) struct Proc {
    directory: OwnedFd,
}

impl Proc {
    /// Opens it, and proves that it is procfs.
    pub(super) fn open() -> Result<Proc, Error> {
        let failed = |errno| Error::File("open", "/proc".to_owned(), errno);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open("/proc", flags, Mode::empty()).map_err(failed)?;
        let found = fstatfs(&directory).map_err(failed)?;
        if found.f_type != PROC_SUPER_MAGIC {
            let reason = "is not the proc file system".to_owned();
            let hint = Some("mount it: `mount -t proc proc /proc`".to_owned());
            return Err(Error::Asked { what: "/proc".to_owned(), reason, hint });
        }
        Ok(Proc { directory })
    }

    /// Its own file, to list.
    pub(super) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The inode of the namespace that a link leads to, by the text of the link: `net:[4026531840]`.
    pub(super) fn namespace(&self, path: &Path) -> Result<u64, Errno> {
        let mut room = [MaybeUninit::<u8>::uninit(); LINK_BYTES];
        let (text, _) = readlinkat_raw(&self.directory, path.as_c_str(), &mut room[..])?;
        match link(text) {
            Link::Namespace(_, inode) => Ok(inode),
            Link::Socket | Link::Other => Err(Errno::INVAL),
        }
    }

    /// Opens a file below.
    pub(super) fn open_file(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        openat(&self.directory, path.as_c_str(), flags | OFlags::CLOEXEC, Mode::empty())
    }

    /// Reads a file below as a whole.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>, Errno> {
        whole(&self.open_file(path, OFlags::RDONLY)?)
    }
}

/// Opens a namespace of which only the place is known (`O_PATH`). It is proven to be one first: an open(2) of anything
/// else could block, or do something.
pub(super) fn open_place(place: &OwnedFd) -> Result<OwnedFd, Errno> {
    /// `NSFS_MAGIC`, statfs(2).
    const NSFS_MAGIC: FsWord = 0x6e73_6673;
    if fstatfs(place)?.f_type != NSFS_MAGIC {
        return Err(Errno::INVAL);
    }
    let again = format!("/proc/self/fd/{}", place.as_raw_fd());
    openat(CWD, again, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// The namespaces of ourselves.
pub(super) fn own_namespace(kind: &str) -> Option<u64> {
    let mut room = [MaybeUninit::<u8>::uninit(); LINK_BYTES];
    let path = format!("/proc/thread-self/ns/{kind}");
    let (text, _) = readlinkat_raw(CWD, path.as_str(), &mut room[..]).ok()?;
    match link(text) {
        Link::Namespace(_, inode) => Some(inode),
        Link::Socket | Link::Other => None,
    }
}

/// Reads an open file to its end.
pub(super) fn whole(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
    /// What a table of mounts takes, mostly: the kernel makes it anew for each small read.
    const ROOM_BYTES: usize = 16 << 10;
    let mut bytes = Vec::with_capacity(ROOM_BYTES);
    loop {
        if bytes.capacity() - bytes.len() < ROOM_BYTES / 2 {
            bytes.reserve(ROOM_BYTES);
        }
        match rustix::io::read(file, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) => return Ok(bytes),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// What the text of a link says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// A namespace: its kind and its inode.
    Namespace(Kind, u64),
    /// A socket.
    Socket,
    /// Something else.
    Other,
}

/// Reads `KIND:[INODE]` and `socket:[…]`. The path of a file begins with a slash, so that none is taken for either.
pub(super) fn link(text: &[u8]) -> Link {
    let Some(colon) = text.iter().position(|byte| *byte == b':') else { return Link::Other };
    let (name, rest) = text.split_at(colon);
    let number = rest.strip_prefix(b":[").and_then(|rest| rest.strip_suffix(b"]")).and_then(number);
    let Some(number) = number else { return Link::Other };
    if name == b"socket" {
        return Link::Socket;
    }
    let name = name.strip_suffix(b"_for_children").unwrap_or(name);
    let kind = Kind::ALL.into_iter().find(|kind| kind.name().as_bytes() == name);
    kind.map_or(Link::Other, |kind| Link::Namespace(kind, number))
}

/// Reads a decimal number; `None` for anything else.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits
        .iter()
        .try_fold(0u64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

/// A path below /proc, on the stack.
pub(super) struct Path {
    bytes: [u8; PATH_BYTES],
}

impl Path {
    /// Puts a path together. All parts are numbers and words of ours, which fit.
    pub(super) fn new(parts: &[&[u8]]) -> Path {
        let mut bytes = [0u8; PATH_BYTES];
        let slots = bytes[..PATH_BYTES - 1].iter_mut();
        for (slot, byte) in slots.zip(parts.iter().copied().flatten()) {
            *slot = *byte;
        }
        Path { bytes }
    }

    pub(super) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).expect("the last byte is never written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_what_it_leads_to() {
        let table: [(&[u8], Link); 9] = [
            (b"net:[4026531840]", Link::Namespace(Kind::Net, 4_026_531_840)),
            (b"time_for_children:[12]", Link::Namespace(Kind::Time, 12)),
            (b"socket:[77]", Link::Socket),
            (b"pipe:[77]", Link::Other),
            (b"/net:[4026531840]", Link::Other),
            (b"net:[]", Link::Other),
            (b"net:[12", Link::Other),
            (b"net:[99999999999999999999]", Link::Other),
            (b"anon_inode:[eventpoll]", Link::Other),
        ];
        for (text, meaning) in table {
            assert_eq!(link(text), meaning, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_path_is_its_parts() {
        assert_eq!(Path::new(&[b"12", b"/ns/", b"net"]).as_c_str(), c"12/ns/net");
        let longest = Path::new(&[b"4194304", b"/task/", b"4194304", b"/ns/", b"time_for_children"]);
        assert_eq!(longest.as_c_str(), c"4194304/task/4194304/ns/time_for_children");
    }
}
