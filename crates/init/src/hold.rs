//! MODE hold: holds namespaces that have a name, as pid 1 of their pid namespace where they have one.
//!
//! ```text
//! insula-init hold REPORT LIFELINE [SOCKET NAMESPACE...]
//! ```
//!
//! LIFELINE is the end of a pipe from the command that makes the name: one byte says that the name is made,
//! and its end before that, that the command was killed; then nobody knows of us, and we end. SOCKET is a
//! listening unix socket: whoever connects and has our own user id gets a byte, and with it the NAMESPACE
//! descriptors. Nobody else gets anything, and nobody can make us wait.
//!
//! It reaps by ignoring SIGCHLD, so that orphans do not even wake it, and ends at SIGTERM, unless a process of
//! its own pid namespace sent it.
use crate::report::{EXIT_INTERNAL, Report};
use crate::signals;
use crate::syscall::{self, Errno, MOST_FDS, POLLIN, PollFd};

const EINTR: Errno = 4;

/// The descriptors that we live by; -1: there is none.
pub struct Held {
    /// LIFELINE
    pub lifeline: i32,
    /// SOCKET
    pub socket: i32,
    /// NAMESPACE...
    pub namespaces: [i32; MOST_FDS],
    /// How many of them there are.
    pub count: usize,
}

/// Holds, until SIGTERM or SIGKILL.
pub fn run(held: &Held, report: Report) -> ! {
    // Blocked, a signal wakes nobody but who waits for it; to pid 1 the others would be nothing anyway.
    let prepared = signals::set_mask(signals::ALL)
        .and_then(|()| syscall::ignore(signals::SIGCHLD))
        .and_then(|()| syscall::signalfd(1 << (signals::SIGTERM - 1)));
    let term = match prepared {
        Ok(term) => term,
        Err(errno) => {
            report.send(errno);
            syscall::exit_group(EXIT_INTERNAL)
        }
    };
    // Nothing to take from us that is not to be had: an ordinary process in /proc again.
    syscall::set_dumpable(true);
    syscall::set_name(c"insula-hold");
    report.close();
    if !is_made(held.lifeline) {
        syscall::exit_group(0);
    }
    syscall::close(held.lifeline);
    // No terminal and no pipe of whoever called: that they are closed is seen at their other ends.
    for stream in 0..3 {
        syscall::close(stream);
    }
    wait(held, term)
}

/// Waits for the word that the name is made.
fn is_made(lifeline: i32) -> bool {
    let mut byte = [0];
    loop {
        match syscall::read(lifeline, &mut byte) {
            Err(EINTR) => {}
            read => return read == Ok(1),
        }
    }
}

fn wait(held: &Held, term: i32) -> ! {
    let one = |fd| PollFd { fd, events: POLLIN, revents: 0 };
    loop {
        let mut both = [one(term), one(held.socket)];
        match syscall::poll(&mut both) {
            Ok(_) | Err(EINTR) => {}
            // A seccomp filter forbids it: better no name than one that eats a processor.
            Err(_) => syscall::exit_group(EXIT_INTERNAL),
        }
        if both[0].revents != 0 && is_from_outside(term) {
            syscall::exit_group(0);
        }
        if both[1].revents != 0 {
            serve(held);
        }
    }
}

/// Reads a SIGTERM. One of a process in our own pid namespace is not for it to send: what happens inside must
/// not take the name away. (Where we are not pid 1 there is no inside.)
fn is_from_outside(term: i32) -> bool {
    // 0: the sender has no pid here.
    syscall::read_signal(term).is_ok_and(|sender| syscall::getpid() != 1 || sender == 0)
}

/// Gives the namespaces to one who asks, if it is our own user.
fn serve(held: &Held) {
    let Ok(peer) = syscall::accept(held.socket) else { return };
    if syscall::peer_uid(peer) == Ok(syscall::geteuid()) {
        // Who does not take it has not asked in earnest.
        let _ = syscall::send_fds(peer, held.namespaces, held.count);
    }
    syscall::close(peer);
}
