//! The rules of nftables in a network namespace, and what becomes of a packet under them: nft(8).
//!
//! The iptables commands of today (iptables-nft) write the same rules. Rules are read with CAP_NET_ADMIN alone. Of what a
//! rule may test we know what decides about a first packet: protocol, addresses, port, devices, state of the connection;
//! what else it tests may hold or not, and then the answer says so.

mod fate;
mod read;
mod rule;

pub use fate::{Blocked, fate};
pub use read::{Ruleset, load};
pub use rule::{Chain, Hook, Packet, Rule};
