//! What came of an attempt, as data.

use super::attempt::Tried;
use super::obstacle::Obstacle;
use std::net::{IpAddr, SocketAddr};

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// The address and port that the rest is about; `None`: there is no address to try.
    pub destination: Option<SocketAddr>,
    /// What became of the attempt.
    pub tried: Tried,
    /// Other addresses that were tried without success.
    pub others: Vec<(SocketAddr, Tried)>,
    /// The device that it leaves A by.
    pub device: Option<String>,
    /// A's own address.
    pub source: Option<IpAddr>,
    /// The gateway.
    pub gateway: Option<IpAddr>,
    /// The names of the networks that it leads through, as far as the way was followed.
    pub way: Vec<String>,
    /// What stands in the way, what is met first first; empty where nothing was found, and where all is well.
    pub found: Vec<Found>,
    /// Of a datagram without an answer: somebody takes what comes for that port, and nothing was found in the way.
    pub is_taken: bool,
    /// What could not be looked at.
    pub notes: Vec<String>,
}

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What.
    pub obstacle: Obstacle,
    /// It is in the way of the answer.
    pub is_on_the_way_back: bool,
}

impl Report {
    /// Did whoever was meant answer?
    pub fn is_answered(&self) -> bool {
        matches!(self.tried, Tried::Answered { .. }) && self.found.is_empty()
    }

    /// Writes something down that stands in the way.
    pub(super) fn add(&mut self, obstacle: Obstacle, is_on_the_way_back: bool) {
        let found = Found { obstacle, is_on_the_way_back };
        // One that is met there and back is one.
        if !self.found.iter().any(|known| known.obstacle == found.obstacle) {
            self.found.push(found);
        }
    }
}
