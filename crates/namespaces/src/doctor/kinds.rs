//! The kinds of namespaces: each made as we are, and through a user namespace.

use super::answer::{Answer, Check, Group, State, Weight};
use super::ground::{self, Refused};
use super::room::apart;
use insula_launch::plan::Kind;
use insula_sys::birth::{self, unshare};
use insula_sys::signal::pidfd_send_signal;
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::fs;

const fn kind(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { key, group: Group::Namespaces, what, loss, weight: Weight::Feature, probe }
}

/// The checks.
pub(super) const CHECKS: &[Check] = &[
    kind(
        "user",
        "user namespaces",
        "`unshare --user` and `--map-root-user`, `run --userns`; an ordinary user can make no namespace at all without",
        user,
    ),
    Check {
        weight: Weight::Essential,
        ..kind("mnt", "mount namespaces", "everything: `run`, `unshare --mount`, `netns exec`", || {
            of(Kind::Mnt)
        })
    },
    kind("uts", "host names", "`unshare --uts`, `run --hostname`", || of(Kind::Uts)),
    kind("ipc", "System V IPC, message queues", "`unshare --ipc`, `run --ipc private`", || of(Kind::Ipc)),
    kind("net", "network namespaces", "`netns`, `link`, `unshare --net`, `run --network none`", || {
        of(Kind::Net)
    }),
    kind("pid", "pid namespaces", "`unshare --pid`, `run --pid private`, `run --init`", || of(Kind::Pid)),
    kind("cgroup", "cgroup namespaces", "`unshare --cgroup`, `run --cgroupns private`", || of(Kind::Cgroup)),
    kind(
        "time",
        "time namespaces and their offsets",
        "`unshare --time`, `--monotonic`, `--boottime`, `run --time-offset`",
        time,
    ),
    kind("nesting-user", "user namespaces within each other", "containers in containers", user_levels),
    kind("nesting-pid", "pid namespaces within each other", "containers in containers", pid_levels),
];

/// Both ways in one answer.
fn both(direct: Answer, through: Answer) -> Answer {
    let ways = vec![("as-we-are", direct.state), ("through-a-user-namespace", through.state)];
    let is_user = !ground::may_mount();
    let answer = match (direct.state, through.state) {
        (State::Works, State::Works) => Answer::works("as we are, and through a user namespace"),
        (State::Works, _) => Answer {
            state: State::Limited,
            found: format!("as we are; not through a user namespace: {}", through.found),
            ..through
        },
        (_, State::Works) if is_user => Answer::works("through a user namespace"),
        (_, State::Works) => Answer {
            state: State::Limited,
            found: format!("through a user namespace; not as we are: {}", direct.found),
            ..direct
        },
        _ if is_user => through,
        _ => direct,
    };
    Answer { ways, ..answer }
}

fn of(kind: Kind) -> Answer {
    both(apart(|| made(kind, Ok(()))), apart(|| made(kind, ground::user_namespace())))
}

/// Makes a namespace on a ground, and looks whether it is another one.
fn made(kind: Kind, on: Result<(), Refused>) -> Answer {
    if let Err(refused) = on {
        return refused.answer();
    }
    let own = format!("/proc/self/ns/{}", kind.name());
    let file = match kind {
        Kind::Pid => "/proc/self/ns/pid_for_children",
        Kind::Time => "/proc/self/ns/time_for_children",
        _ => &own,
    };
    let before = fs::read_link(file);
    if let Err(refused) = ground::new(kind) {
        return refused.answer();
    }
    // The link of a pid namespace without a process cannot be read yet.
    match (before, fs::read_link(file)) {
        (Ok(before), Ok(after)) if before == after => Answer::missing("it is the old one after all"),
        _ => Answer::works("made"),
    }
}

fn user() -> Answer {
    let answer = apart(|| match ground::user_namespace() {
        Err(refused) => refused.answer(),
        Ok(()) if !ground::may_mount() => Answer::limited("made, but without capabilities in it"),
        // A security module may give capabilities in name, and refuse what they are for.
        Ok(()) => match ground::new(Kind::Mnt) {
            Ok(()) => Answer::works("made; its maker is root in it"),
            Err(refused) => {
                Answer::limited(format!("made, but root in it may do nothing: {}", refused.words()))
            }
        },
    });
    let limit = fs::read_to_string("/proc/sys/user/max_user_namespaces").unwrap_or_default();
    match (answer.state, limit.trim()) {
        (State::Works, limit) if !limit.is_empty() => {
            Answer::works(format!("{}; user.max_user_namespaces is {limit}", answer.found))
        }
        _ => answer,
    }
}

/// A time namespace is of use only if its clocks can be set.
fn time() -> Answer {
    let offset = |on: Result<(), Refused>| match made(Kind::Time, on) {
        answer if answer.state != State::Works => answer,
        _ => match fs::write("/proc/self/timens_offsets", "boottime 3600 0\n") {
            Ok(()) => Answer::works("made"),
            Err(error) => Answer::refused("write `/proc/self/timens_offsets`", ground::errno(&error)),
        },
    };
    both(apart(|| offset(Ok(()))), apart(|| offset(ground::user_namespace())))
}

/// The deepest that we try; the kernel ends at 33 and 32.
const DEEPEST: u32 = 34;

fn user_levels() -> Answer {
    apart(|| {
        if let Err(refused) = ground::user_namespace() {
            return refused.answer();
        }
        let mut levels = 1;
        // The next one wants an owner who is mapped in this one.
        while levels < DEEPEST && unshare(Kind::User.flag()).is_ok() {
            levels += 1;
            let mapped = [("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")]
                .into_iter()
                .all(|(file, text)| fs::write(format!("/proc/self/{file}"), text).is_ok());
            if !mapped {
                break;
            }
        }
        depth("user", levels, None)
    })
}

fn pid_levels() -> Answer {
    apart(|| match ground::rights() {
        Err(refused) => ground::no_ground(&refused),
        Ok(()) => {
            let (levels, refused) = deeper(0);
            depth("pid", levels, refused)
        }
    })
}

/// A child in a new pid namespace, which asks the same of its own child; its exit code is how deep it went.
fn deeper(level: u32) -> (u32, Option<Errno>) {
    if level == DEEPEST {
        return (0, None);
    }
    if let Err(errno) = unshare(Kind::Pid.flag()) {
        return (0, Some(errno));
    }
    let born = birth::plain_fork(|| {
        let (levels, _) = deeper(level + 1);
        birth::exit_now(i32::try_from(levels).unwrap_or(0))
    });
    match born {
        Err(errno) => (0, Some(errno)),
        Ok(born) => {
            let ended = waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED).ok().flatten();
            let _ = pidfd_send_signal(born.pidfd.as_fd(), 9);
            let levels =
                ended.and_then(|status| status.exit_status()).and_then(|code| u32::try_from(code).ok());
            (levels.unwrap_or(0) + 1, None)
        }
    }
}

fn depth(kind: &str, levels: u32, refused: Option<Errno>) -> Answer {
    match (levels, refused) {
        (0, Some(errno)) => Answer::refused(&format!("unshare a {kind} namespace"), errno),
        (0 | 1, _) => Answer::limited(format!("{levels} level below this one")),
        _ => Answer::works(format!("{levels} levels below this one")),
    }
}
