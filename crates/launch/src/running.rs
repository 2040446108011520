//! What a launch that went well returns.

use crate::kit::Kit;
use crate::skipped::Skipped;
use rustix::fd::OwnedFd;

/// A process that has executed its program.
#[derive(Debug)]
pub struct Running {
    /// Its pid in our pid namespace.
    pub pid: i32,
    /// Its pidfd.
    pub pidfd: OwnedFd,
    /// What the steps left for the parent: the terminal's other end.
    pub kit: Kit,
    /// The namespaces that were only tried, and could not be had.
    pub skipped: Skipped,
}

/// How a plan that went well ends.
#[derive(Debug)]
pub(crate) enum Ended {
    /// A child has executed its program; in a rehearsal it has come to it, and has ended.
    Running(Running),
    /// A rehearsal in which this process itself has come to the program.
    Here(Skipped),
}
