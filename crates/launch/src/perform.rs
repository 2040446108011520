//! Performs a plan: one birth, then parent and child walk the same list, passing the baton where the lane changes.

use crate::baton::{Baton, Word};
use crate::error::{Cause, Failure, Place};
use crate::fault::{Call, Fault};
use crate::injected;
use crate::kit::{Kit, Slot};
use crate::plan::Plan;
use crate::slate::Slate;
use crate::step::{Child, Exec, Parent, Step, Who};
use insula_sys::birth::{Born, clone3, exit_now, setns};
use insula_sys::signal::pidfd_send_signal;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus, waitid};
use std::cell::Cell;
use std::convert::Infallible;

/// Exit code of a child that failed before its exec. Nobody reads it: the Slate says more.
const CHILD_FAILED: i32 = 125;

/// A process that has executed its program.
#[derive(Debug)]
pub struct Running {
    /// Its pid in our pid namespace.
    pub pid: i32,
    /// Its pidfd.
    pub pidfd: OwnedFd,
    /// What the steps left for the parent: the terminal's other end.
    pub kit: Kit,
}

/// Performs `plan` with what `kit` holds already. On failure the child is gone when this returns, and its namespaces
/// and mounts with it.
pub fn perform(plan: &Plan, mut kit: Kit) -> Result<Running, Failure> {
    let slate = Slate::new().map_err(preparing("map a page for the Slate"))?;
    let (ours, theirs) = Baton::pair().map_err(preparing("make the baton"))?;
    let mut ours = Some(ours);
    let born = birth(plan, &mut kit, &slate, &mut ours, theirs)?;
    let Some(baton) = ours else { return Err(preparing("keep the baton")(Errno::BADF)) };
    let mut walk = Walk { plan, slate: &slate, baton, born: &born };
    match walk.all(&mut kit) {
        Ok(()) => Ok(Running { pid: born.pid, pidfd: born.pidfd, kit }),
        Err(failure) => {
            walk.end_child();
            Err(*failure)
        }
    }
}

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

/// Gives birth, directly or by a porter that enters namespaces first. The child's ends of things are closed here after.
fn birth(
    plan: &Plan,
    kit: &mut Kit,
    slate: &Slate,
    ours: &mut Option<Baton>,
    theirs: Baton,
) -> Result<Born, Failure> {
    let mut room = argv_room(plan);
    let room = &mut room;
    let flags = plan.birth.flags();
    let failed = |errno| birth_failed(plan, Fault { call: Call::Clone3, errno }, Place::Birth);
    if plan.birth.joins.is_empty() {
        return clone3(flags, || child(plan, kit, slate, ours, &theirs, room)).map_err(failed);
    }
    let (hear, tell) = Baton::pair().map_err(preparing("make the porter's socket"))?;
    let (mut hear, tell) = (Some(hear), Cell::new(Some(tell)));
    let porter = {
        let (hear, kit) = (&mut hear, &mut *kit);
        clone3(0, || {
            drop(hear.take());
            porter(plan, kit, slate, &tell, |kit| {
                // With a copy open here the porter's sudden death would not be heard.
                drop(tell.take());
                child(plan, kit, slate, ours, &theirs, room)
            })
        })
    };
    let porter = porter.map_err(failed)?;
    drop(tell.take());
    drop(theirs);
    let slot = plan.slots.porter();
    let heard = hear.map_or(Ok(Word::End), |hear| hear.wait(kit, std::iter::once(slot)));
    let _ = waitid(WaitId::PidFd(porter.pidfd.as_fd()), WaitIdOptions::EXITED);
    match (heard, kit.take(slot)) {
        (Ok(Word::Turn), Some(pidfd)) => {
            let pid = pid_of(&pidfd).ok_or_else(|| failed(Errno::SRCH))?;
            Ok(Born { pid, pidfd })
        }
        _ => Err(porter_failed(plan, slate)),
    }
}

