//! The steps of a plan: one file a step, each with its struct, how it runs, how it reads, why it stands there, and hints.
//!
//! A step is an OCI word, not a system call. The parent's steps may allocate and look around; the child's may not: they
//! run between birth and exec on what was made before.

use crate::baton::Baton;
use crate::fault::{Done, Fault};
use crate::home_line::HomeLine;
use crate::init::Filter;
use crate::kit::{Kit, Slot};
use crate::skipped::Skipped;
use crate::slate::Slate;
use crate::why::{Act, Around};
use insula_sys::exec::Room;
use rustix::fd::{BorrowedFd, OwnedFd};
use std::borrow::Cow;
use std::fmt::Display;

pub mod agent_state;
pub mod await_start;
pub mod bind_over;
pub mod binfmt;
pub mod chroot;
pub mod commit;
pub mod console;
mod copy_up;
pub mod credentials;
pub mod enter;
pub mod enter_process;
pub mod exec;
pub mod exec_context;
pub mod execvp;
pub mod fchdir;
pub mod fork;
pub mod hide;
pub mod hold;
pub mod home;
pub mod hooks;
pub mod host_name;
pub mod idmap_tree;
pub mod join_cgroup;
pub mod keep_caps;
pub mod label;
pub mod loopback;
pub mod map_ids;
pub mod mask;
pub mod mount;
pub mod mount_maps;
pub mod mount_proc;
pub mod move_cgroup;
pub mod move_devices;
pub mod new_mounts;
pub mod nodes;
pub mod own_ids;
pub mod own_maps;
pub mod owner;
pub mod persist;
pub mod pin;
pub mod pivot;
pub mod process;
pub mod propagation;
pub mod rootfs;
pub mod same_namespaces;
pub mod scheduling;
pub mod seccomp;
pub mod session;
pub mod set_ids;
pub mod skeleton;
pub mod source;
pub mod stdio;
pub mod sysctl;
pub mod sysfs;
pub mod time_offsets;
pub mod unshare;
pub mod write_down;

/// Who performs a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The process that asked, with its own rights on the host.
    Parent,
    /// The newborn process, inside its namespaces.
    Child,
}

impl Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Who::Parent => "parent",
            Who::Child => "child",
        })
    }
}

/// What the parent's steps work on, after the birth.
#[derive(Debug)]
pub struct Parent<'a> {
    /// The open descriptors.
    pub kit: &'a mut Kit,
    /// The child's pid in our pid namespace.
    pub pid: i32,
    /// The child's pidfd.
    pub pidfd: BorrowedFd<'a>,
    /// The child's user namespace, once a step has opened it.
    pub userns: Option<OwnedFd>,
    /// What a program that we asked said when it refused.
    pub said: Option<String>,
    /// What the caller does at [`Commit`] and [`MoveDevices`], with the Kit and the child's pid.
    pub commit: Option<OnCommit<'a>>,
}

/// What the caller of a launch is to do in the middle of it.
#[derive(Debug, Clone, Copy)]
pub enum Errand<'a> {
    /// The container is made: it is written down.
    Commit,
    /// These network devices are moved to the child, by their names here and there.
    Devices(&'a [(String, String)]),
}

/// What the caller of a launch does in the middle of it: with the Kit, and the child's pid in our pid namespace.
pub struct OnCommit<'a>(pub &'a mut dyn FnMut(Errand<'_>, &mut Kit, i32) -> Done);

impl std::fmt::Debug for OnCommit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnCommit")
    }
}

/// Space for the tables of an exec, made before the birth.
#[derive(Debug)]
pub struct Rooms {
    /// For the argument vector.
    pub argv: Room,
    /// For the environment, where a place of it is filled in the child.
    pub envp: Option<Room>,
}

