//! Processes: how they are made and told apart, and how a namespace is found again.

use super::answer::{Answer, Check, Group, Weight};
use super::ground;
use super::mounts::{absent, asked};
use super::room::apart;
use insula_launch::error::Named;
use insula_launch::plan::Kind;
use insula_sys::birth;
use insula_sys::exec::{self, Strings};
use insula_sys::nsfs::{self, Whose};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{MemfdFlags, Mode, OFlags, fstat, memfd_create, open};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, waitid};
use std::fs;

const fn check(
    key: &'static str,
    what: &'static str,
    loss: &'static str,
    weight: Weight,
    probe: fn() -> Answer,
) -> Check {
    Check { key, group: Group::Processes, what, loss, weight, probe }
}

/// The checks.
pub(super) const CHECKS: &[Check] = &[
    check("clone3", "clone3(2)", "`run`, and whatever makes a process", Weight::Essential, clone3),
    check("close-range", "close_range(2)", "`run`", Weight::Feature, || asked("close_range")),
    check(
        "pidfd-setns",
        "several namespaces entered at once, by pidfd",
        "nothing: they are entered one by one",
        Weight::Comfort,
        enter_by_pidfd,
    ),
    check(
        "pidfd-namespaces",
        "the namespaces of a pidfd",
        "nothing: /proc is read",
        Weight::Comfort,
        namespaces_of_pidfd,
    ),
    check(
        "ns-id",
        "namespaces' ids that are never used again",
        "a name is told from a stale one by its inode and the boot only",
        Weight::Comfort,
        namespace_id,
    ),
    check(
        "listns",
        "listns(2)",
        "`lsns` and `ns ls` look through processes and mounts instead, and miss what nothing of that holds",
        Weight::Comfort,
        || asked("listns"),
    ),
    check("nsfs-handles", "namespaces opened by their id", "`nsenter --net=:ID`", Weight::Feature, by_id),
    check(
        "memfd-exec",
        "programs executed from memory",
        "`run`: its init is a sealed program in memory",
        Weight::Feature,
        execute_memory,
    ),
    check(
        "ptrace-scope",
        "looking at processes of our own",
        "`why -- PROGRAM`, and `nsenter` into processes that are no children",
        Weight::Feature,
        ptrace_scope,
    ),
];

fn clone3() -> Answer {
    apart(|| {
        match birth::fork(|| birth::exit_now(0)) {
        Ok(born) => {
            let _ = waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED);
            Answer::works("a process was made")
        }
        Err(errno) => Answer::missing(format!("clone3: {}", Named(errno))).fix(match errno {
            Errno::NOSYS if super::security::is_filtered() => super::security::UNFILTER,
            Errno::NOSYS => "Linux 5.3 or newer",
            Errno::AGAIN => "a limit of processes is reached: `ulimit -u`, pids.max of the control group, kernel.threads-max",
            _ => super::security::UNFILTER,
        }),
    }
    })
}

fn enter_by_pidfd() -> Answer {
    apart(|| {
        if let Err(refused) = ground::rights().and_then(|()| ground::new(Kind::Uts)) {
            return ground::no_ground(&refused);
        }
        let Ok(own) = pidfd_open(getpid(), PidfdFlags::empty()) else {
            return Answer::missing("pidfd_open(2) was refused");
        };
        match birth::setns(own.as_fd(), libc_uts()) {
            Ok(()) => Answer::works("entered"),
            Err(errno) => Answer::refused("setns by pidfd", errno).fix("Linux 5.8 or newer"),
        }
    })
}

fn libc_uts() -> i32 {
    i32::try_from(Kind::Uts.flag()).unwrap_or(0)
}

fn namespaces_of_pidfd() -> Answer {
    let Ok(own) = pidfd_open(getpid(), PidfdFlags::empty()) else {
        return Answer::missing("pidfd_open(2) was refused");
    };
    let refused: Vec<&str> = Kind::ALL
        .into_iter()
        .filter(|kind| nsfs::of_process(own.as_fd(), kind.flag(), Whose::Own).is_err())
        .map(Kind::name)
        .collect();
    match refused.len() {
        0 => Answer::works("all eight kinds"),
        8 => Answer::missing("PIDFD_GET_*_NAMESPACE are not there").fix("Linux 6.11 or newer"),
        _ => Answer::limited(format!("all but {}", refused.join(", "))),
    }
}

