//! How the container hangs on its caller.

use insula_oci::State;

/// What the caller decides and a spec cannot say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Replace standard input by /dev/null.
    pub null_stdin: bool,
    /// End with the caller: the process is killed when the caller dies.
    pub die_with_parent: bool,
    /// The working directory was not asked for: `/` will do where it is missing.
    pub cwd_is_default: bool,
    /// Descriptors from 3 on that the program inherits.
    pub preserve_fds: u32,
    /// Keep the caller's session keyring.
    pub keeps_keyring: bool,
    /// Enter the root by chroot(2), not by pivot_root(2).
    pub no_pivot: bool,
    /// Who waits for the process, and until when.
    pub life: Life,
    /// The control group that was made for it; without one, limits are refused.
    pub cgroup: Option<CgroupPlace>,
    /// What hooks are told, without the process's id.
    pub state: Option<State>,
}

/// Who waits for the process, and until when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Life {
    /// The caller does, until its end.
    #[default]
    Foreground,
    /// It is written down before the program runs.
    Run,
    /// It is written down, and then waits for another process of the runtime.
    Create,
}

/// A control group that the process is moved into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupPlace {
    /// Its name, for people.
    pub name: String,
    /// In how many hierarchies it is.
    pub doors: usize,
    /// What a mount of type `cgroup` shows, one a hierarchy.
    pub mounts: Vec<CgroupMount>,
}

/// One hierarchy as a container sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupMount {
    /// The directory's name below the mount: `memory`, `cpu,cpuacct`, `unified`.
    pub directory: String,
    /// It is that of version 2.
    pub is_v2: bool,
    /// The options of a mount of its own, cgroups(7): the controllers.
    pub options: Vec<String>,
    /// The group's directory on the host.
    pub group: String,
}
