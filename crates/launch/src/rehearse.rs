//! A rehearsal: a plan is performed, by the same steps in the same two lanes, up to the program, which is looked at and
//! not executed. What would outlast the process is not tried.
//!
//! The caller is a throw-away process: it may be in new namespaces afterwards, and its end takes all of it along.

use crate::error::{Failure, Place, preparing};
use crate::kit::Kit;
use crate::perform::perform_on;
use crate::plan::{Kind, Plan};
use crate::running::Ended;
use crate::skipped::Skipped;
use crate::slate::Slate;
use crate::step::Step;
use rustix::fd::AsFd;
use rustix::process::{WaitId, WaitIdOptions, waitid};

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Held,
    /// It was refused: [`Rehearsal::failure`] says why.
    Refused,
    /// It was not tried: what it does outlasts the process.
    Untried(&'static str),
    /// A step before it was refused.
    NotReached,
}

/// What a rehearsal has shown.
#[derive(Debug)]
pub struct Rehearsal {
    /// Each step of the plan.
    pub steps: Vec<Outcome>,
    /// What was refused: a step, or the birth.
    pub failure: Option<Failure>,
    /// Namespaces that the plan only tries to have, and has not got.
    pub skipped: Skipped,
}

impl Rehearsal {
    /// Did the process come to be: is it not the birth that was refused?
    pub fn is_born(&self) -> bool {
        self.failure.as_ref().is_none_or(|failure| matches!(failure.place, Place::Step { .. }))
    }
}

/// Rehearses a plan. The caller ends soon after: see above.
pub fn rehearse(plan: &Plan, kit: Kit) -> Rehearsal {
    let untried: Vec<Option<&str>> = (0..plan.steps.len()).map(|i| outlasts(plan, i)).collect();
    let failed = |failure: Failure| Rehearsal {
        steps: vec![Outcome::NotReached; plan.steps.len()],
        failure: Some(failure),
        skipped: Skipped::default(),
    };
    let slate = match Slate::rehearsing(untried.iter().map(Option::is_some).collect()) {
        Ok(slate) => slate,
        Err(errno) => return failed(preparing("map a page for the Slate")(errno)),
    };
    let (failure, skipped) = match perform_on(&slate, plan, kit, None) {
        Ok(Ended::Here(skipped)) => (None, skipped),
        Ok(Ended::Running(running)) => {
            // It has come to its program, and ended there.
            let _ = waitid(WaitId::PidFd(running.pidfd.as_fd()), WaitIdOptions::EXITED);
            (None, running.skipped)
        }
        Err(failure) => (Some(failure), Skipped::default()),
    };
    let refused = failure.as_ref().and_then(|failure| match failure.place {
        Place::Step { number, .. } => number.checked_sub(1),
        _ => None,
    });
    let outcome = |(i, untried): (usize, Option<&'static str>)| match untried {
        _ if refused == Some(i) => Outcome::Refused,
        // What would come behind a refused step is not reached, tried or not.
        Some(why)
            if refused.is_none_or(|refused| i < refused) && (failure.is_none() || refused.is_some()) =>
        {
            Outcome::Untried(why)
        }
        _ if slate.has_held(i) => Outcome::Held,
        _ => Outcome::NotReached,
    };
    let steps = untried.into_iter().enumerate().map(outcome).collect();
    Rehearsal { steps, failure, skipped }
}

/// Why the effect of the step with this index would outlast the process, if it would: it is kept at a file, or happens in
/// a namespace that is not new, where others are.
pub fn outlasts(plan: &Plan, index: usize) -> Option<&'static str> {
    let step = plan.steps.get(index)?;
    let made = |kind: Kind| {
        plan.birth.makes().contains(&kind)
            || plan.steps[..index].iter().any(|step| match step {
                Step::Unshare(unshare) => unshare.kinds.contains(&kind),
                Step::TryUnshare(unshare) => unshare.kind == kind,
                Step::NewMounts(_) => kind == Kind::Mnt,
                _ => false,
            })
    };
    match step {
        Step::Pin(_) => Some("a namespace that a mount keeps outlives the process"),
        Step::Persist(_) => Some("a namespace that is kept at a file outlives the process"),
        Step::HostName(_) | Step::DomainName(_) if !made(Kind::Uts) => {
            Some("the uts namespace is not a new one: others would see the name")
        }
        Step::Loopback(_) if !made(Kind::Net) => {
            Some("the network namespace is not a new one: others use the device")
        }
        Step::LoadInterp(_) if !made(Kind::User) => {
            Some("without a new user namespace the interpreter would be everybody's")
        }
        Step::Sysctl(_) if !made(Kind::Net) && !made(Kind::Ipc) && !made(Kind::Uts) => {
            Some("the namespace of the setting is not a new one")
        }
        Step::Mount(_)
        | Step::MountProc(_)
        | Step::MountBinfmt(_)
        | Step::Sysfs(_)
        | Step::BindOver(_)
        | Step::Propagation(_)
        | Step::Pivot(_)
            if !made(Kind::Mnt) =>
        {
            Some("the mount namespace is not a new one: others would see the mount")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::Slots;
    use crate::plan::Birth;
    use crate::step::propagation::Mode;
    use crate::step::{HostName, Persist, Propagation, Unshare};

    fn plan(steps: Vec<Step>) -> Plan {
        Plan { birth: Birth::Here, steps, slots: Slots::default() }
    }

    #[test]
    fn what_is_kept_at_a_file_and_what_others_would_see_is_not_tried() {
        let steps = || -> Vec<Step> {
            vec![
                HostName("x".to_owned()).into(),
                Propagation(Mode::Private).into(),
                Unshare { kinds: vec![Kind::Uts, Kind::Mnt] }.into(),
                HostName("x".to_owned()).into(),
                Propagation(Mode::Private).into(),
                Persist { kind: Kind::Uts, target: c"/x".to_owned() }.into(),
            ]
        };
        let plan = plan(steps());
        let untried: Vec<bool> = (0..plan.steps.len()).map(|i| outlasts(&plan, i).is_some()).collect();
        assert_eq!(untried, [true, true, false, false, false, true]);
    }
}
