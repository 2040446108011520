//! From nsenter(1)'s words to a request.

use crate::face::environment::Environment;
use crate::face::given::Given;
use crate::face::number::{id as id_number, number};
use insula_launch::plan::Kind;
use insula_namespaces::enter::request::{Directory, Id, Request, Source, Target};
use insula_namespaces::error::Error;
use insula_namespaces::names;
use rustix::process::getuid;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Standard error.
const STDERR: i32 = 2;

/// What is wanted besides running the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// For people.
    Text,
    /// As data.
    Json,
}

/// What a command line asks for.
#[derive(Debug)]
pub struct Asked {
    /// The request.
    pub request: Request,
    /// How to explain it instead.
    pub explain: Option<Explain>,
    /// `--json`: where the child's state is told.
    pub status: Option<i32>,
}

/// Reads it.
pub fn read(given: Given) -> Result<Asked, Error> {
    let mut request = Request::default();
    let (mut explain, mut status) = (None, None);
    for (flag, value) in &given.flags {
        let value = value.as_deref();
        if let Some(kind) = kind(flag) {
            join(&mut request, kind, flag, value)?;
            continue;
        }
        match *flag {
            "target" if request.target.is_some() || request.set.is_some() => {
                return Err(refused("--target", None, "it is given twice", "name one process"));
            }
            "target" => match target(text(flag, value)?) {
                Ok(target) => request.target = Some(target),
                // What is no pid may be a name.
                Err(error) => match value.map(names::read).transpose()?.flatten() {
                    Some(named) => request.set = Some((named.name, Vec::new())),
                    None => return Err(error),
                },
            },
            "all" => request.all = true,
            "net-socket" => request.net_socket = Some(descriptor("--net-socket", text(flag, value)?)?),
            "user-parent" => request.user_parent = true,
            "setuid" => request.uid = Some(id(flag, text(flag, value)?)?),
            "setgid" => request.gid = Some(id(flag, text(flag, value)?)?),
            "preserve-credentials" => request.preserve_credentials = true,
            "keep-caps" => request.keep_caps = true,
            "root" => request.root = Some(directory(value)),
            "wd" => request.working_directory = Some(directory(value.map(without_equals))),
            // Without a value it changes nothing, as there.
            "wdns" => {
                request.working_directory_inside = value.map(without_equals).map(c_string).transpose()?
            }
            "env" => request.target_environment = true,
            "no-fork" => request.no_fork = true,
            "join-cgroup" => request.join_cgroup = true,
            "follow-context" => request.follow_context = true,
            "json" => {
                status =
                    Some(value.map_or(Ok(STDERR), |_| {
                        text(flag, value).and_then(|word| descriptor("--json", word))
                    })?);
                request.fork = true;
            }
            "explain" => explain = Some(explained(value)?),
            other => return Err(refused(other, None, "this flag has no meaning here", "leave it out")),
        }
    }
    from_set(&mut request);
    if given.has("json") && given.has("no-fork") {
        return Err(refused(
            "--json",
            None,
            "it contradicts `--no-fork`",
            "only of a child can be told how it ends",
        ));
    }
    if given.has("wd") && given.has("wdns") {
        return Err(refused("--wdns", None, "it contradicts `--wd`", "give one of them"));
    }
    request.program = given.words.into_iter().map(|word| c_string(&word)).collect::<Result<_, _>>()?;
    request.environment = Environment::own().lines();
    if request.program.is_empty() {
        request.account_shell = account_shell(&request);
    }
    Ok(Asked { request, explain, status })
}

/// With a name in place of the target, what would come from that comes from the name: all, or the kinds that are given.
fn from_set(request: &mut Request) {
    let Some((_, kinds)) = &mut request.set else { return };
    let from_target = |(_, source): &&(Kind, Source)| *source == Source::Target;
    kinds.extend(request.joins.iter().filter(from_target).map(|(kind, _)| *kind));
    request.joins.retain(|(_, source)| *source != Source::Target);
    if std::mem::take(&mut request.all) {
        kinds.clear();
    } else if kinds.is_empty() && !takes_more(request) {
        // As with a pid: nothing is entered that is not asked for.
        request.set = None;
    }
}

/// Is something else asked of the target? That is refused of a name, which has to be known for it.
fn takes_more(request: &Request) -> bool {
    request.user_parent
        || request.net_socket.is_some()
        || request.join_cgroup
        || request.target_environment
        || request.follow_context
        || [&request.root, &request.working_directory].contains(&&Some(Directory::Target))
        || [request.uid, request.gid].contains(&Some(Id::Follow))
}

