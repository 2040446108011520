//! Network devices, their addresses and routes, and the ids of network namespaces: a synchronous rtnetlink(7) of our own.
//!
//! A [`Socket`](socket::Socket) talks to the kernel about one network namespace. Above it each noun has a module: [`link`],
//! [`address`], [`route`], [`nsid`]; [`moving`] takes a device to another namespace with what it has, and [`physical`]
//! tells which devices a namespace must not be deleted with. [`reach`] tries a connection between two namespaces and finds
//! out what stands in the way. Why it is our own: `docs/design/008-netlink.md`.
#![forbid(unsafe_code)]

pub mod address;
pub mod error;
pub mod firewall;
pub mod link;
pub mod listener;
pub mod lookup;
#[cfg(test)]
mod mangle;
mod message;
pub mod moving;
pub mod name;
pub mod neighbour;
pub mod netconf;
pub mod network;
pub mod nsid;
mod number;
pub mod physical;
pub mod prefix;
pub mod reach;
pub mod route;
pub mod socket;
pub mod visit;
