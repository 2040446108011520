//! Opens what a compiled plan needs, and performs it.

use crate::compile::Compiled;
use crate::error::Error;
use insula_launch::error::preparing;
use insula_launch::fault::{Call, Fault};
use insula_launch::kit::Kit;
use insula_launch::perform::{Running, perform_with};
use insula_launch::plan::{Join, Kind};
use insula_launch::step::{OnCommit, Step};
use insula_sys::nsfs;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;

/// What was opened before for the plan.
#[derive(Debug, Default)]
pub struct Doors {
    /// `cgroup.procs` of the group in each of its hierarchies.
    pub cgroup: Vec<OwnedFd>,
    /// The FIFOs of a start: the word to go, and the answer.
    pub start: Option<(OwnedFd, OwnedFd)>,
    /// The socket that is connected to the agent of the seccomp filter.
    pub agent: Option<OwnedFd>,
}

/// Opens the namespaces to enter and the init, then performs the plan.
pub fn launch(compiled: &Compiled) -> Result<Running, Error> {
    launch_with(compiled, Doors::default(), None)
}

/// The same with what was opened before, and with what is done when the container is made.
pub fn launch_with(
    compiled: &Compiled,
    doors: Doors,
    commit: Option<OnCommit<'_>>,
) -> Result<Running, Error> {
    let kit = kit_with(compiled, doors)?;
    #[cfg(debug_assertions)]
    insula_launch::injected::arm();
    perform_with(&compiled.plan, kit, commit).map_err(|failure| Error::Launch(Box::new(failure)))
}

/// Opens what the plan needs.
pub fn kit(compiled: &Compiled) -> Result<Kit, Error> {
    kit_with(compiled, Doors::default())
}

fn kit_with(compiled: &Compiled, doors: Doors) -> Result<Kit, Error> {
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
    for (slot, door) in compiled.cgroup.iter().zip(doors.cgroup) {
        kit.put(*slot, door).map_err(preparing("keep a control group's file")).map_err(failed)?;
    }
    if let (Some((go, answer)), Some(start)) = (doors.start, compiled.start) {
        let kept = kit.put(start.0, go).and_then(|()| kit.put(start.1, answer));
        kept.map_err(preparing("keep the FIFOs of the start")).map_err(failed)?;
    }
    if let Some(((slot, _), socket)) = compiled.agent.as_ref().zip(doors.agent) {
        kit.put(*slot, socket).map_err(preparing("keep the socket of the seccomp agent")).map_err(failed)?;
    }
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
