//! Opens what a compiled plan needs, and performs it.

use crate::compile::Compiled;
use crate::error::Error;
use insula_launch::error::preparing;
use insula_launch::fault::{Call, Fault};
use insula_launch::kit::Kit;
use insula_launch::perform::{Running, perform};
use insula_launch::plan::{Join, Kind};
use insula_launch::step::Step;
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

/// Opens the namespaces to enter and the init, then performs the plan.
pub fn launch(compiled: &Compiled) -> Result<Running, Error> {
    let kit = kit(compiled)?;
    #[cfg(debug_assertions)]
    insula_launch::injected::arm();
    perform(&compiled.plan, kit).map_err(|failure| Error::Launch(Box::new(failure)))
}

/// Opens what the plan needs.
pub fn kit(compiled: &Compiled) -> Result<Kit, Error> {
    let failed = |failure| Error::Launch(Box::new(failure));
    let plan = &compiled.plan;
    let mut kit = Kit::with(&plan.slots);
    for join in plan.birth.joins() {
        let file = namespace(join)?;
        kit.put(join.slot, file).map_err(preparing("keep a namespace file")).map_err(failed)?;
    }
    let init = insula_launch::init::sealed().map_err(preparing("put the init into a sealed memory file"));
    let init = init.map_err(failed)?;
    kit.put(compiled.init, init).map_err(preparing("keep the init")).map_err(failed)?;
    for step in &plan.steps {
        if let Step::Seccomp(filter) = step {
            let file = filter.file().map_err(preparing("put the seccomp filter into a sealed memory file"));
            if let Some((slot, file)) = file.map_err(failed)? {
                kit.put(slot, file).map_err(preparing("keep the seccomp filter")).map_err(failed)?;
            }
        }
    }
    Ok(kit)
}

/// Opens a namespace file, and proves that it is one of its kind before anybody is born for it.
fn namespace(join: &Join) -> Result<OwnedFd, Error> {
    let error = |errno| Error::Namespace { path: join.from.clone(), errno };
    // O_NONBLOCK: what a user names may be a FIFO.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = open(join.from.as_str(), flags, Mode::empty()).map_err(error)?;
    match nsfs::kind(file.as_fd()) {
        Ok(kind) if is(kind, join.kind) => Ok(file),
        Ok(_) | Err(Errno::NOTTY) => Err(error(Errno::INVAL)),
        Err(errno) => Err(error(errno)),
    }
}

fn is(flag: i32, kind: Kind) -> bool {
    u64::try_from(flag).is_ok_and(|flag| flag == kind.flag())
}

/// The launch's failure as a fault of an exec: the errno, if the program could not be run.
pub fn program_fault(error: &Error) -> Option<Fault> {
    match error {
        Error::Launch(failure) => failure.of_program().map(|errno| Fault { call: Call::Execve, errno }),
        _ => None,
    }
}
