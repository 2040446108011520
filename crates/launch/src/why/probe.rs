//! Something tried out in a child of ours that ends at once: what it does to itself ends with it.

use insula_sys::birth::{exit_now, fork};
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::convert::Infallible;
use std::fs::File;
use std::io::{Read as _, Write as _};

/// What `attempt` is answered there. `None`: it could not be tried.
pub fn tried(attempt: impl FnOnce() -> Result<(), Errno>) -> Option<Result<(), Errno>> {
    let born = fork(|| -> Infallible {
        exit_now(match attempt() {
            Ok(()) => 0,
            Err(errno) => errno.raw_os_error(),
        })
    });
    let pidfd = born.ok()?.pidfd;
    let code = loop {
        match waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED) {
            Err(Errno::INTR) => {}
            Err(_) => return None,
            Ok(status) => break status?.exit_status()?,
        }
    };
    Some(if code == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(code)) })
}

/// What is seen from there, as text.
pub fn told(look: impl FnOnce() -> Option<String>) -> Option<String> {
    let (from, to) = pipe_with(PipeFlags::CLOEXEC).ok()?;
    let mut text = String::new();
    tried(|| {
        let told = look().ok_or(Errno::NOENT)?;
        // It fits into the pipe: nobody reads yet.
        let line = told.get(..told.len().min(4096)).unwrap_or_default();
        File::from(to).write_all(line.as_bytes()).map_err(|_| Errno::IO)
    })?
    .ok()?;
    File::from(from).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_out_is_answered_and_leaves_nothing() {
        assert_eq!(tried(|| Ok(())), Some(Ok(())));
        assert_eq!(tried(|| Err(Errno::USERS)), Some(Err(Errno::USERS)));
        assert_eq!(told(|| Some("three words here".to_owned())).as_deref(), Some("three words here"));
        assert_eq!(told(|| None), None);
    }
}
