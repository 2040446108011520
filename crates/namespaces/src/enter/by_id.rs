//! A namespace by its 64-bit id, which is never given twice while the machine is up.

use crate::error::Error;
use insula_launch::plan::Kind;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open as open_path};
use rustix::io::Errno;

/// Opens it: by a file handle where the kernel takes the id alone (Linux 6.19), else by a look at every process.
pub(super) fn open(kind: Kind, id: u64) -> Result<OwnedFd, Error> {
    // Where the kernel wants the inode as well (Linux 6.18) it says that the handle is stale.
    if let Ok(file) = nsfs::open_by_id(id, 0, 0) {
        return Ok(file);
    }
    let own = open_own(kind).map_err(|errno| {
        Error::File("open the namespace", format!("/proc/self/ns/{}", kind.name()), errno)
    })?;
    if let Err(errno) = nsfs::id(own.as_fd()) {
        return Err(Error::Asked {
            what: format!(":{id}"),
            reason: format!(
                "the namespaces of this kernel have no ids ({})",
                insula_launch::error::Named(errno)
            ),
            hint: Some(
                "Linux 6.18 brought them (NS_GET_ID); a file whose name begins so is `./:NAME`".to_owned(),
            ),
        });
    }
    at_a_process(kind, id).ok_or_else(|| Error::Asked {
        what: format!(":{id}"),
        reason: format!("no {} namespace that we may see has this id", kind.name()),
        hint: Some(
            "before Linux 6.19 one without a process in it is not found by its id; `lsns` lists those that are".to_owned(),
        ),
    })
}

fn open_own(kind: Kind) -> Result<OwnedFd, Errno> {
    open_path(format!("/proc/self/ns/{}", kind.name()), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

fn at_a_process(kind: Kind, id: u64) -> Option<OwnedFd> {
    let entries = std::fs::read_dir("/proc").ok()?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let path = format!("/proc/{pid}/ns/{}", kind.name());
        open_path(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
    })
    .find(|file| nsfs::id(file.as_fd()) == Ok(id))
}
