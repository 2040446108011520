//! The tier of old kernels bites: under its filter the newer calls are refused as Linux 5.15 does, without it they are
//! not, and what 5.15 has is left alone.

#[path = "../examples/old-kernel/lacking.rs"]
mod lacking;
#[path = "../examples/old-kernel/program.rs"]
mod program;

use std::env;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::thread;

use insula_proof as proof;
use insula_sys::seccomp::{Flags, Instruction, load};
use lacking::{LACKING, LAST_CALL, Lacking, NEWER_CALLS, When};

/// What a call was answered: its result, or its errno below 0.
fn call(number: libc::c_long, arguments: [i64; 5]) -> i64 {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the calls of this file get numbers, null pointers, and pointers to what lives until the call is over.
    match unsafe { libc::syscall(number, a, b, c, d, e) } {
        -1 => -i64::from(std::io::Error::last_os_error().raw_os_error().expect("an errno")),
        done => done,
    }
}

/// Does it on a thread of its own that is under the filter: no other test is.
fn under<T: Send + 'static>(program: Vec<Instruction>, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        // An ordinary user must; it holds for this thread alone.
        insula_sys::prctl::no_new_privs().expect("PR_SET_NO_NEW_PRIVS");
        load(&program, Flags::default()).expect("load the filter");
        work()
    });
    thread.join().expect("the thread under the filter")
}

fn old_kernel() -> Vec<Instruction> {
    program::program(|row| row.errno)
}

/// Whether these tests themselves run in the tier.
fn in_the_tier() -> bool {
    env::var_os("INSULA_OLD_KERNEL").is_some()
}

/// The newer calls with null arguments, which none of them takes for anything that is done.
fn answers() -> Vec<(&'static str, i64)> {
    NEWER_CALLS.iter().map(|(number, name, _)| (*name, call((*number).into(), [0; 5]))).collect()
}

#[test]
fn the_newer_calls_are_unknown() {
    for (name, answer) in under(old_kernel(), answers) {
        assert_eq!(answer, -i64::from(libc::ENOSYS), "{name}");
    }
}

#[test]
fn the_tests_of_the_tier_are_in_the_tier() {
    if !in_the_tier() {
        proof::skip!("not the pass of old kernels");
    }
    for (name, answer) in answers() {
        assert_eq!(answer, -i64::from(libc::ENOSYS), "{name}");
    }
}

#[test]
fn without_the_filter_they_are_known() {
    let missing = i64::from(-libc::ENOSYS);
    // Those of this kernel, from 5.16 to the last that answers: none is missing between.
    let known = answers().iter().rposition(|(_, answer)| *answer != missing);
    let Some(known) = known else { proof::skip!("this kernel is an old one, or plays one") };
    let named = &answers()[..=known];
    // What may be configured out, or belongs to one architecture.
    let optional = |name: &str| {
        ["set_mempolicy_home_node", "cachestat", "map_shadow_stack"].contains(&name)
            || name.starts_with("lsm_")
    };
    for (name, answer) in named.iter().filter(|(name, _)| !optional(name)) {
        assert_ne!(*answer, missing, "{name}");
    }
}

/// An argument for which the condition holds.
fn example(when: &When) -> i64 {
    let lowest = 1_u32 << when.mask.trailing_zeros();
    i64::from(if when.mask == u32::MAX { when.first } else { when.first.max(lowest) })
}

fn example_of(row: &Lacking) -> [i64; 5] {
    let mut arguments = [0; 5];
    for when in row.when {
        arguments[when.argument as usize] = example(when);
    }
    arguments
}

/// Each row answers with an errno of its own here, so that no answer of the kernel is taken for the filter's.
#[test]
fn each_row_tells_its_calls() {
    let own = |row: &Lacking| {
        let index = LACKING.iter().position(|other| std::ptr::eq(other, row)).expect("a row of the table");
        3_000 + i32::try_from(index).expect("a short table")
    };
    let answers = under(program::program(own), || {
        LACKING.iter().map(|row| call(row.call, example_of(row))).collect::<Vec<_>>()
    });
    for (row, answer) in LACKING.iter().zip(answers) {
        assert_eq!(answer, i64::from(-own(row)), "{}", row.what);
    }
}

/// Bits in the high half of a register are none of the 32-bit arguments', neither for the kernel nor for the filter.
#[test]
fn the_high_half_of_an_argument_says_nothing() {
    let file = File::open("/proc/self/ns/uts").expect("open a namespace");
    let answers = under(old_kernel(), move || {
        let request = |request: i64| call(libc::SYS_ioctl, [file.as_raw_fd().into(), request, 0, 0, 0]);
        [request(0x1_0000_b703), request(0x1_0000_b70d)]
    });
    assert_eq!(answers, [i64::from(libc::CLONE_NEWUTS), i64::from(-libc::ENOTTY)]);
}

