//! What a traced run has left: its processes, and the calls that were refused.

use super::table::Family;
use insula_launch::error::Named;
use rustix::io::Errno;

/// How a process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

impl End {
    /// Was it well?
    pub fn is_success(self) -> bool {
        self == End::Exited(0)
    }
}

/// One process of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// Its pid in our pid namespace.
    pub pid: i32,
    /// Who has made it; `None`: we have, or it is not known.
    pub parent: Option<i32>,
    /// The program that it runs: the last part of its path, or the kernel's name for it.
    pub program: String,
    /// How it has ended; `None`: it still runs, or was let go.
    pub end: Option<End>,
    /// Its program has a set-user-ID or set-group-ID bit, or file capabilities, which a traced program would not get: it
    /// was let go before, and ran with them, unseen.
    pub let_go: bool,
}

/// What became of a refused call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The same was done later, or the process has ended well, or the whole program has.
    GotOver,
    /// The process went on, and has not ended well; whether this was the reason is not known.
    Open,
}

/// A cause that was found at the stopped process, and its cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// A stable word for programs.
    pub key: &'static str,
    /// A sentence with the value that was found.
    pub cause: String,
    /// What to do about it.
    pub cure: String,
}

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its process.
    pub pid: i32,
    /// Its thread; the process's own number for the first.
    pub tid: i32,
    /// The program that the process was then.
    pub program: String,
    /// The call's name.
    pub call: &'static str,
    /// What it is about.
    pub family: Family,
    /// The call with its arguments.
    pub text: String,
    /// The error.
    pub errno: Errno,
    /// What it is about, for a comparison with later calls: a path, flags.
    pub subject: String,
    /// The cause, where one was found.
    pub found: Option<Found>,
    /// What the process wrote to its standard error right after it.
    pub said: Option<String>,
    /// The same call was made later, and succeeded.
    pub repeated: bool,
    /// The process did something of weight after it.
    pub went_on: bool,
    /// How often the process was refused the same.
    pub times: u32,
    /// Where a program was looked for, one after the other.
    pub places: Vec<String>,
}

impl Refused {
    /// Did its process write the error's own words to its standard error? Many have one word for the two that are about
    /// rights.
    pub fn is_complained_of(&self) -> bool {
        let words = |errno: Errno| Named(errno).to_string().to_lowercase();
        let rights = [Errno::PERM, Errno::ACCESS];
        let errnos = if rights.contains(&self.errno) { &rights[..] } else { &[self.errno][..] };
        let said = self.said.as_deref().unwrap_or_default().to_lowercase();
        errnos.iter().any(|errno| said.contains(&words(*errno)))
    }
}

/// The whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Its processes, the program's own first.
    pub processes: Vec<Process>,
    /// The refused calls in their order.
    pub refused: Vec<Refused>,
    /// Refused calls beyond the most that are kept.
    pub dropped: u64,
    /// How the program has ended.
    pub end: Option<End>,
    /// The program could not be executed.
    pub not_executed: Option<Errno>,
    /// Processes of it that live on, by pid.
    pub survivors: Vec<i32>,
    /// Programs of another architecture, whose calls are not read.
    pub foreign: bool,
    /// /proc is not that of our own pid namespace: what lies there was not looked at.
    pub blind: bool,
    /// Why the program could not be traced, and ran all the same.
    pub untraced: Option<Untraced>,
}

/// Why a program cannot be traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untraced {
    /// `kernel.yama.ptrace_scope` has this value.
    Yama(u8),
    /// This process traces us and our children already.
    Traced(i32),
    /// A filter of system calls refuses ptrace(2).
    Filtered,
    /// The kernel refuses it for a reason that is not seen.
    Refused(Errno),
}

impl Record {
    /// The process with this pid: the last, if the number was used again.
    pub fn process(&self, pid: i32) -> Option<&Process> {
        self.processes.iter().rev().find(|process| process.pid == pid)
    }

    /// What became of a refused call.
    pub fn outcome(&self, refused: &Refused) -> Outcome {
        let end = self.process(refused.pid).and_then(|process| process.end);
        let ended_well = [end, self.end].into_iter().flatten().any(End::is_success);
        if refused.repeated || ended_well { Outcome::GotOver } else { Outcome::Open }
    }
}
