//! From the flags to a request, one after the other, as unshare(1) reads them.

use super::id_words::{Kind as Ids, by_name, owner, ranges, subordinate};
use super::signal_name;
use crate::face::environment::Environment;
use crate::face::given::Given;
use crate::face::number::{id, number};
use insula_launch::plan::Kind;
use insula_launch::step::propagation::Mode;
use insula_namespaces::error::Error;
use insula_namespaces::unshare::{Caller, Program, Request};
use rustix::process::Signal;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

/// Where procfs is mounted if no other place is named.
const PROC: &str = "/proc";
/// Where binfmt_misc is mounted if no other place is named.
const BINFMT: &str = "/proc/sys/fs/binfmt_misc";

/// All that the command line asks for.
#[derive(Debug, Default)]
pub struct Asked {
    /// What is to be done.
    pub request: Request,
    /// Pass INT and TERM on to the child.
    pub forward_signals: bool,
    /// The number of the descriptor on which the status is told.
    pub status: Option<i32>,
    /// Print the plan only.
    pub explain: Option<Explain>,
}

/// How the plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    Text,
    Json,
}

/// What is gathered on the way.
#[derive(Default)]
struct Gathered {
    all: bool,
    clear_environment: bool,
    whitelists: Vec<OsString>,
}

/// Reads the command line of `caller`.
pub fn read(given: Given, caller: Caller) -> Result<Asked, Error> {
    let mut asked = Asked {
        request: Request { propagation: Some(Mode::Private), ..Request::default() },
        ..Asked::default()
    };
    let mut gathered = Gathered::default();
    for (flag, value) in given.flags {
        one(&mut asked, &mut gathered, caller, flag, value)?;
    }
    let request = &mut asked.request;
    if gathered.all {
        all(request);
    }
    let environment = match (&gathered.whitelists[..], gathered.clear_environment) {
        ([], false) => Environment::own(),
        ([], true) => Environment::empty(),
        (lists, _) => Environment::only(lists),
    };
    request.program = match given.words.is_empty() {
        true => Program::Shell(environment.shell(request.uid.or(request.users.own).unwrap_or(caller.uid))),
        false => Program::Words(given.words.into_iter().filter_map(|word| c_string(word).ok()).collect()),
    };
    request.environment = environment.lines();
    Ok(asked)
}

/// `--all`: the namespaces, and what makes them of use.
fn all(request: &mut Request) {
    request.kinds = Kind::ALL.to_vec();
    request.fork = true;
    let (users, groups) = (&mut request.users, &mut request.groups);
    if users.own.is_none() && users.ranges.is_empty() && groups.own.is_none() && groups.ranges.is_empty() {
        (users.own, groups.own) = (Some(0), Some(0));
    }
}

fn one(
    asked: &mut Asked,
    gathered: &mut Gathered,
    caller: Caller,
    flag: &'static str,
    value: Option<OsString>,
) -> Result<(), Error> {
    if let Some((kind, tried)) = kind(flag) {
        return new_namespace(&mut asked.request, kind, tried, value);
    }
    if ids(&mut asked.request, caller, flag, value.as_ref())?
        || mounts(&mut asked.request, flag, value.as_ref())?
    {
        return Ok(());
    }
    let request = &mut asked.request;
    match flag {
        "fork" => request.fork = true,
        "kill-child" => {
            request.fork = true;
            request.kill_child = Some(match value {
                None => Signal::KILL.as_raw(),
                Some(name) => signal_named(&text(name))?,
            });
        }
        "forward-signals" => (request.fork, asked.forward_signals) = (true, true),
        "monotonic" => request.monotonic_s = Some(offset("--monotonic", value)?),
        "boottime" => request.boottime_s = Some(offset("--boottime", value)?),
        "clear-env" => gathered.clear_environment = true,
        "whitelist-env" => gathered.whitelists.extend(value),
        "all" => gathered.all = true,
        "hostname" => request.hostname = name(request, value),
        "domainname" => request.domainname = name(request, value),
        "json" => {
            request.fork = true;
            asked.status = Some(descriptor(value)?);
        }
        "explain" => asked.explain = Some(explain(value)?),
        _ => {}
    }
    Ok(())
}

