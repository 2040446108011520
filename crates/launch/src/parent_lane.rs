//! The parent's lane: the steps that want the caller's own rights, and what the caller hears of the child.

use crate::baton::{Baton, Word};
use crate::error::{CHILD_FAILED, Failure, How};
use crate::fault::{Call, Fault};
use crate::injected;
use crate::kit::{Kit, Slot};
use crate::plan::Plan;
use crate::slate::Slate;
use crate::step::{OnCommit, Parent, Who};
use crate::why::Subject;
use insula_sys::birth::Born;
use insula_sys::signal::pidfd_send_signal;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, waitid};

/// The parent's lane.
pub(crate) struct Walk<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) slate: &'a Slate,
    pub(crate) baton: Baton,
    pub(crate) born: &'a Born,
}

impl Walk<'_> {
    /// Walks all of it, up to the child's exec, or to where the child waits for a later `start`.
    pub(crate) fn all(
        &mut self,
        kit: &mut Kit,
        mut commit: Option<OnCommit<'_>>,
    ) -> Result<(), Box<Failure>> {
        let mut userns = None;
        let mut side = self.plan.first();
        for (i, step) in self.plan.steps.iter().enumerate() {
            if step.who() != side {
                side = step.who();
                match side {
                    Who::Parent => self.hear(kit, i)?,
                    Who::Child => {
                        let passed = self.baton.pass(kit, self.plan.crossing(i, Who::Parent));
                        // A child that is gone is heard of below, with its own reason.
                        if passed.is_err_and(|fault| fault.errno != Errno::PIPE) {
                            return Err(Box::new(self.at_step(
                                kit,
                                i,
                                How::Call(passed_fault(passed)),
                                None,
                            )));
                        }
                    }
                }
            }
            if side == Who::Parent {
                let pidfd = self.born.pidfd.as_fd();
                let (pid, commit) = (self.born.pid, commit.as_mut().map(|commit| OnCommit(&mut *commit.0)));
                let mut at = Parent { kit, pid, pidfd, userns: userns.take(), said: None, commit };
                let perform = |at: &mut Parent<'_>| match self.slate.skips(i) || injected::skips(step.name())
                {
                    true => Ok(()),
                    false => step.in_parent(at).map(|()| self.slate.hold(i)),
                };
                let done = injected::at(i).and_then(|()| perform(&mut at));
                let said = at.said.take();
                userns = at.userns.take();
                if let Err(fault) = done {
                    return Err(Box::new(self.at_step(kit, i, How::Call(fault), said)));
                }
            }
        }
        if self.plan.awaits_start() { Ok(()) } else { self.hear_exec(kit) }
    }

    /// Waits for a word, or for the child's death: its end of the baton alone could be held open by another process
    /// that has stolen it.
    fn word(&self, kit: &mut Kit, slots: impl Iterator<Item = Slot>) -> Result<Word, Fault> {
        let mut both = [
            PollFd::from_borrowed_fd(self.baton.fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.born.pidfd.as_fd(), PollFlags::IN),
        ];
        loop {
            match poll(&mut both, None) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Fault { call: Call::Recvmsg, errno }),
            }
        }
        if both[0].revents().is_empty() { Ok(Word::End) } else { self.baton.wait(kit, slots) }
    }

    /// Waits for our turn.
    fn hear(&self, kit: &mut Kit, step: usize) -> Result<(), Box<Failure>> {
        match self.word(kit, self.plan.crossing(step, Who::Child)) {
            Ok(Word::Turn) => Ok(()),
            Ok(word) => Err(Box::new(self.child_failed(kit, word))),
            Err(fault) => Err(Box::new(self.at_step(kit, step, How::Call(fault), None))),
        }
    }

    /// Waits for the end of the file, which means that the program runs; or for the reason why it does not.
    pub(crate) fn hear_exec(&self, kit: &mut Kit) -> Result<(), Box<Failure>> {
        let last = self.plan.steps.len().saturating_sub(1);
        match self.word(kit, std::iter::empty()) {
            Ok(Word::End) if self.slate.read(self.plan.steps.len()).executing => Ok(()),
            Ok(Word::ExecFailed(errno)) => {
                Err(Box::new(self.at_step(kit, last, How::Call(Fault { call: Call::Execve, errno }), None)))
            }
            Ok(Word::FilterFailed(errno)) => Err(self.init_failed(kit, Call::Seccomp, errno)),
            Ok(Word::AgentFailed(errno)) => Err(self.init_failed(kit, Call::Agent, errno)),
            Ok(Word::LabelFailed(errno)) => Err(self.init_failed(kit, Call::Label, errno)),
            Ok(word) => Err(Box::new(self.child_failed(kit, word))),
            Err(fault) => Err(Box::new(self.at_step(kit, last, How::Call(fault), None))),
        }
    }

    /// The init has not done what a step left to it.
    fn init_failed(&self, kit: &Kit, call: Call, errno: Errno) -> Box<Failure> {
        let at = self.plan.left_to_init(call).unwrap_or(self.plan.steps.len().saturating_sub(1));
        Box::new(self.at_step(kit, at, How::Call(Fault { call, errno }), None))
    }

    fn child_failed(&self, kit: &Kit, word: Word) -> Failure {
        let reading = self.slate.read(self.plan.steps.len());
        let how = match reading.fault {
            Some(fault) => How::Call(fault),
            // It lives, and waits for us: a deputy that it waited for is gone without a word.
            None if word == Word::Failed => How::Gone(CHILD_FAILED),
            None => self.end().unwrap_or(How::Gone(CHILD_FAILED)),
        };
        self.at_step(kit, reading.step, how, reading.said())
    }

    fn at_step(&self, kit: &Kit, index: usize, how: How, said: Option<String>) -> Failure {
        Failure::at_step(self.plan, index, how, said).explained(
            self.plan,
            kit,
            &Subject::process(self.born.pid),
        )
    }

    /// How the child ended, without reaping it. Waits for an end that is already on its way.
    fn end(&self) -> Option<How> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status: WaitIdStatus = waitid(WaitId::PidFd(self.born.pidfd.as_fd()), options).ok().flatten()?;
        status.terminating_signal().map(How::Killed).or_else(|| status.exit_status().map(How::Gone))
    }

    /// Ends and reaps a child whose launch failed. Its namespaces and mounts end with it.
    pub(crate) fn end_child(&self) {
        // ESRCH: it has ended already.
        let _ = pidfd_send_signal(self.born.pidfd.as_fd(), libc::SIGKILL);
        let _ = waitid(WaitId::PidFd(self.born.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

fn passed_fault(passed: Result<(), Fault>) -> Fault {
    passed.err().unwrap_or(Fault { call: Call::Sendmsg, errno: Errno::IO })
}
