//! Where a probe runs: a process that is thrown away, with a limit of time.

use super::answer::{Answer, State};
use insula_sys::birth::{self, Born};
use insula_sys::signal::pidfd_send_signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, setpgid, waitid};
use std::convert::Infallible;
use std::time::Duration;

/// How long a probe may take. Mostly it is less than a millisecond; a machine with much to do has its time.
const LIMIT: Duration = Duration::from_secs(2);

/// What separates the parts of an answer on its way out of the room.
const SEPARATOR: char = '\u{1f}';

/// The answer of a probe that runs in a process of its own. What it does to itself (namespaces, mounts, filters) ends
/// with it; so does what it begets, for its whole process group is killed.
pub fn apart(probe: impl FnOnce() -> Answer) -> Answer {
    let (ours, theirs) = match pipe_with(PipeFlags::CLOEXEC) {
        Ok(ends) => ends,
        Err(errno) => return unknown("make a pipe", errno),
    };
    let mut theirs = Some(theirs);
    let born = birth::plain_fork(|| inside(probe, theirs.as_ref()));
    drop(theirs.take());
    match born {
        Ok(born) => outcome(&ours, &born),
        Err(errno) => unknown("make a process to try it in", errno),
    }
}

fn unknown(what: &str, errno: Errno) -> Answer {
    Answer::unknown(format!("{what}: {}", insula_launch::error::Named(errno)))
}

/// The child's life.
fn inside(probe: impl FnOnce() -> Answer, to: Option<&OwnedFd>) -> Infallible {
    // Whoever asks may be killed; nothing of the room shall outlive that. (SIGKILL is 9 everywhere.)
    let _ = insula_sys::prctl::death_signal(9);
    let _ = setpgid(None, None);
    let answer = probe();
    let fix = answer.fix.unwrap_or_default();
    let text = format!("{}{SEPARATOR}{}{SEPARATOR}{fix}", answer.state.name(), answer.found);
    if let Some(to) = to {
        // It fits into the pipe; nobody listens if we have taken too long.
        let _ = rustix::io::write(to, text.as_bytes());
    }
    birth::exit_now(0)
}

/// Reads what the child says, in one piece, for so long as it may take; then it is gone in any case.
fn outcome(from: &OwnedFd, born: &Born) -> Answer {
    let timeout = Timespec::try_from(LIMIT).unwrap_or(Timespec { tv_sec: 2, tv_nsec: 0 });
    let ready = loop {
        match poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&timeout)) {
            Err(Errno::INTR) => {}
            ready => break ready,
        }
    };
    let mut text = [0; 4096];
    let said = if ready == Ok(1) { rustix::io::read(from, &mut text) } else { Ok(0) };
    // The child is not waited for yet, so that the number of its group cannot be another's.
    if let Some(group) = Pid::from_raw(born.pid) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = pidfd_send_signal(born.pidfd.as_fd(), 9);
    let _ = waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED);
    match (ready, said) {
        (Ok(0), _) => Answer::unknown(format!("no answer within {} s", LIMIT.as_secs())),
        (_, Ok(length)) => parsed(&String::from_utf8_lossy(&text[..length])),
        (_, Err(errno)) => unknown("hear the answer", errno),
    }
}

fn parsed(text: &str) -> Answer {
    let mut parts = text.splitn(3, SEPARATOR);
    let state = parts.next().and_then(|name| {
        [State::Works, State::Limited, State::Missing, State::Unknown]
            .into_iter()
            .find(|state| state.name() == name)
    });
    let (Some(state), Some(found), Some(fix)) = (state, parts.next(), parts.next()) else {
        return Answer::unknown("the process that tried it was killed");
    };
    Answer {
        state,
        found: found.to_owned(),
        fix: (!fix.is_empty()).then(|| fix.to_owned()),
        ways: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_out_of_the_room_as_it_was() {
        let answer = Answer::limited("half of it\nworks").fix("do this: \u{1e}");
        assert_eq!(parsed("limited\u{1f}half of it\nworks\u{1f}do this: \u{1e}"), answer);
        assert_eq!(parsed("works\u{1f}yes\u{1f}"), Answer::works("yes"));
        assert_eq!(parsed("wor").state, State::Unknown);
    }
}
