//! From a [`Request`] to an OCI [`Spec`]: `config.json` as it would be printed.
//!
//! Nothing of the system is asked but the files of `--env-file` and the variables of `-e KEY`; what else must be known of
//! the caller and the host comes in [`Surroundings`].

use super::env::{self, Entry};
use super::error::Error;
use super::mount::Mount;
use super::namespace::{Choice, UserNs};
use super::request::Request;
use super::root::Root;
use super::user::{self, Accounts, Identity, User};
use super::{caps, device, name, path, seccomp};
use crate::value::reason::Reason;
use insula_oci::linux::Linux;
use insula_oci::{
    Capabilities, Capability, CapabilitySet, Device, DeviceKind, IdMapping, Namespace, NamespaceKind,
    Process, Spec, annotation, process,
};
use insula_runtime::defaults;
use std::collections::BTreeMap;
use std::io::Read;

/// The host name where neither `--hostname` nor `--name` gives one.
pub const DEFAULT_HOSTNAME: &str = "insula";

/// The most that is read of a file of variables: 1 MiB.
const MAX_ENV_FILE_BYTES: u64 = 1 << 20;

/// What the spec depends on besides the request.
#[derive(Debug, Clone, Default)]
pub struct Surroundings<'a> {
    /// The text of the root's passwd(5) and group(5).
    pub accounts: Accounts<'a>,
    /// The caller's working directory on the host, absolute: relative sources of mounts are below it.
    pub caller_cwd: String,
    /// The program's working directory where `-w` gives none; empty is `/`.
    pub default_cwd: String,
    /// Who the program is where `-u` says nothing, in the container's ids.
    pub default_user: (u32, u32),
    /// The maps of a new user namespace; `None` for no user namespace.
    pub id_maps: Option<IdMaps>,
    /// Whether setgroups(2) is denied, as in the user namespace of a plain user without newgidmap(1): then nobody has
    /// supplementary groups.
    pub denies_setgroups: bool,
    /// The namespaces to join, by kind: the path behind each [`Choice::Named`]; a name without one is refused.
    pub joins: BTreeMap<NamespaceKind, String>,
    /// The nodes behind [`Request::devices`], in their order.
    pub devices: Vec<Node>,
    /// Whether `/sys` is the host's, bound: with the host's network in a user namespace a new sysfs is EPERM.
    pub binds_sys: bool,
    /// The path of the root directory as it stands in `config.json`; for [`Root::Host`] the directory that the view is
    /// mounted on.
    pub root_path: String,
}

/// The maps of a user namespace (user_namespaces(7)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdMaps {
    /// `uid_map`.
    pub uids: Vec<IdMapping>,
    /// `gid_map`.
    pub gids: Vec<IdMapping>,
}

/// What stat(2) says of a device of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Character or block.
    pub kind: DeviceKind,
    /// The major number.
    pub major: u32,
    /// The minor number.
    pub minor: u32,
    /// The permission bits.
    pub mode: u32,
}

/// Makes the spec.
pub fn build(request: &Request, surroundings: &Surroundings<'_>) -> Result<Spec, Error> {
    let hostname = hostname(request);
    let readonly = request.read_only;
    Ok(Spec {
        root: Some(insula_oci::Root { path: surroundings.root_path.clone(), readonly }),
        mounts: mounts(request, surroundings),
        process: Some(process(request, surroundings, hostname.as_deref())?),
        hostname,
        domainname: request.domainname.clone(),
        annotations: annotations(request, surroundings),
        linux: Some(linux(request, surroundings)?),
        ..Spec::default()
    })
}

/// The host name of a new UTS namespace; none for one that others use.
fn hostname(request: &Request) -> Option<String> {
    if request.namespaces.uts != Choice::New {
        return None;
    }
    let by_name = request.name.clone().filter(|name| name.len() <= name::MAX_HOST);
    let default = || DEFAULT_HOSTNAME.to_owned();
    Some(request.hostname.clone().or(by_name).unwrap_or_else(default))
}

