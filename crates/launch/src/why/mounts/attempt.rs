//! What was tried with a mount, a file system or a path, with what the looking needs to know of it.

/// An attempt. Paths are as the refused process wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// A new file system: mount(2), fsconfig(2) and fsmount(2).
    New {
        /// Its type: `overlay`, `proc`.
        fstype: String,
        /// Its options, each with its value; an overlay's layers among them.
        options: Vec<(String, Option<String>)>,
        /// Where it was to be mounted, if that was part of the call.
        target: Option<String>,
    },
    /// A mount shown at another place too: mount(2) with MS_BIND, open_tree(2) with OPEN_TREE_CLONE.
    Bind {
        /// Of what.
        source: String,
        /// With what is mounted below it.
        recursive: bool,
        /// Where, if that was part of the call.
        target: Option<String>,
    },
    /// Other attributes: mount(2) with MS_REMOUNT, mount_setattr(2).
    Attributes {
        /// A path on the mount, or below which the mounts are.
        path: String,
        /// Those that were to go, as the table of mounts has them: `ro`, `nosuid`, `nodev`, `noexec`.
        cleared: Vec<&'static str>,
    },
    /// Ids translated: mount_setattr(2) with MOUNT_ATTR_IDMAP.
    Translate {
        /// Of the mount with this path.
        path: String,
        /// With what is mounted below it.
        recursive: bool,
        /// The process whose user namespace translates, if that is known.
        by: Option<i32>,
    },
    /// A detached or other mount moved to a place: move_mount(2), mount(2) with MS_MOVE.
    Attach {
        /// Where.
        target: String,
    },
    /// A mount namespace mounted on a file, to keep it.
    Keep {
        /// The file.
        target: String,
    },
    /// A mount taken away: umount2(2).
    Unmount {
        /// Where.
        path: String,
    },
    /// pivot_root(2).
    Pivot {
        /// The root to be.
        new_root: String,
        /// Where the old one goes.
        put_old: String,
    },
    /// Shared, private, slave: mount(2) with MS_SHARED and its like.
    Propagation {
        /// Of the mount at this path.
        path: String,
    },
    /// A path that has to be there: open(2), chdir(2), chroot(2).
    Reach {
        /// Which.
        path: String,
    },
    /// Something new, or written: mkdir(2), open(2) with O_CREAT or to write.
    Write {
        /// Which path.
        path: String,
    },
    /// A program: execve(2).
    Execute {
        /// Where it was looked for, in order.
        paths: Vec<String>,
    },
}

impl Attempt {
    /// The same, done by another process for the one with this pid.
    #[must_use]
    pub fn on_behalf_of(self, pid: Option<i32>) -> Attempt {
        match self {
            Attempt::Translate { path, recursive, by } => {
                Attempt::Translate { path, recursive, by: by.or(pid) }
            }
            other => other,
        }
    }
}
