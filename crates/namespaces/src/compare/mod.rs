//! What do two processes share? Facts are gathered of each side ([`look`]), and everything that is said of them follows
//! from these facts alone: the rows of a table, and a verdict in plain words.

mod between;
mod facts;
mod look;
mod mounts;
mod rights;
mod row;
mod rows;
mod together;
mod verdict;

pub use facts::{Common, Facts, Hidden, Machine, Namespace, OpenFile, Place, Process, Seen, Together, User};
pub use look::{facts, machine};
pub use mounts::{Mount, Pass};
pub use rights::{May, Over, Relation};
pub use row::{About, Row, State, Value};

use insula_launch::plan::Kind;

/// A comparison.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The one side.
    pub a: Facts,
    /// The other side.
    pub b: Facts,
    /// What both have together; `None`: a side is no process.
    pub together: Option<Together>,
    /// What of the machine decides who may do what.
    pub machine: Machine,
    /// Everything that was compared.
    pub rows: Vec<Row>,
    /// The verdict, a sentence each.
    pub verdict: Vec<String>,
}

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The same view.
    Same,
    /// Not the same.
    Differs,
    /// No difference was found, and not everything may be seen.
    Untold,
}

/// Compares.
pub fn compare(a: Facts, b: Facts) -> Comparison {
    let together = together::look(&a, &b);
    judged(a, b, together, look::machine())
}

/// The pure part.
fn judged(a: Facts, b: Facts, together: Option<Together>, machine: Machine) -> Comparison {
    let rows = rows::all(&a, &b, together.as_ref());
    let verdict = verdict::sentences(&a, &b, together.as_ref(), &machine, &rows);
    Comparison { a, b, together, machine, rows, verdict }
}

impl Comparison {
    /// The same view, or not?
    pub fn outcome(&self) -> Outcome {
        let any = |state| self.rows.iter().any(|row| row.about == About::View && row.state == state);
        if any(State::Differs) {
            Outcome::Differs
        } else if any(State::Unseen) || !any(State::Same) {
            Outcome::Untold
        } else {
            Outcome::Same
        }
    }

    /// The mounts of A that pass on to B, and those of B that pass on to A; none within one mount namespace.
    pub fn propagation(&self) -> [Vec<Pass>; 2] {
        let mounts =
            |facts: &Facts| facts.process.as_ref().and_then(|process| process.mounts.known().cloned());
        match (rights::same(&self.a, &self.b, Kind::Mnt), mounts(&self.a), mounts(&self.b)) {
            (Some(true), ..) | (_, None, _) | (_, _, None) => [Vec::new(), Vec::new()],
            (_, Some(a), Some(b)) => [mounts::passes(&a, &b), mounts::passes(&b, &a)],
        }
    }

    /// The relation of A's user namespace to B's.
    pub fn users(&self) -> Relation {
        rights::users(&self.a, &self.b)
    }

    /// What A may do to B, and B to A: the capabilities over it, tracing, signals.
    pub fn acts(&self) -> [Acts; 2] {
        [(&self.a, &self.b), (&self.b, &self.a)].map(|(one, other)| Acts {
            over: rights::over(one, other, &self.machine),
            trace: rights::trace(one, other, &self.machine),
            signal: rights::signal(one, other, &self.machine),
        })
    }
}

/// What one may do to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acts {
    /// Capabilities over its user namespace; `None`: it cannot be told.
    pub over: Option<Over>,
    /// ptrace(2).
    pub trace: May,
    /// kill(2).
    pub signal: May,
}

#[cfg(test)]
mod tests;