fn kind(flag: &str) -> Option<Kind> {
    let name = if flag == "mount" { "mnt" } else { flag };
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// A kind that is named. One that is open stays so where the flag comes again without a value, as there.
fn join(request: &mut Request, kind: Kind, flag: &str, value: Option<&OsStr>) -> Result<(), Error> {
    let known = request.joins.iter().position(|(known, _)| *known == kind);
    let source = match value.map(without_equals) {
        None if known.is_some() => return Ok(()),
        None => Source::Target,
        Some(value) => match value.as_bytes().strip_prefix(b":") {
            Some(id) => Source::Id(id_of(id).ok_or_else(|| {
                let hint =
                    "write `:` and the namespace's 64-bit id; a file whose name begins so is `./:NAME`";
                refused(&format!("--{flag}"), Some(value), "this is no id", hint)
            })?),
            None => Source::File(PathBuf::from(value)),
        },
    };
    request.joins.retain(|(known, _)| *known != kind);
    request.joins.push((kind, source));
    Ok(())
}

/// `PID` or `PID:INODE`.
fn target(word: &str) -> Result<Target, Error> {
    let wrong = || {
        let hint = "write a pid from 1 on, PID:INODE with the inode of its pidfd, or a name that `insula ns ls` shows";
        refused("--target", Some(OsStr::new(word)), "this is no process id, and no name", hint)
    };
    let (pid, inode) = match word.split_once(':') {
        Some((pid, inode)) => (pid, Some(unsigned(inode).filter(|inode| *inode > 0).ok_or_else(wrong)?)),
        None => (word, None),
    };
    let pid = number(pid).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0);
    Ok(Target { pid: pid.ok_or_else(wrong)?, inode })
}

pub fn descriptor(flag: &str, word: &str) -> Result<i32, Error> {
    let number = number(word).and_then(|number| i32::try_from(number).ok()).filter(|number| *number >= 0);
    number.ok_or_else(|| {
        let hint = "write the number of an open descriptor, as in /proc/PID/fd";
        refused(flag, Some(OsStr::new(word)), "this is no descriptor", hint)
    })
}

fn unsigned(word: &str) -> Option<u64> {
    number(word).and_then(|number| u64::try_from(number).ok())
}

fn id_of(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok().and_then(unsigned)
}

/// The shell of the account that the program has, by our own passwd(5); /bin/sh where that names none.
pub fn account_shell(request: &Request) -> CString {
    let enters_user = request.all
        || request.set.as_ref().is_some_and(|(_, kinds)| kinds.is_empty() || kinds.contains(&Kind::User))
        || request.joins.iter().any(|(kind, _)| *kind == Kind::User);
    Environment::empty().shell(match request.uid {
        Some(Id::Given(uid)) => uid,
        _ if enters_user && !request.preserve_credentials => 0,
        _ => getuid().as_raw(),
    })
}

/// A number, or `follow`. 2^32-1 means "as it is" to setuid(2).
pub fn id(flag: &str, word: &str) -> Result<Id, Error> {
    if word == "follow" {
        return Ok(Id::Follow);
    }
    id_number(word).map(Id::Given).ok_or_else(|| {
        let hint = "write a number below 4294967295, or `follow` for that of the target";
        refused(&format!("--{flag}"), Some(OsStr::new(word)), "this is no id", hint)
    })
}

pub fn directory(value: Option<&OsStr>) -> Directory {
    value.map_or(Directory::Target, |path| Directory::Path(PathBuf::from(path)))
}

/// A letter's value may stand behind `=` too: `-m=FILE`.
fn without_equals(value: &OsStr) -> &OsStr {
    value.as_bytes().strip_prefix(b"=").map_or(value, OsStr::from_bytes)
}

pub fn explained(value: Option<&OsStr>) -> Result<Explain, Error> {
    match value.map(OsStr::as_bytes) {
        None => Ok(Explain::Text),
        Some(b"json") => Ok(Explain::Json),
        Some(_) => {
            Err(refused("--explain", value, "this is no form", "write `--explain` or `--explain=json`"))
        }
    }
}

pub fn text<'a>(flag: &str, value: Option<&'a OsStr>) -> Result<&'a str, Error> {
    let value = value.unwrap_or_default();
    value
        .to_str()
        .ok_or_else(|| refused(&format!("--{flag}"), Some(value), "this is no text", "write ASCII digits"))
}

pub fn c_string(word: &OsStr) -> Result<CString, Error> {
    CString::new(word.as_bytes())
        .map_err(|_| refused("a word", Some(word), "it has a NUL in it", "write it without"))
}

fn refused(flag: &str, value: Option<&OsStr>, reason: &str, hint: &str) -> Error {
    let what = match value {
        Some(value) => format!("{flag} {}", value.to_string_lossy()),
        None => flag.to_owned(),
    };
    Error::Asked { what, reason: reason.to_owned(), hint: Some(hint.to_owned()) }
}
