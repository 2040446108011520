//! From the flags to a request.

use crate::face::given::Given;
use crate::face::number::number;
use crate::ns::kinds;
use crate::ns::words::{refused, text};
use crate::unshare::id_words::{Kind as Ids, by_name, ranges, subordinate};
use insula_launch::plan::Kind;
use insula_launch::step::propagation::Mode;
use insula_namespaces::error::Error;
use insula_namespaces::names::{Request, may_mount};
use insula_namespaces::unshare::Caller;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// Reads it.
pub fn read(given: &Given, caller: Caller) -> Result<Request, Error> {
    let mut request =
        Request { loopback: true, proc: true, propagation: Some(Mode::Slave), ..Request::default() };
    let mut kinds = kinds::given(given);
    for (flag, value) in &given.flags {
        let value = value.as_deref();
        match *flag {
            "hostname" => request.hostname = Some(text(flag, value)?.to_owned()),
            "domainname" => request.domainname = Some(text(flag, value)?.to_owned()),
            "monotonic" => request.monotonic_s = Some(seconds(flag, text(flag, value)?)?),
            "boottime" => request.boottime_s = Some(seconds(flag, text(flag, value)?)?),
            "no-loopback" => request.loopback = false,
            "no-proc" => request.proc = false,
            "rootfs" => request.rootfs = Some(path(value.unwrap_or_default())?),
            "propagation" => request.propagation = propagation(text(flag, value)?)?,
            "keeper" => request.keeper = true,
            _ => {
                if ids(&mut request, caller, flag, value)?
                    && !kinds.is_empty()
                    && !kinds.contains(&Kind::User)
                {
                    kinds.push(Kind::User);
                }
            }
        }
    }
    request.kinds = if kinds.is_empty() { default_kinds(given) } else { kinds };
    // What a kernel does not have is not made where it was not asked for by name.
    kinds::sort(&mut request.kinds);
    Ok(request)
}

/// As root all but user, unless ids are mapped; else all eight: without a user namespace there would be none.
fn default_kinds(given: &Given) -> Vec<Kind> {
    let maps = given.flags.iter().any(|(flag, _)| flag.starts_with("map-") || *flag == "setgroups");
    let with_user = maps || !may_mount();
    Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::User || with_user)
        .filter(|kind| kinds::is_known(*kind))
        .collect()
}

/// The flags about ids. `true`: it implies a user namespace.
fn ids(request: &mut Request, caller: Caller, flag: &str, value: Option<&OsStr>) -> Result<bool, Error> {
    let (users, groups) = (&mut request.users, &mut request.groups);
    match flag {
        "map-root-user" => (users.own, groups.own) = (Some(0), Some(0)),
        "map-current-user" => (users.own, groups.own) = (Some(caller.uid), Some(caller.gid)),
        "map-user" => users.own = Some(by_name("--map-user", Ids::User, text(flag, value)?)?),
        "map-group" => groups.own = Some(by_name("--map-group", Ids::Group, text(flag, value)?)?),
        "map-users" => users.ranges.extend(ranges("--map-users", Ids::User, text(flag, value)?, caller.uid)?),
        "map-groups" => {
            groups.ranges.extend(ranges("--map-groups", Ids::Group, text(flag, value)?, caller.uid)?)
        }
        "map-auto" | "map-subids" => {
            let (called, itself) = (format!("--{flag}"), flag == "map-subids");
            users.ranges.push(subordinate(&called, Ids::User, caller.uid, itself)?);
            groups.ranges.push(subordinate(&called, Ids::Group, caller.uid, itself)?);
        }
        "setgroups" => {
            request.setgroups = Some(match text(flag, value)? {
                "allow" => true,
                "deny" => false,
                other => {
                    return Err(refused("--setgroups", other, "this is neither", "write `allow` or `deny`"));
                }
            });
            return Ok(false);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn seconds(flag: &str, word: &str) -> Result<i64, Error> {
    number(word).and_then(|number| i64::try_from(number).ok()).ok_or_else(|| {
        let cure = "write a whole number, as 86400 or -60";
        refused(&format!("--{flag}"), word, "this is no number of seconds", cure)
    })
}

fn propagation(word: &str) -> Result<Option<Mode>, Error> {
    match word {
        "private" => Ok(Some(Mode::Private)),
        "shared" => Ok(Some(Mode::Shared)),
        "slave" => Ok(Some(Mode::Slave)),
        "unchanged" => Ok(None),
        other => {
            let cure = "write `slave`, `private`, `shared` or `unchanged`";
            Err(refused("--propagation", other, "this is no propagation", cure))
        }
    }
}

/// Absolute, for the newborn stands elsewhere than we do; and there, so that nothing is begun in vain.
fn path(word: &OsStr) -> Result<CString, Error> {
    let shown = word.to_string_lossy();
    let no_directory = || refused("--rootfs", &shown, "this is no directory", "name one that is there");
    let there = std::path::absolute(word).map_err(|_| no_directory())?;
    if !there.is_dir() {
        return Err(no_directory());
    }
    CString::new(there.as_os_str().as_bytes()).map_err(|_| no_directory())
}
