//! The deputy: walks the parent's lane for a caller that is itself the child of its plan.
//!
//! It stays in the old namespaces with the old rights. A *brief* one ends when its last step is done, and is waited for
//! before the program runs, which must not find a child that it has not made. A *lasting* one has done what outlives the
//! process ([`Persist`](crate::step::Persist)): it stays until the program runs, and takes that back if it never does. It
//! has a guard that does so where the deputy itself is killed. If the caller itself becomes the program, the guard is
//! nobody's child.

use crate::baton::{Baton, Word};
use crate::error::{CHILD_FAILED, Failure, How, preparing};
use crate::injected;
use crate::kit::Kit;
use crate::plan::Plan;
use crate::slate::Slate;
use crate::step::{Parent, Persist, Step, Who};
use insula_sys::birth::{Born, exit_now, fork};
use insula_sys::prctl;
use insula_sys::signal::{self, SigSet};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, kill_process, pidfd_open, waitid};
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
        let brief = plan.persisting().all(|(i, _)| slate.skips(i));
        let forks = plan.steps.iter().any(|step| matches!(step, Step::Fork(_)));
        let pid = getpid();
        let caller = pidfd_open(pid, PidfdFlags::empty()).map_err(preparing("open our own pidfd"))?;
        let mut at = Lane { plan, kit, slate, baton: ours, caller, pid: pid.as_raw_nonzero().get() };
        let failed = preparing("fork the deputy");
        if brief || forks {
            let born = fork(|| {
                drop(theirs.take());
                if brief { at.live(brief) } else { at.guard() }
            });
            let Born { pidfd, .. } = born.map_err(failed)?;
            return Ok(Deputy { pidfd: Some(pidfd), brief });
        }
        let between = fork(|| {
            drop(theirs.take());
            match fork(|| at.guard()) {
                Ok(_) => exit_now(0),
                Err(_) => exit_now(CHILD_FAILED),
            }
        });
        match end_of(Some(between.map_err(preparing("fork the deputy"))?.pidfd)) {
            Some(How::Gone(0)) => Ok(Deputy { pidfd: None, brief }),
            _ => Err(failed(Errno::AGAIN)),
        }
    }

    /// Waits for its end, and tells it. One that is nobody's child ends without a word only where it was killed.
    pub(crate) fn end(self) -> Option<How> {
        if self.pidfd.is_none() && !self.brief {
            Some(How::Killed(libc::SIGKILL))
        } else {
            end_of(self.pidfd)
        }
    }
}

fn end_of(pidfd: Option<OwnedFd>) -> Option<How> {
    let pidfd = pidfd?;
    loop {
        match waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED) {
            Ok(Some(status)) => {
                let killed = status.terminating_signal().map(How::Killed);
                return killed.or_else(|| status.exit_status().map(How::Gone));
            }
            Ok(None) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
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
    /// The guard's life: sends the deputy, and takes back what that has done if it is killed. Ends as the deputy did.
    fn guard(&mut self) -> Infallible {
        let Ok(deputy) = fork(|| self.live(false)) else { exit_now(CHILD_FAILED) };
        // It has to outlive a terminal's signals to all, as the deputy does.
        let _ = signal::block(&SigSet::new_full());
        match end_of(Some(deputy.pidfd)) {
            Some(How::Gone(code)) => exit_now(code),
            _ => {
                let reading = self.slate.read(self.plan.steps.len());
                // While nothing has failed it is still to be seen how it goes.
                let waits = reading.fault.is_none() && self.persisting().all(|(i, _)| i < reading.step);
                if !(waits && self.is_executed()) {
                    self.undo(reading.step);
                }
                let _ = kill_process(getpid(), Signal::KILL);
                exit_now(CHILD_FAILED)
            }
        }
    }

    /// All the deputy's life.
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
            self.undo(reached);
        }
        exit_now(if done.is_ok() { 0 } else { CHILD_FAILED })
    }

    /// The steps whose effect outlives the process, and that are tried: a rehearsal tries none.
    fn persisting(&self) -> impl DoubleEndedIterator<Item = (usize, &Persist)> {
        self.plan.persisting().filter(|(i, _)| !self.slate.skips(*i))
    }

    /// Takes back what was done before the step with index `reached`; and in it, if that was done and not said.
    fn undo(&self, reached: usize) {
        let made =
            |(i, persist): &(usize, &Persist)| *i < reached || (*i == reached && persist.is_made(self.pid));
        self.persisting()
            .filter(made)
            .collect::<Vec<_>>()
            .iter()
            .rev()
            .for_each(|(_, persist)| persist.undo());
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
            let mut at = Parent {
                kit: self.kit,
                pid: self.pid,
                pidfd,
                userns: userns.take(),
                said: None,
                commit: None,
            };
            let perform = |at: &mut Parent<'_>| match self.slate.skips(i) || injected::skips(step.name()) {
                true => Ok(()),
                false => step.in_parent(at).map(|()| self.slate.hold(i)),
            };
            let done = injected::at(i).and_then(|()| perform(&mut at));
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
