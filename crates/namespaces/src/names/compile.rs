//! From a request to a plan: pure. One process is born in the new namespaces, sets them up, and holds them.

use super::pins;
use super::request::Request;
use crate::error::Error;
use crate::unshare::{Caller, Maps, maps};
use insula_launch::kit::{Slot, Slots};
use insula_launch::plan::{Birth, Join, Kind, Newborn, Plan};
use insula_launch::resolve::Target;
use insula_launch::step::source::Source;
use insula_launch::step::{
    Chdir, DomainName, Hold, HostName, KeepOpen, Loopback, MapIds, Mount, MountProc, NewMounts, OwnIds, Pin,
    Pivot, Propagation, Rootfs, Session, Step, TimeOffsets, WriteDown,
};
use insula_sys::mount::{MountAttr, attr};
use std::ffi::CString;

/// The longest host name, `__NEW_UTS_LEN`.
const MOST_NAME_BYTES: usize = 64;

/// What the plan depends on besides the request: plain data.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Who asks.
    pub caller: Caller,
    /// The directory of the store.
    pub store: String,
    /// The namespaces are mounted; else a process keeps them.
    pub pinned: bool,
    /// A copy of our mount namespace without the names is born from.
    pub copy: bool,
    /// The id of our mount namespace, where the kernel has ids.
    pub mounts_id: Option<u64>,
    /// Our own user namespace denies setgroups(2), and so all below it.
    pub denies_setgroups: bool,
}

/// A plan, and what has to be open for it.
#[derive(Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// The sealed init.
    pub init: Slot,
    /// The reading end of the lifeline.
    pub lifeline: Slot,
    /// The record, to add lines to.
    pub record: Slot,
    /// The keeper's socket.
    pub socket: Option<Slot>,
    /// Namespaces that are open before: the one that it is born from, or those that it keeps.
    pub opened: Vec<Slot>,
}

/// Compiles what `name` shall be.
pub fn compile(name: &str, request: &Request, facts: &Facts) -> Result<Compiled, Error> {
    check(request)?;
    let has = |kind| request.kinds.contains(&kind);
    let mut slots = Slots::default();
    let (init, lifeline, record) = (slots.another(), slots.another(), slots.another());
    let copy = (facts.copy && has(Kind::Mnt)).then(|| slots.another());
    let mut steps = Vec::new();
    let users = has(Kind::User).then(|| {
        // A keeper knows its user by the id that it has inside.
        let with_own = !facts.pinned || !facts.caller.may_map_any;
        maps(&request.users, &request.groups, request.setgroups, facts.caller, with_own)
    });
    let users = users.transpose()?;
    if let Some(Maps { uid, gid, deny_setgroups, writer, .. }) = &users {
        let (uid, gid, deny_setgroups) = (uid.clone(), gid.clone(), *deny_setgroups);
        steps.push(MapIds { uid, gid, deny_setgroups, writer: *writer }.into());
    }
    entry(&mut steps, request, facts, users.as_ref());
    attributes(&mut steps, request);
    let mut held = Vec::new();
    if !facts.pinned {
        held = request.kinds.iter().map(|kind| (*kind, slots.another())).collect();
        // While /proc is the caller's.
        steps.push(KeepOpen { namespaces: held.clone() }.into());
    }
    mounts(&mut steps, request)?;
    // No directory is kept busy.
    steps.push(Chdir(c"/".to_owned()).into());
    // Which they are is known before any of them can be found.
    steps.push(WriteDown { kinds: request.kinds.clone(), slot: record }.into());
    if facts.pinned {
        steps.extend(pin_steps(name, request, facts));
    }
    let socket = (!facts.pinned).then(|| slots.another());
    let served = socket.map(|socket| (socket, held.iter().map(|(_, slot)| *slot).collect()));
    steps.push(Hold::new(init, lifeline, served).into());
    let join =
        copy.map(|slot| Join { kind: Kind::Mnt, slot, from: "a copy of ours without the names".to_owned() });
    let birth = Birth::Clone(Newborn { joins: join.into_iter().collect(), new: at_birth(request, facts) });
    Ok(Compiled {
        plan: Plan { birth, steps, slots },
        init,
        lifeline,
        record,
        socket,
        opened: copy.into_iter().collect(),
    })
}

/// The plan of a keeper of namespaces that are there already: a process in our own.
pub(super) fn keepers(kinds: &[Kind]) -> Compiled {
    let mut slots = Slots::default();
    let (init, lifeline, record, socket) =
        (slots.another(), slots.another(), slots.another(), slots.another());
    let opened: Vec<Slot> = kinds.iter().map(|_| slots.another()).collect();
    let steps = vec![
        Session { keyring: true }.into(),
        Chdir(c"/".to_owned()).into(),
        WriteDown { kinds: Vec::new(), slot: record }.into(),
        Hold::new(init, lifeline, Some((socket, opened.clone()))).into(),
    ];
    let plan = Plan { birth: Birth::Clone(Newborn::default()), steps, slots };
    Compiled { plan, init, lifeline, record, socket: Some(socket), opened }
}

/// What is made with the process; the rest is made by steps.
fn at_birth(request: &Request, facts: &Facts) -> Vec<Kind> {
    let by_step = |kind: Kind| match kind {
        Kind::Time => offsets(request).is_some(),
        Kind::Mnt => facts.pinned,
        _ => false,
    };
    let mut kinds: Vec<Kind> = request.kinds.iter().copied().filter(|kind| !by_step(*kind)).collect();
    kinds.sort_unstable();
    kinds
}

