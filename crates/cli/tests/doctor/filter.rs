//! A command under a filter of system calls: this test's own program, started again, loads it and becomes the command.

use crate::lacking::NEWER_CALLS;
use crate::program;
use insula_sys::seccomp::{Flags, Instruction, load};
use rustix::io::Errno;
use std::os::unix::process::CommandExt;
use std::process::Command;

const FILTER: &str = "INSULA_TEST_FILTER";

/// Which calls are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Those that Linux 5.15 lacks.
    OldKernel,
    /// New namespaces, as Docker's default profile does it.
    NoNamespaces,
}

impl Filter {
    /// Puts a command under it.
    pub fn over(self, command: &Command) -> Command {
        let own = std::env::current_exe().expect("this test's own program");
        let mut over = Command::new(own);
        over.args(["--exact", "filter::become_the_command", "--nocapture", "--test-threads=1"]);
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        over.env(FILTER, format!("{self:?}\n{}", words.join("\n")));
        over
    }
}

#[test]
fn become_the_command() {
    let Ok(words) = std::env::var(FILTER) else { return };
    let mut words = words.lines();
    let program = match words.next() {
        Some("OldKernel") => {
            assert!(NEWER_CALLS.len() > 1);
            program::program(|row| row.errno)
        }
        _ => no_namespaces(),
    };
    if load(&program, Flags::default()).is_err_and(|errno| errno == Errno::ACCESS) {
        insula_sys::prctl::no_new_privs().expect("set no_new_privs");
        load(&program, Flags::default()).expect("load the filter");
    }
    let name = words.next().expect("a command");
    let error = Command::new(name).args(words).env_remove(FILTER).exec();
    panic!("execute `{name}`: {error}");
}

/// unshare(2) is EPERM, clone3(2) ENOSYS, clone(2) EPERM with a flag of a namespace.
fn no_namespaces() -> Vec<Instruction> {
    const NAMESPACES: u32 = 0x7e02_0080;
    let plain = |code, k| Instruction { code, jt: 0, jf: 0, k };
    let jump = |jt, jf, call: libc::c_long| Instruction {
        code: 0x15,
        jt,
        jf,
        k: u32::try_from(call).expect("a number of a call"),
    };
    let refusal = |errno: i32| plain(0x06, libc::SECCOMP_RET_ERRNO | errno.unsigned_abs());
    vec![
        plain(0x20, 0),
        jump(0, 1, libc::SYS_unshare),
        refusal(libc::EPERM),
        jump(0, 1, libc::SYS_clone3),
        refusal(libc::ENOSYS),
        jump(0, 3, libc::SYS_clone),
        plain(0x20, 16),
        Instruction { code: 0x45, jt: 0, jf: 1, k: NAMESPACES },
        refusal(libc::EPERM),
        plain(0x06, libc::SECCOMP_RET_ALLOW),
    ]
}