fn kind(flag: &str) -> Option<(Kind, bool)> {
    let (name, tried) = flag.strip_prefix("try-").map_or((flag, false), |name| (name, true));
    let kind = Kind::ALL.into_iter().find(|kind| match kind {
        Kind::Mnt => name == "mount",
        kind => name == kind.name(),
    });
    kind.map(|kind| (kind, tried))
}

fn new_namespace(
    request: &mut Request,
    kind: Kind,
    tried: bool,
    file: Option<OsString>,
) -> Result<(), Error> {
    if tried {
        add(&mut request.tried, kind);
        return Ok(());
    }
    add(&mut request.kinds, kind);
    if let Some(file) = file {
        // Given again, the last holds.
        request.persist.retain(|(known, _)| *known != kind);
        request.persist.push((kind, c_string(file)?));
        // As unshare(1) binds them.
        let place = |kind: &Kind| {
            let order =
                [Kind::User, Kind::Cgroup, Kind::Ipc, Kind::Uts, Kind::Net, Kind::Pid, Kind::Mnt, Kind::Time];
            order.iter().position(|known| known == kind)
        };
        request.persist.sort_by_key(|(kind, _)| place(kind));
    }
    Ok(())
}

fn add(kinds: &mut Vec<Kind>, kind: Kind) {
    if !kinds.contains(&kind) {
        kinds.push(kind);
    }
}

/// The flags about ids. `false`: it is none of them.
fn ids(request: &mut Request, caller: Caller, flag: &str, value: Option<&OsString>) -> Result<bool, Error> {
    let value = value.cloned().map(text).unwrap_or_default();
    let implies_user = match flag {
        "map-root-user" => {
            (request.users.own, request.groups.own) = (Some(0), Some(0));
            true
        }
        "map-current-user" => {
            (request.users.own, request.groups.own) = (Some(caller.uid), Some(caller.gid));
            true
        }
        "map-user" => {
            request.users.own = Some(by_name("--map-user", Ids::User, &value)?);
            true
        }
        "map-group" => {
            request.groups.own = Some(by_name("--map-group", Ids::Group, &value)?);
            true
        }
        "map-users" => {
            request.users.ranges.extend(ranges("--map-users", Ids::User, &value, caller.uid)?);
            true
        }
        "map-groups" => {
            request.groups.ranges.extend(ranges("--map-groups", Ids::Group, &value, caller.uid)?);
            true
        }
        "map-auto" | "map-subids" => {
            let (flag, itself) = (format!("--{flag}"), flag == "map-subids");
            request.users.ranges.push(subordinate(&flag, Ids::User, caller.uid, itself)?);
            request.groups.ranges.push(subordinate(&flag, Ids::Group, caller.uid, itself)?);
            true
        }
        "owner" => {
            request.owner = Some(owner(&value)?);
            true
        }
        "setgroups" => {
            request.setgroups = Some(match value.as_str() {
                "allow" => true,
                "deny" => false,
                _ => {
                    return Err(refused("--setgroups", &value, "this is neither", "write `allow` or `deny`"));
                }
            });
            false
        }
        "keep-caps" => {
            request.keep_caps = true;
            false
        }
        "setuid" => {
            request.uid = Some(own_id("--setuid", &value)?);
            false
        }
        "setgid" => {
            request.gid = Some(own_id("--setgid", &value)?);
            false
        }
        _ => return Ok(false),
    };
    if implies_user {
        add(&mut request.kinds, Kind::User);
    }
    Ok(true)
}

