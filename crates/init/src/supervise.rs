//! MODE init: pid 1 of a container, or the subreaper of a process tree.
use core::mem::MaybeUninit;

use crate::filter::Filter;
use crate::label::Label;
use crate::program::Program;
use crate::report::{EXIT_INTERNAL, Report};
use crate::signals;
use crate::syscall::{self, Ended, Errno, Wait};

const EINTR: Errno = 4;
const EAGAIN: Errno = 11;

/// Starts the program, watches over it, and ends as it ends. The kernel then kills what is left of the pid
/// namespace: pid_namespaces(7), "The namespace init process".
pub fn run(program: &Program, filter: Option<Filter>, label: Option<Label>, report: Report) -> ! {
    // Blocked signals queue up for rt_sigtimedwait(2), even those that pid 1 would otherwise never see.
    if let Err(errno) = signals::set_mask(signals::ALL) {
        report.send(errno);
        syscall::exit_group(EXIT_INTERNAL);
    }
    // SIG_IGN survives execve(2), and the kernel would reap our child and lose its status: wait(2), NOTES.
    let _ = syscall::default_child_signal(signals::SIGCHLD);
    if syscall::getpid() != 1 {
        syscall::set_child_subreaper();
    }
    // The label of process 1, which the program inherits.
    Label::begin(label, c"current", report);
    // Process 1 is under it as well: a program that traces us would else have calls made that it may not make itself.
    Filter::begin(filter, report);
    let child = match program.start() {
        Ok(child) => child,
        // EAGAIN: no process left under RLIMIT_NPROC or pids.max. Or EPERM, a filter.
        Err(errno) => report.failed(errno),
    };
    // We hold no pipe and no terminal open, so that their other ends see it when the program closes them. A
    // session leader keeps its controlling terminal without an fd; the kernel takes it away when the last fd
    // of the terminal anywhere is closed, just as if the program led the session. The report fd closes here
    // too, so that the runtime's end of file comes when both of us are ready.
    syscall::close_all();
    // Nothing to take from us any more: an ordinary process in /proc again.
    syscall::set_dumpable(true);
    syscall::set_name(c"insula-init");
    watch(child)
}

/// Waits for signals, for ever.
fn watch(child: i32) -> ! {
    let mut space = MaybeUninit::uninit();
    loop {
        match syscall::rt_sigwaitinfo(signals::ALL, &mut space) {
            Ok(info) if info.signo == signals::SIGCHLD => reap(child, Wait::NoHang),
            Ok(info) => signals::forward(info, child),
            Err(EINTR | EAGAIN) => {}
            // A seccomp filter forbids it. No forwarding then, but no spinning either.
            Err(_) => reap(child, Wait::Block),
        }
    }
}

/// Takes every ended child. One SIGCHLD may stand for many of them: signal(7), standard signals do not queue.
fn reap(child: i32, wait: Wait) {
    loop {
        match syscall::wait4(wait) {
            Ok(Some((pid, ended))) if pid == child => match ended {
                Ended::Exited(code) => syscall::exit_group(code),
                Ended::Killed(signal) => syscall::exit_group(128 + signal),
            },
            Ok(Some(_)) | Err(EINTR) => {}
            Ok(None) => return,
            // Our child cannot be gone unseen: wait4 itself is forbidden.
            Err(_) => syscall::exit_group(EXIT_INTERNAL),
        }
    }
}
