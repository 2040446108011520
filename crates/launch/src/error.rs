//! What can go wrong with a launch, worded by the parent from its own copy of the plan.

use crate::fault::{Call, Fault};
use crate::kind::Kind;
use crate::kit::Kit;
use crate::plan::Plan;
use crate::step::seccomp::Loader;
use crate::step::{Step, Who};
use crate::why::{self, Act, Around, Cause, Refusal, Subject};
use rustix::io::Errno;
use std::fmt;

/// Exit code of a child that failed before its exec. Nobody reads it: the Slate says more.
pub(crate) const CHILD_FAILED: i32 = 125;

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
pub enum How {
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
    pub how: How,
    /// What the kernel, or a helper program, said about it.
    pub said: Option<String>,
    /// The cause, if looking at the process that failed has shown it.
    pub found: Option<Box<Cause>>,
    /// What to do about it: the cure of the cause, else what the step knows.
    pub hint: Option<String>,
}

impl Failure {
    /// The step of `plan` with this index failed.
    pub(crate) fn at_step(plan: &Plan, index: usize, how: How, said: Option<String>) -> Failure {
        let Some(step) = plan.steps.get(index) else {
            let how = How::Call(Fault { call: Call::Unknown, errno: Errno::PROTO });
            return Failure {
                place: Place::Birth,
                what: plan.birth.to_string(),
                how,
                said,
                found: None,
                hint: None,
            };
        };
        let hint = match &how {
            How::Call(fault) => step.hint(fault).map(Into::into),
            _ => None,
        };
        let hint = hint.or_else(|| behind_filter(plan, index, how));
        let place = Place::Step { number: index + 1, name: step.name(), who: step.who() };
        Failure { place, what: step.to_string(), how, said, found: None, hint }
    }

    /// With the cause, if the step says what it has tried and the look at `subject` shows why that was refused.
    pub(crate) fn explained(self, plan: &Plan, kit: &Kit, subject: &Subject) -> Failure {
        let (How::Call(fault), Place::Step { number, .. }) = (self.how, &self.place) else { return self };
        let (said, kept) = (self.said.as_deref(), kept(plan));
        let around = Around { said, enters_user: enters_user(plan), kept: kept.as_deref(), kit };
        let step = number.checked_sub(1).and_then(|index| plan.steps.get(index));
        match step.and_then(|step| step.act(&fault, &around)) {
            // Who walks the parent's lane mounts for the child, and was refused it itself.
            Some(Act::Mount(attempt)) if step.is_some_and(|step| step.who() == Who::Parent) => {
                self.because(Act::Mount(attempt.on_behalf_of(subject.pid())), fault, &Subject::ourselves())
            }
            Some(Act::Other) if step.is_some_and(|step| step.who() == Who::Parent) => {
                self.because(Act::Other, fault, &Subject::ourselves())
            }
            Some(act) => self.because(act, fault, subject),
            None => self,
        }
    }

    /// With the cause of a refused `act`, if it is found.
    pub(crate) fn because(self, act: Act, fault: Fault, subject: &Subject) -> Failure {
        match why::find(&Refusal { act, fault }, subject) {
            Some(cause) => Failure { hint: Some(cause.cure()), found: Some(Box::new(cause)), ..self },
            None => self,
        }
    }

    /// Was it the program: not found (`Some(NOENT)`), or not executable?
    pub fn of_program(&self) -> Option<Errno> {
        match (&self.place, self.how) {
            (
                Place::Step { name: "program" | "exec" | "execvp", .. },
                How::Call(Fault { call: Call::Execve, errno }),
            ) => Some(errno),
            _ => None,
        }
    }

    /// The name of the step that failed.
    pub fn step_name(&self) -> Option<&'static str> {
        match self.place {
            Place::Step { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Was it that a file system cannot translate ids, or cannot be a layer once they are translated (before Linux 5.19)?
    pub fn refuses_idmap(&self) -> bool {
        let Place::Step { name, .. } = self.place else { return false };
        let How::Call(Fault { call, errno: Errno::INVAL }) = self.how else { return false };
        matches!(
            (name, call),
            ("idmap-tree", Call::MountSetattr) | ("rootfs" | "mount", Call::FsconfigCreate)
        )
    }

    /// The refused call's errno.
    pub fn errno(&self) -> Option<Errno> {
        match self.how {
            How::Call(fault) => Some(fault.errno),
            _ => None,
        }
    }
}

/// A step behind one that has loaded a seccomp filter fails as if the kernel had not its call, or it kills.
fn behind_filter(plan: &Plan, index: usize, how: How) -> Option<String> {
    let here = |step: &Step| matches!(step, Step::Seccomp(filter) if filter.loader == Loader::Here);
    let at = plan.steps.iter().take(index).position(here)?;
    let denied = match how {
        How::Call(fault) => matches!(fault.errno, Errno::PERM | Errno::NOSYS | Errno::ACCESS),
        How::Killed(signal) => signal == libc::SIGSYS,
        How::Gone(_) => false,
    };
    denied.then(|| {
        format!(
            "the filter of step {} may deny it: allow the call, or set no_new_privs, with which the filter is loaded last",
            at + 1
        )
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Prepare(what) => write!(f, "{what}: ")?,
            Place::Birth | Place::Join => write!(f, "birth ({}): ", self.what)?,
            Place::Step { number, .. } => write!(f, "step {number} ({}): ", self.what)?,
        }
        match self.how {
            How::Call(Fault { call, errno }) => write!(f, "{}: {}", call.name(), Named(errno))?,
            How::Killed(signal) => write!(f, "the process was killed by signal {signal}")?,
            How::Gone(code) => write!(f, "the process ended with code {code}")?,
        }
        match &self.said {
            Some(said) => write!(f, " ({said})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

fn enters_user(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| match step {
        Step::Enter(enter) => enter.kind == Kind::User,
        Step::EnterProcess(enter) => enter.kinds.contains(&Kind::User),
        _ => false,
    })
}

/// Where the plan keeps what is changed, if that is a directory.
fn kept(plan: &Plan) -> Option<String> {
    plan.steps.iter().find_map(|step| match step {
        Step::Layers(layers) => layers.kept_path(),
        _ => None,
    })
}

/// The failure of something that is made before the birth.
pub fn preparing(what: &'static str) -> impl FnOnce(Errno) -> Failure {
    move |errno| Failure {
        place: Place::Prepare(what),
        what: what.to_owned(),
        how: How::Call(Fault { call: Call::Check, errno }),
        said: None,
        found: None,
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
