//! Namespaces that are kept by a mount: files of nsfs in the tables of mounts, proc_pid_mountinfo(5).

use super::found::{Found, identity};
use super::look::Mounts;
use super::procfs::{Link, Path, Proc, link, open_place, own_namespace};
use super::snapshot::{By, Holder};
use super::views::View;
use insula_launch::host::mounts::unescape_bytes;
use insula_launch::plan::Kind;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Looks for them in our mount namespace, and in the others of which there is a view.
pub(super) fn look(proc: &Proc, found: &mut Found<'_>, views: &[View]) {
    if found.look.mounts == Mounts::None {
        return;
    }
    if let Ok(table) = proc.read(&Path::new(&[b"thread-self/mountinfo"])) {
        table_of(proc, found, &table, None);
    }
    let own = own_namespace("mnt");
    for view in views.iter().filter(|view| Some(view.mount_namespace) != own) {
        let (pid, tid) = (view.pid.to_string(), view.tid.to_string());
        let path = Path::new(&[pid.as_bytes(), b"/task/", tid.as_bytes(), b"/mountinfo"]);
        if let Ok(table) = proc.read(&path) {
            table_of(proc, found, &table, Some(view));
        }
    }
}

fn table_of(proc: &Proc, found: &mut Found<'_>, table: &[u8], view: Option<&View>) {
    for (kind, inode, point) in table.split(|byte| *byte == b'\n').filter_map(nsfs_mount) {
        if !found.knows(inode) {
            match open_mount(proc, &point, view) {
                Ok(file) if identity(file.as_fd()) == Some((kind, inode)) => found.file(file.as_fd()),
                // Another mount lies over it, or the path is not ours to walk: the table says what it is. lsns(8) leaves
                // it out.
                _ if found.look.mounts == Mounts::All => found.hidden(kind, inode),
                _ => {}
            }
        }
        found.hold(Holder { namespace: inode, by: By::Mount { point, pid: view.map(|view| view.pid) } });
    }
}

/// Kind, inode and mount point of a line that is a mount of nsfs.
fn nsfs_mount(line: &[u8]) -> Option<(Kind, u64, PathBuf)> {
    let dash = line.windows(8).position(|part| part == b" - nsfs ")?;
    let mut fields = line[..dash].split(|byte| *byte == b' ').skip(3);
    let Link::Namespace(kind, inode) = link(fields.next()?) else { return None };
    let point = unescape_bytes(fields.next()?);
    Some((kind, inode, PathBuf::from(OsString::from_vec(point))))
}

/// Opens a mounted namespace. In another mount namespace the names are somebody else's: they are resolved below that
/// root, and magic links are refused.
pub(super) fn open_mount(
    proc: &Proc,
    point: &std::path::Path,
    view: Option<&View>,
) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place = match view {
        None => open(point, flags, Mode::empty())?,
        Some(view) => {
            let (pid, tid) = (view.pid.to_string(), view.tid.to_string());
            let path = Path::new(&[pid.as_bytes(), b"/task/", tid.as_bytes(), b"/root"]);
            let root = proc.open_file(&path, OFlags::PATH | OFlags::DIRECTORY)?;
            let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
            openat2(&root, point, flags, Mode::empty(), resolve)?
        }
    };
    open_place(&place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_of_a_namespace_is_told_from_others() {
        let line = b"585 28 0:4 net:[4026532301] /run/netns/a\\040b rw shared:7 - nsfs nsfs rw";
        assert_eq!(nsfs_mount(line), Some((Kind::Net, 4_026_532_301, PathBuf::from("/run/netns/a b"))));
        assert_eq!(nsfs_mount(b"36 35 98:0 / /mnt rw - ext3 /dev/root rw"), None);
        assert_eq!(nsfs_mount(b"36 35 98:0 /net:[1] /x - nsfs rw - ext3 /dev/root rw"), None);
        assert_eq!(nsfs_mount(b" - nsfs "), None);
    }
}
