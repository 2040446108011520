//! One namespace of a name.

use super::trouble::Stale;
use crate::id::Identity;
use insula_launch::plan::Kind;

/// How a namespace of a name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is the one that was named.
    Live,
    /// It is not there any more.
    Stale(Stale),
    /// We may not look.
    Unseen,
}

/// One namespace of a name.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its kind.
    pub kind: Kind,
    /// Which one it is.
    pub identity: Identity,
    /// How it was found.
    pub state: State,
}
