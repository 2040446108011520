//! Between `create` and `start`, two processes of the runtime that never meet: the container's process waits on a FIFO for
//! the word to go, and tells on another what came of it. Both lie in the container's state directory.
//!
//! ```text
//! start ──► go      'S'
//! start ◄── answer  'X'                                 past the last step: about to execute
//!                   'F' rest call errno length text     a step failed: four u32, little endian, then what the kernel said
//!                   'E' errno                           the init could not execute the program: i32, little endian
//!                   'S' errno                           the init could not load the filter
//!                   'N' errno                           the init could not send the filter's listener to its agent
//!                   'L' errno                           the init could not set the program's label
//!                   end of file                         after 'X': the program runs; without: the process was killed
//! ```
//!
//! FIFOs and not a socket, because they take nothing but read(2) and write(2), which no system call filter that is already
//! in force can well forbid. The waiting process holds both open for reading and writing, so that its read has no end of
//! file, and its end alone is the end of the answer's writers: who opens the answer and reads nothing learns that it waits.

use crate::error::{CHILD_FAILED, Failure, How, Place};
use crate::fault::{Call, Fault};
use crate::plan::Plan;
use crate::slate::{Slate, TEXT_BYTES};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

/// The word to go.
pub const GO: u8 = b'S';
const EXECUTING: u8 = b'X';
const FAILED: u8 = b'F';
const EXEC_FAILED: u8 = b'E';
const FILTER_FAILED: u8 = b'S';
const AGENT_FAILED: u8 = b'N';
const LABEL_FAILED: u8 = b'L';
/// The byte, four numbers, the text: less than PIPE_BUF, so that it is written whole.
const MOST_BYTES: usize = 1 + 4 * 4 + TEXT_BYTES;

/// What became of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The program runs, or has run.
    Executed,
    /// A step failed.
    Failed {
        /// How many steps of the plan were left, it included: what stands before the wait may differ in a plan that is
        /// compiled again.
        rest: usize,
        /// What failed in it.
        fault: Fault,
        /// What the kernel said.
        said: Option<String>,
    },
    /// The program could not be executed.
    ExecFailed(Errno),
    /// The init could not do what a step left to it.
    InitFailed(Fault),
    /// The process was killed before it came so far.
    Gone,
}

/// Child: "about to execute."
pub(crate) fn executing(answer: BorrowedFd<'_>) {
    // If it cannot be written, the start is told that the process is gone, which is worse than true and not false.
    let _ = rustix::io::write(answer, &[EXECUTING]);
}

/// Child: "this step failed so." Allocates nothing.
pub(crate) fn failed(answer: BorrowedFd<'_>, rest: usize, fault: Fault, slate: &Slate) {
    let mut bytes = [0u8; MOST_BYTES];
    bytes[0] = FAILED;
    let length = slate.copy_text(&mut bytes[17..]);
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let numbers =
        [number(rest), fault.call as u32, fault.errno.raw_os_error().unsigned_abs(), number(length)];
    for (place, value) in bytes[1..17].chunks_exact_mut(4).zip(numbers) {
        place.copy_from_slice(&value.to_le_bytes());
    }
    // Nobody else could be told.
    let _ = rustix::io::write(answer, &bytes[..17 + length]);
}

/// Does the process still wait? `answer` is the FIFO opened for reading, without blocking.
pub fn is_waiting(answer: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut byte = [0u8; 1];
    loop {
        match rustix::io::read(answer, &mut byte) {
            Err(Errno::AGAIN) => return Ok(true),
            Err(Errno::INTR) => {}
            Ok(_) => return Ok(false),
            Err(errno) => return Err(errno),
        }
    }
}

