//! Which system call of a program was refused: the program runs as it would, and is traced with all that it begets.
//!
//! [`run`] starts it and keeps a [`Record`]; [`verdict()`] judges which refused call has most likely been fatal. The causes
//! are found while the thread is stopped at the end of its call.

mod attempt;
mod book;
mod decode;
pub mod errno;
mod flags;
mod memory;
mod netlink;
mod place;
mod privilege;
mod reason;
mod record;
mod start;
mod table;
mod tracer;
mod verdict;

pub use record::{End, Found, Outcome, Process, Record, Refused, Untraced};
pub use start::{Request, run};
pub use table::Family;
pub use verdict::{Certainty, verdict};
