//! What can go wrong with a launch, worded by the parent from its own copy of the plan.

use crate::fault::{Call, Fault};
use crate::plan::Plan;
use crate::step::Who;
use rustix::io::Errno;
use std::fmt;

/// Where it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Before the birth: what was being prepared.
    Prepare(&'static str),
    /// At the birth itself.
    Birth,
    /// Entering a namespace.
    Join,
    /// In a step, by its number in the plan, from 1.
    Step {
        /// The number.
        number: usize,
        /// The step's name.
        name: &'static str,
        /// Who was performing it.
        who: Who,
    },
}

/// How it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A call was refused.
    Call(Fault),
    /// The child was killed.
    Killed(i32),
    /// The child was gone with this exit code, and had said nothing.
    Gone(i32),
}

/// A launch that failed. Nothing of it is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub place: Place,
    /// What was tried, in the plan's words.
    pub what: String,
    /// How.
    pub cause: Cause,
    /// What the kernel, or a helper program, said about it.
    pub said: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// The step of `plan` with this index failed.
    pub(crate) fn at_step(plan: &Plan, index: usize, cause: Cause, said: Option<String>) -> Failure {
        let Some(step) = plan.steps.get(index) else {
            let cause = Cause::Call(Fault { call: Call::Unknown, errno: Errno::PROTO });
            return Failure { place: Place::Birth, what: plan.birth.to_string(), cause, said, hint: None };
        };
        let hint = match &cause {
            Cause::Call(fault) => step.hint(fault).map(Into::into),
            _ => None,
        };
        let place = Place::Step { number: index + 1, name: step.name(), who: step.who() };
        Failure { place, what: step.to_string(), cause, said, hint }
    }

    /// Was it the program: not found (`Some(NOENT)`), or not executable?
    pub fn of_program(&self) -> Option<Errno> {
        match (&self.place, self.cause) {
            (
                Place::Step { name: "program" | "exec" | "execvp", .. },
                Cause::Call(Fault { call: Call::Execve, errno }),
            ) => Some(errno),
            _ => None,
        }
    }

    /// Was it that a file system cannot translate ids, or cannot be a layer once they are translated (before Linux 5.19)?
    pub fn refuses_idmap(&self) -> bool {
        let Place::Step { name, .. } = self.place else { return false };
        let Cause::Call(Fault { call, errno: Errno::INVAL }) = self.cause else { return false };
        matches!(
            (name, call),
            ("idmap-tree", Call::MountSetattr) | ("rootfs" | "mount", Call::FsconfigCreate)
        )
    }

    /// The refused call's errno.
    pub fn errno(&self) -> Option<Errno> {
        match self.cause {
            Cause::Call(fault) => Some(fault.errno),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Prepare(what) => write!(f, "{what}: ")?,
            Place::Birth | Place::Join => write!(f, "birth ({}): ", self.what)?,
            Place::Step { number, .. } => write!(f, "step {number} ({}): ", self.what)?,
        }
        match self.cause {
            Cause::Call(Fault { call, errno }) => write!(f, "{}: {}", call.name(), Named(errno))?,
            Cause::Killed(signal) => write!(f, "the process was killed by signal {signal}")?,
            Cause::Gone(code) => write!(f, "the process ended with code {code}")?,
        }
        match &self.said {
            Some(said) => write!(f, " ({said})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The failure of something that is made before the birth.
pub fn preparing(what: &'static str) -> impl FnOnce(Errno) -> Failure {
    move |errno| Failure {
        place: Place::Prepare(what),
        what: what.to_owned(),
        cause: Cause::Call(Fault { call: Call::Check, errno }),
        said: None,
        hint: None,
    }
}

/// An errno in words; std's text has the number behind it, which nobody looks up.
#[derive(Debug, Clone, Copy)]
pub struct Named(pub Errno);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::io::Error::from(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}
