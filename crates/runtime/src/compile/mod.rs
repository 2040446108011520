//! Compiles an OCI spec to a Plan, purely: `(Spec, Host) → Plan`. Every fault of the spec is found at once.
//!
//! The order of the steps is the order in which this file pushes them, and the reason for each place stands there.

mod attachment;
mod draft;
mod host_view;
mod layers;
mod mounts;
mod options;
mod process;
mod rootfs;
mod seccomp;
mod unsupported;
mod users;

use crate::error::Invalid;
pub use attachment::Attachment;
use draft::Draft;
use insula_launch::host::Host;
use insula_launch::kit::Slots;
use insula_launch::plan::{Birth, Join, Kind, Newborn, Plan};
use insula_launch::step;
use insula_oci::{Linux, NamespaceKind, Spec};

/// A compiled spec: the plan, and the namespace files that must be open before it is performed.
#[derive(Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// Where the sealed init goes.
    pub init: insula_launch::kit::Slot,
    /// Where the master end of the terminal arrives, if there is one.
    pub console: Option<insula_launch::kit::Slot>,
}

/// Compiles `spec` for this host. Errors: all faults that were found, in the spec's order.
pub fn compile(spec: &Spec, host: &Host, attachment: &Attachment) -> Result<Compiled, Vec<Invalid>> {
    let none = Linux::default();
    let linux = spec.linux.as_ref().unwrap_or(&none);
    let mut draft = Draft {
        spec,
        linux,
        host,
        slots: Slots::default(),
        parent: Vec::new(),
        child: Vec::new(),
        faults: Vec::new(),
    };
    unsupported::push(&mut draft);
    let birth = birth(&mut draft);
    users::push_maps(&mut draft);
    process::push_limits(&mut draft);
    push_entry(&mut draft, attachment);
    push_names(&mut draft);
    rootfs::push(&mut draft);
    mounts::push(&mut draft);
    let console = process::push_console(&mut draft);
    push_paths(&mut draft);
    draft.child.push(step::Pivot.into());
    if spec.root.as_ref().is_some_and(|root| root.readonly) {
        draft.child.push(step::RootReadOnly.into());
    }
    if let Some(slot) = console {
        let size = process::console_size(&mut draft);
        draft.child.push(step::TakeConsole { slot, size }.into());
    }
    let init = process::push_program(&mut draft, attachment);
    if !draft.faults.is_empty() {
        return Err(draft.faults);
    }
    let mut steps = draft.parent;
    steps.append(&mut draft.child);
    Ok(Compiled { plan: Plan { birth: Birth::Clone(birth), steps, slots: draft.slots }, init, console })
}

/// The namespaces: what is entered, what is made.
fn birth(draft: &mut Draft<'_>) -> Newborn {
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
    draft.child.push(step::Session { keyring: true }.into());
    // While /dev is the host's.
    if attachment.null_stdin {
        draft.child.push(step::Stdio { stdin: true, stdout: false, stderr: false }.into());
    }
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
            let empty = mounts::tmpfs(&[(c"size", Some(c"0")), (c"mode", Some(c"755"))]);
            draft.child.push(step::Mask { target, empty }.into());
        }
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
