//! The child's lane: the steps between birth and exec, walked without allocation.

use crate::baton::{Baton, Word};
use crate::error::CHILD_FAILED;
use crate::fault::{Call, Fault};
use crate::injected;
use crate::kit::Kit;
use crate::late;
use crate::plan::Plan;
use crate::slate::Slate;
use crate::step::{Child, Rooms, Step, Who};
use insula_sys::birth::exit_now;
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::convert::Infallible;

/// Why the lane ended before the exec.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stopped {
    /// A step of it failed, by its index.
    Failed(usize, Fault),
    /// The other side is gone, or has failed and said so on the Slate.
    Abandoned,
    /// At a [`crate::step::Fork`], by its index: who walks has to give birth to a child that goes on behind it.
    Fork(usize),
    /// It came to the program, and this is a rehearsal.
    Rehearsed,
}

/// Space for the tables of the exec, made while allocation is still allowed.
pub(crate) fn argv_room(plan: &Plan) -> Option<Rooms> {
    plan.steps.iter().find_map(|step| match step {
        Step::Exec(exec) => Some(Rooms { argv: exec.argv.room(), envp: Some(exec.envp.room()) }),
        Step::Execvp(execvp) => Some(Rooms { argv: execvp.script.room(), envp: None }),
        Step::Hold(hold) => Some(Rooms { argv: hold.room(), envp: None }),
        _ => None,
    })
}

/// A newborn's life up to its exec. It allocates nothing, logs nothing, and leaves by exec or `_exit`.
pub(crate) fn child(
    plan: &Plan,
    kit: &mut Kit,
    slate: &Slate,
    ours: &mut Option<Baton>,
    baton: &Baton,
    rooms: &mut Option<Rooms>,
) -> Infallible {
    // The parent's end: with a copy of it open here, the parent's death would not be seen.
    drop(ours.take());
    let mut at = Child::new(kit, slate, baton, rooms.take());
    let stopped = walk(plan, 0, &mut at);
    if let (Stopped::Failed(step, fault), Some(answer)) = (stopped, at.late) {
        if let Ok(answer) = at.kit.get(answer) {
            late::failed(answer, plan.steps.len().saturating_sub(step), fault, slate);
        }
        exit_now(CHILD_FAILED)
    }
    report(stopped, slate, baton)
}

/// Tells the parent how the lane ended, and ends.
pub(crate) fn report(stopped: Stopped, slate: &Slate, baton: &Baton) -> Infallible {
    match stopped {
        Stopped::Failed(_, fault) => slate.fail(fault),
        // Only a caller that is itself the child of its plan may fork.
        Stopped::Fork(_) => slate.fail(Fault { call: Call::Check, errno: Errno::INVAL }),
        // Who has failed instead of us has said so, or is dead; to wait for a look at us would be to wait for ever.
        Stopped::Abandoned => exit_now(CHILD_FAILED),
        // The end of the file is the word for it, as at an exec.
        Stopped::Rehearsed => exit_now(0),
    }
    baton.fail_and_wait();
    exit_now(CHILD_FAILED)
}

/// Walks the child's steps of `plan` from the one with index `from`, and waits where it is the other side's turn.
/// Returns only if there is no exec.
pub(crate) fn walk(plan: &Plan, from: usize, at: &mut Child<'_>) -> Stopped {
    let mut side = if from == 0 { plan.first() } else { Who::Child };
    // A plan that begins with the parent's steps begins by waiting for their end.
    let mut waiting = from == 0 && side == Who::Parent;
    for (i, step) in plan.steps.iter().enumerate().skip(from) {
        if step.who() != side {
            side = step.who();
            if side == Who::Parent {
                if let Err(fault) = at.baton.pass(at.kit, plan.crossing(i, Who::Child)) {
                    return Stopped::Failed(i, fault);
                }
                waiting = true;
            }
        }
        if side == Who::Parent {
            continue;
        }
        if std::mem::take(&mut waiting)
            && let Err(stopped) = wait(plan, i, at)
        {
            return stopped;
        }
        at.slate.enter(i);
        if matches!(step, Step::Fork(_)) {
            return Stopped::Fork(i);
        }
        if let Err(fault) = run(plan, i, step, at) {
            return Stopped::Failed(i, fault);
        }
    }
    if at.slate.is_rehearsal() {
        return Stopped::Rehearsed;
    }
    Stopped::Failed(plan.steps.len().saturating_sub(1), Fault { call: Call::Execve, errno: Errno::NOEXEC })
}

/// Waits for our turn, which begins with step `i`.
fn wait(plan: &Plan, i: usize, at: &mut Child<'_>) -> Result<(), Stopped> {
    match at.baton.wait(at.kit, plan.crossing(i, Who::Parent)) {
        Ok(Word::Turn) => {}
        Ok(_) => return Err(Stopped::Abandoned),
        Err(fault) => return Err(Stopped::Failed(i, fault)),
    }
    // The program must not find a child that it has not made.
    if plan.steps[i..].iter().all(|step| step.who() == Who::Child)
        && let Some(deputy) = at.deputy.take()
    {
        let _ = waitid(WaitId::PidFd(deputy.as_fd()), WaitIdOptions::EXITED);
    }
    Ok(())
}

fn run(plan: &Plan, i: usize, step: &Step, at: &mut Child<'_>) -> Result<(), Fault> {
    injected::at(i)?;
    if at.slate.skips(i) || injected::skips(step.name()) {
        return Ok(());
    }
    match step {
        Step::Exec(exec) if at.slate.is_rehearsal() => exec.check(at)?,
        Step::Execvp(execvp) if at.slate.is_rehearsal() => execvp.check()?,
        // Our own program, in memory: there is nothing to look for.
        Step::Hold(_) if at.slate.is_rehearsal() => {}
        Step::Exec(_) | Step::Execvp(_) | Step::Hold(_) => {
            at.slate.enter(plan.steps.len());
            if let Some(answer) = at.late {
                at.kit.get(answer).map(late::executing).map_err(Call::Check.failed())?;
            }
            step.in_child(at)?;
        }
        _ => step.in_child(at)?,
    }
    at.slate.hold(i);
    if matches!(step, Step::Exec(_) | Step::Execvp(_) | Step::Hold(_)) {
        at.slate.enter(plan.steps.len());
    }
    Ok(())
}
