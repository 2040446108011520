//! The tracer's loop: from stop to stop of every thread of the program, until the program has ended.
//!
//! Every system call stops twice, at its begin and its end. A seccomp filter could pick out the few that matter, and
//! would make this quicker; docs/design/012-why.md says why there is none.

use super::book::Book;
use super::privilege::Own;
use super::record::{End, Record};
use super::table::Table;
use insula_sys::ptrace::{self, Stop, Syscall, Until};
use insula_sys::signal::{self, SigSet};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, Signal, pidfd_open};
use std::collections::HashMap;

/// One thread that is traced.
#[derive(Debug)]
struct Thread {
    /// Its process.
    pid: i32,
    /// The watched call that it is in.
    entered: Option<(u64, [u64; 6])>,
}

/// The signals that are taken from the caller and passed on to the program, where they were sent to us alone.
const FORWARDED: [Signal; 6] =
    [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];

/// The signals that the tracer hears of by a descriptor, to be blocked before the program is born.
pub(super) fn heard() -> SigSet {
    let mut set = SigSet::empty();
    FORWARDED.iter().chain([&Signal::CHILD]).for_each(|signal| set.add(signal.as_raw()));
    set
}

/// The tracer.
#[derive(Debug)]
pub(super) struct Tracer {
    table: Table,
    own: Own,
    book: Book,
    threads: HashMap<i32, Thread>,
    root: i32,
    /// Signals that the program itself has got, and from whom: one to the whole group is not passed on once more.
    got: Vec<(i32, i32)>,
    /// The program has ended: what still runs of it is let go.
    leaving: bool,
}

impl Tracer {
    /// For the program `root`, which is our tracee already.
    pub(super) fn new(root: i32, program: String, all: bool) -> Tracer {
        let mut tracer = Tracer {
            table: Table::new(all),
            own: Own::look(),
            book: Book::new(),
            threads: HashMap::new(),
            root,
            got: Vec::new(),
            leaving: false,
        };
        tracer.threads.insert(root, Thread { pid: root, entered: None });
        tracer.book.born(root, None, program);
        tracer
    }

    /// Follows them all until the program has ended and the rest is let go.
    pub(super) fn follow(mut self) -> Result<Record, Errno> {
        let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let news = signal::signalfd(&heard()).map_err(errno)?;
        loop {
            match ptrace::news() {
                Ok(Some((tid, stop))) => self.handle(tid, stop),
                Ok(None) => self.listen(&news)?,
                Err(Errno::INTR) => {}
                // Nobody is left: the program as well has been waited for.
                Err(Errno::CHILD) => break,
                Err(errno) => return Err(errno),
            }
            if self.book.has_ended(self.root) {
                if !self.leaving {
                    self.leave();
                }
                if self.threads.is_empty() {
                    break;
                }
            }
        }
        Ok(self.book.close())
    }

