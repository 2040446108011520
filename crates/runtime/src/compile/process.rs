//! `process`: limits, terminal, credentials, program.

use super::attachment::{Attachment, Life};
use super::draft::Draft;
use super::{labels, seccomp, users};
use insula_launch::kit::Slot;
use insula_launch::resolve::Target;
use insula_launch::step::exec::Front;
use insula_launch::step::label::Module;
use insula_launch::step::process::Limit;
use insula_launch::step::{
    AwaitStart, Bounding, Capabilities, Commit, Console, DeathSignal, Exec, FindHome, GiveStdio, Hide,
    NoNewPrivs, OomScore, Program, Rlimits, Step, TakeStdio, Umask, User, WorkDir,
};
use insula_oci::{Capabilities as OciCapabilities, NamespaceKind, Process, RlimitKind, annotation};
use insula_sys::exec::Strings;
use rustix::process::{Gid, Resource};
use std::ffi::CString;

/// Limits and score: the parent's, because raising wants the host's rights.
pub(super) fn push_limits(draft: &mut Draft<'_>) {
    let Some(process) = &draft.spec.process else { return };
    if let Some(score) = process.oom_score_adj {
        if !(-1000..=1000).contains(&score) {
            draft.fault("process.oomScoreAdj", "it is not between -1000 and 1000");
        }
        draft.parent.push(OomScore(score).into());
    }
    let mut limits: Vec<Limit> = Vec::new();
    for (i, limit) in process.rlimits.iter().enumerate() {
        if limit.soft > limit.hard {
            draft.fault(format!("process.rlimits[{i}]"), "the soft limit is above the hard one");
        }
        let resource = resource(limit.kind);
        if limits.iter().any(|l| l.name == limit.kind.name()) {
            draft.fault(format!("process.rlimits[{i}].type"), "a second limit of this kind");
        }
        let bound = |value: u64| (value != insula_oci::rlimit::UNLIMITED).then_some(value);
        limits.push(Limit {
            resource,
            name: limit.kind.name(),
            soft: bound(limit.soft),
            hard: bound(limit.hard),
        });
    }
    if !limits.is_empty() {
        draft.parent.push(Rlimits(limits).into());
    }
}

fn resource(kind: RlimitKind) -> Resource {
    match kind {
        RlimitKind::Cpu => Resource::Cpu,
        RlimitKind::Fsize => Resource::Fsize,
        RlimitKind::Data => Resource::Data,
        RlimitKind::Stack => Resource::Stack,
        RlimitKind::Core => Resource::Core,
        RlimitKind::Rss => Resource::Rss,
        RlimitKind::Nproc => Resource::Nproc,
        RlimitKind::Nofile => Resource::Nofile,
        RlimitKind::Memlock => Resource::Memlock,
        RlimitKind::As => Resource::As,
        RlimitKind::Locks => Resource::Locks,
        RlimitKind::Sigpending => Resource::Sigpending,
        RlimitKind::Msgqueue => Resource::Msgqueue,
        RlimitKind::Nice => Resource::Nice,
        RlimitKind::Rtprio => Resource::Rtprio,
        RlimitKind::Rttime => Resource::Rttime,
    }
}

/// The terminal, after the mounts: it comes from the container's devpts. Who joins leaves /dev/console to the first process.
pub(super) fn push_console(draft: &mut Draft<'_>, joins: bool) -> Option<Slot> {
    let process = draft.spec.process.as_ref().filter(|process| process.terminal)?;
    let slot = draft.slots.another();
    let ptmx = Target::new("/dev/pts/ptmx")?;
    let console = if joins { None } else { Some(Target::new("/dev/console")?) };
    draft.child.push(Console { slot, ptmx, console, owner: process.user.uid }.into());
    Some(slot)
}

/// `process.consoleSize`, in what a terminal can have.
pub(super) fn console_size(draft: &mut Draft<'_>) -> Option<(u16, u16)> {
    let size = draft.spec.process.as_ref()?.console_size.as_ref()?;
    let size = u16::try_from(size.height).ok().zip(u16::try_from(size.width).ok());
    if size.is_none() {
        draft.fault("process.consoleSize", "a terminal has at most 65535 rows and columns");
    }
    size
}

