//! What the tests stand on: needs and skips, ordinary users, scratch directories, and the check that nothing is left.
//!
//! A test says first what it needs, and is recorded as skipped, not as passed, where the machine cannot give it:
//!
//! ```no_run
//! # use insula_proof as proof;
//! fn a_container_sees_its_own_hostname() {
//!     proof::need!(root, program "unshare");
//!     let mark = proof::census::Mark::new();
//!     let before = proof::census::Census::take(&mark, &[]);
//!     let mut run = proof::insula();
//!     mark.on(run.args(["run", "--", "hostname"]));
//!     // …
//!     before.assert_equal_within(std::time::Duration::from_secs(5));
//! }
//! ```
#![forbid(unsafe_code)]

pub mod binary;
pub mod census;
pub mod id;
pub mod need;
mod one_cpu;
mod patience;
mod process;
pub mod scratch;
pub mod skip;
pub mod snapshot;
pub mod user;

pub use binary::insula;
pub use census::alone;
pub use one_cpu::ON_ONE_CPU;
pub use patience::patience;
pub use scratch::Scratch;
pub use user::Ordinary;
