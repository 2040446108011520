//! The book that the tracer keeps: processes, refused calls, and what came after them.

use super::attempt::Contexts;
use super::decode::{Decoded, decode, first_path, int};
use super::memory::Memory;
use super::netlink::Sockets;
use super::place::{Place, is_ours, link, text};
use super::reason::{Refusing, of_netlink, of_search, reason};
use super::record::{End, Found, Process, Record, Refused};
use super::table::{Family, Signature, is_momentary};
use insula_launch::error::Named;
use rustix::io::Errno;
use std::collections::{HashMap, VecDeque};

/// The most refused calls that are kept.
const MOST: usize = 500;
/// How many calls back a repetition is known, and a complaint.
const REMEMBERED: usize = 32;
/// The most places that are kept of a search for a program.
const MOST_PLACES: usize = 64;
/// How much of what a process says is kept.
const SAID_BYTES: usize = 400;
/// The namespaces among the flags of clone(2).
const NEW: u64 = 0x7e02_0080;

/// The book.
#[derive(Debug, Default)]
pub(super) struct Book {
    record: Record,
    /// Where the processes that live stand in the record.
    live: HashMap<i32, usize>,
    sockets: Sockets,
    /// The last calls that have failed and count as no refusal, of whatever process.
    failed: VecDeque<Failed>,
    contexts: Contexts,
}

/// A call that has failed, with what the cause is looked for by.
#[derive(Debug)]
struct Failed {
    refused: Refused,
    args: [u64; 6],
    decoded: Decoded,
}

impl Book {
    pub(super) fn new() -> Book {
        Book::default()
    }

    /// A process was born; told twice, it is the parent that may be new.
    pub(super) fn born(&mut self, pid: i32, parent: Option<i32>, program: String) {
        if let Some(process) = self.live.get(&pid).and_then(|at| self.record.processes.get_mut(*at)) {
            if process.parent.is_none() && process.pid != parent.unwrap_or(process.pid) {
                process.parent = parent;
            }
            if process.program.is_empty() {
                process.program = program;
            }
            return;
        }
        self.live.insert(pid, self.record.processes.len());
        self.record.processes.push(Process { pid, parent, program, end: None, let_go: false });
    }

    fn process(&mut self, pid: i32) -> Option<&mut Process> {
        self.live.get(&pid).and_then(|at| self.record.processes.get_mut(*at))
    }

    /// The program that a process runs.
    pub(super) fn program(&mut self, pid: i32) -> String {
        self.process(pid).map(|process| process.program.clone()).unwrap_or_default()
    }

    /// A process has executed another.
    pub(super) fn executed(&mut self, pid: i32) {
        // The kernel's name for it, cut to 15 bytes, proc_pid_comm(5).
        if let (Some(name), Some(process)) = (text(pid, "comm"), self.process(pid)) {
            name.trim_end().clone_into(&mut process.program);
        }
    }

    /// A process was let go before it executes a program with rights.
    pub(super) fn let_go(&mut self, pid: i32) {
        if let Some(process) = self.process(pid) {
            process.let_go = true;
        }
    }

    /// A process or a thread has ended.
    pub(super) fn ended(&mut self, pid: i32, end: End) {
        if let Some(process) = self.process(pid) {
            process.end = Some(end);
            self.sockets.forget(pid);
            self.contexts.forget(pid);
        }
        if let Some(at) = self.live.remove(&pid)
            && at == 0
        {
            self.record.end = Some(end);
        }
    }

    /// Has the program with this pid, the first in the book, ended? Has any other that we have met?
    pub(super) fn has_ended(&self, pid: i32) -> bool {
        !self.live.contains_key(&pid) && self.record.processes.iter().any(|process| process.pid == pid)
    }

    /// A process lives on after the program.
    pub(super) fn survives(&mut self, pid: i32) {
        if self.live.contains_key(&pid) {
            self.record.survivors.push(pid);
        }
    }

    /// There is a program of another architecture.
    pub(super) fn foreign(&mut self) {
        self.record.foreign = true;
    }

    /// The end of the book.
    pub(super) fn close(self) -> Record {
        Record { blind: !is_ours(), ..self.record }
    }

    /// A call of the stopped thread `tid` has failed.
    pub(super) fn failed(
        &mut self,
        pid: i32,
        tid: i32,
        signature: &Signature,
        args: &[u64; 6],
        errno: Errno,
    ) {
        let place = || first_path(tid, signature, args).as_deref().map_or(Place::Elsewhere, Place::of);
        let counts = signature.refuses(errno, args, place);
        if !counts && is_momentary(errno) {
            return;
        }
        let decoded = decode(tid, signature, args);
        let refused = self.refused(pid, tid, signature, &decoded, errno);
        if !counts {
            // It is none, unless the program says so.
            self.failed.push_back(Failed { refused, args: *args, decoded });
            if self.failed.len() > REMEMBERED {
                self.failed.pop_front();
            }
            return;
        }
        let refusing = Refusing { pid, tid, name: signature.name, args, decoded: &decoded, errno };
        let found = |contexts: &Contexts| reason(refusing, contexts);
        self.enter(refused, found);
    }

