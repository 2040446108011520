//! What is told of a traced run, in sentences that the text and the JSON share.

use insula_launch::error::Named;
use insula_namespaces::trace::{Certainty, End, Outcome, Record, Refused, Untraced, verdict};
use rustix::io::Errno;
use std::ffi::OsString;

/// The answer.
pub struct Answer<'a> {
    /// The command line.
    pub words: Vec<String>,
    /// All that was seen.
    pub record: &'a Record,
    /// The refused call that was most likely fatal, by its place, and how sure we are.
    pub verdict: Option<(usize, Certainty)>,
    /// What limits the answer.
    pub notes: Vec<String>,
}

impl<'a> Answer<'a> {
    /// Of a run.
    pub fn of(words: &[OsString], record: &'a Record) -> Answer<'a> {
        let words = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Answer { words, record, verdict: verdict(record), notes: notes(record) }
    }

    /// The call that was most likely fatal.
    pub fn fatal(&self) -> Option<(&'a Refused, Certainty)> {
        self.verdict.and_then(|(i, certainty)| Some((self.record.refused.get(i)?, certainty)))
    }

    /// `fatal`, `got-over` or `open`.
    pub fn outcome(&self, index: usize, refused: &Refused) -> &'static str {
        match self.record.outcome(refused) {
            _ if self.verdict.is_some_and(|(i, _)| i == index) => "fatal",
            Outcome::GotOver => "got-over",
            Outcome::Open => "open",
        }
    }

    /// Has it ended badly?
    pub fn failed(&self) -> bool {
        self.record.end.is_none_or(|end| !end.is_success())
    }

    /// How the program has ended.
    pub fn ended(&self) -> String {
        if let Some(errno) = self.record.not_executed {
            let searched = self.record.refused.iter().any(|refused| refused.places.len() > 1);
            if searched && errno == Errno::NOENT {
                return "could not be executed: no directory of PATH has it".to_owned();
            }
            return format!("could not be executed: {}", Named(errno));
        }
        match self.record.end {
            Some(end) => ended(end),
            None => "has ended, and nobody told how".to_owned(),
        }
    }

    /// What goes for this call and no other: a clause.
    pub fn because(&self, refused: &Refused, certainty: Certainty) -> String {
        let is_program = Some(refused.pid) == self.record.processes.first().map(|process| process.pid);
        let who = if is_program { "it".to_owned() } else { format!("`{}`", refused.program) };
        let end = self.record.process(refused.pid).and_then(|process| process.end).filter(|_| !is_program);
        let end = end.map(|end| format!(" before it {}", ended(end))).unwrap_or_default();
        match certainty {
            Certainty::Said => format!("of which {who} complained{end}"),
            Certainty::Stopped => format!("after which {who} did nothing of weight{end}"),
            Certainty::Last => {
                format!("the last one; but {who} went on after it{end}, and may have had another reason")
            }
        }
    }
}

fn ended(end: End) -> String {
    match end {
        End::Exited(code) => format!("ended with code {code}"),
        End::Killed(signal) => format!("was killed by signal {signal}"),
    }
}

fn notes(record: &Record) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(untraced) = record.untraced {
        notes.push(match untraced {
            Untraced::Yama(scope) => format!(
                "it could not be traced, and ran all the same: kernel.yama.ptrace_scope is {scope}; at 1 a program may trace its children"
            ),
            Untraced::Traced(tracer) => format!(
                "it could not be traced, and ran all the same: process {tracer} traces us already, and a process has one tracer"
            ),
            Untraced::Filtered => {
                "it could not be traced, and ran all the same: a filter of system calls that we are under refuses ptrace(2)".to_owned()
            }
            Untraced::Refused(errno) => {
                format!("it could not be traced, and ran all the same: ptrace: {}", Named(errno))
            }
        });
        notes.push("`insula doctor` tells what this user may do here".to_owned());
    }
    let privileged: Vec<_> = record.processes.iter().filter(|process| process.let_go).collect();
    if !privileged.is_empty() {
        let programs: Vec<String> =
            privileged.iter().map(|process| format!("`{}` (pid {})", process.program, process.pid)).collect();
        notes.push(format!(
            "{} executed a program with a set-user-ID bit or file capabilities, which a traced one would not get: it ran \
             untraced, and so did what it started; as root, `insula why` sees that too",
            programs.join(", ")
        ));
    }
    if !record.survivors.is_empty() {
        let names: Vec<String> = record
            .survivors
            .iter()
            .map(|pid| {
                let program =
                    record.process(*pid).map(|process| process.program.as_str()).unwrap_or_default();
                format!("`{program}` (pid {pid})")
            })
            .collect();
        notes.push(format!("{} of it lives on, and is traced no more", names.join(", ")));
    }
    if record.foreign {
        notes.push("a program of another architecture was among it, whose calls were not read".to_owned());
    }
    if record.blind {
        notes.push(
            "/proc is not that of our own pid namespace: paths and causes could not be looked at".to_owned(),
        );
    }
    if record.dropped > 0 {
        notes.push(format!("{} more refused calls were not kept", record.dropped));
    }
    notes
}
