//! `insula doctor`: what it finds changes with the machine that it is shown, line by line, and so does its exit code.

#[path = "../../../sys/examples/old-kernel/lacking.rs"]
#[expect(dead_code, reason = "its words are for people who call it")]
mod lacking;
#[path = "../../../sys/examples/old-kernel/program.rs"]
mod program;

mod changes;
mod filter;
mod report;
mod whole;