/// The porter: enters the namespaces, gives birth in its parent's name, hands over the pidfd, ends.
fn porter(
    plan: &Plan,
    kit: &mut Kit,
    slate: &Slate,
    tell: &Cell<Option<Baton>>,
    child: impl FnOnce(&mut Kit) -> Infallible,
) -> Infallible {
    for (i, join) in plan.birth.joins.iter().enumerate() {
        slate.enter(i);
        let kind = i32::try_from(join.kind.flag()).unwrap_or(0);
        if let Err(errno) = kit.get(join.slot).and_then(|fd| setns(fd, kind)) {
            slate.fail(Fault { call: Call::Setns, errno });
            exit_now(CHILD_FAILED);
        }
    }
    // CLONE_PARENT: the newborn is our parent's child, so that it can be waited for there.
    const CLONE_PARENT: u64 = 0x8000;
    match clone3(plan.birth.flags() | CLONE_PARENT, || child(&mut *kit)) {
        Ok(born) => {
            let slot = plan.slots.porter();
            let put = kit.put(slot, born.pidfd).is_ok();
            let told = put && tell.take().is_some_and(|tell| tell.pass(kit, std::iter::once(slot)).is_ok());
            exit_now(if told { 0 } else { CHILD_FAILED })
        }
        Err(errno) => {
            slate.fail(Fault { call: Call::Clone3, errno });
            exit_now(CHILD_FAILED)
        }
    }
}

/// The pid behind a pidfd, in our pid namespace: the `Pid:` line of its fdinfo, pidfd_open(2).
fn pid_of(pidfd: &OwnedFd) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok().filter(|pid| *pid > 0)
}

fn porter_failed(plan: &Plan, slate: &Slate) -> Failure {
    let reading = slate.read(plan.birth.joins.len());
    let fault = reading.fault.unwrap_or(Fault { call: Call::Clone3, errno: Errno::CHILD });
    if fault.call == Call::Clone3 {
        return birth_failed(plan, fault, Place::Birth);
    }
    let what = plan
        .birth
        .joins
        .get(reading.step)
        .map(|j| format!("enter the {} namespace `{}`", j.kind.name(), j.from));
    let hint = match fault.errno {
        Errno::PERM => {
            Some("entering wants CAP_SYS_ADMIN in the user namespace that owns it and in our own (setns(2))")
        }
        Errno::INVAL => Some("it is no namespace of this kind"),
        _ => None,
    };
    let what = what.unwrap_or_default();
    Failure { place: Place::Join, what, cause: Cause::Call(fault), said: None, hint: hint.map(str::to_owned) }
}

fn birth_failed(plan: &Plan, fault: Fault, place: Place) -> Failure {
    let makes_user = plan.birth.new.contains(&crate::plan::Kind::User);
    let hint = match fault.errno {
        Errno::PERM if makes_user => {
            "a sysctl or a security module forbids user namespaces to this user (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or we are in a chroot"
        }
        Errno::PERM => "new namespaces want CAP_SYS_ADMIN; without root make a user namespace as well",
        Errno::NOSPC => {
            "a limit of nesting or number is reached: user.max_*_namespaces, 33 levels of user, 32 of pid"
        }
        Errno::INVAL => "this kernel lacks one of these kinds of namespace",
        Errno::AGAIN => "the limit of processes is reached: `ulimit -u`, pids.max, kernel.pid_max",
        _ => "",
    };
    let hint = (!hint.is_empty()).then(|| hint.to_owned());
    Failure { place, what: plan.birth.to_string(), cause: Cause::Call(fault), said: None, hint }
}

/// Space for the argument vector, made while allocation is still allowed.
fn argv_room(plan: &Plan) -> Option<insula_sys::exec::Room> {
    plan.steps.iter().find_map(|step| match step {
        Step::Exec(Exec { argv, .. }) => Some(argv.room()),
        _ => None,
    })
}

/// The child's lane. It allocates nothing, logs nothing, and leaves by exec or `_exit`.
fn child(
    plan: &Plan,
    kit: &mut Kit,
    slate: &Slate,
    ours: &mut Option<Baton>,
    baton: &Baton,
    argv_room: &mut Option<insula_sys::exec::Room>,
) -> Infallible {
    // The parent's end: with a copy of it open here, the parent's death would not be seen.
    drop(ours.take());
    let mut at = Child {
        kit,
        slate,
        baton,
        root: None,
        layers: None,
        procfs: None,
        empty: None,
        program: None,
        argv_room: argv_room.take(),
    };
    if let Err(fault) = child_lane(plan, &mut at) {
        slate.fail(fault);
        baton.fail_and_wait();
    }
    exit_now(CHILD_FAILED)
}