/// Credentials and program: the last steps, each after the last that needs what it gives up.
///
/// Returns where the init goes, and where the FIFOs of a later start go, if there will be one.
pub(super) fn push_program(
    draft: &mut Draft<'_>,
    attachment: &Attachment,
    hooks: Vec<Step>,
) -> (Slot, Option<(Slot, Slot)>) {
    let init = draft.slots.another();
    let Some(process) = &draft.spec.process else {
        draft.fault("process", "it is missing");
        return (init, None);
    };
    draft.child.push(Umask(process.user.umask.unwrap_or(0o022)).into());
    let filter = seccomp::filter(draft, attachment);
    let label = labels::of(draft, process);
    labels::push(draft, label.as_ref());
    let filter = push_credentials(draft, process, attachment, filter);
    if attachment.die_with_parent {
        draft.child.push(DeathSignal::KILL.into());
    }
    let program = push_found(draft, process, filter);
    if wants_home(process, attachment) {
        draft.child.push(FindHome { uid: process.user.uid }.into());
    }
    if attachment.life != Life::Foreground {
        // The program is found: what can be known to fail has failed at `create`.
        draft.child.push(Commit.into());
    }
    let start = (attachment.life == Life::Create).then(|| {
        let (go, answer) = (draft.slots.another(), draft.slots.another());
        draft.child.push(AwaitStart { go, answer }.into());
        (go, answer)
    });
    draft.child.extend(hooks);
    push_exec(draft, process, attachment, (init, label), program);
    (init, start)
}

/// Pipes for the program's user: from outside where the host's root maps the ids, else from inside.
fn push_stdio(draft: &mut Draft<'_>, process: &Process) {
    if process.terminal {
        return;
    }
    let uid = process.user.uid;
    let mut maps = draft.linux.uid_mappings.iter();
    let mapped = maps.find(|map| uid >= map.container_id && uid - map.container_id < map.size);
    match mapped.and_then(|map| map.host_id.checked_add(uid - map.container_id)) {
        Some(uid) if draft.host.ids().may_map_any() => draft.parent.push(GiveStdio { uid }.into()),
        _ if uid != 0 && uid != u32::MAX => draft.child.push(TakeStdio { uid }.into()),
        _ => {}
    }
}

/// Returns the filter that is not loaded yet.
fn push_credentials(
    draft: &mut Draft<'_>,
    process: &Process,
    attachment: &Attachment,
    filter: Option<seccomp::Ready>,
) -> Option<seccomp::Ready> {
    push_stdio(draft, process);
    // A pid namespace that is made for it holds nobody else yet; who waits in one for `start` hides then.
    if !draft.makes(NamespaceKind::Pid) || draft.joins {
        draft.child.push(Hide.into());
    }
    let none = OciCapabilities::default();
    let sets = process.capabilities.as_ref().unwrap_or(&none);
    draft.child.push(Bounding(sets.bounding.mask()).into());
    let filter = seccomp::push_here(draft, filter);
    let groups = users::groups_allowed(draft);
    if !groups && !process.user.additional_gids.is_empty() {
        draft.fault(
            "process.user.additionalGids",
            "this user namespace has one group only, and denies setgroups(2)",
        );
    }
    let no_id = "4294967295 is no id: the kernel means \"unchanged\" by it";
    for (i, _) in process.user.additional_gids.iter().enumerate().filter(|(_, gid)| **gid == u32::MAX) {
        draft.fault(format!("process.user.additionalGids[{i}]"), no_id);
    }
    let gids = process.user.additional_gids.iter().filter(|gid| **gid != u32::MAX);
    let gids = gids.map(|gid| Gid::from_raw(*gid)).collect();
    let (uid, gid) = (process.user.uid, process.user.gid);
    for (field, id) in [("process.user.uid", uid), ("process.user.gid", gid)] {
        if id == u32::MAX {
            draft.fault(field, "4294967295 is no id: the kernel means \"unchanged\" by it");
        }
    }
    draft.child.push(User { uid, gid, groups: groups.then_some(gids) }.into());
    if !process.cwd.starts_with('/') {
        draft.fault("process.cwd", "it must be an absolute path");
    }
    let path = draft.c_string("process.cwd", &process.cwd);
    draft.child.push(WorkDir { path, or_root: attachment.cwd_is_default }.into());
    let step = Capabilities {
        effective: sets.effective.mask(),
        permitted: sets.permitted.mask(),
        inheritable: sets.inheritable.mask(),
        ambient: sets.ambient.mask(),
    };
    if step.effective & !step.permitted != 0 {
        draft.fault("process.capabilities.effective", "it holds capabilities that are not in `permitted`");
    }
    if step.ambient & !(step.permitted & step.inheritable) != 0 {
        draft.fault(
            "process.capabilities.ambient",
            "it holds capabilities that are not in `permitted` and `inheritable`",
        );
    }
    draft.child.push(step.into());
    if process.no_new_privileges {
        draft.child.push(NoNewPrivs.into());
    }
    filter
}

