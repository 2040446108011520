//! Why a call was refused: what `launch::why` finds at the thread while it is stopped.

use super::attempt::{Contexts, attempt};
use super::decode::{Decoded, int};
use super::place::{is_ours, link, text};
use super::record::Found;
use insula_launch::fault::{Call, Fault};
use insula_launch::plan::Kind;
use insula_launch::step::map_ids::IdMap;
use insula_launch::why::rights::capable;
use insula_launch::why::{Act, Attempt, Cause, Enter, Maps, Refusal, Subject, Writer, find};
use insula_sys::nsfs;
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};

/// A refused call, as much of it as the looking needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusing<'a> {
    pub(super) pid: i32,
    pub(super) tid: i32,
    pub(super) name: &'a str,
    pub(super) args: &'a [u64; 6],
    pub(super) decoded: &'a Decoded,
    pub(super) errno: Errno,
}

/// The cause, where one is found.
pub(super) fn reason(refusing: Refusing<'_>, contexts: &Contexts) -> Option<Found> {
    if refusing.name == "ptrace"
        && let Some(found) = traced(refusing)
    {
        return Some(found);
    }
    let by_the_act = tried(refusing, contexts)
        .and_then(|(act, call)| because(refusing.tid, act, Fault { call, errno: refusing.errno }));
    by_the_act.or_else(|| lacking(refusing.tid, wanted(refusing.name)?, refusing.errno))
}

/// The cause of a refused request to the network.
pub(super) fn of_netlink(tid: i32, errno: Errno) -> Option<Found> {
    lacking(tid, (12, "CAP_NET_ADMIN", Some("net"), "a change of the network"), errno)
}

