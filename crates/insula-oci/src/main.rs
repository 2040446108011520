//! `insula-oci`: the OCI runtime as a program of its own, with the command line of runc.
#![forbid(unsafe_code)]

/// In debug builds every allocation between birth and exec aborts, so that tests prove that there is none.
#[cfg(debug_assertions)]
#[global_allocator]
static GUARD: insula_sys::guard_alloc::Guard = insula_sys::guard_alloc::Guard;

fn main() -> std::process::ExitCode {
    insula_oci_runtime::go(std::env::args_os().skip(1).collect())
}
