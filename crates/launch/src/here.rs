//! A plan without a birth: the caller itself walks the child's lane and becomes the program.
//!
//! What unshare(1) and nsenter(1) do, with the same list and the same two lanes. If there are steps for the parent, a
//! [`Deputy`] is forked before anything else: it stays in the old namespaces with the old rights, and walks the parent's
//! lane. At a [`Fork`](crate::step::Fork) the caller stops walking; a child of it goes on, and the caller waits.

use crate::baton::Baton;
use crate::child_lane::{Stopped, argv_room, report, walk};
use crate::deputy::Deputy;
use crate::error::{CHILD_FAILED, Failure, How, preparing};
use crate::fault::{Call, Fault};
use crate::kit::Kit;
use crate::parent_lane::Walk;
use crate::plan::{Kind, Plan};
use crate::running::{Ended, Running};
use crate::slate::Slate;
use crate::step::hide::hide;
use crate::step::{Child, Step};
use crate::why::{Caller, Subject};
use insula_sys::birth::{Born, clone3};
use insula_sys::{prctl, signal};
use rustix::io::Errno;

/// Performs it. Returns on failure, or with the child of a fork that has executed its program; or at the end of a rehearsal.
pub(crate) fn perform(slate: &Slate, plan: &Plan, mut kit: Kit) -> Result<Ended, Failure> {
    // Ignored by our caller, it would make the kernel reap our children before we have waited for them.
    signal::set_default(libc::SIGCHLD).map_err(|error| {
        preparing("hear of children")(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
    })?;
    let (ours, theirs) = Baton::pair().map_err(preparing("make the baton"))?;
    let mut theirs = Some(theirs);
    let mut deputy = Deputy::send(plan, &mut kit, slate, &ours, &mut theirs)?;
    // With a copy of it open here, the deputy's death would not be heard.
    drop(ours);
    let Some(theirs) = theirs else { return Err(preparing("keep the baton")(Errno::BADF)) };
    let mut at = Child::new(&mut kit, slate, &theirs, argv_room(plan));
    if deputy.brief {
        at.deputy = deputy.pidfd.take();
    }
    // Whose rights an id map is about; in the new user namespace we are somebody else.
    let caller = plan.steps.iter().any(maps_ids).then(Caller::now);
    let subject = || match caller {
        Some(caller) => Subject::ourselves().called_by(caller),
        None => Subject::ourselves(),
    };
    let stopped = walk(plan, 0, &mut at);
    deputy.pidfd = deputy.pidfd.or(at.deputy.take());
    let born = match stopped {
        Stopped::Fork(i) => give_birth(plan, i, &mut at).map(Some),
        Stopped::Rehearsed => Ok(None),
        Stopped::Failed(i, fault) => {
            let said = slate.read(plan.steps.len()).said();
            // A deputy that asks the page does not wait for us.
            slate.fail(fault);
            Err(Failure::at_step(plan, i, How::Call(fault), said).explained(plan, at.kit, &subject()))
        }
        Stopped::Abandoned => {
            let reading = slate.read(plan.steps.len());
            let how = reading.fault.map_or(How::Gone(CHILD_FAILED), How::Call);
            Err(Failure::at_step(plan, reading.step, how, reading.said()).explained(plan, at.kit, &subject()))
        }
    };
    let skipped = at.skipped;
    drop(at);
    match born {
        Ok(born) => {
            // A lasting deputy hears the end of the file: the program runs.
            drop(theirs);
            deputy.end();
            Ok(match born {
                Some(Born { pid, pidfd }) => Ended::Running(Running { pid, pidfd, kit, skipped }),
                None => Ended::Here(skipped),
            })
        }
        Err(mut failure) => {
            // A lasting deputy takes back what would outlive us, and then is gone.
            theirs.fail_and_wait();
            let killed = deputy.end().filter(|end| matches!(end, How::Killed(_)));
            if let (How::Gone(CHILD_FAILED), Some(killed)) = (failure.how, killed) {
                failure.how = killed;
            }
            Err(failure)
        }
    }
}

fn maps_ids(step: &Step) -> bool {
    matches!(step, Step::MapIds(_) | Step::MapOwnIds(_))
}

/// Are the children born in another pid namespace, which is there already, behind this step?
fn enters_pids(step: &Step) -> bool {
    match step {
        Step::Enter(enter) => enter.kind == Kind::Pid,
        Step::EnterProcess(enter) => enter.kinds.contains(&Kind::Pid),
        _ => false,
    }
}

/// At the fork with index `at_fork`: the child walks the rest, the caller hears how it goes.
fn give_birth(plan: &Plan, at_fork: usize, at: &mut Child<'_>) -> Result<Born, Failure> {
    let failed = |kit: &Kit, errno| {
        let fault = Fault { call: Call::Clone3, errno };
        Failure::at_step(plan, at_fork, How::Call(fault), None).explained(plan, kit, &Subject::ourselves())
    };
    let Some(Step::Fork(step)) = plan.steps.get(at_fork) else { return Err(failed(at.kit, Errno::INVAL)) };
    let (hear, tell) = Baton::pair().map_err(|errno| failed(at.kit, errno))?;
    let mut hear = Some(hear);
    let mask = step.hold_back().map_err(|fault| failed(at.kit, fault.errno))?;
    // The child is born among strangers; we, who wait outside, may be looked at as before.
    let hides = plan.steps[..at_fork].iter().any(enters_pids) && prctl::is_dumpable().unwrap_or(false);
    if hides {
        hide().map_err(|errno| failed(at.kit, errno))?;
    }
    let born = clone3(0, || {
        drop(hear.take());
        let mut child = at.for_child(&tell);
        let stopped = match signal::set_mask(&mask) {
            Ok(_) => walk(plan, at_fork + 1, &mut child),
            Err(_) => Stopped::Failed(at_fork, Fault { call: Call::Sigaction, errno: Errno::INVAL }),
        };
        report(stopped, child.slate, &tell)
    });
    if hides {
        let _ = prctl::dumpable(true);
    }
    let born = born.map_err(|errno| failed(at.kit, errno))?;
    at.slate.hold(at_fork);
    drop(tell);
    let Some(hear) = hear else { return Err(failed(at.kit, Errno::BADF)) };
    let ours = Walk { plan, slate: at.slate, baton: hear, born: &born };
    // What a deputy still has to do for the child, it does while we wait here.
    match ours.hear_exec(at.kit) {
        Ok(()) => Ok(born),
        Err(failure) => {
            ours.end_child();
            Err(*failure)
        }
    }
}
