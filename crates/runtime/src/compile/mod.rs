//! Compiles an OCI spec to a Plan, purely: `(Spec, Host) → Plan`. Every fault of the spec is found at once.
//!
//! The order of the steps is the order in which this file pushes them, and the reason for each place stands there.

mod attachment;
mod cgroup_mount;
mod draft;
mod exec;
mod hooks;
mod host_view;
mod labels;
mod layers;
mod mount_maps;
mod mounts;
mod net_devices;
mod options;
mod process;
mod rootfs;
mod scheduling;
mod seccomp;
mod sources;
mod unsupported;
mod users;

use crate::error::Invalid;
pub use attachment::{Attachment, CgroupMount, CgroupPlace, Life};
use draft::Draft;
pub use exec::{Entry, compile_exec};
use insula_launch::host::Host;
use insula_launch::plan::{Join, Kind, Newborn, Plan};
use insula_launch::resolve::Target;
use insula_launch::step;
use insula_launch::step::source::Source;
use insula_oci::{Linux, NamespaceKind, Spec};
pub use options::names as mount_options;

/// A compiled spec: the plan, and the namespace files that must be open before it is performed.
#[derive(Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// Where the sealed init goes.
    pub init: insula_launch::kit::Slot,
    /// Where the master end of the terminal arrives, if there is one.
    pub console: Option<insula_launch::kit::Slot>,
    /// Where the files of its control group go, one a hierarchy.
    pub cgroup: Vec<insula_launch::kit::Slot>,
    /// Where the FIFOs of a later start go: the word to go, and the answer.
    pub start: Option<(insula_launch::kit::Slot, insula_launch::kit::Slot)>,
    /// Where the socket goes that is connected to the agent of the filter, and the path that it has.
    pub agent: Option<(insula_launch::kit::Slot, String)>,
}

/// Compiles `spec` for this host. Errors: all faults that were found, in the spec's order.
pub fn compile(spec: &Spec, host: &Host, attachment: &Attachment) -> Result<Compiled, Vec<Invalid>> {
    let none = Linux::default();
    let linux = spec.linux.as_ref().unwrap_or(&none);
    let mut draft = Draft::new(spec, linux, host, false);
    unsupported::push(&mut draft, attachment);
    labels::check_mounts(&mut draft);
    let birth = birth(&mut draft, attachment);
    let cgroup = push_cgroup(&mut draft, attachment, true);
    users::push_maps(&mut draft);
    net_devices::push(&mut draft);
    process::push_limits(&mut draft);
    scheduling::push(&mut draft, false);
    push_entry(&mut draft, attachment);
    push_names(&mut draft);
    rootfs::push(&mut draft);
    mounts::push(&mut draft, attachment);
    let console = process::push_console(&mut draft, false);
    push_paths(&mut draft);
    let hooks = hooks::push(&mut draft, attachment);
    push_work_dir(&mut draft, attachment);
    rootfs::push_pivot(&mut draft, attachment.no_pivot);
    push_propagation(&mut draft);
    if spec.root.as_ref().is_some_and(|root| root.readonly) {
        draft.child.push(step::RootReadOnly.into());
    }
    if let Some(slot) = console {
        let size = process::console_size(&mut draft);
        draft.child.push(step::TakeConsole { slot, size }.into());
    }
    let (init, start) = process::push_program(&mut draft, attachment, hooks);
    let plan = draft.into_plan(birth)?;
    let agent = seccomp::agent_of(linux, &plan.steps);
    Ok(Compiled { plan, init, console, cgroup, start, agent })
}

/// The namespaces: what is entered, what is made.
fn birth(draft: &mut Draft<'_>, attachment: &Attachment) -> Newborn {
    let mut birth = Newborn::default();
    let mut seen = Vec::new();
    for (i, namespace) in draft.linux.namespaces.iter().enumerate() {
        if seen.contains(&namespace.kind) {
            draft.fault(
                format!("linux.namespaces[{i}]"),
                format!("a second namespace of kind `{}`", namespace.kind),
            );
        }
        seen.push(namespace.kind);
        match &namespace.path {
            Some(path) => {
                let slot = draft.slots.another();
                birth.joins.push(Join { kind: kind(namespace.kind), slot, from: path.clone() });
            }
            // Offsets are written between unshare and the first entry, so that namespace is made by its step.
            None if namespace.kind == NamespaceKind::Time && !draft.linux.time_offsets.is_empty() => {}
            // Its root is where the process is when it is made: so it is made behind the move.
            None if namespace.kind == NamespaceKind::Cgroup && attachment.cgroup.is_some() => {}
            None => birth.new.push(kind(namespace.kind)),
        }
    }
    if !draft.makes(NamespaceKind::Mount) {
        draft.fault("linux.namespaces", "a container needs a mount namespace of its own");
    }
    // A user namespace is entered first where its rights are needed for the others, last where ours are: as root on the
    // host the others are ours to enter, and would not be from within the container's.
    let user_first = !draft.host.ids().may_mount();
    birth.joins.sort_by_key(|join| (join.kind == Kind::User) != user_first);
    birth.new.sort_unstable();
    birth
}

