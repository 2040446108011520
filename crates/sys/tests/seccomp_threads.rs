//! A filter for all threads of a process: alone in its process, as it stays until the end.

#[path = "seccomp/filter.rs"]
mod filter;

use std::sync::mpsc;
use std::thread;

use insula_sys::prctl;
use insula_sys::seccomp::{Flags, load};
use rustix::io::Errno;

use filter::{instruction, one_refused, unused};

#[test]
fn all_threads_get_it_or_none() {
    let (go, waits) = mpsc::channel::<()>();
    let (loaded, wait_for_it) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        waits.recv().expect("the first word");
        let hindered = unused();
        // A filter of its own, which allows all: from now on this thread cannot be given another's.
        prctl::no_new_privs().expect("PR_SET_NO_NEW_PRIVS");
        let all = [instruction(0x06, filter::ALLOW, 0)];
        drop(load(&all, Flags::default()).expect("load"));
        loaded.send(()).expect("the test waits");
        waits.recv().expect("the second word");
        (hindered, unused())
    });
    prctl::no_new_privs().expect("PR_SET_NO_NEW_PRIVS");
    drop(load(&one_refused(), Flags::ALL_THREADS).expect("load for all"));
    go.send(()).expect("the thread waits");
    wait_for_it.recv().expect("the thread goes on");
    let refused = load(&one_refused(), Flags::ALL_THREADS).map(drop);
    assert_eq!(refused, Err(Errno::SRCH), "not all of them can have it");
    go.send(()).expect("the thread waits");
    let exdev = Some(libc::EXDEV);
    assert_eq!(other.join().expect("the other thread"), (exdev, exdev));
}
