//! An outer filter of system calls, as of a container or a service: proven, not supposed.

use crate::caller::{Caller, Ended, ended};
use crate::told::Told;
use insula_proof as proof;
use insula_sys::seccomp::{Flags, Instruction, load};
use rustix::io::Errno;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Which filter [`under_a_filter`] shall load, and the words of what it then becomes.
const FILTER: &str = "INSULA_CAUSES_FILTER";
const WORDS: &str = "INSULA_CAUSES_WORDS";

/// The bits of the first argument that are asked about, and the call; with none of them any such call is refused.
struct Refused(i64, u32, Errno);

fn filter(name: &str) -> Vec<Refused> {
    const NEW_NET: u32 = 0x4000_0000;
    match name {
        // Docker's profile for who has no CAP_SYS_ADMIN.
        "container" => vec![
            Refused(libc::SYS_unshare, 0, Errno::PERM),
            Refused(libc::SYS_setns, 0, Errno::PERM),
            Refused(libc::SYS_clone3, 0, Errno::NOSYS),
        ],
        // systemd's RestrictNamespaces=.
        "service" => vec![Refused(libc::SYS_unshare, NEW_NET, Errno::PERM)],
        _ => vec![Refused(libc::SYS_reboot, 0, Errno::PERM)],
    }
}

/// <linux/bpf_common.h>: load the word of `struct seccomp_data` at a place; jump if equal, if a bit is set; return.
fn program(rows: &[Refused]) -> Vec<Instruction> {
    const LOAD: u16 = 0x20;
    const EQUAL: u16 = 0x15;
    const ANY_BIT: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FIRST_ARGUMENT: u32 = 16;
    let plain = |code, k| Instruction { code, jt: 0, jf: 0, k };
    let mut program = Vec::new();
    for Refused(call, bits, errno) in rows {
        let number = u32::try_from(*call).expect("a call's number is small");
        let raw = u32::try_from(errno.raw_os_error()).expect("an errno is above 0");
        program.push(plain(LOAD, 0));
        if *bits == 0 {
            program.push(Instruction { code: EQUAL, jt: 0, jf: 1, k: number });
        } else {
            program.push(Instruction { code: EQUAL, jt: 0, jf: 3, k: number });
            program.push(plain(LOAD, FIRST_ARGUMENT));
            program.push(Instruction { code: ANY_BIT, jt: 0, jf: 1, k: *bits });
        }
        program.push(plain(RETURN, libc::SECCOMP_RET_ERRNO | raw));
    }
    program.push(plain(RETURN, libc::SECCOMP_RET_ALLOW));
    program
}

/// No test by itself: called with these variables it puts the filter before a command.
#[test]
fn under_a_filter() {
    let (Ok(name), Ok(words)) = (std::env::var(FILTER), std::env::var(WORDS)) else { return };
    insula_sys::prctl::no_new_privs().expect("set no_new_privs");
    load(&program(&filter(&name)), Flags::default()).expect("load the filter");
    let mut words = words.split('\n');
    let error = Command::new(words.next().unwrap_or_default()).args(words).env_remove(FILTER).exec();
    panic!("execute: {error}");
}

fn under(caller: &Caller, name: &str, words: &[&str]) -> Ended {
    let tests = std::env::current_exe().expect("the tests' own program");
    let mut command = caller.command(tests.to_str().expect("a path in UTF-8"));
    command.args(["--exact", "filter::under_a_filter", "--nocapture", "--test-threads=1"]);
    command.env(FILTER, name).env(WORDS, caller.words(words).join("\n"));
    ended(&mut command)
}

fn a_containers_filter_is_proven(caller: &Caller) {
    let calls: [(&[&str], &str); 3] = [
        (&["unshare", "--user", "true"], "answers unshare(2) in the kernel's place"),
        (&["unshare", "--fork", "true"], "answers clone3(2) in the kernel's place"),
        (&["run", "--", "true"], "answers clone3(2) in the kernel's place"),
    ];
    for (words, cause) in calls {
        Told::by(&under(caller, "container", words)).is(cause, "seccomp=unconfined");
        let other = under(caller, "another", words);
        assert!(!other.err.contains("seccomp"), "{words:?}: {other:?}");
    }
    let pid = std::process::id().to_string();
    if caller.is_root() {
        let words = ["nsenter", "--target", &pid, "--net", "--no-fork", "true"];
        Told::by(&under(caller, "container", &words)).is("answers setns(2)", "seccomp=unconfined");
    }
}

fn a_services_filter_of_one_kind_is_proven(caller: &Caller) {
    let words = ["unshare", "--user", "--net", "true"];
    Told::by(&under(caller, "service", &words)).is("answers unshare(2)", "RestrictNamespaces=");
    let allowed = under(caller, "service", &["unshare", "--user", "--uts", "true"]);
    assert_eq!((allowed.code(), allowed.err.as_str()), (0, ""));
}

/// A process under a filter that has nothing to do with it gets the real cause.
fn a_filter_is_not_blamed_for_what_the_kernel_refuses(caller: &Caller) {
    let words = ["unshare", "--user", "--", &caller.words(&[])[0], "unshare", "--net", "true"];
    Told::by(&under(caller, "another", &words)).is("wants CAP_SYS_ADMIN", "be root there");
}

// The tests' program may be closed to another user.
#[test]
fn by_who_runs_the_tests() {
    let caller = match proof::id::is_root() {
        true => Caller::root(),
        false => Caller::user(),
    };
    let caller = proof::or_skip!(caller);
    a_containers_filter_is_proven(&caller);
    a_services_filter_of_one_kind_is_proven(&caller);
    a_filter_is_not_blamed_for_what_the_kernel_refuses(&caller);
}
