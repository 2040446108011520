//! One directory of a cgroup file system, by its descriptor: nothing here follows a link or leaves the hierarchy.

use crate::mounts::{CgroupMount, Version};
use crate::path::Path;
use insula_launch::host::proc_file;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    Access, AtFlags, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, StatxFlags, Uid, accessat, chownat,
    fstat, fstatfs, mkdirat, open, openat2, statx, unlinkat,
};
use rustix::io::Errno;

/// `CGROUP_SUPER_MAGIC`, statfs(2).
const V1_MAGIC: i64 = 0x0027_e0eb;
/// `CGROUP2_SUPER_MAGIC`, statfs(2).
const V2_MAGIC: i64 = 0x6367_7270;

/// How often EAGAIN (a rename raced with the look-up, openat2(2)) is tried again.
const TRIES: u32 = 128;

/// A group in one hierarchy: an `O_PATH` descriptor, and the path that it had, for messages.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    shown: String,
}

impl Directory {
    /// Opens the root of a mount, and proves that it is this one: by the file system's magic number, its device, and the
    /// mount's id (Linux 5.8). Another one lies over it if they are not those of the table of mounts.
    pub fn root(mount: &CgroupMount) -> Result<Self, Errno> {
        let fd =
            open(mount.point.as_str(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let magic = match mount.version {
            Version::V1 => V1_MAGIC,
            Version::V2 => V2_MAGIC,
        };
        let found = statx(&fd, "", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
        let has_id = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::MNT_ID);
        let is_it = (found.stx_dev_major, found.stx_dev_minor) == mount.device
            && (!has_id || found.stx_mnt_id == mount.id)
            && fstatfs(&fd)?.f_type == magic;
        if is_it { Ok(Self { fd, shown: mount.point.clone() }) } else { Err(Errno::NODEV) }
    }

    /// Its path, for messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The path of a file or group in it, for messages.
    pub fn shown_of(&self, name: &str) -> String {
        format!("{}/{name}", self.shown.trim_end_matches('/'))
    }

    /// The group `path` below this one.
    pub fn at(&self, path: &Path) -> Result<Self, Errno> {
        if path.is_root() {
            return self.child(".");
        }
        self.child(&path.names().join("/"))
    }

    /// The group of that name in it.
    pub fn child(&self, name: &str) -> Result<Self, Errno> {
        let fd = self.open(name, OFlags::PATH | OFlags::DIRECTORY)?;
        let shown = if name == "." { self.shown.clone() } else { self.shown_of(name) };
        Ok(Self { fd, shown })
    }

    /// Opens what stands in it. On a cgroup file system there are no links; one that is there anyway is refused.
    pub fn open(&self, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV;
        for _ in 0..TRIES {
            match openat2(&self.fd, name, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other,
            }
        }
        Err(Errno::AGAIN)
    }

    /// The whole of a control file.
    pub fn read(&self, file: &str) -> Result<String, Errno> {
        let bytes = proc_file::drain(self.open(file, OFlags::RDONLY)?.as_fd())?;
        String::from_utf8(bytes).map_err(|_| Errno::ILSEQ)
    }

    /// A control file without the end of its line, if there is such a file and it can be read.
    pub fn look(&self, file: &str) -> Option<String> {
        self.read(file).ok().map(|text| text.trim_end().to_owned())
    }

    /// Writes a control file in one write(2): the kernel takes each as one value.
    pub fn write(&self, file: &str, value: &str) -> Result<(), Errno> {
        let fd = self.open(file, OFlags::WRONLY)?;
        put(fd.as_fd(), value)
    }

    /// Makes the group of that name in it.
    pub fn make(&self, name: &str) -> Result<(), Errno> {
        mkdirat(&self.fd, name, Mode::from_raw_mode(0o755))
    }

    /// Removes the group of that name in it; EBUSY while something is in that.
    pub fn remove(&self, name: &str) -> Result<(), Errno> {
        unlinkat(&self.fd, name, AtFlags::REMOVEDIR)
    }

    /// Gives a file in it, or itself (`.`), to another owner.
    pub fn chown(&self, name: &str, uid: u32, gid: u32) -> Result<(), Errno> {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        chownat(&self.fd, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Its owner.
    pub fn owner(&self) -> Option<u32> {
        fstat(&self.fd).ok().map(|stat| stat.st_uid)
    }

    /// Whether this process may make groups in it, and move processes into it.
    pub fn may_be_written(&self) -> bool {
        [".", "cgroup.procs"]
            .iter()
            .all(|name| accessat(&self.fd, *name, Access::WRITE_OK, AtFlags::EACCESS).is_ok())
    }

    /// The names of the groups in it, sorted. A name that is not UTF-8 is left out: nobody can ask for it here.
    pub fn children(&self) -> Result<Vec<String>, Errno> {
        let mut names = Vec::new();
        // kernfs counts two links and one for each directory in it, so that it need not be listed to say that there is none.
        if fstat(&self.fd)?.st_nlink == 2 {
            return Ok(names);
        }
        for entry in Dir::new(self.open(".", OFlags::RDONLY | OFlags::DIRECTORY)?)? {
            let entry = entry?;
            let name = entry.file_name().to_str().unwrap_or(".");
            if entry.file_type() == FileType::Directory && !matches!(name, "." | "..") {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// This group and all below it, each after the one that it is in.
    pub fn tree(&self) -> Result<Vec<Path>, Errno> {
        let mut all = vec![Path::root()];
        let mut next = 0;
        while let Some(path) = all.get(next).cloned() {
            next += 1;
            // What is removed meanwhile has nothing below it.
            let names = match self.at(&path).and_then(|directory| directory.children()) {
                Err(Errno::NOENT | Errno::NODEV) => continue,
                names => names?,
            };
            all.extend(names.iter().filter_map(|name| Path::parse(name).ok()).map(|name| path.join(&name)));
        }
        Ok(all)
    }

    /// The processes in this group itself. Those of a pid namespace that is not below ours are 0.
    pub fn processes(&self) -> Result<Vec<i32>, Errno> {
        let text = self.read("cgroup.procs")?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// One write of the whole value.
pub fn put(fd: BorrowedFd<'_>, value: &str) -> Result<(), Errno> {
    loop {
        match rustix::io::write(fd, value.as_bytes()) {
            Err(Errno::INTR) => {}
            other => return other.map(drop),
        }
    }
}