/// insula's own words.
fn annotations(request: &Request, surroundings: &Surroundings<'_>) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    let mut set = |key: &str, value: &str| annotations.insert(key.to_owned(), value.to_owned());
    if request.root == Root::Host {
        set(annotation::ROOT, annotation::ROOT_HOST);
    }
    if let Some(keep) = &request.keep {
        set(annotation::KEEP, &path::from(&surroundings.caller_cwd, keep));
    }
    if request.init {
        set(annotation::INIT, annotation::TRUE);
    }
    annotations
}

/// The default mounts, with the caller's in the place of those that they hide, and behind them.
fn mounts(request: &Request, surroundings: &Surroundings<'_>) -> Vec<insula_oci::Mount> {
    let asked = |destination: &str| request.mounts.iter().any(|mount| mount.destination() == destination);
    let mut mounts = defaults::mounts(request.shm_size_bytes);
    if surroundings.binds_sys {
        mounts
            .iter_mut()
            .filter(|mount| mount.destination == "/sys")
            .for_each(|sys| *sys = defaults::bound_sys());
    }
    // As in Docker: who mounts /dev brings all that is below it.
    let hidden =
        |destination: &str| asked(destination) || (asked("/dev") && destination.starts_with("/dev/"));
    mounts.retain(|mount| !hidden(&mount.destination));
    mounts.extend(request.mounts.iter().map(|mount| oci_mount(mount, &surroundings.caller_cwd)));
    mounts
}

/// One mount as `config.json` has it. Events of the host do not reach a bind mount unless its options say so.
fn oci_mount(mount: &Mount, caller_cwd: &str) -> insula_oci::Mount {
    let (kind, source, options) = match mount {
        Mount::Bind(volume) => {
            let bind = if volume.recursive { "rbind" } else { "bind" };
            let propagates =
                |option: &String| ["shared", "slave", "private"].iter().any(|end| option.ends_with(end));
            let propagation = (!volume.options.iter().any(propagates)).then_some("rprivate");
            let first = [Some(bind), propagation].into_iter().flatten().map(str::to_owned);
            let options = first.chain(volume.options.iter().cloned()).collect();
            ("bind", path::from(caller_cwd, &volume.source), options)
        }
        Mount::Tmpfs(tmpfs) => ("tmpfs", "tmpfs".to_owned(), tmpfs.options.clone()),
    };
    insula_oci::Mount {
        destination: mount.destination().to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source),
        options,
        ..insula_oci::Mount::default()
    }
}

/// The program.
fn process(
    request: &Request,
    surroundings: &Surroundings<'_>,
    hostname: Option<&str>,
) -> Result<Process, Error> {
    let identity = identity(request, surroundings)?;
    let default_cwd = Some(&surroundings.default_cwd).filter(|cwd| !cwd.is_empty());
    Ok(Process {
        terminal: request.tty,
        env: environment(request, &identity.home, hostname)?,
        args: request.command.clone(),
        cwd: request.workdir.as_ref().or(default_cwd).map_or("/", String::as_str).to_owned(),
        capabilities: Some(capabilities(request, identity.uid)),
        user: process::User {
            uid: identity.uid,
            gid: identity.gid,
            umask: None,
            additional_gids: identity.groups,
        },
        rlimits: request.ulimits.clone(),
        no_new_privileges: request.no_new_privileges,
        ..Process::default()
    })
}

/// Who the program is: `-u`, or the default, with the groups of `--group-add`.
fn identity(request: &Request, surroundings: &Surroundings<'_>) -> Result<Identity, Error> {
    let (uid, gid) = surroundings.default_user;
    let default = User { user: user::Id::Number(uid), group: None };
    let asked = request.user.as_ref();
    let mut identity =
        user::identify(asked.unwrap_or(&default), surroundings.accounts).map_err(|reason| {
            Error::value("--user", &words(asked), reason, "a number, as 1000:1000, or a name there")
        })?;
    if asked.is_none() {
        identity.gid = gid;
    }
    keep_possible_groups(&mut identity.groups, surroundings);
    for group in &request.groups {
        let refuse = |reason| Error::value("--group-add", &word(group), reason, "a number, or a name there");
        if surroundings.denies_setgroups {
            return Err(refuse(Reason::new("a plain user without a range of group ids can add none")));
        }
        identity.groups.push(user::group_id(group, surroundings.accounts).map_err(refuse)?);
    }
    identity.groups.sort_unstable();
    identity.groups.dedup();
    Ok(identity)
}

