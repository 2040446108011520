//! From a request to the list of steps. Pure: it asks the system nothing.

use super::id_ranges::{lines, no_range, refused};
use super::request::{Caller, IdsAsked, Program, Request};
use crate::error::Error;
use insula_launch::kit::Slots;
use insula_launch::plan::{Birth, Kind, Plan};
use insula_launch::step::binfmt::{LoadInterp, MountBinfmt};
use insula_launch::step::chroot::{Chdir, Chroot};
use insula_launch::step::host_name::{DomainName, HostName};
use insula_launch::step::map_ids::{IdMap, Writer};
use insula_launch::step::own_maps::OwnId;
use insula_launch::step::propagation::Mode;
use insula_launch::step::set_ids::Id;
use insula_launch::step::{
    DeathSignal, Execvp, Fork, KeepCaps, MapIds, MapOwnIds, MountProc, Owner, Persist, Propagation, SetIds,
    Setgroups, Step, TimeOffsets, TryUnshare, Unshare,
};
use rustix::process::Signal;
use std::ffi::{CStr, CString};

/// Where binfmt_misc lies in the caller's own /proc.
const BINFMT: &CStr = c"/proc/sys/fs/binfmt_misc";
/// The longest host name, `__NEW_UTS_LEN`.
const MOST_NAME_BYTES: usize = 64;

/// The plan of a request.
pub fn compile(request: &Request, caller: Caller) -> Result<Plan, Error> {
    check(request)?;
    let mut steps = Vec::new();
    new_namespaces(&mut steps, request);
    ids(&mut steps, request, caller)?;
    attributes(&mut steps, request);
    if request.fork {
        // unshare(1): so that a signal to both does not end us first.
        steps.push(Fork { hold: vec![Signal::INT.as_raw(), Signal::TERM.as_raw()] }.into());
    }
    mounts(&mut steps, request)?;
    if request.uid.is_some() || request.gid.is_some() {
        let id = |id: Option<u32>| id.map(Id::Given);
        let (uid, gid) = (id(request.uid), id(request.gid));
        steps.push(SetIds { uid, gid, groups_may_stay: false, if_mapped: false }.into());
    }
    if request.keep_caps && makes(request, Kind::User) {
        // After the change of ids, which takes what a non-root user may not have.
        steps.push(KeepCaps.into());
    }
    if let Some(signal) = request.kill_child {
        // Last of what the child changes of itself: a change of ids or capabilities clears it (prctl(2)).
        steps.push(DeathSignal { signal }.into());
    }
    // Last before the program: what fails before it needs no undoing.
    steps.extend(
        request.persist.iter().map(|(kind, target)| Persist { kind: *kind, target: target.clone() }.into()),
    );
    steps.push(program(request)?.into());
    Ok(Plan { birth: Birth::Here, steps, slots: Slots::default() })
}

/// What is allowed and seldom meant.
pub fn warnings(request: &Request) -> Vec<String> {
    let mut warnings = Vec::new();
    if makes(request, Kind::Pid) && !request.fork {
        warnings.push(
            "`--pid` without `--fork`: the program's first child is pid 1 of the new namespace, and when that ends no other \
             can be forked (\"Cannot allocate memory\")"
                .to_owned(),
        );
    }
    warnings
}

fn makes(request: &Request, kind: Kind) -> bool {
    request.kinds.contains(&kind)
}

fn asked(what: &str, reason: &str, hint: &str) -> Error {
    Error::Asked {
        what: what.to_owned(),
        reason: reason.to_owned(),
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
    }
}