/// The launch's word for a kind.
pub fn kind(kind: NamespaceKind) -> Kind {
    match kind {
        NamespaceKind::Pid => Kind::Pid,
        NamespaceKind::Network => Kind::Net,
        NamespaceKind::Mount => Kind::Mnt,
        NamespaceKind::Ipc => Kind::Ipc,
        NamespaceKind::Uts => Kind::Uts,
        NamespaceKind::User => Kind::User,
        NamespaceKind::Cgroup => Kind::Cgroup,
        NamespaceKind::Time => Kind::Time,
    }
}

/// The control group: the move, and the namespace whose root it is.
fn push_cgroup(
    draft: &mut Draft<'_>,
    attachment: &Attachment,
    makes_namespace: bool,
) -> Vec<insula_launch::kit::Slot> {
    let Some(place) = &attachment.cgroup else { return Vec::new() };
    let procs: Vec<_> = (0..place.doors).map(|_| draft.slots.another()).collect();
    draft.parent.push(step::MoveToCgroup { procs: procs.clone(), name: place.name.clone() }.into());
    if makes_namespace && draft.makes(NamespaceKind::Cgroup) {
        draft.child.push(step::Unshare { kinds: vec![Kind::Cgroup] }.into());
    }
    procs
}

/// The first things that the newborn does.
fn push_entry(draft: &mut Draft<'_>, attachment: &Attachment) {
    // Before the ids change: the file of the offsets belongs to the ids that the process was born with.
    if draft.makes(NamespaceKind::Time) && !draft.linux.time_offsets.is_empty() {
        let lines = draft.linux.time_offsets.iter().fold(String::new(), |lines, (clock, offset)| {
            let clock = match clock {
                insula_oci::Clock::Monotonic => "monotonic",
                insula_oci::Clock::Boottime => "boottime",
            };
            lines + &format!("{clock} {} {}\n", offset.secs, offset.nanosecs)
        });
        draft.child.push(step::TimeOffsets { lines }.into());
    }
    if draft.in_user_namespace() {
        draft.child.push(users::own_ids(draft).into());
    } else {
        // In a user namespace of its own the mounts are slaves from birth (mount_namespaces(7)).
        draft.child.push(step::Propagation(step::propagation::Mode::Slave).into());
    }
    // After the ids: the new keyring belongs to them. Before the first file: the umask of the caller ends here.
    draft.child.push(step::Session { keyring: !attachment.keeps_keyring }.into());
    // While /dev is the host's.
    if attachment.null_stdin {
        draft.child.push(step::Stdio { stdin: true, stdout: false, stderr: false }.into());
    }
}

/// The working directory, made where it is missing, as runc does and images rely on.
fn push_work_dir(draft: &mut Draft<'_>, attachment: &Attachment) {
    let Some(process) = &draft.spec.process else { return };
    if attachment.life != Life::Foreground
        && let Some(target) = Target::new(&process.cwd).filter(|target| !target.is_root())
    {
        let entries = vec![step::skeleton::Entry::Directory(target)];
        draft.child.push(step::Skeleton { entries, label: "to begin in" }.into());
    }
}

/// How the container's mounts spread, once its root is the root.
fn push_propagation(draft: &mut Draft<'_>) {
    use insula_oci::Propagation;
    use step::propagation::Mode;
    let mode = match draft.linux.rootfs_propagation {
        // What they are by now.
        None | Some(Propagation::Slave | Propagation::Rslave) => return,
        Some(Propagation::Private | Propagation::Rprivate) => Mode::Private,
        Some(Propagation::Shared | Propagation::Rshared) => Mode::Shared,
        Some(Propagation::Unbindable | Propagation::Runbindable) => Mode::Unbindable,
    };
    draft.child.push(step::RootPropagation(mode).into());
}

