//! A check as a row of a table, and the answer to it.

use insula_launch::error::Named;
use rustix::io::Errno;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works.
    Works,
    /// It works in part, or there is a limit to know of.
    Limited,
    /// It cannot be had here.
    Missing,
    /// It could not be found out.
    Unknown,
}

impl State {
    /// The word for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::Works => "works",
            State::Limited => "limited",
            State::Missing => "missing",
            State::Unknown => "unknown",
        }
    }
}

/// Which part of the machine a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Who asks, and with which rights.
    Rights,
    /// The kinds of namespaces.
    Namespaces,
    /// File systems and mounts.
    Mounts,
    /// Processes, and how they are told apart.
    Processes,
    /// Control groups.
    Cgroups,
    /// The network.
    Network,
    /// Filters and security modules.
    Security,
    /// insula itself, and the services that it can ask.
    Whole,
}

impl Group {
    /// The word for people and for JSON.
    pub fn name(self) -> &'static str {
        match self {
            Group::Rights => "rights",
            Group::Namespaces => "namespaces",
            Group::Mounts => "mounts",
            Group::Processes => "processes",
            Group::Cgroups => "cgroups",
            Group::Network => "network",
            Group::Security => "security",
            Group::Whole => "whole",
        }
    }
}

/// What a lack means for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Without it nothing runs.
    Essential,
    /// Without it a command or a flag is lost.
    Feature,
    /// insula goes another way without it: slower, or with less to tell.
    Comfort,
}

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name, kebab case; it does not change.
    pub key: &'static str,
    /// Where it stands.
    pub group: Group,
    /// What it is, in a few words.
    pub what: &'static str,
    /// What a lack costs: which command, which flag.
    pub loss: &'static str,
    /// What a lack means.
    pub weight: Weight,
    /// Finds it out.
    pub probe: fn() -> Answer,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it stands.
    pub state: State,
    /// What was found, with its value.
    pub found: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// Where there is more than one way: each by its name, and how it stands.
    pub ways: Vec<(&'static str, State)>,
}

impl Answer {
    fn new(state: State, found: String) -> Answer {
        Answer { state, found, fix: None, ways: Vec::new() }
    }

    /// It works.
    pub fn works(found: impl Into<String>) -> Answer {
        Answer::new(State::Works, found.into())
    }

    /// It works in part.
    pub fn limited(found: impl Into<String>) -> Answer {
        Answer::new(State::Limited, found.into())
    }

    /// It cannot be had.
    pub fn missing(found: impl Into<String>) -> Answer {
        Answer::new(State::Missing, found.into())
    }

    /// It could not be found out.
    pub fn unknown(found: impl Into<String>) -> Answer {
        Answer::new(State::Unknown, found.into())
    }

    /// With what to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Answer {
        self.fix = Some(fix.into());
        self
    }

    /// A call was refused: the act in words, and the errno.
    pub fn refused(act: &str, errno: Errno) -> Answer {
        Answer::missing(format!("{act}: {}", Named(errno)))
    }

    /// With what to do about it where something is missing.
    #[must_use]
    pub fn or_fix(self, fix: &str) -> Answer {
        if self.fix.is_none() && self.state != State::Works { self.fix(fix) } else { self }
    }
}