/// What contradicts itself.
fn check(request: &Request) -> Result<(), Error> {
    let offsets = [("--monotonic", request.monotonic_s), ("--boottime", request.boottime_s)];
    if let Some((flag, _)) = offsets.into_iter().find(|(_, offset)| offset.is_some())
        && !makes(request, Kind::Time)
    {
        return Err(asked(flag, "an offset is one of a new time namespace", "add `--time`"));
    }
    if request.setgroups == Some(true) && maps_own_group(request) {
        return Err(asked(
            "--setgroups allow",
            "the kernel maps the own group only where setgroups(2) is denied",
            "map ranges instead: `--map-auto`, or `--map-groups` with `all`, `auto`, `subids` or INNER:OUTER:COUNT",
        ));
    }
    if let Some((_, target)) = request.persist.iter().find(|(kind, _)| *kind == Kind::Pid)
        && !request.fork
    {
        return Err(asked(
            &format!("--pid={}", target.to_string_lossy()),
            "a pid namespace can be kept from its first process on, and there is none",
            "add `--fork`",
        ));
    }
    for (flag, name) in [("--hostname", &request.hostname), ("--domainname", &request.domainname)] {
        if name.as_ref().is_some_and(|name| name.len() > MOST_NAME_BYTES) {
            return Err(asked(flag, "a name has at most 64 bytes (uts_namespaces(7))", ""));
        }
    }
    Ok(())
}

/// A single group, which the process maps itself.
fn maps_own_group(request: &Request) -> bool {
    request.groups.own.is_some() && request.groups.ranges.is_empty() && request.owner.is_none()
}

fn new_namespaces(steps: &mut Vec<Step>, request: &Request) {
    if let Some((uid, gid)) = request.owner {
        // The kernel takes who makes it.
        steps.push(Owner { uid, gid }.into());
    }
    let tried = |kind: &&Kind| !makes(request, **kind);
    // What is made after a user namespace belongs to it.
    let (users, others): (Vec<Kind>, Vec<Kind>) =
        request.tried.iter().filter(tried).partition(|kind| **kind == Kind::User);
    let attempt = |kind: Kind| {
        let propagation = request.propagation.filter(|_| kind == Kind::Mnt);
        Step::from(TryUnshare { kind, propagation })
    };
    steps.extend(users.into_iter().map(attempt));
    // One with offsets is made where they are written.
    let mut kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| makes(request, *kind)).collect();
    if offsets(request).is_some() {
        kinds.retain(|kind| *kind != Kind::Time);
    }
    if !kinds.is_empty() {
        steps.push(Unshare { kinds }.into());
    }
    steps.extend(others.into_iter().map(attempt));
}

/// The lines of timens_offsets.
fn offsets(request: &Request) -> Option<String> {
    let line = |(clock, offset): (&str, Option<i64>)| Some(format!("{clock} {} 0\n", offset?));
    let clocks = [("boottime", request.boottime_s), ("monotonic", request.monotonic_s)];
    let lines: String = clocks.into_iter().filter_map(line).collect();
    (!lines.is_empty()).then_some(lines)
}

/// Who we are in the user namespace.
fn ids(steps: &mut Vec<Step>, request: &Request, caller: Caller) -> Result<(), Error> {
    // Before the maps: once there is a group map it is too late to deny.
    if let Some(allow) = request.setgroups
        && (allow || !maps_own_group(request))
    {
        steps.push(Setgroups { allow }.into());
    }
    let uid = map(&request.users, caller.uid, request.owner.is_some(), "--map-users")?;
    let gid = map(&request.groups, caller.gid, request.owner.is_some(), "--map-groups")?;
    let (mut ranges, mut own) = ((Vec::new(), Vec::new()), (None, None));
    match uid {
        Map::None => {}
        Map::Own(inside) => own.0 = Some(OwnId::new(inside, caller.uid)),
        Map::Lines(lines) => ranges.0 = lines,
    }
    match gid {
        Map::None => {}
        Map::Own(inside) => own.1 = Some(OwnId::new(inside, caller.gid)),
        Map::Lines(lines) => ranges.1 = lines,
    }
    if !(ranges.0.is_empty() && ranges.1.is_empty()) {
        let writer = if caller.may_map_any { Writer::Direct } else { Writer::Helpers };
        steps.push(MapIds { uid: ranges.0, gid: ranges.1, deny_setgroups: false, writer }.into());
    }
    if own.0.is_some() || own.1.is_some() {
        steps.push(MapOwnIds { uid: own.0, gid: own.1 }.into());
    }
    Ok(())
}