/// The flags about mounts and directories. `false`: it is none of them.
fn mounts(request: &mut Request, flag: &str, value: Option<&OsString>) -> Result<bool, Error> {
    let path = value.cloned().map(c_string).transpose()?;
    match flag {
        "mount-proc" => {
            add(&mut request.kinds, Kind::Mnt);
            request.mount_proc = path.or_else(|| CString::new(PROC).ok());
        }
        "mount-binfmt" => {
            binfmt(request);
            match path {
                Some(path) => request.mount_binfmt = Some(path),
                None => binfmt_in_proc(request),
            }
        }
        "load-interp" => {
            binfmt(request);
            if request.mount_binfmt.is_none() {
                binfmt_in_proc(request);
            }
            request.load_interp = path;
        }
        "propagation" => {
            let value = value.cloned().map(text).unwrap_or_default();
            request.propagation = match value.as_str() {
                "private" => Some(Mode::Private),
                "shared" => Some(Mode::Shared),
                "slave" => Some(Mode::Slave),
                "unchanged" => None,
                _ => {
                    let cure = "write `private`, `shared`, `slave` or `unchanged`";
                    return Err(refused("--propagation", &value, "this is no propagation", cure));
                }
            };
        }
        "root" => request.root = path,
        "wd" => request.working_directory = path,
        _ => return Ok(false),
    }
    Ok(true)
}

fn binfmt(request: &mut Request) {
    add(&mut request.kinds, Kind::Mnt);
    add(&mut request.kinds, Kind::User);
}

/// The directory for it is in a procfs, which has to be our own.
fn binfmt_in_proc(request: &mut Request) {
    request.mount_proc = request.mount_proc.take().or_else(|| CString::new(PROC).ok());
    request.mount_binfmt = CString::new(BINFMT).ok();
}

fn own_id(flag: &str, value: &str) -> Result<u32, Error> {
    id(value).ok_or_else(|| refused(flag, value, "this is no id", "ids are numbers, 0 to 4294967294"))
}

fn offset(flag: &str, value: Option<OsString>) -> Result<i64, Error> {
    let value = value.map(text).unwrap_or_default();
    let seconds = number(&value).and_then(|number| i64::try_from(number).ok());
    seconds.ok_or_else(|| {
        refused(flag, &value, "this is no number of seconds", "write a whole number, as 86400 or -60")
    })
}

fn signal_named(name: &str) -> Result<i32, Error> {
    let cure = "write its name, as TERM or SIGTERM; `kill -l` lists them";
    signal_name::parse(name).ok_or_else(|| refused("--kill-child", name, "there is no such signal", cure))
}

/// A host's or domain's name; it needs a UTS namespace.
fn name(request: &mut Request, value: Option<OsString>) -> Option<String> {
    add(&mut request.kinds, Kind::Uts);
    value.map(text)
}

fn descriptor(value: Option<OsString>) -> Result<i32, Error> {
    let Some(value) = value.map(text) else { return Ok(2) };
    let number = number(&value).and_then(|number| i32::try_from(number).ok()).filter(|number| *number >= 0);
    number.ok_or_else(|| {
        refused("--json", &value, "this is no descriptor", "write its number, as `--json=3 3>FILE`")
    })
}

fn explain(value: Option<OsString>) -> Result<Explain, Error> {
    match value.map(text).as_deref() {
        None => Ok(Explain::Text),
        Some("json") => Ok(Explain::Json),
        Some(other) => {
            Err(refused("--explain", other, "this is no format", "write `--explain` or `--explain=json`"))
        }
    }
}

fn text(value: OsString) -> String {
    value.into_string().unwrap_or_else(|value| value.to_string_lossy().into_owned())
}

fn c_string(value: OsString) -> Result<CString, Error> {
    // A word of a command line ends at its first NUL.
    CString::new(value.into_vec()).map_err(|_| refused("", "", "a word has no NUL in it", ""))
}

fn refused(flag: &str, value: &str, reason: &str, cure: &str) -> Error {
    Error::Asked { what: format!("{flag} {value}"), reason: reason.to_owned(), hint: Some(cure.to_owned()) }
}
