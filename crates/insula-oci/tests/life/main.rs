//! A container's life by the command line: what each command does to the kernel, what it prints, how it ends, and what it
//! leaves. As root, and as an ordinary user, each test with a state root and a bundle of its own.
#![forbid(unsafe_code)]

mod clauses;
mod deaths;
mod devices;
mod exec;
mod hooks;
mod labels;
mod looks;
mod maps;
mod notify;
mod pidfds;
mod ramdisk;
mod refusals;
mod room;
mod shield;
mod users;
mod verbs;