/// How a map comes to be.
enum Map {
    None,
    /// One line that the process writes itself: the id inside.
    Own(u32),
    /// Lines for who has the rights, outside.
    Lines(Vec<IdMap>),
}

fn map(asked_for: &IdsAsked, own: u32, by_owner: bool, flag: &str) -> Result<Map, Error> {
    if asked_for.ranges.is_empty() && !by_owner {
        return Ok(asked_for.own.map_or(Map::None, Map::Own));
    }
    let lines = lines(asked_for.own.map(|inside| (inside, own)), &asked_for.ranges);
    match no_range(&asked_for.ranges).or_else(|| refused(&lines)) {
        None if lines.is_empty() => Ok(Map::None),
        None => Ok(Map::Lines(lines)),
        Some((what, reason)) => Err(asked(&format!("{flag} {what}"), &reason, "")),
    }
}

/// What is set before anybody lives in the namespaces.
fn attributes(steps: &mut Vec<Step>, request: &Request) {
    if let Some(lines) = offsets(request) {
        // Before the fork: clocks can be set only until the first process enters.
        steps.push(TimeOffsets { lines }.into());
    }
    steps.extend(request.hostname.clone().map(|name| HostName(name).into()));
    steps.extend(request.domainname.clone().map(|name| DomainName(name).into()));
    if makes(request, Kind::Mnt) {
        steps.extend(request.propagation.map(|mode| Propagation(mode).into()));
    }
}

/// What is mounted, and where we stand.
fn mounts(steps: &mut Vec<Step>, request: &Request) -> Result<(), Error> {
    let register = |directory: &CStr, definition: &CString| -> Result<Step, Error> {
        let register = CString::new([directory.to_bytes(), b"/register"].concat());
        let register = register.map_err(|_| asked("--load-interp", "a path has no NUL in it", ""))?;
        Ok(LoadInterp { register, definition: definition.clone() }.into())
    };
    let early =
        request.load_interp.as_ref().filter(|definition| request.root.is_some() && is_fixed(definition));
    if let Some(definition) = early {
        // Opened at registration (flag F): while the caller's own root is still there.
        steps.push(MountBinfmt(BINFMT.to_owned()).into());
        steps.push(register(BINFMT, definition)?);
    }
    steps.extend(request.root.clone().map(|root| Chroot(root).into()));
    // Not to stay outside of the new root.
    let directory =
        request.working_directory.clone().or_else(|| request.root.as_ref().map(|_| c"/".to_owned()));
    steps.extend(directory.map(|directory| Chdir(directory).into()));
    if let Some(target) = &request.mount_proc {
        let cut_off = request.root.is_none() && request.propagation != Some(Mode::Private);
        steps.push(
            MountProc {
                target: target.clone(),
                cut_off,
                own_pids: makes(request, Kind::Pid) && request.fork,
            }
            .into(),
        );
    }
    if let Some(target) = &request.mount_binfmt {
        // Below the procfs, if it was mounted there.
        steps.push(MountBinfmt(target.clone()).into());
        if let Some(definition) = request.load_interp.as_ref().filter(|_| early.is_none()) {
            steps.push(register(target, definition)?);
        }
    }
    Ok(())
}

/// Has the definition of an interpreter the flag F? Flags stand behind the last colon.
fn is_fixed(definition: &CStr) -> bool {
    let flags = definition.to_bytes().rsplit(|byte| *byte == b':').next();
    definition.to_bytes().contains(&b':') && flags.is_some_and(|flags| flags.contains(&b'F'))
}

fn program(request: &Request) -> Result<Execvp, Error> {
    let environment = request.environment.clone();
    match &request.program {
        Program::Shell(path) => Ok(Execvp::login_shell(path, environment)),
        Program::Words(words) => {
            let path = environment.iter().find_map(|line| line.to_bytes().strip_prefix(b"PATH="));
            let path = path.and_then(|path| CString::new(path).ok());
            Execvp::new(words.clone(), environment, path.as_deref())
                .ok_or_else(|| asked("program", "there is no name", ""))
        }
    }
}
