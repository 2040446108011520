//! What unshare(1) does: a program in new namespaces, of which this process itself becomes a part.
//!
//! A [`Request`] says what is wanted in unshare(1)'s terms; [`compile`] makes of it, purely, the list of steps;
//! [`launch`] performs them.

mod compile;
mod id_ranges;
mod maps;
mod request;

pub use compile::{compile, warnings};
pub use id_ranges::IdRange;
pub(crate) use maps::{Maps, maps};
pub use request::{Caller, IdsAsked, Program, Request, denies_setgroups};

use crate::error::Error;
use insula_launch::kit::Kit;
use insula_launch::perform::{Running, perform};
use insula_launch::plan::Plan;

/// Performs a plan of [`compile`]. Returns on failure, of which nothing is left but this process in whatever namespaces
/// it has reached; or, where the plan forks, with the child that runs the program.
pub fn launch(plan: &Plan) -> Result<Running, Error> {
    #[cfg(debug_assertions)]
    insula_launch::injected::arm();
    perform(plan, Kit::with(&plan.slots)).map_err(Error::from)
}