    fn refused(
        &mut self,
        pid: i32,
        tid: i32,
        signature: &Signature,
        decoded: &Decoded,
        errno: Errno,
    ) -> Refused {
        let of_cgroup = decoded.path.as_deref().is_some_and(|path| Place::of(path) == Place::Cgroup);
        let family =
            if of_cgroup && signature.family == Family::Files { Family::Cgroups } else { signature.family };
        Refused {
            pid,
            tid,
            program: self.program(pid),
            call: signature.name,
            family,
            text: decoded.text.clone(),
            errno,
            subject: subject(signature, decoded),
            found: None,
            said: None,
            repeated: false,
            went_on: false,
            times: 1,
            places: match (signature.family, &decoded.path) {
                (Family::Exec, Some(path)) => vec![String::from_utf8_lossy(path).into_owned()],
                _ => Vec::new(),
            },
        }
    }

    /// Enters a refused call, with its cause, or counts it, if it is there already.
    fn enter(&mut self, mut refused: Refused, found: impl FnOnce(&Contexts) -> Option<Found>) {
        let same = |other: &&mut Refused| {
            other.pid == refused.pid
                && other.call == refused.call
                && other.errno == refused.errno
                && !other.repeated
                && (other.text == refused.text
                    || other.family == Family::Exec && other.subject == refused.subject)
        };
        if let Some(other) = self.record.refused.iter_mut().rev().take(REMEMBERED).find(same) {
            other.times += 1;
            if other.family == Family::Exec && other.places.len() < MOST_PLACES {
                other.places.append(&mut refused.places);
                other.found = of_search(other.tid, &other.places, other.errno);
            }
        } else if self.record.refused.len() >= MOST {
            self.record.dropped += 1;
        } else {
            refused.found = found(&self.contexts);
            self.record.refused.push(refused);
        }
    }

    /// A call has succeeded.
    pub(super) fn succeeded(
        &mut self,
        pid: i32,
        tid: i32,
        signature: &Signature,
        args: &[u64; 6],
        value: i64,
    ) {
        match signature.name {
            "socket" => self.sockets.made(pid, tid, args, value),
            "recvmsg" | "recvfrom" => self.answered(pid, tid, signature.name, args),
            "fsopen" | "fsconfig" => {
                let decoded = decode(tid, signature, args);
                self.contexts.succeeded(pid, signature.name, args, &decoded, value);
            }
            "write" | "writev" if self.complains(pid, tid, int(args[0])) => {
                self.said(pid, tid, signature.name, args, value)
            }
            _ => {}
        }
        if !self.record.refused.iter().any(|refused| refused.pid == pid && !refused.repeated) {
            return;
        }
        let group = group(signature.name);
        let mut decoded = None;
        let is_of_weight = is_of_weight(signature.name);
        for refused in self.record.refused.iter_mut().filter(|refused| refused.pid == pid) {
            refused.went_on |= is_of_weight;
            // What was executed has taken the place of who called: there is no memory to read any more.
            let same = group == self::group(refused.call)
                && (group == "exec"
                    || *decoded.get_or_insert_with(|| subject(signature, &decode(tid, signature, args)))
                        == refused.subject);
            refused.repeated |= same;
        }
        if group == "exec" {
            // A program that was found in the end was looked for, and not refused.
            let searched = |refused: &Refused| {
                refused.pid == pid
                    && refused.family == Family::Exec
                    && matches!(refused.errno, Errno::NOENT | Errno::NOTDIR | Errno::ACCESS)
            };
            self.record.refused.retain(|refused| !searched(refused));
        }
    }

    /// Netlink has answered; an error is a refused request.
    fn answered(&mut self, pid: i32, tid: i32, call: &str, args: &[u64; 6]) {
        let Some((text, errno)) = self.sockets.error(pid, tid, call, args) else { return };
        let refused = Refused {
            pid,
            tid,
            program: self.program(pid),
            call: "netlink",
            family: Family::Network,
            subject: text.clone(),
            found: None,
            text,
            errno,
            said: None,
            repeated: false,
            went_on: false,
            times: 1,
            places: Vec::new(),
        };
        self.enter(refused, |_| of_netlink(tid, errno));
    }

