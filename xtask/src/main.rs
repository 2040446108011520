//! The developers' door: `cargo xtask build`, `run`, `check`, `test`, `laws`, `bench`.
#![forbid(unsafe_code)]

mod bench;
mod build;
mod built;
mod check;
mod init;
mod laws;
mod mutate;
mod old_kernel;
mod room;
mod stop;
mod suite;
mod syscalls;
mod tell;
mod tree;
mod vm;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use crate::stop::Stop;

const USAGE: &str = "\
cargo xtask build [--release|--dist|--debug]   build insula, static where there is a static libc; print its path
cargo xtask run [--dist|--debug] [--] ARGS…    build it, then `insula run ARGS…`
cargo xtask check [--fast]                     formatting, clippy, laws, build, all tests, and those of the kernel once
                                               more as on Linux 5.15; --fast: without the slow ones, and only once
cargo xtask test [--fast] [--as USER] [--old-kernel] [ARGS…]
                                               only the tests; --as: the integration tests, as that user (from root);
                                               --old-kernel: those of the kernel, as on Linux 5.15
cargo xtask old-kernel [--] COMMAND…           one command as on Linux 5.15: newer system calls are refused
cargo xtask vm [--kernel 6.1|6.12|newest|all] [--as root|user|both] [--accel kvm|tcg] [--fresh]
               [-p NAME] [--test NAME] [--sh SCRIPT] [-- WORDS…]
                                               the tests of the kernel in a virtual machine (docs/vm.md);
                                               --sh: in place of the tests, a script in it
cargo xtask laws                               only the laws of the tree
cargo xtask mutate [WORD]                      leave out the step of each clause of docs/spec-conformance.md; its test
                                               must fail (root)
cargo xtask bench [run|faces|names|runtime] [--rounds N] [--idle-ms N] [--look v1|v2] [--quick]
                                               what insula costs, beside others (root)
cargo xtask syscalls LIST                      write the seccomp compiler's table of system calls from a list of numbers
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let Some((verb, rest)) = words.split_first() else {
        tell::complain(USAGE);
        return ExitCode::from(2);
    };
    let done = match verb.as_str() {
        "build" => build::command(rest),
        "run" => build::run(&arguments[1..]),
        "check" => check::command(rest),
        "test" => suite::command(rest),
        "old-kernel" => old_kernel::command(&arguments[1..]),
        "laws" => laws::command(),
        "mutate" => mutate::command(rest),
        "bench" => bench::command(rest),
        "syscalls" => syscalls::command(rest),
        "vm" => vm::command(rest),
        vm::SERVICE => vm::service(),
        vm::TESTS => vm::tests_inside(),
        room::INSIDE => room::inside(&arguments[1..]),
        "help" | "--help" | "-h" => {
            tell::say(USAGE);
            Ok(())
        }
        _ => Err(Stop::Usage(format!("no such task: `{verb}`"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Code(code)) => ExitCode::from(code),
        Err(Stop::Failed(words)) => {
            tell::complain(&format!("xtask: {words}\n"));
            ExitCode::FAILURE
        }
        Err(Stop::Usage(words)) => {
            tell::complain(&format!("xtask: {words}\n{USAGE}"));
            ExitCode::from(2)
        }
    }
}
