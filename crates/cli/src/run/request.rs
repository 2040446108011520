//! What a command line of `insula run` asks for, with a type for every value.
//!
//! Reading it asks the system one thing only: whether the first word is a directory.

use super::caps::{self, Word};
use super::device::{self, Device};
use super::env::{self, Entry, EnvFile};
use super::error::Error;
use super::flags;
use super::mount::{self, Mount};
use super::namespace::{self, Choice, UserNs};
use super::root::{self, Root};
use super::security::{self, Seccomp};
use super::user::{self, Id, User};
use super::{duration, name, path, sysctl, time_offset, tmpfs, ulimit, volume};
use crate::value::reason::Reason;
use crate::value::{signal, size};
use clap::ArgMatches;
use insula_oci::{Clock, Rlimit, TimeOffset};
use insula_runtime::defaults;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The command where none is written.
pub const DEFAULT_COMMAND: &str = "/bin/sh";

/// The default of `--stop-timeout`.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The default of `--stop-signal`: SIGTERM.
pub const STOP_SIGNAL: i32 = 15;

/// A run that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `--name`.
    pub name: Option<String>,
    /// ROOT.
    pub root: Root,
    /// `--keep`: where changes to [`Root::Host`] are kept, absolute or relative to the caller's working directory.
    pub keep: Option<String>,
    /// `--entrypoint` and the words behind ROOT; never empty.
    pub command: Vec<String>,
    /// `--workdir`.
    pub workdir: Option<String>,
    /// `--env-file`, in order.
    pub env_files: Vec<EnvFile>,
    /// `--env`, in order.
    pub env: Vec<Entry>,
    /// `--user`.
    pub user: Option<User>,
    /// `--group-add`.
    pub groups: Vec<Id>,
    /// `--hostname`.
    pub hostname: Option<String>,
    /// `--domainname`.
    pub domainname: Option<String>,
    /// `--cap-add`.
    pub cap_add: Vec<Word>,
    /// `--cap-drop`.
    pub cap_drop: Vec<Word>,
    /// `--no-new-privileges`, or `--security-opt no-new-privileges`.
    pub no_new_privileges: bool,
    /// `--security-opt seccomp=…`.
    pub seccomp: Seccomp,
    /// `--ulimit`, each kind once.
    pub ulimits: Vec<Rlimit>,
    /// `--sysctl`.
    pub sysctl: BTreeMap<String, String>,
    /// `--device`.
    pub devices: Vec<Device>,
    /// `--volume`, `--mount` and `--tmpfs`: outer ones before those inside them.
    pub mounts: Vec<Mount>,
    /// `--read-only`.
    pub read_only: bool,
    /// `--shm-size` in bytes.
    pub shm_size_bytes: u64,
    /// Which namespaces.
    pub namespaces: Namespaces,
    /// `--time-offset`.
    pub time_offsets: BTreeMap<Clock, TimeOffset>,
    /// `--interactive`.
    pub interactive: bool,
    /// `--tty`.
    pub tty: bool,
    /// Whether a pid 1 stands in front of the program: `--init`, else where the pid namespace is new.
    pub init: bool,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--stop-signal`.
    pub stop_signal: i32,
    /// `--stop-timeout`.
    pub stop_timeout: Duration,
    /// `--print-config`.
    pub print_config: bool,
    /// `--explain`.
    pub explain: Option<Explain>,
}

/// The namespaces that a flag can choose; mount and time namespaces are always new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// `--network`.
    pub net: Choice,
    /// `--pid`.
    pub pid: Choice,
    /// `--ipc`.
    pub ipc: Choice,
    /// `--uts`.
    pub uts: Choice,
    /// `--cgroupns`.
    pub cgroup: Choice,
    /// `--userns`.
    pub user: UserNs,
}

/// The form of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Request {
    /// Reads what clap parsed with [`flags::command`]. `dashed` is [`flags::is_dashed`].
    pub fn from_matches(matches: &ArgMatches, dashed: bool) -> Result<Self, Error> {
        let given = Given(matches);
        let words: Vec<String> = given.texts(flags::WORDS).cloned().collect();
        let (root, behind) = root::divide(&words, dashed, |word| Path::new(word).is_dir())?;
        let namespaces = namespaces(given)?;
        let security = security(given)?;
        let request = Self {
            name: given.one("--name", name::FORM, name::parse)?,
            root,
            keep: given.one("--keep", "a directory", directory)?,
            command: command(given.text("entrypoint"), behind),
            workdir: given.one("--workdir", "an absolute path in the container", path::absolute)?,
            env_files: given.texts("env-file").map(|path| EnvFile::new(path)).collect(),
            env: given.many("--env", env::FORM, env::parse)?,
            user: given.one("--user", user::FORM, user::parse)?,
            groups: given.many("--group-add", user::GROUP_FORM, user::id)?,
            hostname: given.one("--hostname", name::HOST_FORM, name::host)?,
            domainname: given.one("--domainname", name::HOST_FORM, name::host)?,
            cap_add: given.many("--cap-add", caps::FORM, caps::parse)?,
            cap_drop: given.many("--cap-drop", caps::FORM, caps::parse)?,
            no_new_privileges: security.no_new_privileges,
            seccomp: security.seccomp,
            ulimits: ulimits(given)?,
            sysctl: given.many("--sysctl", sysctl::FORM, sysctl::parse)?.into_iter().collect(),
            devices: given.many("--device", device::FORM, device::parse)?,
            mounts: mounts(given)?,
            read_only: given.switch("read-only"),
            shm_size_bytes: given
                .one("--shm-size", size::FORM, above_zero(size::parse))?
                .unwrap_or(defaults::SHM_SIZE_BYTES),
            time_offsets: given
                .one("--time-offset", time_offset::FORM, time_offset::parse)?
                .unwrap_or_default(),
            interactive: given.switch("interactive"),
            tty: given.switch("tty"),
            init: given
                .one("--init", "true or false", security::boolean)?
                .unwrap_or(namespaces.pid == Choice::New),
            timeout: given.one("--timeout", duration::FORM, above_zero(duration::parse))?,
            stop_signal: given.one("--stop-signal", signal::FORM, signal::parse)?.unwrap_or(STOP_SIGNAL),
            stop_timeout: given
                .one("--stop-timeout", duration::FORM, duration::parse)?
                .unwrap_or(STOP_TIMEOUT),
            print_config: given.switch("print-config"),
            explain: given.one("--explain", "text or json", explain)?,
            namespaces,
        };
        request.check()?;
        Ok(request)
    }

    /// Refuses flags that contradict one another.
    fn check(&self) -> Result<(), Error> {
        let conflict = |flag: &str, with: &str, cure| {
            Err(Error::Conflict { flag: flag.to_owned(), with: with.to_owned(), cure })
        };
        if let (Some(keep), Root::Directory(directory)) = (&self.keep, &self.root) {
            let cure = "a directory keeps its changes itself: leave --keep out";
            return conflict(&format!("--keep {keep}"), directory, cure);
        }
        if self.namespaces.uts != Choice::New && self.hostname.is_some() {
            return conflict(
                "--hostname",
                "--uts",
                "only a new UTS namespace is named: leave one of them out",
            );
        }
        if self.namespaces.uts != Choice::New && self.domainname.is_some() {
            return conflict(
                "--domainname",
                "--uts",
                "only a new UTS namespace is named: leave one of them out",
            );
        }
        if self.namespaces.pid != Choice::New && self.init {
            return conflict(
                "--init",
                "--pid",
                "only a new pid namespace has a first process: leave one of them out",
            );
        }
        Ok(())
    }
}

/// What was given on the command line.
#[derive(Clone, Copy)]
struct Given<'a>(&'a ArgMatches);

impl<'a> Given<'a> {
    /// The text of a flag without its dashes.
    fn text(self, id: &str) -> Option<&'a String> {
        self.0.get_one::<String>(id)
    }

    /// The texts of a flag that may be repeated.
    fn texts(self, id: &str) -> impl Iterator<Item = &'a String> + use<'a> {
        self.0.get_many::<String>(id).into_iter().flatten()
    }

    /// Whether a switch is on.
    fn switch(self, id: &str) -> bool {
        self.0.get_flag(id)
    }

    /// The value of a flag, written with its dashes.
    fn one<T>(
        self,
        flag: &'static str,
        form: &'static str,
        parse: impl Fn(&str) -> Result<T, Reason>,
    ) -> Result<Option<T>, Error> {
        let text = self.text(flag.trim_start_matches('-'));
        text.map(|text| parse(text).map_err(|reason| Error::value(flag, text, reason, form))).transpose()
    }

    /// The values of a flag that may be repeated, written with its dashes.
    fn many<T>(
        self,
        flag: &'static str,
        form: &'static str,
        parse: impl Fn(&str) -> Result<T, Reason>,
    ) -> Result<Vec<T>, Error> {
        let texts = self.texts(flag.trim_start_matches('-'));
        texts.map(|text| parse(text).map_err(|reason| Error::value(flag, text, reason, form))).collect()
    }
}

/// The program and its arguments: an empty `--entrypoint` counts as none.
fn command(entrypoint: Option<&String>, words: &[String]) -> Vec<String> {
    let entrypoint = entrypoint.filter(|program| !program.is_empty());
    let command: Vec<String> = entrypoint.into_iter().chain(words).cloned().collect();
    if command.is_empty() { vec![DEFAULT_COMMAND.to_owned()] } else { command }
}

/// The namespaces.
fn namespaces(given: Given<'_>) -> Result<Namespaces, Error> {
    let choice = |flag, form| Ok(given.one(flag, form, namespace::parse)?.unwrap_or_default());
    Ok(Namespaces {
        net: choice("--network", namespace::NET_FORM)?,
        pid: choice("--pid", namespace::FORM)?,
        ipc: choice("--ipc", namespace::FORM)?,
        uts: choice("--uts", namespace::FORM)?,
        cgroup: choice("--cgroupns", namespace::FORM)?,
        user: given.one("--userns", namespace::USER_FORM, UserNs::parse)?.unwrap_or_default(),
    })
}

/// All mounts, the outer ones before those inside them, and else as they were written: a destination may stand once.
fn mounts(given: Given<'_>) -> Result<Vec<Mount>, Error> {
    let mut mounts = given.many("--volume", volume::FORM, |text| volume::parse(text).map(Mount::Bind))?;
    mounts.extend(given.many("--mount", mount::FORM, mount::parse)?);
    mounts.extend(given.many("--tmpfs", tmpfs::FORM, |text| tmpfs::parse(text).map(Mount::Tmpfs))?);
    mounts.sort_by_key(|mount| mount.destination().matches('/').count());
    for (at, mount) in mounts.iter().enumerate() {
        if mounts[..at].iter().any(|other| other.destination() == mount.destination()) {
            let destination = format!("a mount at {}", mount.destination());
            let (flag, with) = (destination.clone(), format!("another {}", &destination[2..]));
            return Err(Error::Conflict { flag, with, cure: "leave one of them out" });
        }
    }
    Ok(mounts)
}

/// The limits, each kind once.
fn ulimits(given: Given<'_>) -> Result<Vec<Rlimit>, Error> {
    let limits = given.many("--ulimit", ulimit::FORM, ulimit::parse)?;
    for (at, limit) in limits.iter().enumerate() {
        if limits[..at].iter().any(|other| other.kind == limit.kind) {
            let flag = format!("--ulimit {}", given.texts("ulimit").nth(at).map_or("", String::as_str));
            return Err(Error::Conflict {
                flag,
                with: "an earlier --ulimit".to_owned(),
                cure: "leave one of them out",
            });
        }
    }
    Ok(limits)
}

/// `--no-new-privileges`, and Docker's words for it and for the rest of what a program may not do; the later one holds.
fn security(given: Given<'_>) -> Result<Security, Error> {
    let mut all = Security::default();
    for option in given.many("--security-opt", security::FORM, security::parse)? {
        match option {
            security::Option::NoNewPrivileges(on) => all.no_new_privileges = on,
            security::Option::Seccomp(seccomp) => all.seccomp = seccomp,
        }
    }
    all.no_new_privileges |= given.switch("no-new-privileges");
    Ok(all)
}

/// All of `--security-opt`.
#[derive(Debug, Default)]
struct Security {
    no_new_privileges: bool,
    seccomp: Seccomp,
}

/// A directory's path, as it was written.
fn directory(text: &str) -> Result<String, Reason> {
    if text.is_empty() { Err(Reason::new("a path is missing")) } else { Ok(text.to_owned()) }
}

/// The form of an explanation.
fn explain(text: &str) -> Result<Explain, Reason> {
    match text {
        "text" => Ok(Explain::Text),
        "json" => Ok(Explain::Json),
        _ => Err(Reason::of(text, "is no format")),
    }
}

/// A parser that refuses zero.
fn above_zero<T: Default + PartialEq>(
    parse: impl Fn(&str) -> Result<T, Reason>,
) -> impl Fn(&str) -> Result<T, Reason> {
    move |text| match parse(text) {
        Ok(value) if value == T::default() => Err(Reason::new("it must be above zero")),
        result => result,
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
pub mod tests;
