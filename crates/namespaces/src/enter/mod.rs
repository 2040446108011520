//! Running a program in namespaces that are there already, setns(2): what nsenter(1) does.
//!
//! A [`Request`] is looked at ([`look`]): the target's pidfd and whatever is named is opened, and becomes [`Facts`], which
//! are plain data, and [`Doors`], which are open descriptors. [`compile`] is pure: from request and facts it makes the
//! plan, with the order of the joins ([`order`]). [`launch`] puts the doors into the plan's Kit ([`kit`]) and performs it.

mod by_id;
mod cgroup;
pub mod compile;
pub mod doors;
mod environ;
pub mod facts;
mod look;
pub mod order;
pub mod request;
mod selinux;
mod source;
mod target;

pub use compile::{Compiled, compile};
pub use doors::Doors;
pub use facts::Facts;
pub use look::look;
pub use request::Request;

use crate::error::Error;
use insula_launch::kit::Kit;
use insula_launch::perform::{Running, perform};

/// Puts the doors into the plan's Kit.
pub fn kit(compiled: &Compiled, doors: Doors) -> Result<Kit, Error> {
    let mut kit = Kit::with(&compiled.plan.slots);
    for (slot, fd) in doors.fit(&compiled.places) {
        kit.put(slot, fd).map_err(|errno| Error::File("keep open", slot.index().to_string(), errno))?;
    }
    Ok(kit)
}

/// Performs a compiled request. Returns on failure, or with the child if the plan forks.
pub fn launch(compiled: &Compiled, doors: Doors) -> Result<Running, Error> {
    #[cfg(debug_assertions)]
    insula_launch::injected::arm();
    let kit = kit(compiled, doors)?;
    perform(&compiled.plan, kit).map_err(Error::from)
}