/// What a call wants, capabilities(7): the number and the name of the capability, the kind of namespace that it acts on,
/// and the matter in words.
type Wanted = (u32, &'static str, Option<&'static str>, &'static str);

/// Of calls that are about nothing else.
fn wanted(name: &str) -> Option<Wanted> {
    Some(match name {
        "socket" => (13, "CAP_NET_RAW", Some("net"), "a raw socket or one for packets"),
        "bind" => {
            (10, "CAP_NET_BIND_SERVICE", Some("net"), "a port below net.ipv4.ip_unprivileged_port_start")
        }
        "ioctl" | "setsockopt" => (12, "CAP_NET_ADMIN", Some("net"), "a change of the network"),
        "kill" | "tgkill" | "pidfd_send_signal" => {
            (5, "CAP_KILL", None, "a signal to another user's process")
        }
        "setpriority" | "sched_setscheduler" | "sched_setattr" => {
            (23, "CAP_SYS_NICE", None, "a higher priority")
        }
        "settimeofday" | "clock_settime" => (25, "CAP_SYS_TIME", None, "another time"),
        "init_module" | "finit_module" | "delete_module" => (16, "CAP_SYS_MODULE", None, "a kernel module"),
        "reboot" => (22, "CAP_SYS_BOOT", None, "a reboot"),
        "swapon" | "swapoff" => (21, "CAP_SYS_ADMIN", None, "swap space"),
        "syslog" => (34, "CAP_SYSLOG", None, "the kernel's log"),
        "bpf" => (39, "CAP_BPF", None, "a BPF program or map"),
        "perf_event_open" => (38, "CAP_PERFMON", None, "a performance event"),
        "process_vm_readv" | "pidfd_getfd" | "ptrace" => {
            (19, "CAP_SYS_PTRACE", None, "a look into another process")
        }
        _ => return None,
    })
}

/// The capability is lacking, if that is so.
fn lacking(tid: i32, (number, name, kind, matter): Wanted, errno: Errno) -> Option<Found> {
    if !is_ours() || !matches!(errno, Errno::PERM | Errno::ACCESS) {
        return None;
    }
    let cause: Cause = capable(number, name, kind, matter, &Subject::process(tid))?.into();
    Some(Found { key: cause.key(), cause: cause.to_string(), cure: cause.cure() })
}

/// What the program would trace is traced by us.
fn traced(refusing: Refusing<'_>) -> Option<Found> {
    /// `PTRACE_TRACEME`: it offers itself to its parent.
    const TRACEME: u64 = 0;
    let target = if refusing.args[0] == TRACEME { refusing.tid } else { int(refusing.args[1]) };
    let status = text(target, "status")?;
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim();
    (refusing.errno == Errno::PERM && tracer == std::process::id().to_string()).then(|| Found {
        key: "traced-by-us",
        cause: format!("process {target} is traced by `insula why` itself, and a process has one tracer"),
        cure: "run the program without `insula why`: here it cannot do what a tracer does".to_owned(),
    })
}

/// The cause why a program was found in none of these places.
pub(super) fn of_search(tid: i32, paths: &[String], errno: Errno) -> Option<Found> {
    let act = Act::Mount(Attempt::Execute { paths: paths.to_vec() });
    because(tid, act, Fault { call: Call::Execve, errno })
}

fn because(tid: i32, act: Act, fault: Fault) -> Option<Found> {
    if !is_ours() {
        return None;
    }
    let cause = find(&Refusal { act, fault }, &Subject::process(tid))?;
    Some(Found { key: cause.key(), cause: cause.to_string(), cure: cause.cure() })
}

/// What was tried, and by which call.
fn tried(refusing: Refusing<'_>, contexts: &Contexts) -> Option<(Act, Call)> {
    let Refusing { pid, tid, name, args, decoded, .. } = refusing;
    let of_mounts = || {
        let (attempt, call) = attempt(pid, name, args, decoded, contexts)?;
        Some((Act::Mount(attempt), call))
    };
    let other = || {
        Some((
            Act::Other,
            match name {
                "sethostname" => Call::Sethostname,
                "setdomainname" => Call::Setdomainname,
                "chown" | "lchown" | "fchown" | "fchownat" => Call::Fchown,
                "setrlimit" | "prlimit64" => Call::Prlimit,
                "capset" => Call::Capset,
                "prctl" => Call::Prctl,
                "keyctl" | "add_key" => Call::Keyctl,
                "socket" => Call::Socket,
                "ioctl" => Call::Ioctl,
                "write" | "pwrite64" | "writev" => Call::Write,
                _ => return None,
            },
        ))
    };
    of_processes(tid, name, args, decoded).or_else(of_mounts).or_else(other)
}

/// Calls that make, enter and map namespaces, and change ids.
fn of_processes(tid: i32, name: &str, args: &[u64; 6], decoded: &Decoded) -> Option<(Act, Call)> {
    let ids = |ids: &[u64]| ids.iter().map(|id| int(*id).cast_unsigned()).collect::<Vec<_>>();
    let known = |id: u64| Some(int(id).cast_unsigned()).filter(|id| *id != u32::MAX);
    Some(match name {
        "unshare" => (born(decoded.clone), Call::Unshare),
        "clone" | "clone3" | "fork" | "vfork" => (born(decoded.clone), Call::Clone3),
        "setns" => (Act::Enter(enter(tid, args)), Call::Setns),
        "setuid" => (Act::SetIds { uid: known(args[0]), gids: Vec::new() }, Call::Setuid),
        "setreuid" | "setresuid" => (Act::SetIds { uid: known(args[1]), gids: Vec::new() }, Call::Setresuid),
        "setgid" => (Act::SetIds { uid: None, gids: ids(&args[..1]) }, Call::Setgid),
        "setregid" | "setresgid" => (Act::SetIds { uid: None, gids: ids(&args[1..2]) }, Call::Setresgid),
        "setgroups" => (Act::SetIds { uid: None, gids: Vec::new() }, Call::Setgroups),
        "write" | "pwrite64" => (written(tid, decoded)?, Call::Write),
        _ => return None,
    })
}

/// A birth, or new namespaces for the process itself.
fn born(flags: u64) -> Act {
    let kinds = kinds(flags);
    if kinds.is_empty() { Act::Fork } else { Act::Make(kinds) }
}

fn kinds(flags: u64) -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| flags & kind.flag() != 0).collect()
}