#[test]
fn a_skipped_call_and_the_last_known_one_pass() {
    let answers = under(old_kernel(), || {
        // process_mrelease of no pidfd; and -1, which a tracer sets, is ENOSYS by the kernel itself.
        [call(LAST_CALL.into(), [-1, 0, 0, 0, 0]), call(-1, [0; 5])]
    });
    assert_eq!(answers, [i64::from(-libc::EBADF), i64::from(-libc::ENOSYS)]);
}

/// One thing of 5.15 beside each row that could be drawn too wide.
#[test]
fn what_5_15_has_is_left_alone() {
    let done = under(old_kernel(), || {
        let own = i64::from(std::process::id());
        let pidfd = call(libc::SYS_pidfd_open, [own, libc::O_NONBLOCK.into(), 0, 0, 0]);
        let name = c"proof".as_ptr() as i64;
        let sealed = i64::from(libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING);
        let one = 1_i32;
        let option = &raw const one as i64;
        let (domain, stream) = (i64::from(libc::AF_UNIX), i64::from(libc::SOCK_STREAM));
        let socket = call(libc::SYS_socket, [domain, stream, 0, 0, 0]);
        let passed = [socket, libc::SOL_SOCKET.into(), libc::SO_PASSCRED.into(), option, 4];
        [
            ("pidfd_open", pidfd),
            ("pidfd_send_signal", call(libc::SYS_pidfd_send_signal, [pidfd, 0, 0, 0, 0])),
            ("memfd_create", call(libc::SYS_memfd_create, [name, sealed, 0, 0, 0])),
            ("prctl", call(libc::SYS_prctl, [libc::PR_GET_DUMPABLE.into(), 0, 0, 0, 0])),
            ("setsockopt", call(libc::SYS_setsockopt, passed)),
            ("unshare", call(libc::SYS_unshare, [libc::CLONE_FS.into(), 0, 0, 0, 0])),
        ]
    });
    for (name, answer) in done {
        assert!(answer >= 0, "{name}: {answer}");
    }
}

/// The rows that our code could come to rely on, each done with success without the filter.
#[test]
fn the_newer_flags_work_without_the_filter_and_not_under_it() {
    if in_the_tier() {
        proof::skip!("in the pass of old kernels there is no call without the filter");
    }
    let calls = || {
        let own = i64::from(std::process::id());
        let file = File::open("/proc/self/ns/net").expect("open a namespace");
        let pidfd = call(libc::SYS_pidfd_open, [own, 0, 0, 0, 0]);
        let mut id = 0_u64;
        let ioctl = |fd: i64, request: i64, at: i64| call(libc::SYS_ioctl, [fd, request, at, 0, 0]);
        let name = c"proof".as_ptr() as i64;
        [
            ("NS_GET_ID", ioctl(file.as_raw_fd().into(), 0x8008_b70d, &raw mut id as i64), libc::ENOTTY),
            ("PIDFD_GET_NET_NAMESPACE", ioctl(pidfd, 0xff04, 0), libc::ENOTTY),
            ("PIDFD_THREAD", call(libc::SYS_pidfd_open, [own, libc::O_EXCL.into(), 0, 0, 0]), libc::EINVAL),
            ("PIDFD_SIGNAL_*", call(libc::SYS_pidfd_send_signal, [pidfd, 0, 0, 2, 0]), libc::EINVAL),
            ("PIDFD_SELF", call(libc::SYS_pidfd_send_signal, [-10_000, 0, 0, 0, 0]), libc::EBADF),
            ("MFD_EXEC", call(libc::SYS_memfd_create, [name, 0x10, 0, 0, 0]), libc::EINVAL),
            ("PR_GET_MDWE", call(libc::SYS_prctl, [66, 0, 0, 0, 0]), libc::EINVAL),
        ]
    };
    let bare = thread::spawn(calls).join().expect("the calls");
    let under = under(old_kernel(), calls);
    for ((name, answer, _), (_, refused, errno)) in bare.into_iter().zip(under) {
        assert_eq!(refused, i64::from(-errno), "{name} under the filter");
        // On an older kernel both are refused.
        assert!(answer >= 0 || answer == refused, "{name} without it: {answer}");
    }
    let modern = bare.iter().filter(|(_, answer, _)| *answer >= 0).count();
    if modern == 0 {
        proof::skip!("this kernel is an old one");
    }
}
