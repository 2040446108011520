//! Named network namespaces, ip-netns(8): files in /run/netns on which a namespace is mounted, shared with `ip`.
//!
//! [`directory`] is the place and its lock, [`pin`] gives names, [`delete`] takes them away; [`ids`] and [`processes`] say
//! what has a name; [`exec`] compiles the plan by which a program runs in one.

pub mod delete;
pub mod directory;
pub mod exec;
pub mod ids;
pub mod inside;
pub(crate) mod leftover;
pub mod monitor;
pub mod pin;
pub mod processes;
pub mod view;
