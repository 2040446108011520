//! Namespaces as things of their own, namespaces(7): which one it is ([`id`]), where named ones live ([`name`]), which there
//! are ([`scan`]), how they are made ([`unshare`]) and entered ([`enter`]), how network namespaces get names that `ip` shares
//! ([`netns`]) and whole sets of any kind get theirs ([`names`]), how pids are translated ([`pids`]), which calls of any
//! program are refused ([`trace`]), and how a child in others is waited for ([`wait`]).
#![forbid(unsafe_code)]

pub mod compare;
pub mod detail;
pub mod doctor;
pub mod enter;
pub mod error;
pub mod id;
pub mod name;
pub mod names;
pub mod netns;
pub mod party;
pub mod pids;
pub mod process;
pub mod scan;
pub mod status;
pub mod subject;
pub mod trace;
pub mod unshare;
pub mod wait;
pub mod watch;
