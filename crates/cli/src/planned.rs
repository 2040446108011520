//! A command's plan with what it needs open, before anything of it is done: what `insula why` rehearses.

use insula_launch::kit::Kit;
use insula_launch::plan::Plan;

/// The plan.
#[derive(Debug)]
pub struct Planned {
    /// The steps.
    pub plan: Plan,
    /// What they need open.
    pub kit: Kit,
    /// What the command would do besides, and a rehearsal does not: it outlasts the process.
    pub besides: Vec<String>,
}

/// Why there is no plan. It has been told already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlan {
    /// The command line is wrong, or asks for something that is not performed: help, `--explain`.
    Words,
    /// What the plan needs could not be had.
    Refused,
}