fn own_uts() -> Result<OwnedFd, Errno> {
    open(c"/proc/self/ns/uts", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

fn namespace_id() -> Answer {
    match own_uts().and_then(|file| nsfs::id(file.as_fd())) {
        Ok(id) => Answer::works(format!("NS_GET_ID: our host name's is {id}")),
        Err(Errno::NOTTY) => Answer::missing("NS_GET_ID is not there").fix("Linux 6.18 or newer"),
        Err(errno) => Answer::refused("NS_GET_ID", errno),
    }
}

fn by_id() -> Answer {
    let opened = own_uts().and_then(|file| {
        let (id, inode) = (nsfs::id(file.as_fd())?, fstat(&file)?.st_ino);
        let (flag, inode) = (u32::try_from(Kind::Uts.flag()), u32::try_from(inode));
        nsfs::open_by_id(id, flag.map_err(|_| Errno::INVAL)?, inode.map_err(|_| Errno::INVAL)?)
    });
    match opened {
        Ok(_) => Answer::works("our own was opened"),
        Err(Errno::NOTTY | Errno::BADF | Errno::NOSYS) => absent_handles(),
        Err(Errno::PERM | Errno::STALE) => {
            Answer::limited("not to us: this is not the host's user namespace")
        }
        Err(errno) => Answer::refused("open_by_handle_at", errno),
    }
}

fn absent_handles() -> Answer {
    Answer::missing("nsfs has no file handles").fix("Linux 6.18 or newer")
}

/// Executes a program of a few bytes from memory: the smallest that there is, a script for an interpreter that is
/// ourselves, would need a name; so a file that is no program must be refused as that, and not for being in memory.
fn execute_memory() -> Answer {
    let setting = fs::read_to_string("/proc/sys/vm/memfd_noexec").unwrap_or_default();
    let value = setting.trim();
    apart(|| {
        // MFD_EXEC, Linux 6.3.
        let flags = [MemfdFlags::CLOEXEC | MemfdFlags::from_bits_retain(0x10), MemfdFlags::CLOEXEC];
        let made = flags
            .into_iter()
            .map(|flags| memfd_create(c"insula-doctor", flags))
            .find(|made| !matches!(made, Err(Errno::INVAL)));
        let Some(Ok(memory)) = made else {
            return Answer::missing(format!("memfd_create is refused (vm.memfd_noexec is {value})"))
                .fix("as root: `sysctl vm.memfd_noexec=0`");
        };
        let _ = rustix::io::write(&memory, b"no program");
        let words = Strings::new(vec![c"insula-doctor".to_owned()]);
        let nothing = Strings::new(Vec::new());
        match exec::execveat(memory.as_fd(), words.vector(), nothing.vector()) {
            Errno::NOEXEC => Answer::works("a file in memory is executed"),
            Errno::ACCESS | Errno::PERM => {
                Answer::missing(format!("a file in memory may not be executed (vm.memfd_noexec is {value})"))
                    .fix("as root: `sysctl vm.memfd_noexec=0`")
            }
            Errno::NOSYS => absent("execveat", "3.19"),
            errno => Answer::refused("execveat", errno),
        }
    })
}

/// Yama, kernel.yama.ptrace_scope: 0 as ever, 1 descendants only, 2 with CAP_SYS_PTRACE only, 3 nobody.
fn ptrace_scope() -> Answer {
    let Ok(text) = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope") else {
        return Answer::works("Yama does not limit it");
    };
    let fix = "as root: `sysctl kernel.yama.ptrace_scope=0`";
    match text.trim() {
        "0" => Answer::works("kernel.yama.ptrace_scope is 0"),
        "1" => Answer::works("kernel.yama.ptrace_scope is 1: what we have started ourselves"),
        "2" if ground::may_mount() => Answer::works("kernel.yama.ptrace_scope is 2: root may"),
        "2" => Answer::missing("kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may").fix(fix),
        value => Answer::missing(format!("kernel.yama.ptrace_scope is {value}: nobody may"))
            .fix("it stays so until the next boot"),
    }
}
