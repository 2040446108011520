//! `insula`: Linux namespaces, from building blocks to apps. The command word is dispatched before any table is built.
#![forbid(unsafe_code)]

mod accounts;
mod cgroup;
mod doctor;
mod face;
mod filter;
mod link;
mod lsns;
mod netns;
mod ns;
mod nsenter;
mod parse;
mod planned;
mod run;
mod table;
mod tell;
mod unshare;
mod value;
mod why;
mod words;

/// In debug builds every allocation between birth and exec aborts, so that tests prove that there is none.
#[cfg(debug_assertions)]
#[global_allocator]
static GUARD: insula_sys::guard_alloc::Guard = insula_sys::guard_alloc::Guard;

fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next();
    words::dispatch(called.as_deref(), arguments.collect())
}