/// The first things that the newborn does.
fn entry(steps: &mut Vec<Step>, request: &Request, facts: &Facts, users: Option<&Maps>) {
    if let Some(lines) = offsets(request) {
        // Before the ids change: the file of the offsets belongs to the ids that the process was born with.
        steps.push(TimeOffsets { lines }.into());
    }
    if let Some(users) = users {
        let leave_groups = !users.deny_setgroups && !facts.denies_setgroups;
        steps.push(OwnIds { uid: users.own.0, gid: users.own.1, leave_groups }.into());
    }
    if request.kinds.contains(&Kind::Mnt) {
        if facts.pinned {
            steps.push(NewMounts { above: facts.mounts_id }.into());
        }
        // Before the first mount.
        steps.extend(request.propagation.map(|mode| Step::from(Propagation(mode))));
    }
    // After the ids: the new keyring belongs to them.
    steps.push(Session { keyring: true }.into());
}

fn attributes(steps: &mut Vec<Step>, request: &Request) {
    steps.extend(request.hostname.clone().map(|name| Step::from(HostName(name))));
    steps.extend(request.domainname.clone().map(|name| Step::from(DomainName(name))));
    if request.kinds.contains(&Kind::Net) && request.loopback {
        steps.push(Loopback.into());
    }
}

fn mounts(steps: &mut Vec<Step>, request: &Request) -> Result<(), Error> {
    let both = request.kinds.contains(&Kind::Mnt) && request.kinds.contains(&Kind::Pid);
    let with_proc = request.proc && both;
    let Some(rootfs) = &request.rootfs else {
        if with_proc {
            steps.push(MountProc { target: c"/proc".to_owned(), cut_off: false, own_pids: true }.into());
        }
        return Ok(());
    };
    // With what is mounted below it, which in a user namespace is locked to it.
    steps.push(Rootfs { source: Source::Bind { path: rootfs.clone(), recursive: true } }.into());
    if with_proc {
        let target = Target::new("/proc")
            .ok_or_else(|| asked("--rootfs", "there is no place for /proc", "give `--no-proc`"))?;
        let source =
            Source::New { fstype: c"proc".to_owned(), source: c"proc".to_owned(), options: Vec::new() };
        let attrs = MountAttr { set: attr::NOSUID | attr::NODEV | attr::NOEXEC, ..MountAttr::default() };
        let reason = Some("it shows the new pid namespace");
        steps.push(Mount { source, target, attrs, recursive: false, copy_up: false, reason }.into());
    }
    steps.push(Pivot::Exchange.into());
    Ok(())
}

/// The mounts that keep them. Last, so that what fails before leaves none.
fn pin_steps<'a>(name: &'a str, request: &'a Request, facts: &'a Facts) -> impl Iterator<Item = Step> + 'a {
    request.kinds.iter().filter_map(move |kind| {
        let target = pins::path(&facts.store, name, *kind);
        let target = CString::new(target.into_os_string().into_encoded_bytes()).ok()?;
        let lock = (*kind == Kind::Net).then(|| c"/run/netns".to_owned());
        Some(Pin { kind: *kind, target, mode: pins::MODE, lock }.into())
    })
}

/// The lines of timens_offsets.
fn offsets(request: &Request) -> Option<String> {
    let line = |(clock, offset): (&str, Option<i64>)| Some(format!("{clock} {} 0\n", offset?));
    let clocks = [("boottime", request.boottime_s), ("monotonic", request.monotonic_s)];
    let lines: String = clocks.into_iter().filter_map(line).collect();
    (!lines.is_empty()).then_some(lines)
}

/// What contradicts itself.
fn check(request: &Request) -> Result<(), Error> {
    if request.kinds.is_empty() {
        return Err(asked("new", "a name has one namespace at least", "name the kinds, or `--all`"));
    }
    let lacks = |kind| !request.kinds.contains(&kind);
    let uses = [
        ("--hostname", request.hostname.is_some(), Kind::Uts, "--uts"),
        ("--domainname", request.domainname.is_some(), Kind::Uts, "--uts"),
        ("--monotonic", request.monotonic_s.is_some(), Kind::Time, "--time"),
        ("--boottime", request.boottime_s.is_some(), Kind::Time, "--time"),
        ("--rootfs", request.rootfs.is_some(), Kind::Mnt, "--mount"),
        ("--setgroups", request.setgroups.is_some(), Kind::User, "--user"),
    ];
    for (flag, is_asked, kind, cure) in uses {
        if is_asked && lacks(kind) {
            let reason = format!("it is of a {} namespace, and the name has none", kind.name());
            return Err(asked(flag, &reason, &format!("add `{cure}`")));
        }
    }
    for (flag, name) in [("--hostname", &request.hostname), ("--domainname", &request.domainname)] {
        if name.as_ref().is_some_and(|name| name.len() > MOST_NAME_BYTES) {
            return Err(asked(
                flag,
                "a name has at most 64 bytes (uts_namespaces(7))",
                "choose a shorter one",
            ));
        }
    }
    Ok(())
}

fn asked(what: &str, reason: &str, hint: &str) -> Error {
    Error::Asked { what: what.to_owned(), reason: reason.to_owned(), hint: Some(hint.to_owned()) }
}
