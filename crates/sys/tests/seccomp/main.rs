//! A filter is loaded, with its listener where it is asked for; and what the kernel does not take is refused.

mod filter;

use std::thread;

use insula_proof as proof;
use insula_sys::prctl;
use insula_sys::seccomp::{Flags, load};
use rustix::io::Errno;

use filter::{ALLOW, instruction, one_refused, unused};

/// On a thread of its own, which may load filters.
fn alone<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(|| {
        prctl::no_new_privs().expect("PR_SET_NO_NEW_PRIVS");
        work()
    });
    thread.join().expect("the thread")
}

#[test]
fn a_filter_answers_its_thread_and_no_other() {
    assert_eq!(unused(), Some(libc::ENOSYS));
    let (loaded, answer) = alone(|| (load(&one_refused(), Flags::default()), unused()));
    assert!(matches!(loaded, Ok(None)), "{loaded:?}");
    assert_eq!(answer, Some(libc::EXDEV));
    assert_eq!(unused(), Some(libc::ENOSYS));
}

#[test]
fn the_listener_closes_on_exec() {
    let listener = alone(|| load(&one_refused(), Flags::NEW_LISTENER.and(Flags::LOG)));
    let listener = listener.expect("load").expect("a listener");
    let flags = rustix::io::fcntl_getfd(&listener).expect("F_GETFD");
    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
}

#[test]
fn what_is_no_program_is_refused() {
    let long = vec![instruction(0x06, ALLOW, 0); 4_097];
    let beyond = vec![instruction(0x06, ALLOW, 0); 65_537];
    let endless = [instruction(0x20, 0, 0)];
    let outside = [instruction(0x20, 64, 0), instruction(0x06, ALLOW, 0)];
    for program in [vec![], long, beyond, endless.to_vec(), outside.to_vec()] {
        let length = program.len();
        let refused = alone(move || load(&program, Flags::default()).map(drop));
        assert_eq!(refused, Err(Errno::INVAL), "{length} instructions");
    }
}

#[test]
fn a_thread_without_privileges_needs_no_new_privs() {
    let thread = thread::spawn(|| {
        prctl::capset(0, 0, 0).expect("give up the capabilities");
        let without = load(&one_refused(), Flags::default()).map(drop);
        prctl::no_new_privs().expect("PR_SET_NO_NEW_PRIVS");
        (without, load(&one_refused(), Flags::default()).map(drop))
    });
    let (without, with) = thread.join().expect("the thread");
    assert_eq!(with, Ok(()));
    if std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("NoNewPrivs:\t1")) {
        proof::skip!("these tests run with no_new_privs themselves");
    }
    assert_eq!(without, Err(Errno::ACCESS));
}
