//! Is the root directory of a process that of its mount namespace? chroot(2) makes it another.

use super::subject::Subject;
use crate::host::mounts::unescape;
use rustix::fs::{AtFlags, CWD, Statx, StatxAttributes, StatxFlags, statx};

/// A root directory that chroot(2) has made, and what is known of where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chrooted {
    /// The path of it, as a process outside sees it.
    pub path: Option<String>,
}

/// How many ancestors are asked.
const MOST_ANCESTORS: usize = 64;

/// Looks at the root directory; `None`: nothing shows that it is another.
pub fn chrooted(subject: &Subject) -> Option<Chrooted> {
    let root = root(subject)?;
    if !root.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
        && root.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT)
    {
        return Some(Chrooted { path: None });
    }
    // The root of some mount. Who sees that mount below its own root is outside; a mount is in one mount namespace only.
    if root.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
        return None;
    }
    let mut ancestor = subject.parent()?;
    for _ in 0..MOST_ANCESTORS {
        let text = ancestor.read_all("mountinfo")?;
        if let Some(path) = place(&text, root.stx_mnt_id).filter(|path| path != "/") {
            return Some(Chrooted { path: Some(path) });
        }
        ancestor = ancestor.parent()?;
    }
    None
}

fn root(subject: &Subject) -> Option<Statx> {
    let path = subject.pid().map_or_else(|| "/".to_owned(), |pid| format!("/proc/{pid}/root/"));
    statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS | StatxFlags::MNT_ID).ok()
}

/// Where a mount is, by its id, in a table of mounts (proc_pid_mountinfo(5)).
fn place(mountinfo: &str, id: u64) -> Option<String> {
    mountinfo.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let this = fields.next()?.parse::<u64>().ok()?;
        if this == id { unescape(fields.nth(3)?) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_its_id() {
        let text = "21 1 8:1 / / rw - ext4 /dev/sda rw\n36 21 8:1 /a /srv/b\\040c rw - ext4 /dev/sda rw\n";
        assert_eq!(place(text, 36).as_deref(), Some("/srv/b c"));
        assert_eq!(place(text, 21).as_deref(), Some("/"));
        assert_eq!(place(text, 3), None);
    }

    #[test]
    fn this_process_is_in_no_chroot_that_it_knows_of() {
        assert_eq!(
            chrooted(&Subject::ourselves()),
            chrooted(&Subject::process(i32::try_from(std::process::id()).unwrap()))
        );
    }
}
