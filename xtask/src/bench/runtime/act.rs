//! The actions that are compared.

use super::bundle::Bundle;
use super::peer::Peer;
use crate::bench::measure::Steps;

/// What a row does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Run,
    Life,
    Start,
    Delete,
    State,
    Exec,
}

impl Act {
    pub const ALL: [Act; 6] = [Act::Run, Act::Life, Act::Start, Act::Delete, Act::State, Act::Exec];

    pub fn words(self) -> &'static str {
        match self {
            Act::Run => "run",
            Act::Life => "create, start, delete",
            Act::Start => "start",
            Act::Delete => "delete",
            Act::State => "state",
            Act::Exec => "exec",
        }
    }

    /// It is done with a container that runs all the time.
    pub fn wants_kept(self) -> bool {
        matches!(self, Act::State | Act::Exec)
    }

    pub fn steps(self, peer: &Peer, bundle: &Bundle) -> Steps {
        let path = bundle.path();
        let create = peer.words(&["create", "--bundle", &path, "x"]);
        let start = peer.words(&["start", "x"]);
        let delete = peer.words(&["delete", "x"]);
        let steps = Steps::default();
        match self {
            Act::Run => steps.command(&peer.words(&["run", "--bundle", &path, "x"])),
            Act::Life => steps.command(&create).command(&start).gather().command(&delete),
            Act::Start => steps.unseen(&create).command(&start).settle().unseen(&delete),
            Act::Delete => steps.unseen(&create).unseen(&start).settle().command(&delete),
            Act::State => steps.command(&peer.words(&["state", &peer.kept])),
            Act::Exec => steps.command(&peer.words(&["exec", &peer.kept, "/program"])),
        }
    }
}
