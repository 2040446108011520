//! A plan without a birth: the caller itself walks the child's lane and becomes the program.
//!
//! What unshare(1) and nsenter(1) do, with the same list and the same two lanes. If there are steps for the parent, a
//! *deputy* is forked before anything else: it stays in the old namespaces with the old rights, walks the parent's lane
//! and ends. At a [`Fork`](crate::step::Fork) the caller stops walking; a child of it goes on, and the caller waits.

use crate::baton::{Baton, Word};
use crate::child_lane::{CHILD_FAILED, Stopped, argv_room, report, walk};
use crate::error::{Cause, Failure, preparing};
use crate::fault::{Call, Fault};
use crate::injected;
use crate::kit::Kit;
use crate::parent_lane::Walk;
use crate::plan::Plan;
use crate::running::Running;
use crate::slate::Slate;
use crate::step::{Child, Parent, Step, Who};
use insula_sys::birth::{clone3, exit_now, fork};
use insula_sys::{prctl, signal};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, waitid};

/// Performs it. Returns on failure, or with the child of a fork that has executed its program.
pub(crate) fn perform(plan: &Plan, mut kit: Kit) -> Result<Running, Failure> {
    // Ignored by our caller, it would make the kernel reap our children before we have waited for them.
    signal::set_default(libc::SIGCHLD).map_err(|error| {
        preparing("hear of children")(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
    })?;
    let slate = Slate::new().map_err(preparing("map a page for the Slate"))?;
    let (ours, theirs) = Baton::pair().map_err(preparing("make the baton"))?;
    let mut theirs = Some(theirs);
    let deputy = if plan.steps.iter().any(|step| step.who() == Who::Parent) {
        Some(send_deputy(plan, &mut kit, &slate, &ours, &mut theirs)?)
    } else {
        None
    };
    // With a copy of it open here, the deputy's death would not be heard.
    drop(ours);
    let Some(theirs) = theirs else { return Err(preparing("keep the baton")(Errno::BADF)) };
    let mut at = Child::new(&mut kit, &slate, &theirs, argv_room(plan));
    at.deputy = deputy;
    match walk(plan, 0, &mut at) {
        Stopped::Fork(i) => {
            let running = give_birth(plan, i, &mut at);
            drop(at);
            running.map(|(pid, pidfd)| Running { pid, pidfd, kit })
        }
        Stopped::Failed(i, fault) => {
            let said = slate.read(plan.steps.len()).said();
            Err(Failure::at_step(plan, i, Cause::Call(fault), said))
        }
        Stopped::Abandoned => {
            reap(at.deputy.take());
            Err(deputy_failed(plan, &slate))
        }
    }
}

/// At the fork with index `at_fork`: the child walks the rest, the caller hears how it goes.
fn give_birth(plan: &Plan, at_fork: usize, at: &mut Child<'_>) -> Result<(i32, OwnedFd), Failure> {
    let failed = |errno| {
        let fault = Fault { call: Call::Clone3, errno };
        Failure::at_step(plan, at_fork, Cause::Call(fault), None)
    };
    let Some(Step::Fork(step)) = plan.steps.get(at_fork) else { return Err(failed(Errno::INVAL)) };
    let (hear, tell) = Baton::pair().map_err(failed)?;
    let mut hear = Some(hear);
    let mask = step.hold_back().map_err(|fault| failed(fault.errno))?;
    let born = clone3(0, || {
        drop(hear.take());
        let mut child = at.for_child(&tell);
        let stopped = match signal::set_mask(&mask) {
            Ok(_) => walk(plan, at_fork + 1, &mut child),
            Err(_) => Stopped::Failed(at_fork, Fault { call: Call::Sigaction, errno: Errno::INVAL }),
        };
        report(stopped, child.slate, &tell)
    });
    let born = born.map_err(failed)?;
    drop(tell);
    let Some(hear) = hear else { return Err(failed(Errno::BADF)) };
    let ours = Walk { plan, slate: at.slate, baton: hear, born: &born };
    // What the deputy still has to do for the child, it does while we wait here: both end by themselves.
    let heard = ours.hear_exec(at.kit);
    reap(at.deputy.take());
    match heard {
        Ok(()) => Ok((born.pid, born.pidfd)),
        Err(failure) => {
            ours.end_child();
            Err(*failure)
        }
    }
}

/// Forks the deputy, which walks the parent's lane in our place, outside of what we are about to enter or make.
fn send_deputy(
    plan: &Plan,
    kit: &mut Kit,
    slate: &Slate,
    ours: &Baton,
    theirs: &mut Option<Baton>,
) -> Result<OwnedFd, Failure> {
    let pid = getpid();
    let caller = pidfd_open(pid, PidfdFlags::empty()).map_err(preparing("open our own pidfd"))?;
    let born = fork(|| {
        // The caller's end: with a copy of it open here, the caller's death would not be heard.
        drop(theirs.take());
        let failed = prctl::death_signal(libc::SIGKILL).is_err()
            || deputy(plan, kit, slate, ours, &caller, pid.as_raw_nonzero().get()).is_err();
        exit_now(if failed { CHILD_FAILED } else { 0 })
    });
    born.map(|born| born.pidfd).map_err(preparing("fork the deputy"))
}

/// The deputy's lane. `Err` where it has failed, and has said so.
fn deputy(
    plan: &Plan,
    kit: &mut Kit,
    slate: &Slate,
    baton: &Baton,
    caller: &OwnedFd,
    pid: i32,
) -> Result<(), ()> {
    let mut userns = None;
    let mut side = plan.first();
    let mut waiting = side == Who::Child;
    for (i, step) in plan.steps.iter().enumerate() {
        if step.who() != side {
            side = step.who();
            match side {
                Who::Child => baton.pass(kit, plan.crossing(i, Who::Parent)).map_err(drop)?,
                Who::Parent => waiting = true,
            }
        }
        if side == Who::Child {
            continue;
        }
        if std::mem::take(&mut waiting)
            && !matches!(baton.wait(kit, plan.crossing(i, Who::Child)), Ok(Word::Turn))
        {
            return Err(());
        }
        let mut at = Parent { kit, pid, pidfd: caller.as_fd(), userns: userns.take(), said: None };
        let done = injected::at(i).and_then(|()| step.in_parent(&mut at));
        if let Err(fault) = done {
            slate.enter(i);
            slate.note(at.said.as_deref().unwrap_or_default().as_bytes());
            slate.fail(fault);
            baton.fail();
            return Err(());
        }
        userns = at.userns.take();
    }
    Ok(())
}

fn reap(deputy: Option<OwnedFd>) {
    if let Some(deputy) = deputy {
        let _ = waitid(WaitId::PidFd(deputy.as_fd()), WaitIdOptions::EXITED);
    }
}

fn deputy_failed(plan: &Plan, slate: &Slate) -> Failure {
    let reading = slate.read(plan.steps.len());
    let fault = reading.fault.unwrap_or(Fault { call: Call::Recvmsg, errno: Errno::CHILD });
    Failure::at_step(plan, reading.step, Cause::Call(fault), reading.said())
}