/// Takes out the groups that the user is only listed in and cannot have here: setgroups(2) would fail as a whole, and
/// nobody asked for them. Those of `--group-add` stay, and fail.
fn keep_possible_groups(groups: &mut Vec<u32>, surroundings: &Surroundings<'_>) {
    let Some(maps) = &surroundings.id_maps else { return };
    let mapped = |gid: u32| {
        maps.gids.iter().any(|map| gid.checked_sub(map.container_id).is_some_and(|at| at < map.size))
    };
    groups.retain(|&gid| !surroundings.denies_setgroups && mapped(gid));
}

/// A user as it was written.
fn words(user: Option<&User>) -> String {
    let group = |id: &user::Id| format!(":{}", word(id));
    user.map(|one| word(&one.user) + &one.group.as_ref().map_or(String::new(), group)).unwrap_or_default()
}

/// An id as it was written.
fn word(id: &user::Id) -> String {
    match id {
        user::Id::Number(number) => number.to_string(),
        user::Id::Name(name) => name.clone(),
    }
}

/// The five sets, as Docker makes them: only root has any in effect, others can gain them by set-id programs; nothing is
/// inheritable or ambient.
fn capabilities(request: &Request, uid: u32) -> Capabilities {
    let bounding = bounding(request);
    let in_effect = if uid == 0 { bounding.clone() } else { CapabilitySet::default() };
    Capabilities { bounding, effective: in_effect.clone(), permitted: in_effect, ..Capabilities::default() }
}

/// The bounding set.
fn bounding(request: &Request) -> CapabilitySet {
    let mut bounding = caps::resolve(&request.cap_add, &request.cap_drop);
    // Without a user namespace, and without a devices cgroup, who may make a device node may open every disk.
    let named = |word: &caps::Word| matches!(word, caps::Word::One(Capability::Mknod));
    if request.namespaces.user == UserNs::Host && !request.cap_add.iter().any(named) {
        bounding.known.retain(|capability| *capability != Capability::Mknod);
    }
    bounding
}

/// The environment: the defaults, then the files, then `-e`; a later value takes the place of an earlier one.
fn environment(request: &Request, home: &str, hostname: Option<&str>) -> Result<Vec<String>, Error> {
    let mut environment = vec![format!("PATH={}", defaults::PATH), format!("HOME={home}")];
    if let Some(hostname) = hostname {
        env::set(&mut environment, "HOSTNAME", hostname);
    }
    if request.tty {
        env::set(&mut environment, "TERM", defaults::TERM);
    }
    for file in &request.env_files {
        let text = match file.text.get() {
            Some(text) => text,
            None => {
                let text = read_env_file(&file.path)?;
                file.text.get_or_init(|| text)
            }
        };
        let entries = env::parse_file(text).map_err(|(line, reason)| Error::EnvLine {
            path: file.path.clone(),
            line,
            reason,
        })?;
        entries.iter().try_for_each(|entry| apply(&mut environment, entry))?;
    }
    request.env.iter().try_for_each(|entry| apply(&mut environment, entry))?;
    Ok(environment)
}

/// Puts one variable into the environment, or takes it out where the caller has none of the name.
fn apply(environment: &mut Vec<String>, entry: &Entry) -> Result<(), Error> {
    match entry {
        Entry::Set(key, value) => env::set(environment, key, value),
        Entry::Pass(key) => match std::env::var_os(key).map(std::ffi::OsString::into_string) {
            Some(Ok(value)) => env::set(environment, key, &value),
            Some(Err(_)) => {
                let reason = Reason::new("its value here is no UTF-8");
                return Err(Error::value("--env", key, reason, "KEY=VALUE"));
            }
            None => env::unset(environment, key),
        },
    }
    Ok(())
}

