//! `insula-init`: the few instructions between the runtime and the program of a container.
//!
//! ```text
//! insula-init MODE REPORT FILTER PROGRAM ARGV0 [ARG...]
//! insula-init MODE-as REPORT FILTER ATTR LABEL PROGRAM ARGV0 [ARG...]
//! insula-init hold REPORT LIFELINE [SOCKET NAMESPACE...]
//! ```
//!
//! MODE `exec` becomes PROGRAM at once. MODE `init` stays as pid 1 of the container: it starts PROGRAM,
//! forwards signals to it, reaps what nobody waits for, and ends as PROGRAM ends. REPORT is the number of a
//! file descriptor that hears of a failed execve(2) (see `report`), or `-`. FILTER is `FD:COUNT:FLAGS`, a file with
//! the container's seccomp filter and what seccomp(2) wants to know, or `-`; behind it may stand `:SOCKET:STATE:LENGTH`, the
//! agent that is to get the listener, and what it is told with it (see `notify`). With `-as`, LABEL
//! is what AppArmor or SELinux is told by way of the directory ATTR (see `label`). The environment is PROGRAM's,
//! untouched. MODE `hold` runs no program: it holds namespaces that have a name, see `hold`.
//!
//! Why a file of its own, and not a mode of the runtime: `/proc/self/exe` of a process that runs an untrusted
//! program must never lead to a file of the host (CVE-2019-5736). This one lies in a sealed memfd, holds no
//! secret, and is small enough that a container pays two pages of memory for it.
//!
//! It is linked to nothing, allocates nothing and opens nothing. Exit codes of its own: 127 no such program,
//! 126 the program cannot be executed, 125 everything else (a wrong call, a system call forbidden by the
//! container's seccomp). The seccomp filter of the container may be in force here, from the beginning or from the moment
//! that we load it, so a step that can be done without is not insisted on.
#![no_std]
#![no_main]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod arch;
mod arguments;
mod filter;
mod hold;
mod label;
mod memory;
mod notify;
mod program;
mod report;
mod sharing;
mod signals;
mod start;
mod supervise;
mod syscall;

use arguments::{Arguments, Mode};
use filter::Filter;
use label::Label;
use report::EXIT_INTERNAL;

/// What `_start` calls, with the stack as execve(2) left it.
///
/// # Safety
/// `stack` is the initial stack pointer of the process: argc, argv, NULL, envp, NULL. `_start` in `start`
/// keeps this.
unsafe extern "C" fn main(stack: *const usize) -> ! {
    // Until the program runs, a process in the container with our uid could trace us and take the report fd.
    // A narrow gap stays between execve and here. It closes only if the memfd was unreadable for us at execve
    // (mode 0111, and no CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH effective then): the kernel then begins
    // undumpable, see PR_SET_DUMPABLE(2const).
    syscall::set_dumpable(false);
    // SAFETY: handed on from our own contract.
    let Some(arguments) = (unsafe { Arguments::read(stack) }) else { syscall::exit_group(EXIT_INTERNAL) };
    if let Err(errno) = arguments.report.close_on_exec() {
        // Better no program than a program that holds a line to the runtime.
        arguments.report.send(errno);
        syscall::exit_group(EXIT_INTERNAL);
    }
    match &arguments.mode {
        Mode::Exec(program, filter, label) => {
            Label::begin(*label, c"exec", arguments.report);
            Filter::begin(*filter, arguments.report);
            program.execve()
        }
        Mode::Init(program, filter, label) => supervise::run(program, *filter, *label, arguments.report),
        Mode::Hold(held) => hold::run(held, arguments.report),
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    syscall::exit_group(EXIT_INTERNAL)
}
