//! The Plan: how a process is born, and the list of steps that parent and child walk together.

use crate::fault::Call;
pub use crate::kind::{Kind, mask};
use crate::kit::{Slot, Slots};
use crate::step::{Persist, Step, Who};
use std::fmt;

/// A namespace that is entered.
#[derive(Debug, Clone)]
pub struct Join {
    /// What kind it must be; setns(2) checks it.
    pub kind: Kind,
    /// The open namespace file.
    pub slot: Slot,
    /// Its path or name, for people.
    pub from: String,
}

/// How the process comes to be.
#[derive(Debug)]
pub enum Birth {
    /// A new process.
    Clone(Newborn),
    /// None is born: the caller itself walks the child's lane, and becomes the program, as unshare(1) and nsenter(1) do.
    /// The parent's steps, if there are any, are walked by a short-lived deputy that stays in the old namespaces.
    Here,
}

/// A new process, and its namespaces.
#[derive(Debug, Default)]
pub struct Newborn {
    /// Namespaces entered first, in this order, by a short-lived porter that then gives birth in our name.
    pub joins: Vec<Join>,
    /// Namespaces made with the process, clone3(2).
    pub new: Vec<Kind>,
}

impl Newborn {
    /// The `CLONE_NEW*` mask.
    pub fn flags(&self) -> u64 {
        mask(&self.new)
    }
}

impl Birth {
    /// The namespaces that are entered before a process is born.
    pub fn joins(&self) -> &[Join] {
        match self {
            Birth::Clone(newborn) => &newborn.joins,
            Birth::Here => &[],
        }
    }

    /// The namespaces that are made with the process.
    pub fn makes(&self) -> &[Kind] {
        match self {
            Birth::Clone(newborn) => &newborn.new,
            Birth::Here => &[],
        }
    }
}

impl fmt::Display for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Birth::Clone(newborn) => newborn.fmt(f),
            Birth::Here => f.write_str("none: this process itself becomes the program"),
        }
    }
}

impl fmt::Display for Newborn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for join in &self.joins {
            write!(f, "enter the {} namespace `{}`, then ", join.kind.name(), join.from)?;
        }
        f.write_str("one new process")?;
        if !self.new.is_empty() {
            f.write_str(" in new namespaces:")?;
            self.new.iter().try_for_each(|kind| write!(f, " {}", kind.name()))?;
        }
        Ok(())
    }
}

/// How one process is launched.
#[derive(Debug)]
pub struct Plan {
    /// The birth.
    pub birth: Birth,
    /// What is done after it, in order.
    pub steps: Vec<Step>,
    /// The slots that its steps use.
    pub slots: Slots,
}

impl Plan {
    /// Does the process wait for a later process of ours before it executes?
    pub fn awaits_start(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::AwaitStart(_)))
    }

    /// Whose turn is first.
    pub(crate) fn first(&self) -> Who {
        self.steps.first().map_or(Who::Child, Step::who)
    }

    /// The step that has left this call to the init.
    pub(crate) fn left_to_init(&self, call: Call) -> Option<usize> {
        self.steps.iter().position(|step| match step {
            Step::Seccomp(_) => matches!(call, Call::Seccomp | Call::Agent),
            Step::Label(_) => call == Call::Label,
            _ => false,
        })
    }

    /// The steps whose effect outlives the process: taken back, last first, if the launch fails after them.
    pub(crate) fn persisting(&self) -> impl DoubleEndedIterator<Item = (usize, &Persist)> {
        self.steps.iter().enumerate().filter_map(|(i, step)| match step {
            Step::Persist(persist) => Some((i, persist)),
            _ => None,
        })
    }

    /// The slots that cross to the other side when step `at` begins: those that the other side's steps have filled since
    /// its turn began.
    pub(crate) fn crossing(&self, at: usize, side: Who) -> impl Iterator<Item = Slot> + '_ {
        let end = at.min(self.steps.len());
        let start = self.steps[..end].iter().rposition(|step| step.who() != side).map_or(0, |i| i + 1);
        self.steps[start..end].iter().filter_map(Step::hands_over)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "     birth   {}", self.birth)?;
        for (i, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>4} {:<7} {step}", i + 1, step.who())?;
            writeln!(f, "             – {}", step.why())?;
        }
        Ok(())
    }
}