/// Says the word, and waits for what comes of it. `go` is the FIFO opened for writing, `answer` for reading, both without
/// blocking.
pub fn start(go: BorrowedFd<'_>, answer: BorrowedFd<'_>) -> Result<Answer, Errno> {
    match rustix::io::write(go, &[GO]) {
        Ok(_) => {}
        Err(Errno::PIPE) => return Ok(Answer::Gone),
        Err(errno) => return Err(errno),
    }
    let mut bytes = [0u8; 1 + MOST_BYTES];
    let mut length = 0;
    loop {
        let mut one = [PollFd::from_borrowed_fd(answer, PollFlags::IN)];
        match poll(&mut one, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        match rustix::io::read(answer, &mut bytes[length..]) {
            Ok(0) => return Ok(read(&bytes[..length])),
            Ok(more) => length += more,
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        if length == bytes.len() {
            return Ok(read(&bytes));
        }
    }
}

/// What the bytes say; it is the child who wrote them, so that nothing in them is believed unchecked.
fn read(bytes: &[u8]) -> Answer {
    let errno = |raw: u32| {
        let raw = i32::try_from(raw).ok().filter(|raw| (1..4096).contains(raw));
        raw.map_or(Errno::IO, Errno::from_raw_os_error)
    };
    let (executing, rest) = match bytes {
        [EXECUTING, rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    match rest {
        [] if executing => Answer::Executed,
        [kind @ (EXEC_FAILED | FILTER_FAILED | AGENT_FAILED | LABEL_FAILED), a, b, c, d] => {
            let errno = errno(u32::from_le_bytes([*a, *b, *c, *d]));
            match *kind {
                EXEC_FAILED => Answer::ExecFailed(errno),
                FILTER_FAILED => Answer::InitFailed(Fault { call: Call::Seccomp, errno }),
                LABEL_FAILED => Answer::InitFailed(Fault { call: Call::Label, errno }),
                _ => Answer::InitFailed(Fault { call: Call::Agent, errno }),
            }
        }
        [FAILED, rest @ ..] if rest.len() >= 16 => {
            let (numbers, text) = rest.split_at(16);
            let number = |i: usize| {
                let mut four = [0u8; 4];
                four.copy_from_slice(&numbers[i * 4..i * 4 + 4]);
                u32::from_le_bytes(four)
            };
            let text = &text[..text.len().min(number(3) as usize)];
            let said = String::from_utf8_lossy(text).trim().to_owned();
            let fault = Fault { call: Call::from_number(number(1)), errno: errno(number(2)) };
            Answer::Failed { rest: number(0) as usize, fault, said: (!said.is_empty()).then_some(said) }
        }
        _ => Answer::Gone,
    }
}

/// The failure that an answer tells of, in the words of the plan that the process walks; `None`: the program runs.
pub fn failure(plan: &Plan, answer: Answer) -> Option<Failure> {
    let last = plan.steps.len().saturating_sub(1);
    match answer {
        Answer::Executed => None,
        Answer::Failed { rest, fault, said } => {
            let step = plan.steps.len().saturating_sub(rest).min(last);
            Some(Failure::at_step(plan, step, How::Call(fault), said))
        }
        Answer::ExecFailed(errno) => {
            Some(Failure::at_step(plan, last, How::Call(Fault { call: Call::Execve, errno }), None))
        }
        Answer::InitFailed(fault) => {
            let step = plan.left_to_init(fault.call).unwrap_or(last);
            Some(Failure::at_step(plan, step, How::Call(fault), None))
        }
        Answer::Gone => Some(Failure {
            place: Place::Prepare("start the program"),
            what: "start".to_owned(),
            how: How::Gone(CHILD_FAILED),
            found: None,
            said: Some("it was killed while it waited".to_owned()),
            hint: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use rustix::pipe::pipe;

    #[test]
    fn what_the_child_tells_is_what_is_heard() {
        let slate = Slate::new().unwrap();
        slate.note(b"no such thing");
        let (hear, tell) = pipe().unwrap();
        let fault = Fault { call: Call::Setresuid, errno: Errno::INVAL };
        failed(tell.as_fd(), 17, fault, &slate);
        let mut bytes = [0u8; MOST_BYTES];
        let length = rustix::io::read(&hear, &mut bytes).unwrap();
        let said = Some("no such thing".to_owned());
        assert_eq!(read(&bytes[..length]), Answer::Failed { rest: 17, fault, said });
    }

    #[test]
    fn an_end_is_an_execution_only_behind_the_mark() {
        assert_eq!(read(b"X"), Answer::Executed);
        assert_eq!(read(b""), Answer::Gone);
        assert_eq!(read(b"XE\x02\0\0\0"), Answer::ExecFailed(Errno::NOENT));
        assert_eq!(read(b"E\x02\0\0\0"), Answer::ExecFailed(Errno::NOENT));
        let left = |call, errno| Answer::InitFailed(Fault { call, errno });
        assert_eq!(read(b"XS\x0d\0\0\0"), left(Call::Seccomp, Errno::ACCESS));
        assert_eq!(read(b"XN\x20\0\0\0"), left(Call::Agent, Errno::PIPE));
        assert_eq!(read(b"XL\x02\0\0\0"), left(Call::Label, Errno::NOENT));
    }

    #[test]
    fn whatever_the_bytes_are_the_answer_is_bounded() {
        for length in 0..40 {
            for byte in [0u8, 0xff, b'F', b'X', b'E'] {
                if let Answer::Failed { said, .. } = read(&vec![byte; length]) {
                    assert!(said.is_none_or(|said| said.len() < 200));
                }
            }
        }
        assert_eq!(read(b"E\xff\xff\xff\xff"), Answer::ExecFailed(Errno::IO));
    }
}
