//! `insula ns holders`: everything that keeps a namespace alive, and what could not be seen.

use super::asked::{self, column, lossy};
use crate::parse::parse;
use crate::tell;
use clap::{ArgMatches, Command};
use insula_launch::plan::Kind;
use insula_namespaces::error::Error;
use insula_namespaces::name;
use insula_namespaces::scan::{self, By, Look, Snapshot, process};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

/// What no look from outside shows.
const BLIND: &str = "not to be seen from outside: files in flight between processes (unix(7), SCM_RIGHTS), detached mounts (open_tree(2)), \
                     io_uring's registered files, and what the kernel itself keeps";

/// The definition.
pub fn flags() -> Command {
    asked::verb("holders", "List everything that keeps a namespace alive, and what could not be seen")
        .arg(asked::subject())
        .arg(asked::kind())
        .arg(asked::json())
        .after_help(format!(
            "A namespace lives while a process or thread is in it, the next children of a process will be, a file of it \
             is open or mounted in any mount namespace, a socket belongs to it (network), or another namespace has it for \
             its parent or owner (namespaces(7)).\n\n{}",
            asked::WORDS
        ))
}

/// `insula ns holders WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    match parse(flags(), rest) {
        Ok(matches) => holders(&matches).unwrap_or_else(|error| asked::failed(&error)),
        Err(code) => code,
    }
}

/// Something that holds.
struct Line {
    kind: Kind,
    inode: u64,
    /// What it is, in a word.
    what: &'static str,
    /// The process by which it holds.
    pid: Option<u32>,
    /// A thread's or a descriptor's number.
    number: Option<u32>,
    /// A mount point, as bytes.
    point: Option<Vec<u8>>,
    /// The mount is in the mount namespace of `pid`, not in ours.
    elsewhere: bool,
    /// A namespace below.
    child: Option<(Kind, u64)>,
}

fn holders(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let subject = asked::find(matches)?;
    // Children may be of any kind, and open files and mounts of every kind are looked at: so all are.
    let snapshot = scan::take(&Look::HOLDERS)?;
    // Our own look holds it open as well: that is no answer.
    let own = std::process::id();
    let mut lines = Vec::new();
    for (kind, inode) in subject.wanted() {
        lines.extend(of(&snapshot, kind, inode).into_iter().filter(|line| line.pid != Some(own)));
    }
    for fault in subject.parts.iter().filter_map(|part| part.fault.as_ref()) {
        let hint = fault.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
        tell::warn(&insula_oci::escaped(&format!("{fault}{hint}")).to_string());
    }
    if matches.get_flag("json") {
        let all: Vec<Value> = lines.iter().map(Line::json).collect();
        let unseen = json!({ "processes": snapshot.unseen, "of": snapshot.seen, "blind": BLIND });
        return Ok(tell::out(&format!("{:#}\n", json!({ "holders": all, "unseen": unseen }))));
    }
    let columns = vec![
        column("NAMESPACE", false),
        column("HOLDER", false),
        column("PID", true),
        column("WHAT", false),
        column("COMMAND", false),
    ];
    let code = tell::out(&asked::human(columns, lines.iter().map(Line::cells).collect()));
    asked::note_unseen(&snapshot);
    if lines.is_empty() && !subject.wanted().is_empty() {
        tell::note(&format!("nothing that can be seen holds it; {BLIND}"));
    }
    Ok(code)
}

/// Everything that holds a namespace.
fn of(snapshot: &Snapshot, kind: Kind, inode: u64) -> Vec<Line> {
    let line = |what, pid: Option<u32>| Line {
        kind,
        inode,
        what,
        pid,
        number: None,
        point: None,
        elsewhere: false,
        child: None,
    };
    let is_in = |process: &&scan::Process| process.namespace(kind) == Some(inode);
    let processes = snapshot.processes.iter().filter(is_in);
    let mut lines: Vec<Line> = processes.map(|process| line("process", Some(process.pid))).collect();
    lines.extend(snapshot.held_by(inode).iter().map(|holder| match &holder.by {
        By::Thread { pid, tid } => Line { number: Some(*tid), ..line("thread", Some(*pid)) },
        By::ForChildren { pid } => line("future children", Some(*pid)),
        By::Fd { pid, fd } => Line { number: Some(*fd), ..line("open file", Some(*pid)) },
        By::Socket { pid, fd } => Line { number: Some(*fd), ..line("socket", Some(*pid)) },
        By::Mount { point, pid } => Line {
            point: Some(point.as_os_str().as_bytes().to_vec()),
            elsewhere: pid.is_some(),
            ..line("mount", *pid)
        },
    }));
    lines.extend(snapshot.children(inode).map(|child| {
        let what = if child.parent == Some(inode) { "child" } else { "owned" };
        Line { child: Some((child.kind, child.inode)), ..line(what, None) }
    }));
    lines
}

impl Line {
    /// What exactly, for people.
    fn detail(&self) -> Option<Vec<u8>> {
        match (self.what, self.number, &self.point, self.child) {
            ("thread", Some(tid), ..) => Some(format!("thread {tid}").into_bytes()),
            (_, Some(fd), ..) => Some(format!("fd {fd}").into_bytes()),
            (_, _, Some(point), _) => {
                let mut text = point.clone();
                if self.elsewhere {
                    text.extend_from_slice(b" (in the mount namespace of this process)");
                }
                Some(text)
            }
            (_, _, _, Some((kind, inode))) => Some(format!("{}:[{inode}]", kind.name()).into_bytes()),
            _ => None,
        }
    }

    fn cells(&self) -> Vec<Option<Vec<u8>>> {
        vec![
            Some(format!("{}:[{}]", self.kind.name(), self.inode).into_bytes()),
            Some(self.what.as_bytes().to_vec()),
            self.pid.map(|pid| pid.to_string().into_bytes()),
            self.detail(),
            self.pid.and_then(process::command),
        ]
    }

    fn json(&self) -> Value {
        let name = self.point.as_deref().and_then(|point| {
            let point = Path::new(std::ffi::OsStr::from_bytes(point));
            let is_name = name::directory(self.kind).is_some_and(|place| point.parent() == Some(place));
            point.file_name().filter(|_| is_name && !self.elsewhere).map(|name| lossy(name.as_bytes()))
        });
        let number = |what: &str| self.number.filter(|_| (self.what == "thread") == (what == "thread"));
        json!({
            "kind": self.kind.name(),
            "inode": self.inode,
            "by": self.what.replace(' ', "_"),
            "pid": self.pid,
            "tid": number("thread"),
            "fd": number("fd"),
            "mount_point": self.point.as_deref().map(lossy),
            "name": name,
            "namespace": self.child.map(|(kind, inode)| json!({ "kind": kind.name(), "inode": inode })),
            "command": self.pid.and_then(process::command).map(|command| lossy(&command)),
        })
    }
}
