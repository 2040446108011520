//! The start of a traced program: it is born, waits until we are its tracer, and is executed.

use super::place::link;
use super::record::{End, Process, Record, Untraced};
use super::tracer::{Tracer, heard};
use crate::error::Error;
use insula_launch::step::Execvp;
use insula_sys::birth::{Born, exit_now, fork};
use insula_sys::{ptrace, signal};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};
use std::convert::Infallible;
use std::ffi::CString;
use std::fs;

/// Exit code of a child that could not execute the program. The record says why.
const NOT_EXECUTED: i32 = 127;

/// What is to run.
#[derive(Debug)]
pub struct Request {
    /// The program and its arguments.
    pub words: Vec<CString>,
    /// Its environment.
    pub environment: Vec<CString>,
    /// The value of `PATH`.
    pub path: Option<CString>,
    /// Every failed call is told.
    pub all: bool,
}

/// Runs it to its end.
pub fn run(request: Request) -> Result<Record, Error> {
    let name = request.words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let missing =
        || Error::Asked { what: "why".to_owned(), reason: "a program is missing".to_owned(), hint: None };
    let program =
        Execvp::new(request.words, request.environment, request.path.as_deref()).ok_or_else(missing)?;
    let failed = |what: &'static str| {
        let name = name.clone();
        move |errno| Error::File(what, name, errno)
    };
    let io = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let (go, give) = pipe_with(PipeFlags::CLOEXEC).map_err(failed("make a pipe for"))?;
    let (hear, tell) = pipe_with(PipeFlags::CLOEXEC).map_err(failed("make a pipe for"))?;
    let mask = signal::block(&heard()).map_err(io).map_err(failed("block signals for"))?;
    let mut give = Some(give);
    let born = fork(|| {
        // With a copy of it open here, our parent's death would not be heard.
        drop(give.take());
        let _ = signal::set_mask(&mask);
        become_program(&program, &go, &tell)
    });
    let born = born.map_err(failed("fork for"))?;
    drop((go, tell));
    // Ignored by our caller, and so by the program, it would make the kernel reap children before we have waited for them.
    signal::set_default(Signal::CHILD.as_raw()).map_err(io).map_err(failed("hear of the end of"))?;
    // If it has ended meanwhile, that is heard of below.
    let begin = || give.as_ref().map(|give| write(give, &[1]));
    let base = name.rsplit('/').next().unwrap_or(&name).to_owned();
    let mut record = match ptrace::seize(born.pid, ptrace::Options::ALL) {
        Ok(()) => {
            // It comes to a stop in its read, and is followed from there.
            ptrace::interrupt(born.pid).map_err(failed("trace"))?;
            begin();
            Tracer::new(born.pid, base, request.all).follow().map_err(failed("trace"))?
        }
        Err(errno) => {
            let untraced = Some(untraced(born.pid, errno));
            begin();
            let end = wait(&born);
            let process = Process { pid: born.pid, parent: None, program: base, end, let_go: false };
            Record { processes: vec![process], end, untraced, ..Record::default() }
        }
    };
    let _ = signal::set_mask(&mask);
    record.not_executed = refused(&hear);
    Ok(record)
}

/// The child's life up to the exec: it waits until it may.
fn become_program(program: &Execvp, go: &OwnedFd, tell: &OwnedFd) -> Infallible {
    let mut byte = [0];
    loop {
        match read(go, &mut byte) {
            Ok(1) => break,
            Err(Errno::INTR) => {}
            _ => exit_now(NOT_EXECUTED),
        }
    }
    let mut room = Some(program.script.room());
    let errno = program.execute(room.as_mut()).errno;
    let _ = write(tell, &errno.raw_os_error().to_ne_bytes());
    exit_now(NOT_EXECUTED)
}

/// Why the program could not be executed, if that was so: the pipe is closed at once where it was.
fn refused(hear: &OwnedFd) -> Option<Errno> {
    let mut four = [0; 4];
    match read(hear, &mut four) {
        Ok(4) => Some(Errno::from_raw_os_error(i32::from_ne_bytes(four))),
        _ => None,
    }
}

/// Waits for a program that is not traced. Signals to its group it gets itself; to us alone they mean it as well.
fn wait(born: &Born) -> Option<End> {
    let news = signal::signalfd(&heard()).ok()?;
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match waitid(WaitId::PidFd(born.pidfd.as_fd()), options) {
            Ok(Some(status)) => {
                let code = status.exit_status().map(End::Exited);
                return code.or_else(|| status.terminating_signal().map(End::Killed));
            }
            Ok(None) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
        let mut both = [
            rustix::event::PollFd::new(&born.pidfd, rustix::event::PollFlags::IN),
            rustix::event::PollFd::new(&news, rustix::event::PollFlags::IN),
        ];
        let _ = rustix::event::poll(&mut both, None);
        while let Ok(Some(info)) = signal::read_signalfd(news.as_fd()) {
            if info.code <= 0 && info.signo == Signal::TERM.as_raw() {
                let _ = signal::pidfd_send_signal(born.pidfd.as_fd(), info.signo);
            }
        }
    }
}

/// Why the child `pid` cannot be traced.
fn untraced(pid: i32, errno: Errno) -> Untraced {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if let Some(tracer) = line("TracerPid:").and_then(|pid| pid.parse().ok()).filter(|pid| *pid != 0) {
        return Untraced::Traced(tracer);
    }
    let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok();
    match yama.and_then(|scope| scope.trim().parse().ok()) {
        Some(scope @ 2..) => Untraced::Yama(scope),
        _ if line("Seccomp:") == Some("2") && link(pid, "ns/user").is_some() => Untraced::Filtered,
        _ => Untraced::Refused(errno),
    }
}