/// Names and devices of the namespaces themselves.
fn push_names(draft: &mut Draft<'_>) {
    if draft.makes(NamespaceKind::Uts) {
        if let Some(name) = &draft.spec.hostname {
            draft.child.push(step::HostName(name.clone()).into());
        }
        if let Some(name) = &draft.spec.domainname {
            draft.child.push(step::DomainName(name.clone()).into());
        }
    } else {
        let joined = "the UTS namespace is not the container's own, so that its name cannot be set";
        if draft.spec.hostname.is_some() {
            draft.fault("hostname", joined);
        }
        if draft.spec.domainname.is_some() {
            draft.fault("domainname", joined);
        }
    }
    if draft.makes(NamespaceKind::Network) {
        draft.child.push(step::Loopback.into());
    }
}

/// Settings, masks and read-only paths.
fn push_paths(draft: &mut Draft<'_>) {
    // Settings first: /proc/sys is usually among the read-only paths.
    let settings: Vec<_> = draft.linux.sysctl.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    for (key, value) in settings {
        let field = format!("linux.sysctl[{key}]");
        if !sysctl_key(&key) {
            draft.fault(&field, "a key is words of letters, digits, `_` and `-` joined by `.` or `/`");
            continue;
        }
        if let Some(reason) = foreign_sysctl(draft, &key.replace('/', ".")) {
            draft.fault(&field, reason);
            continue;
        }
        let separator = if key.contains('/') { '/' } else { '.' };
        let path = draft.c_string(&field, &format!("sys/{}", key.replace(separator, "/")));
        draft.child.push(step::Sysctl { path, value }.into());
    }
    for (i, path) in draft.linux.masked_paths.iter().enumerate() {
        if let Some(target) = draft.target(&format!("linux.maskedPaths[{i}]"), path) {
            let mut empty = sources::tmpfs(&[(c"size", Some(c"0")), (c"mode", Some(c"755"))]);
            if let Source::New { options, .. } = &mut empty {
                options.extend(labels::of_mount(draft, "tmpfs"));
            }
            draft.child.push(step::Mask { target, empty }.into());
        }
    }
    for target in std::mem::take(&mut draft.read_only) {
        draft.child.push(step::ReadOnly { target }.into());
    }
    for (i, path) in draft.linux.readonly_paths.iter().enumerate() {
        if let Some(target) = draft.target(&format!("linux.readonlyPaths[{i}]"), path) {
            draft.child.push(step::ReadOnly { target }.into());
        }
    }
}

/// Why a setting may not be written: it is the whole machine's, or belongs to a namespace that is not the container's own.
fn foreign_sysctl(draft: &Draft<'_>, key: &str) -> Option<String> {
    const IPC: &[&str] = &[
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];
    let listed = |kind| draft.linux.namespaces.iter().any(|namespace| namespace.kind == kind);
    let (kind, has) = match key {
        _ if IPC.contains(&key) || key.starts_with("fs.mqueue.") => ("ipc", listed(NamespaceKind::Ipc)),
        _ if key.starts_with("net.") => ("network", listed(NamespaceKind::Network)),
        "kernel.domainname" => ("uts", listed(NamespaceKind::Uts)),
        _ if key.starts_with("user.") => ("user", listed(NamespaceKind::User)),
        "kernel.hostname" => return Some("the host name has a field of its own: `hostname`".to_owned()),
        _ => return Some("it belongs to no namespace: writing it would change the whole machine".to_owned()),
    };
    (!has).then(|| format!("it belongs to the {kind} namespace, which is the host's here"))
}

/// A key must stay below /proc/sys: no empty word, no `..`.
fn sysctl_key(key: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word != ".."
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b))
    };
    if key.contains('/') { key.split('/').all(word) } else { key.split('.').all(word) }
}

#[cfg(test)]
mod tests {
    use super::sysctl_key;

    #[test]
    fn a_sysctl_key_stays_below_proc_sys() {
        assert!(sysctl_key("net.ipv4.ip_forward"));
        assert!(sysctl_key("net/ipv4/conf/eth0.1/forwarding"));
        assert!(!sysctl_key("kernel..shm"));
        assert!(!sysctl_key("../fs/x"));
        assert!(!sysctl_key("a/../../b"));
        assert!(!sysctl_key(""));
    }
}