    /// Waits for a signal: of news, or one that is not meant for us.
    fn listen(&mut self, news: &OwnedFd) -> Result<(), Errno> {
        match poll(&mut [PollFd::new(news, PollFlags::IN)], None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let read = || {
            signal::read_signalfd(news.as_fd())
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        };
        if let Some(info) = read()? {
            // What the kernel sends (a terminal, at Ctrl-C) goes to the whole group, the program among it.
            let by_kernel = info.code > 0;
            if info.signo != Signal::CHILD.as_raw() && !by_kernel {
                self.forward(info.signo, info.pid);
            }
        }
        Ok(())
    }

    /// Passes a signal on, if the program has not got it from the same sender.
    fn forward(&mut self, signal: i32, sender: i32) {
        if let Some(at) = self.got.iter().position(|got| *got == (signal, sender)) {
            self.got.swap_remove(at);
            return;
        }
        if Own::is_pending(self.root, signal) {
            return;
        }
        let pidfd = rustix::process::Pid::from_raw(self.root)
            .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        if let Some(pidfd) = pidfd {
            // One that has just ended needs it no more.
            let _ = signal::pidfd_send_signal(pidfd.as_fd(), signal);
        }
    }

    fn handle(&mut self, tid: i32, stop: Stop) {
        match stop {
            Stop::Exited(code) => return self.ended(tid, End::Exited(code)),
            Stop::Killed(signal) => return self.ended(tid, End::Killed(signal)),
            _ => {}
        }
        if !self.threads.contains_key(&tid) {
            self.meet(tid, None);
        }
        // A thread that is gone meanwhile (SIGKILL) answers ESRCH to all of it, and its end comes next.
        let signal = match stop {
            Stop::Syscall => {
                if self.at_call(tid) {
                    return;
                }
                0
            }
            Stop::Birth => {
                let child = ptrace::message(tid).ok().and_then(|pid| i32::try_from(pid).ok());
                if let Some(child) = child {
                    let parent = self.threads.get(&tid).map(|thread| thread.pid);
                    self.meet(child, parent);
                }
                0
            }
            Stop::Exec => {
                self.executed(tid);
                0
            }
            Stop::Signal(signal) => {
                if tid == self.root
                    && let Ok((_, sender)) = ptrace::sender(tid)
                {
                    self.got.push((signal, sender));
                }
                signal
            }
            Stop::Group(_) if !self.leaving => {
                let _ = ptrace::listen(tid);
                return;
            }
            _ => 0,
        };
        if self.leaving {
            self.let_go(tid, signal);
        } else {
            let _ = ptrace::resume(tid, Until::Syscall, signal);
        }
    }

    /// Gets to know a thread, by the event of its birth or by its first stop, whichever comes first.
    fn meet(&mut self, tid: i32, parent: Option<i32>) {
        let pid = Own::process_of(tid);
        // The event of a birth may come after the child's end.
        if parent.is_none() || !self.book.has_ended(tid) {
            self.threads.entry(tid).or_insert(Thread { pid, entered: None });
        }
        if pid == tid {
            let program = parent.map(|parent| self.book.program(parent)).unwrap_or_default();
            self.book.born(pid, parent, program);
        }
    }

    /// At the begin or the end of a call. `true`: the thread was let go.
    fn at_call(&mut self, tid: i32) -> bool {
        let Ok(syscall) = ptrace::syscall(tid) else { return false };
        let Some(thread) = self.threads.get_mut(&tid) else { return false };
        match syscall {
            Syscall::Entry { arch, number, args } => {
                thread.entered = None;
                if arch != ptrace::NATIVE_ARCH {
                    self.book.foreign();
                } else if let Some(signature) = self.table.find(number) {
                    thread.entered = Some((number, args));
                    if !self.leaving && self.own.must_let_go(tid, signature, &args) {
                        self.book.let_go(thread.pid);
                        return self.let_go(tid, 0);
                    }
                }
            }
            Syscall::Exit { value, is_error } => {
                let Some((number, args)) = thread.entered.take() else { return false };
                let Some(signature) = self.table.find(number) else { return false };
                if is_error {
                    let errno = Errno::from_raw_os_error(i32::try_from(-value).unwrap_or(libc_eio()));
                    self.book.failed(thread.pid, tid, signature, &args, errno);
                } else {
                    self.book.succeeded(thread.pid, tid, signature, &args, value);
                }
            }
            Syscall::None => {}
        }
        false
    }

    /// A program was executed: the process has one thread now, with the process's own number.
    fn executed(&mut self, pid: i32) {
        let former = ptrace::message(pid).ok().and_then(|tid| i32::try_from(tid).ok());
        let entered = former
            .filter(|former| *former != pid)
            .and_then(|former| self.threads.remove(&former))
            .and_then(|thread| thread.entered);
        self.threads.retain(|tid, thread| thread.pid != pid || *tid == pid);
        let thread = self.threads.entry(pid).or_insert(Thread { pid, entered: None });
        thread.entered = entered.or(thread.entered.take());
        self.book.executed(pid);
    }

    fn ended(&mut self, tid: i32, end: End) {
        self.threads.remove(&tid);
        self.book.ended(tid, end);
    }

    /// The program has ended; its processes that live on are traced no more.
    fn leave(&mut self) {
        self.leaving = true;
        for tid in self.threads.keys() {
            // One that ends right now is heard of as such.
            let _ = ptrace::interrupt(*tid);
        }
    }

    /// A stopped thread is ours no more. `true`: so it is.
    fn let_go(&mut self, tid: i32, signal: i32) -> bool {
        let gone = ptrace::detach(tid, signal).is_ok();
        if gone {
            self.threads.remove(&tid);
            if self.leaving {
                self.book.survives(tid);
            }
        }
        gone
    }
}

/// What is told of a value that is no errno, which the kernel does not return.
fn libc_eio() -> i32 {
    Errno::IO.raw_os_error()
}