/// What setns(2) was to enter.
fn enter(tid: i32, args: &[u64; 6]) -> Enter {
    let fd = int(args[0]);
    // What another process has open may be a device, which to open would be to use: only what is a namespace is opened.
    let file = |kind: Kind| {
        let file = is_ours().then(|| File::open(format!("/proc/{tid}/fd/{fd}")).ok())??;
        (nsfs::kind(file.as_fd()).ok()? == i32::try_from(kind.flag()).ok()?).then(|| OwnedFd::from(file))
    };
    // `net:[4026531840]`, or an anonymous inode for a pidfd.
    let target = link(tid, &format!("fd/{fd}")).unwrap_or_default();
    let named = |kind: &Kind| target.starts_with(format!("{}:[", kind.name()).as_bytes());
    let asked = kinds(args[1]);
    let named = Kind::ALL.into_iter().find(named);
    let kind = named.or(match asked[..] {
        [one] => Some(one),
        _ => None,
    });
    let pid = text(tid, &format!("fdinfo/{fd}")).and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok().filter(|pid| *pid > 0)
    });
    let with_user = asked.contains(&Kind::User) || kind == Some(Kind::User);
    Enter { kind, file: named.and_then(file), target: pid, with_user }
}

/// What a write to one of the files of user_namespaces(7) was to do.
fn written(tid: i32, decoded: &Decoded) -> Option<Act> {
    let path = String::from_utf8_lossy(decoded.path.as_deref()?).into_owned();
    let data = String::from_utf8_lossy(decoded.data.as_deref()?).into_owned();
    let of = path.strip_prefix("/proc/")?;
    let file = of.rsplit('/').next()?;
    let lines = lines(&data);
    let map = |uid, gid| {
        // As the writer's own procfs has it, which need not be ours: the directory's name tells at least whether it is its own.
        let own = link(tid, "ns/pid").is_some() && is_own(tid, of);
        let writer = if own { Writer::Itself } else { Writer::Caller };
        Act::Map(Maps { uid, gid, writer })
    };
    match file {
        "uid_map" => Some(map(lines, Vec::new())),
        "gid_map" => Some(map(Vec::new(), lines)),
        "setgroups" => Some(Act::Setgroups(data.trim() == "allow")),
        _ => None,
    }
}

/// Is `of`, `PID/uid_map`, of the process itself, by one of the numbers that it has in the pid namespaces it is in?
fn is_own(tid: i32, of: &str) -> bool {
    let number = of.split('/').next().unwrap_or_default();
    let status = text(tid, "status").unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NStgid:")).unwrap_or_default();
    number == "self" || numbers.split_ascii_whitespace().any(|own| own == number)
}

/// The lines of a map as they were written; one that is none is left out.
fn lines(text: &str) -> Vec<IdMap> {
    let line = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u32>);
        let mut next = || numbers.next()?.ok();
        Some(IdMap { inside: next()?, outside: next()?, size: next()? })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_kinds() {
        assert!(matches!(born(0x5000_0000), Act::Make(kinds) if kinds == [Kind::User, Kind::Net]));
        assert!(matches!(born(0x0001_0f00), Act::Fork));
    }

    #[test]
    fn a_written_map_is_read_back() {
        let own = i32::try_from(std::process::id()).unwrap();
        let decoded = |path: &str, data: &str| Decoded {
            path: Some(path.as_bytes().to_vec()),
            data: Some(data.as_bytes().to_vec()),
            ..Decoded::default()
        };
        let map = |inside, outside, size| IdMap { inside, outside, size };
        let expected = Maps {
            uid: vec![map(0, 1000, 1), map(1, 100_000, 65_536)],
            gid: Vec::new(),
            writer: Writer::Itself,
        };
        let ours = written(own, &decoded(&format!("/proc/{own}/uid_map"), "0 1000 1\n1 100000 65536\nx\n"));
        assert!(matches!(&ours, Some(Act::Map(maps)) if *maps == expected), "{ours:?}");
        let other = written(own, &decoded("/proc/1/gid_map", "0 0 1"));
        assert!(matches!(&other, Some(Act::Map(Maps { writer: Writer::Caller, gid, .. })) if gid.len() == 1));
        assert!(matches!(written(own, &decoded("/proc/1/setgroups", "allow")), Some(Act::Setgroups(true))));
        assert!(written(own, &decoded("/proc/sys/kernel/pid_max", "5")).is_none());
    }
}