fn child_lane(plan: &Plan, at: &mut Child<'_>) -> Result<(), Fault> {
    let mut side = plan.first();
    for (i, step) in plan.steps.iter().enumerate() {
        if step.who() != side {
            side = step.who();
            match side {
                Who::Parent => at.baton.pass(at.kit, plan.crossing(i, Who::Child))?,
                Who::Child => match at.baton.wait(at.kit, plan.crossing(i, Who::Parent))? {
                    Word::Turn => {}
                    // The parent is gone or has given up.
                    _ => exit_now(CHILD_FAILED),
                },
            }
        }
        if side == Who::Child {
            at.slate.enter(i);
            injected::at(i)?;
            if matches!(step, Step::Exec(_)) {
                at.slate.enter(plan.steps.len());
            }
            step.in_child(at)?;
        }
    }
    Err(Fault { call: Call::Execve, errno: Errno::NOEXEC })
}

/// The parent's lane.
struct Walk<'a> {
    plan: &'a Plan,
    slate: &'a Slate,
    baton: Baton,
    born: &'a Born,
}

impl Walk<'_> {
    fn all(&mut self, kit: &mut Kit) -> Result<(), Box<Failure>> {
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
                            return Err(Box::new(self.at_step(i, Cause::Call(passed_fault(passed)), None)));
                        }
                    }
                }
            }
            if side == Who::Parent {
                let pidfd = self.born.pidfd.as_fd();
                let mut at = Parent { kit, pid: self.born.pid, pidfd, userns: userns.take(), said: None };
                let done = injected::at(i).and_then(|()| step.in_parent(&mut at));
                let said = at.said.take();
                userns = at.userns.take();
                if let Err(fault) = done {
                    return Err(Box::new(self.at_step(i, Cause::Call(fault), said)));
                }
            }
        }
        self.hear_exec(kit)
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
            Ok(_) => Err(Box::new(self.child_failed())),
            Err(fault) => Err(Box::new(self.at_step(step, Cause::Call(fault), None))),
        }
    }

    /// Waits for the end of the file, which means that the program runs; or for the reason why it does not.
    fn hear_exec(&self, kit: &mut Kit) -> Result<(), Box<Failure>> {
        let last = self.plan.steps.len().saturating_sub(1);
        match self.word(kit, std::iter::empty()) {
            Ok(Word::End) if self.slate.read(self.plan.steps.len()).executing => Ok(()),
            Ok(Word::ExecFailed(errno)) => {
                Err(Box::new(self.at_step(last, Cause::Call(Fault { call: Call::Execve, errno }), None)))
            }
            Ok(_) => Err(Box::new(self.child_failed())),
            Err(fault) => Err(Box::new(self.at_step(last, Cause::Call(fault), None))),
        }
    }

    fn child_failed(&self) -> Failure {
        let reading = self.slate.read(self.plan.steps.len());
        let said =
            (!reading.text.is_empty()).then(|| String::from_utf8_lossy(&reading.text).trim().to_owned());
        let cause = match reading.fault {
            Some(fault) => Cause::Call(fault),
            None => self.end().unwrap_or(Cause::Gone(CHILD_FAILED)),
        };
        self.at_step(reading.step, cause, said)
    }

    fn at_step(&self, index: usize, cause: Cause, said: Option<String>) -> Failure {
        let Some(step) = self.plan.steps.get(index) else {
            return birth_failed(self.plan, Fault { call: Call::Unknown, errno: Errno::PROTO }, Place::Birth);
        };
        let hint = match &cause {
            Cause::Call(fault) => step.hint(fault).map(Into::into),
            _ => None,
        };
        let place = Place::Step { number: index + 1, name: step.name(), who: step.who() };
        Failure { place, what: step.to_string(), cause, said, hint }
    }

    /// How the child ended, without reaping it. Waits for an end that is already on its way.
    fn end(&self) -> Option<Cause> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status: WaitIdStatus = waitid(WaitId::PidFd(self.born.pidfd.as_fd()), options).ok().flatten()?;
        status.terminating_signal().map(Cause::Killed).or_else(|| status.exit_status().map(Cause::Gone))
    }

    /// Ends and reaps a child whose launch failed. Its namespaces and mounts end with it.
    fn end_child(&self) {
        // ESRCH: it has ended already.
        let _ = pidfd_send_signal(self.born.pidfd.as_fd(), libc::SIGKILL);
        let _ = waitid(WaitId::PidFd(self.born.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

fn passed_fault(passed: Result<(), Fault>) -> Fault {
    passed.err().unwrap_or(Fault { call: Call::Sendmsg, errno: Errno::IO })
}