    /// Does a write to this descriptor go to standard error, and is there something to complain of? A shell's `>&2` makes
    /// the other name of the same file.
    fn complains(&self, pid: i32, tid: i32, fd: i32) -> bool {
        let failed = self.failed.iter().map(|failed| &failed.refused);
        match fd {
            1 => {
                failed.chain(&self.record.refused).any(|refused| refused.pid == pid)
                    && link(tid, "fd/1").is_some_and(|out| link(tid, "fd/2") == Some(out))
            }
            2 => true,
            _ => false,
        }
    }

    /// The process has written to its standard error: of a call that has failed a moment ago, most likely.
    fn said(&mut self, pid: i32, tid: i32, call: &str, args: &[u64; 6], value: i64) {
        let written = usize::try_from(value).unwrap_or(0).min(SAID_BYTES);
        let memory = Memory::of(tid);
        let bytes =
            if call == "write" { memory.bytes(args[1], written) } else { gathered(&memory, args, written) };
        let text = String::from_utf8_lossy(&bytes);
        let last = self.record.refused.iter_mut().rev().find(|refused| refused.pid == pid);
        let heard = last.into_iter().chain(
            self.failed.iter_mut().map(|failed| &mut failed.refused).filter(|failed| failed.pid == pid),
        );
        for refused in heard {
            let said = refused.said.get_or_insert_default();
            if said.len() < SAID_BYTES {
                said.push_str(&text);
            }
        }
        // What counts anyhow is what it complains of, if the words fit.
        let mut counted = self.record.refused.iter().rev().filter(|refused| refused.pid == pid);
        if counted.next().is_some_and(Refused::is_complained_of) {
            return;
        }
        let named = |failed: &Failed| failed.refused.pid == pid && failed.is_named();
        let Some(at) = self.failed.iter().rposition(named) else { return };
        let Some(Failed { refused, args, decoded }) = self.failed.remove(at) else { return };
        self.failed.retain(|failed| failed.refused.pid != pid);
        let refusing =
            Refusing { pid, tid, name: refused.call, args: &args, decoded: &decoded, errno: refused.errno };
        self.enter(refused, |contexts| reason(refusing, contexts));
    }
}

impl Failed {
    /// Does what its process has written since name it: by the error's own words, and the file's name, if there is one?
    fn is_named(&self) -> bool {
        let Refused { said, errno, .. } = &self.refused;
        let said = said.as_deref().unwrap_or_default();
        let path = self.decoded.path.as_deref().unwrap_or_default();
        let name = String::from_utf8_lossy(path.rsplit(|byte| *byte == b'/').next().unwrap_or(path));
        said.to_lowercase().contains(&Named(*errno).to_string().to_lowercase()) && said.contains(&*name)
    }
}

/// What writev(2) has written: the first bytes of its vectors.
fn gathered(memory: &Memory, args: &[u64; 6], most: usize) -> Vec<u8> {
    const VECTORS: u64 = 8;
    let count = usize::try_from(args[2].min(VECTORS)).unwrap_or(0);
    let mut bytes = Vec::new();
    for vector in memory.words(args[1], count * 2).chunks_exact(2) {
        let length = usize::try_from(vector[1]).unwrap_or(usize::MAX);
        bytes.extend(memory.bytes(vector[0], length.min(most - bytes.len())));
    }
    bytes
}

/// Calls that do the same.
fn group(call: &str) -> &str {
    match call {
        "clone" | "clone3" | "fork" | "vfork" => "birth",
        "execve" | "execveat" => "exec",
        call => call,
    }
}

/// Does a process that does this still go about its business?
fn is_of_weight(call: &str) -> bool {
    matches!(
        call,
        "clone"
            | "clone3"
            | "fork"
            | "vfork"
            | "execve"
            | "execveat"
            | "unshare"
            | "setns"
            | "mount"
            | "move_mount"
            | "fsmount"
            | "pivot_root"
            | "chroot"
            | "setresuid"
            | "setuid"
    )
}

/// What a call is about, so that a later one can be known as the same.
fn subject(signature: &Signature, decoded: &Decoded) -> String {
    let lossy = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    match group(signature.name) {
        "birth" => format!("{:#x}", decoded.clone & NEW),
        "exec" => {
            let path = decoded.path.as_deref().unwrap_or_default();
            lossy(path.rsplit(|byte| *byte == b'/').next().unwrap_or(path))
        }
        _ => {
            let paths: Vec<String> =
                decoded.path.iter().chain(&decoded.second).map(|path| lossy(path)).collect();
            if paths.is_empty() { decoded.text.clone() } else { paths.join(" ") }
        }
    }
}