/// Reads a file of variables within bounds.
fn read_env_file(path: &str) -> Result<String, Error> {
    let refuse = |words: String| Error::EnvFile { path: path.to_owned(), reason: Reason::new(words) };
    let file = std::fs::File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_ENV_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| refuse(error.to_string()))?;
    if bytes.len() as u64 > MAX_ENV_FILE_BYTES {
        return Err(refuse(format!("it has more than {MAX_ENV_FILE_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| refuse("it is no UTF-8".to_owned()))
}

/// The Linux part.
fn linux(request: &Request, surroundings: &Surroundings<'_>) -> Result<Linux, Error> {
    let maps = surroundings.id_maps.clone().unwrap_or_default();
    let texts = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect();
    let devices = devices(request, surroundings)?;
    Ok(Linux {
        namespaces: namespaces(request, surroundings)?,
        uid_mappings: maps.uids,
        gid_mappings: maps.gids,
        time_offsets: request.time_offsets.clone(),
        devices,
        masked_paths: texts(&defaults::MASKED_PATHS),
        readonly_paths: texts(&defaults::READONLY_PATHS),
        sysctl: request.sysctl.clone(),
        seccomp: seccomp::profile(&request.seccomp, &surroundings.caller_cwd, &bounding(request))?,
        ..Linux::default()
    })
}

/// The namespaces, in the order of the specification: a kind that is the host's is left out.
fn namespaces(request: &Request, surroundings: &Surroundings<'_>) -> Result<Vec<Namespace>, Error> {
    let chosen = &request.namespaces;
    let mut listed = Vec::new();
    for kind in NamespaceKind::ALL {
        let (flag, choice) = match kind {
            NamespaceKind::Pid => ("--pid", &chosen.pid),
            NamespaceKind::Network => ("--network", &chosen.net),
            NamespaceKind::Ipc => ("--ipc", &chosen.ipc),
            NamespaceKind::Uts => ("--uts", &chosen.uts),
            NamespaceKind::Cgroup => ("--cgroupns", &chosen.cgroup),
            NamespaceKind::User if surroundings.id_maps.is_none() => ("--userns", &Choice::Host),
            NamespaceKind::User => ("--userns", &Choice::New),
            NamespaceKind::Mount | NamespaceKind::Time => ("", &Choice::New),
        };
        let path = match choice {
            Choice::Host => continue,
            Choice::New => None,
            Choice::Path(path) => Some(path),
            Choice::Named(name) => Some(surroundings.joins.get(&kind).ok_or_else(|| {
                let reason = Reason::new("there is no namespace of the name");
                Error::value(flag, name, reason, "the name of one that there is, or a path")
            })?),
        };
        listed.push(Namespace { kind, path: path.cloned() });
    }
    Ok(listed)
}

/// The device nodes.
fn devices(request: &Request, surroundings: &Surroundings<'_>) -> Result<Vec<Device>, Error> {
    let mut nodes = surroundings.devices.iter();
    let device = |device: &device::Device| {
        if device.access != "rwm" {
            let reason =
                Reason::new("access to a device is narrowed by a devices cgroup, which is not made here");
            return Err(Error::value(
                "--device",
                &device.source,
                reason,
                "it without access letters, or bind nothing",
            ));
        }
        let node = nodes.next().ok_or_else(|| {
            let reason = Reason::new("there is no such device");
            Error::value("--device", &device.source, reason, "the path of one that there is")
        })?;
        Ok(Device {
            kind: node.kind,
            path: device.destination.clone(),
            major: i64::from(node.major),
            minor: i64::from(node.minor),
            file_mode: Some(node.mode),
            uid: None,
            gid: None,
        })
    };
    request.devices.iter().map(device).collect()
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
