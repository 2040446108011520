//! Performs a plan: one birth, then parent and child walk the same list, passing the baton where the lane changes.

use crate::baton::Baton;
use crate::birth::birth;
use crate::error::{Failure, preparing};
use crate::here;
use crate::kit::Kit;
use crate::parent_lane::Walk;
use crate::plan::{Birth, Plan};
use crate::running::Ended;
pub use crate::running::Running;
use crate::skipped::Skipped;
use crate::slate::Slate;
use crate::step::OnCommit;
use insula_sys::signal;
use rustix::io::Errno;

/// Performs `plan` with what `kit` holds already. On failure the child is gone when this returns, and its namespaces
/// and mounts with it.
///
/// A plan whose birth is [`Birth::Here`] makes this process the program, so that this returns only on failure, or when
/// a step of it has forked: then with the child. On failure the caller may be in new namespaces, and should end.
pub fn perform(plan: &Plan, kit: Kit) -> Result<Running, Failure> {
    perform_with(plan, kit, None)
}

/// The same, with what is done at the step [`Commit`](crate::step::Commit). A plan that awaits a start returns when its
/// process waits; [`crate::late`] is how it goes on.
pub fn perform_with(plan: &Plan, kit: Kit, commit: Option<OnCommit<'_>>) -> Result<Running, Failure> {
    let slate = Slate::new().map_err(preparing("map a page for the Slate"))?;
    match perform_on(&slate, plan, kit, commit)? {
        Ended::Running(running) => Ok(running),
        // Only a rehearsal ends so.
        Ended::Here(_) => Err(preparing("become the program")(Errno::INVAL)),
    }
}

/// Performs it on this page, which says whether it is a rehearsal.
pub(crate) fn perform_on(
    slate: &Slate,
    plan: &Plan,
    mut kit: Kit,
    commit: Option<OnCommit<'_>>,
) -> Result<Ended, Failure> {
    signal::remember_ignored();
    let newborn = match &plan.birth {
        Birth::Clone(newborn) => newborn,
        Birth::Here => return here::perform(slate, plan, kit),
    };
    let (ours, theirs) = Baton::pair().map_err(preparing("make the baton"))?;
    let mut ours = Some(ours);
    let born = birth(plan, newborn, &mut kit, slate, &mut ours, theirs)?;
    let Some(baton) = ours else { return Err(preparing("keep the baton")(Errno::BADF)) };
    let mut walk = Walk { plan, slate, baton, born: &born };
    match walk.all(&mut kit, commit) {
        Ok(()) => {
            let skipped = Skipped::default();
            Ok(Ended::Running(Running { pid: born.pid, pidfd: born.pidfd, kit, skipped }))
        }
        Err(failure) => {
            walk.end_child();
            Err(*failure)
        }
    }
}
