//! The deputy: walks the parent's lane for a caller that is itself the child of its plan.
//!
//! It stays in the old namespaces with the old rights. A *brief* one ends when its last step is done, and is waited for
//! before the program runs, which must not find a child that it has not made. A *lasting* one has done what outlives the
//! process ([`Persist`](crate::step::Persist)): it stays until the program runs, and takes that back if it never does. If
//! the caller itself becomes the program, such a deputy is nobody's child.

use crate::baton::{Baton, Word};
use crate::child_lane::CHILD_FAILED;
use crate::error::{Cause, Failure, preparing};
use crate::injected;
use crate::kit::Kit;
use crate::plan::Plan;
use crate::slate::Slate;
use crate::step::{Parent, Step, Who};
use insula_sys::birth::{Born, exit_now, fork};
use insula_sys::prctl;
use insula_sys::signal::{self, SigSet};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, waitid};
use std::convert::Infallible;

/// The deputy as its caller sees it.
#[derive(Debug)]
pub(crate) struct Deputy {
    /// Its pidfd, if it has to be waited for.
    pub(crate) pidfd: Option<OwnedFd>,
    /// It ends before the program runs.
    pub(crate) brief: bool,
}

impl Deputy {
    /// Forks one, if there are steps for it. `theirs`, the caller's end of the baton, is closed in it: with a copy of it
    /// open there, the caller's death would not be heard.
    pub(crate) fn send(
        plan: &Plan,
        kit: &mut Kit,
        slate: &Slate,
        ours: &Baton,
        theirs: &mut Option<Baton>,
    ) -> Result<Deputy, Failure> {
        if plan.steps.iter().all(|step| step.who() == Who::Child) {
            return Ok(Deputy { pidfd: None, brief: true });
        }
        let brief = plan.persisting().next().is_none();
        let forks = plan.steps.iter().any(|step| matches!(step, Step::Fork(_)));
        let pid = getpid();
        let caller = pidfd_open(pid, PidfdFlags::empty()).map_err(preparing("open our own pidfd"))?;
        let mut at = Lane { plan, kit, slate, baton: ours, caller, pid: pid.as_raw_nonzero().get() };
        let failed = preparing("fork the deputy");
        if brief || forks {
            let born = fork(|| {
                drop(theirs.take());
                at.live(brief)
            });
            let Born { pidfd, .. } = born.map_err(failed)?;
            return Ok(Deputy { pidfd: Some(pidfd), brief });
        }
        let between = fork(|| {
            drop(theirs.take());
            match fork(|| at.live(brief)) {
                Ok(_) => exit_now(0),
                Err(_) => exit_now(CHILD_FAILED),
            }
        });
        match end_of(Some(between.map_err(preparing("fork the deputy"))?.pidfd)) {
            Some(Cause::Gone(0)) => Ok(Deputy { pidfd: None, brief }),
            _ => Err(failed(Errno::AGAIN)),
        }
    }

    /// Waits for its end, and tells it.
    pub(crate) fn end(self) -> Option<Cause> {
        end_of(self.pidfd)
    }
}

fn end_of(pidfd: Option<OwnedFd>) -> Option<Cause> {
    let pidfd = pidfd?;
    let status = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED).ok().flatten()?;
    status.terminating_signal().map(Cause::Killed).or_else(|| status.exit_status().map(Cause::Gone))
}

/// The deputy's own view.
struct Lane<'a> {
    plan: &'a Plan,
    kit: &'a mut Kit,
    slate: &'a Slate,
    baton: &'a Baton,
    caller: OwnedFd,
    pid: i32,
}

impl Lane<'_> {
    /// All its life.
    fn live(&mut self, brief: bool) -> Infallible {
        let armed = match brief {
            true => prctl::death_signal(libc::SIGKILL).is_ok(),
            // It has to outlive a sudden end of its caller, and a terminal's signals to all.
            false => signal::block(&SigSet::new_full()).is_ok(),
        };
        let done = if armed { self.walk() } else { Err(0) };
        let done = match done {
            Ok(()) if brief || self.is_executed() => Ok(()),
            Ok(()) => Err(self.plan.steps.len()),
            failed => failed,
        };
        if let Err(reached) = done {
            let made = self.plan.persisting().filter(|(i, _)| *i < reached);
            made.rev().for_each(|(_, persist)| persist.undo());
        }
        exit_now(if done.is_ok() { 0 } else { CHILD_FAILED })
    }

    /// Walks the parent's steps. `Err` is the index of the step that it has not done.
    fn walk(&mut self) -> Result<(), usize> {
        let mut userns = None;
        let mut side = self.plan.first();
        let mut waiting = side == Who::Child;
        for (i, step) in self.plan.steps.iter().enumerate() {
            if step.who() != side {
                side = step.who();
                match side {
                    Who::Child => {
                        self.baton.pass(self.kit, self.plan.crossing(i, Who::Parent)).map_err(|_| i)?;
                    }
                    Who::Parent => waiting = true,
                }
            }
            if side == Who::Child {
                continue;
            }
            if std::mem::take(&mut waiting)
                && !matches!(self.baton.wait(self.kit, self.plan.crossing(i, Who::Child)), Ok(Word::Turn))
            {
                return Err(i);
            }
            self.slate.enter(i);
            let pidfd = self.caller.as_fd();
            let mut at = Parent { kit: self.kit, pid: self.pid, pidfd, userns: userns.take(), said: None };
            let done = injected::at(i).and_then(|()| step.in_parent(&mut at));
            if let Err(fault) = done {
                self.slate.note(at.said.as_deref().unwrap_or_default().as_bytes());
                self.slate.fail(fault);
                self.baton.fail();
                return Err(i);
            }
            userns = at.userns.take();
        }
        Ok(())
    }

    /// Waits until the program runs, or never will.
    fn is_executed(&mut self) -> bool {
        let word = self.baton.wait(self.kit, std::iter::empty());
        let reading = self.slate.read(self.plan.steps.len());
        matches!(word, Ok(Word::End)) && reading.executing && reading.fault.is_none()
    }
}