/// What the child's steps work on, before the exec. Everything in it was made before the birth or is a descriptor.
#[derive(Debug)]
pub struct Child<'a> {
    /// The open descriptors.
    pub kit: &'a mut Kit,
    /// Where failures are written.
    pub slate: &'a Slate,
    /// Our end of the baton, which passes where the lane changes.
    pub baton: &'a Baton,
    /// Where an exec or a failure is heard, and whose other end closes when who waits for us dies. The baton itself, but
    /// for the child of a fork: its parent listens on a pair of its own.
    pub report: &'a Baton,
    /// The deputy who walks the parent's lane, if that is no one that has waited for us since the birth.
    pub deputy: Option<OwnedFd>,
    /// The namespaces that were tried and could not be had.
    pub skipped: Skipped,
    /// The root file system in the making, once a step has attached it.
    pub root: Option<OwnedFd>,
    /// Where overlays keep their layers, once a step has made it.
    pub layers: Option<OwnedFd>,
    /// The container's own procfs, once it is mounted: the only one that settings are written to.
    pub procfs: Option<OwnedFd>,
    /// An empty read-only tmpfs that is already attached, for masks of directories.
    pub empty: Option<OwnedFd>,
    /// Which candidate the program is, once it is found.
    pub program: Option<usize>,
    /// The filter that the init is to load.
    pub filter: Option<Filter>,
    /// Our own directory in procfs to which the init writes the program's label.
    pub attr: Option<OwnedFd>,
    /// A first attempt to leave the supplementary groups was refused.
    pub kept_groups: bool,
    /// Space for the argument vector and the environment.
    pub rooms: Option<Rooms>,
    /// `HOME`, once it is found in the container.
    pub home: Option<HomeLine>,
    /// Where a failure is told once nobody listens on the baton: the FIFO of [`AwaitStart`].
    pub late: Option<Slot>,
}

impl<'a> Child<'a> {
    /// At the beginning of the lane.
    pub(crate) fn new(
        kit: &'a mut Kit,
        slate: &'a Slate,
        baton: &'a Baton,
        rooms: Option<Rooms>,
    ) -> Child<'a> {
        Child {
            kit,
            slate,
            baton,
            report: baton,
            deputy: None,
            skipped: Skipped::default(),
            root: None,
            layers: None,
            procfs: None,
            empty: None,
            program: None,
            filter: None,
            attr: None,
            kept_groups: false,
            rooms,
            home: None,
            late: None,
        }
    }

    /// The same place in the lane for the child of a fork, which reports to its parent.
    pub(crate) fn for_child<'b>(&'b mut self, report: &'b Baton) -> Child<'b> {
        Child {
            kit: self.kit,
            slate: self.slate,
            baton: self.baton,
            report,
            // The parent waits for it.
            deputy: None,
            skipped: self.skipped,
            root: self.root.take(),
            layers: self.layers.take(),
            procfs: self.procfs.take(),
            empty: self.empty.take(),
            program: self.program,
            filter: self.filter,
            attr: self.attr.take(),
            kept_groups: self.kept_groups,
            rooms: self.rooms.take(),
            home: self.home.take(),
            late: self.late,
        }
    }
}

/// Where an exec's failure is heard: at who waits for us, or on the FIFO of a later `start`.
pub(crate) fn reporting<'a>(late: Option<Slot>, kit: &'a Kit, report: &'a Baton) -> BorrowedFd<'a> {
    late.and_then(|slot| kit.get(slot).ok()).unwrap_or_else(|| report.fd())
}

/// What every step can say of itself.
pub trait Describe: Display {
    /// The step's name in JSON and in failures: a word or two, kebab-case.
    const NAME: &'static str;

    /// Why it stands there: the sentence behind the number in `--explain`.
    fn why(&self) -> Cow<'static, str>;

    /// What to do about a failure, if the step knows.
    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        let _ = fault;
        None
    }

    /// What the step has tried where it failed, if looking at the process may show the cause.
    fn act(&self, fault: &Fault, around: &Around<'_>) -> Option<Act> {
        let _ = (fault, around);
        None
    }

    /// The slot that the step fills for the other side, if any.
    fn hands_over(&self) -> Option<Slot> {
        None
    }
}