/// Has nobody said what `HOME` is? `insula run` has looked already.
fn wants_home(process: &Process, attachment: &Attachment) -> bool {
    attachment.life != Life::Foreground && !process.env.iter().any(|variable| variable.starts_with("HOME="))
}

/// Looks for the program; returns where it may be.
fn push_found(draft: &mut Draft<'_>, process: &Process, filter: Option<seccomp::Ready>) -> Vec<CString> {
    let Some(name) = process.args.first().filter(|name| !name.is_empty()) else {
        draft.fault("process.args", "it is empty");
        return Vec::new();
    };
    let candidates = candidates(draft, process, name);
    // Before the search, which nobody filters then: it is the init that loads it.
    seccomp::push_last(draft, filter);
    draft.child.push(Program { name: name.clone(), candidates: candidates.clone() }.into());
    candidates
}

fn push_exec(
    draft: &mut Draft<'_>,
    process: &Process,
    attachment: &Attachment,
    (init, label): (Slot, Option<(Module, String)>),
    candidates: Vec<CString>,
) {
    let front = match draft.spec.annotations.get(annotation::INIT).map(String::as_str) {
        Some(annotation::TRUE) => Front::Init,
        _ => Front::None,
    };
    let mode = match (front, &label) {
        (Front::Init, None) => c"init",
        (Front::Init, Some(_)) => c"init-as",
        (Front::None, None) => c"exec",
        (Front::None, Some(_)) => c"exec-as",
    };
    // Places stay open until the child knows them: the report's descriptor, the filter, the directory to which a label is
    // written, and the program's path.
    let mut argv: Vec<CString> = vec![c"insula-init".into(), mode.into(), c"-".into(), c"-".into()];
    if let Some(label) = &label {
        argv.push(c"-".into());
        argv.push(labels::written(draft, label, front == Front::Init));
    }
    argv.push(c"".into());
    for (i, arg) in process.args.iter().enumerate() {
        argv.push(draft.c_string(&format!("process.args[{i}]"), arg));
    }
    let mut envp = Vec::with_capacity(process.env.len() + 1);
    for (i, variable) in process.env.iter().enumerate() {
        let field = format!("process.env[{i}]");
        if variable.find('=').is_none_or(|at| at == 0) {
            draft.fault(&field, "it must be NAME=VALUE");
        }
        envp.push(draft.c_string(&field, variable));
    }
    let home_at = wants_home(process, attachment).then_some(envp.len());
    if home_at.is_some() {
        envp.push(c"HOME=/".to_owned());
    }
    let (argv, envp) = (Strings::new(argv), Strings::new(envp));
    let preserve = attachment.preserve_fds;
    draft.child.push(Exec { front, init, argv, envp, candidates, home_at, preserve }.into());
}

/// Where the program may be: as it is if it has a slash, else in each directory of the container's PATH, execvp(3).
fn candidates(draft: &mut Draft<'_>, process: &Process, name: &str) -> Vec<CString> {
    if name.contains('/') {
        return vec![draft.c_string("process.args[0]", name)];
    }
    let path =
        process.env.iter().rev().find_map(|v| v.strip_prefix("PATH=")).unwrap_or(crate::defaults::PATH);
    path.split(':')
        // An empty entry would mean the working directory, which an image chooses: left out, as runc does.
        .filter(|dir| dir.starts_with('/'))
        .map(|dir| draft.c_string("process.env", &format!("{dir}/{name}")))
        .collect()
}
