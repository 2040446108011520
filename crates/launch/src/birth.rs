//! The birth of a new process: directly, or by a porter that enters namespaces first.

use crate::baton::{Baton, Word};
use crate::child_lane::{argv_room, child};
use crate::error::{CHILD_FAILED, Failure, How, Place, preparing};
use crate::fault::{Call, Fault};
use crate::kit::Kit;
use crate::plan::{Kind, Newborn, Plan};
use crate::slate::Slate;
use crate::step::Step;
use crate::step::enter::refused;
use crate::step::hide::hide;
use crate::step::unshare::refused_kinds;
use crate::why::{Act, Enter, Subject};
use insula_sys::birth::{Born, clone3, exit_now, setns};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::cell::Cell;
use std::convert::Infallible;

/// Gives birth, directly or by a porter that enters namespaces first. The child's ends of things are closed here after.
pub(crate) fn birth(
    plan: &Plan,
    newborn: &Newborn,
    kit: &mut Kit,
    slate: &Slate,
    ours: &mut Option<Baton>,
    theirs: Baton,
) -> Result<Born, Failure> {
    let mut room = argv_room(plan);
    let room = &mut room;
    let flags = newborn.flags();
    let failed = |errno| birth_failed(newborn, Fault { call: Call::Clone3, errno });
    if newborn.joins.is_empty() {
        return clone3(flags, || child(plan, kit, slate, ours, &theirs, room)).map_err(failed);
    }
    let (hear, tell) = Baton::pair().map_err(preparing("make the porter's socket"))?;
    let (mut hear, tell) = (Some(hear), Cell::new(Some(tell)));
    let porter = {
        let (hear, kit) = (&mut hear, &mut *kit);
        clone3(0, || {
            drop(hear.take());
            porter(plan, newborn, kit, slate, &tell, |kit| {
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
    let heard = hear.as_ref().map_or(Ok(Word::End), |hear| hear.wait(kit, std::iter::once(slot)));
    let born = match (heard, kit.take(slot)) {
        (Ok(Word::Turn), Some(pidfd)) => match pid_of(&pidfd) {
            Some(pid) => Ok(Born { pid, pidfd }),
            None => Err(failed(Errno::SRCH)),
        },
        // It waits while we look at it.
        _ => Err(porter_failed(newborn, slate, kit, &Subject::process(porter.pid))),
    };
    drop(hear);
    let _ = waitid(WaitId::PidFd(porter.pidfd.as_fd()), WaitIdOptions::EXITED);
    born
}

/// The porter: enters the namespaces, gives birth in its parent's name, hands over the pidfd, ends.
fn porter(
    plan: &Plan,
    newborn: &Newborn,
    kit: &mut Kit,
    slate: &Slate,
    tell: &Cell<Option<Baton>>,
    child: impl FnOnce(&mut Kit) -> Infallible,
) -> Infallible {
    let has_company = newborn.joins.iter().any(|join| join.kind == Kind::Pid);
    if has_company {
        // While the file is still ours to write, and our own /proc is there. It is inherited; if it is refused, the parent's
        // step finds that and says why.
        plan.steps.iter().for_each(|step| {
            if let Step::OomScore(score) = step {
                let _ = score.take_on();
            }
        });
    }
    for (i, join) in newborn.joins.iter().enumerate() {
        slate.enter(i);
        let kind = i32::try_from(join.kind.flag()).unwrap_or(0);
        if let Err(errno) = kit.get(join.slot).and_then(|fd| setns(fd, kind)) {
            slate.fail(Fault { call: Call::Setns, errno });
            look_at_us(tell);
        }
    }
    // We are in our own pid namespace still, and seen by nobody in there; the newborn is not, from its first moment on, and
    // has our rights and our program until it has given up the one and executed another.
    if has_company && let Err(errno) = hide() {
        slate.fail(Fault { call: Call::Prctl, errno });
        look_at_us(tell);
    }
    // CLONE_PARENT: the newborn is our parent's child, so that it can be waited for there.
    const CLONE_PARENT: u64 = 0x8000;
    match clone3(newborn.flags() | CLONE_PARENT, || child(&mut *kit)) {
        Ok(born) => {
            let slot = plan.slots.porter();
            let put = kit.put(slot, born.pidfd).is_ok();
            let told = put && tell.take().is_some_and(|tell| tell.pass(kit, std::iter::once(slot)).is_ok());
            exit_now(if told { 0 } else { CHILD_FAILED })
        }
        Err(errno) => {
            slate.fail(Fault { call: Call::Clone3, errno });
            look_at_us(tell)
        }
    }
}

/// The porter has failed and said so: it waits until it has been looked at, and ends.
fn look_at_us(tell: &Cell<Option<Baton>>) -> ! {
    if let Some(tell) = tell.take() {
        tell.fail_and_wait();
    }
    exit_now(CHILD_FAILED)
}

/// The pid behind a pidfd, in our pid namespace: the `Pid:` line of its fdinfo, pidfd_open(2).
fn pid_of(pidfd: &OwnedFd) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok().filter(|pid| *pid > 0)
}

fn porter_failed(newborn: &Newborn, slate: &Slate, kit: &Kit, porter: &Subject) -> Failure {
    let reading = slate.read(newborn.joins.len());
    let fault = reading.fault.unwrap_or(Fault { call: Call::Clone3, errno: Errno::CHILD });
    if matches!(fault.call, Call::Clone3 | Call::Prctl) {
        return not_born(newborn, fault, porter);
    }
    let join = newborn.joins.get(reading.step);
    let what =
        join.map(|j| format!("enter the {} namespace `{}`", j.kind.name(), j.from)).unwrap_or_default();
    let hint = refused(fault.errno).map(str::to_owned);
    let how = How::Call(fault);
    let failure = Failure { place: Place::Join, what, how, said: None, found: None, hint };
    let enter = Enter {
        kind: join.map(|join| join.kind),
        file: join.and_then(|join| kit.copy(join.slot)),
        target: None,
        with_user: newborn.joins.iter().any(|join| join.kind == Kind::User),
    };
    failure.because(Act::Enter(enter), fault, porter)
}

fn birth_failed(newborn: &Newborn, fault: Fault) -> Failure {
    not_born(newborn, fault, &Subject::ourselves())
}

/// The birth was refused to `parent`.
fn not_born(newborn: &Newborn, fault: Fault, parent: &Subject) -> Failure {
    let hint = refused_kinds(fault.errno, newborn.new.contains(&Kind::User)).map(str::to_owned);
    let act = if newborn.new.is_empty() { Act::Fork } else { Act::Make(newborn.new.clone()) };
    let (what, how) = (newborn.to_string(), How::Call(fault));
    let failure = Failure { place: Place::Birth, what, how, said: None, found: None, hint };
    failure.because(act, fault, parent)
}