macro_rules! steps {
    (parent { $($parent:ident = $pmod:ident,)* } child { $($child:ident = $cmod:ident,)* }) => {
        $(pub use $pmod::$parent;)*
        $(pub use $cmod::$child;)*

        /// One step of a plan.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "each variant is the struct of that name, documented where it is defined")]
        pub enum Step { $($parent($parent),)* $($child($child),)* }

        $(impl From<$parent> for Step { fn from(step: $parent) -> Step { Step::$parent(step) } })*
        $(impl From<$child> for Step { fn from(step: $child) -> Step { Step::$child(step) } })*

        impl Step {
            /// Who performs it.
            pub fn who(&self) -> Who {
                match self { $(Step::$parent(_) => Who::Parent,)* $(Step::$child(_) => Who::Child,)* }
            }

            /// Its name.
            pub fn name(&self) -> &'static str {
                match self { $(Step::$parent(_) => $parent::NAME,)* $(Step::$child(_) => $child::NAME,)* }
            }

            /// Why it stands there.
            pub fn why(&self) -> Cow<'static, str> {
                match self { $(Step::$parent(s) => s.why(),)* $(Step::$child(s) => s.why(),)* }
            }

            /// What to do about a failure.
            pub fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
                match self { $(Step::$parent(s) => s.hint(fault),)* $(Step::$child(s) => s.hint(fault),)* }
            }

            /// What it has tried where it failed.
            pub fn act(&self, fault: &Fault, around: &Around<'_>) -> Option<Act> {
                match self { $(Step::$parent(s) => s.act(fault, around),)* $(Step::$child(s) => s.act(fault, around),)* }
            }

            /// The slot that it fills for the other side.
            pub fn hands_over(&self) -> Option<Slot> {
                match self { $(Step::$parent(s) => s.hands_over(),)* $(Step::$child(s) => s.hands_over(),)* }
            }

            /// Performs a parent's step; a child's step does nothing here.
            pub(crate) fn in_parent(&self, at: &mut Parent<'_>) -> Done {
                match self { $(Step::$parent(s) => s.run(at),)* _ => Ok(()) }
            }

            /// Performs a child's step; a parent's step does nothing here.
            pub(crate) fn in_child(&self, at: &mut Child<'_>) -> Done {
                match self { $(Step::$child(s) => s.run(at),)* _ => Ok(()) }
            }
        }

        impl Display for Step {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $(Step::$parent(s) => s.fmt(f),)* $(Step::$child(s) => s.fmt(f),)* }
            }
        }
    };
}

steps! {
    parent {
        AgentState = agent_state,
        Commit = commit,
        GiveStdio = stdio,
        HookOutside = hooks,
        HookState = hooks,
        IdmapTree = idmap_tree,
        MapIds = map_ids,
        MountMaps = mount_maps,
        MoveDevices = move_devices,
        MoveToCgroup = move_cgroup,
        OomScore = process,
        Persist = persist,
        Pin = pin,
        Rlimits = process,
        TakeConsole = console,
        WriteDown = write_down,
    }
    child {
        Affinity = scheduling,
        AwaitStart = await_start,
        BindOver = bind_over,
        Bounding = credentials,
        Capabilities = credentials,
        Chdir = chroot,
        Chroot = chroot,
        ChrootTo = fchdir,
        Console = console,
        DeathSignal = process,
        DomainName = host_name,
        Enter = enter,
        EnterProcess = enter_process,
        Exec = exec,
        ExecContext = exec_context,
        Execvp = execvp,
        Fchdir = fchdir,
        FindHome = home,
        Fork = fork,
        Hide = hide,
        Hold = hold,
        HookInside = hooks,
        HostName = host_name,
        IoPriority = scheduling,
        JoinCgroup = join_cgroup,
        KeepCaps = keep_caps,
        KeepOpen = hold,
        Label = label,
        Layers = rootfs,
        LoadInterp = binfmt,
        LeaveGroups = set_ids,
        Loopback = loopback,
        MapOwnIds = own_maps,
        Mask = mask,
        MemoryPolicy = scheduling,
        Mount = mount,
        MountBinfmt = binfmt,
        MountProc = mount_proc,
        NewMounts = new_mounts,
        NoNewPrivs = credentials,
        Nodes = nodes,
        OwnIds = own_ids,
        Owner = owner,
        Personality = scheduling,
        Pivot = pivot,
        Program = exec,
        Propagation = propagation,
        ReadOnly = mask,
        RootPropagation = propagation,
        RootReadOnly = pivot,
        Rootfs = rootfs,
        SameNamespaces = same_namespaces,
        Seccomp = seccomp,
        Scheduler = scheduling,
        Session = session,
        SetIds = set_ids,
        Setgroups = own_maps,
        Skeleton = skeleton,
        Stdio = stdio,
        Sysctl = sysctl,
        Sysfs = sysfs,
        TakeStdio = stdio,
        TimeOffsets = time_offsets,
        TryUnshare = unshare,
        Umask = process,
        Unshare = unshare,
        User = credentials,
        WorkDir = pivot,
    }
}
