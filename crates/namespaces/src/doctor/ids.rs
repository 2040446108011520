//! Who asks: the rights that we have, and the ids that we may give.

use super::answer::{Answer, Check, Group, State, Weight};
use super::ground;
use super::room::apart;
use insula_launch::host::ids::{self, Ids, Range};
use insula_sys::birth;
use insula_sys::prctl;
use rustix::fd::AsFd;
use rustix::process::{Resource, WaitId, WaitIdOptions, geteuid, getrlimit, waitid};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const fn right(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { key, group: Group::Rights, what, loss, weight: Weight::Feature, probe }
}

/// The checks.
pub(super) const CHECKS: &[Check] = &[
    right(
        "capabilities",
        "our capabilities",
        "what root does by them; an ordinary user has them in a user namespace",
        capabilities,
    ),
    right(
        "no-new-privs",
        "programs that gain privileges",
        "newuidmap and newgidmap: an ordinary user has one id in a user namespace, and no range (`run --userns auto`, `unshare --map-auto`)",
        no_new_privs,
    ),
    right(
        "subids",
        "subordinate ids, subuid(5)",
        "more than one id: `unshare --map-auto`, `run --user`, images with files of several owners",
        subordinate,
    ),
    right(
        "newuidmap",
        "newuidmap and newgidmap",
        "the ranges of /etc/subuid cannot be used: `unshare --map-auto`, `run --userns auto`",
        helpers,
    ),
    right(
        "chroot",
        "the root directory is the real one",
        "user namespaces, and `run`'s pivot_root",
        chrooted,
    ),
    right(
        "rlimits",
        "limits on this process",
        "programs in namespaces that are refused processes, files or memory",
        limits,
    ),
];

/// The names by number, capabilities(7); 40 of them, and those to come have numbers.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// What the lack of one costs, of those that insula's commands need as root.
const COSTS: &[(&str, &str)] = &[
    ("CHOWN", "`cgroup new --owner`"),
    ("NET_ADMIN", "`link`, and `netns` with devices"),
    ("SETGID", "`run --user`, ranges of ids"),
    ("SETUID", "`run --user`, ranges of ids"),
    ("SETFCAP", "root mapped in a user namespace"),
    ("SYS_CHROOT", "`nsenter --mount`, `--root`"),
    ("SYS_PTRACE", "`nsenter` and `lsns` of other users' processes"),
    ("SYS_ADMIN", "namespaces and mounts without a user namespace"),
    ("SYS_RESOURCE", "`run --ulimit` above the present hard limits"),
    ("MKNOD", "device nodes"),
];

fn capabilities() -> Answer {
    let Ok((effective, _, _)) = prctl::capget() else { return Answer::unknown("capget(2) was refused") };
    let known = fs::read_to_string("/proc/sys/kernel/cap_last_cap").ok();
    let last: usize = known.and_then(|text| text.trim().parse().ok()).unwrap_or(NAMES.len() - 1);
    let name =
        |number: usize| NAMES.get(number).map_or_else(|| number.to_string(), |name| (*name).to_owned());
    let (held, lacking): (Vec<usize>, Vec<usize>) =
        (0..=last.min(63)).partition(|number| effective & (1 << number) != 0);
    let names = |numbers: &[usize], costs: bool| {
        let word = |number: &usize| {
            let name = name(*number);
            let cost = COSTS.iter().find(|(known, _)| costs && *known == name);
            cost.map_or(name.clone(), |(_, cost)| format!("{name} ({cost})"))
        };
        numbers.iter().map(word).collect::<Vec<_>>().join(", ")
    };
    let fix = "ask whoever started this container for them (Docker: `--cap-add`)";
    match (geteuid().is_root(), held.len(), lacking.len()) {
        (_, _, 0) => Answer::works("all"),
        (false, 0, _) => {
            Answer::works("none, as an ordinary user has them; all in a user namespace of our own")
        }
        (_, _, few) if few <= held.len() => {
            Answer::limited(format!("all but {}", names(&lacking, true))).fix(fix)
        }
        (true, 0, _) => Answer::limited("none").fix(fix),
        (true, ..) => Answer::limited(format!("only {}", names(&held, false))).fix(fix),
        (false, ..) => Answer::works(format!("only {}", names(&held, false))),
    }
}

/// A line of our own /proc/self/status.
pub(super) fn status(key: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(':')?.trim().to_owned()))
}

fn no_new_privs() -> Answer {
    match status("NoNewPrivs").as_deref() {
        Some("0") => Answer::works("no_new_privs is not set"),
        // Who may write any map needs no helper.
        Some("1") if Ids::probe().may_map_any() => Answer::works("no_new_privs is set; root needs no such program"),
        Some("1") => Answer::limited("no_new_privs is set on this process, and cannot be taken back")
            .fix("start insula outside of what set it: a service's NoNewPrivileges=, a container's no-new-privileges, an outer sandbox"),
        _ => Answer::unknown("/proc/self/status does not say"),
    }
}

/// A system container's usual range.
const ENOUGH: u32 = 65_536;

fn subordinate() -> Answer {
    let ids = Ids::probe();
    if ids.may_map_any() {
        return Answer::works("not needed: we may map any id");
    }
    let name = ids::user_name(ids.uid);
    let shown = name.clone().unwrap_or_else(|| ids.uid.to_string());
    let most = |ranges: &[Range]| ranges.iter().map(|range| range.count).max().unwrap_or(0);
    let (uids, gids) = (most(&ids.subuids), most(&ids.subgids));
    let fix = match name {
        Some(name) => {
            format!("as root: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}`")
        }
        None => format!("as root: a line `{}:100000:65536` in /etc/subuid and in /etc/subgid", ids.uid),
    };
    match (uids, gids) {
        (0, 0) => Answer::missing(format!("{shown} has none in /etc/subuid and /etc/subgid")).fix(fix),
        (0, _) => Answer::missing(format!("{shown} has none in /etc/subuid")).fix(fix),
        (_, 0) => Answer::missing(format!("{shown} has none in /etc/subgid")).fix(fix),
        (uids, gids) if uids.min(gids) < ENOUGH => {
            Answer::limited(format!("{uids} uids and {gids} gids")).fix(fix)
        }
        (uids, gids) => Answer::works(format!("{uids} uids and {gids} gids")),
    }
}

/// Where a program lies in PATH.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

fn helpers() -> Answer {
    let ids = Ids::probe();
    if ids.may_map_any() {
        return Answer::works("not needed: we may map any id");
    }
    let package = "install them: package uidmap (Debian, Ubuntu), shadow-utils (Fedora), shadow (Arch, Alpine: shadow-uidmap)";
    for program in ["newuidmap", "newgidmap"] {
        let Some(file) = on_path(program) else {
            return Answer::missing(format!("`{program}` is not in PATH")).fix(package);
        };
        if !is_privileged(&file) {
            return Answer::missing(format!(
                "`{}` has neither the set-user-ID bit nor file capabilities",
                file.display()
            ))
            .fix(format!("as root: `chmod u+s {}`, or install its package again", file.display()));
        }
    }
    let (Some(uids), Some(gids)) = (ids.subuids.first(), ids.subgids.first()) else {
        return Answer::unknown("they are there; without subordinate ids they cannot be tried");
    };
    let maps = [("newuidmap", ids.uid, *uids), ("newgidmap", ids.gid, *gids)];
    apart(|| mapped(maps))
}

/// Set-user-ID (whose, an id map may hide), or with the attribute that holds capabilities.
fn is_privileged(file: &std::path::Path) -> bool {
    let is_set = fs::metadata(file).is_ok_and(|found| found.mode() & 0o4000 != 0);
    let mut value = [0; 64];
    is_set || rustix::fs::getxattr(file, c"security.capability", &mut value).is_ok()
}

/// Has both map a range of a child that waits in a new user namespace.
fn mapped(maps: [(&str, u32, Range); 2]) -> Answer {
    let Ok((hear, tell)) = rustix::pipe::pipe() else {
        return Answer::unknown("there is no pipe to try it with");
    };
    let born = birth::plain_fork(|| {
        let made = insula_sys::birth::unshare(insula_launch::plan::Kind::User.flag());
        let _ = rustix::io::write(&tell, &[u8::from(made.is_ok())]);
        std::thread::sleep(std::time::Duration::from_secs(1));
        birth::exit_now(0)
    });
    let Ok(born) = born else { return Answer::unknown("there is no process to try it on") };
    let mut byte = [0];
    let is_made = rustix::io::read(&hear, &mut byte).is_ok_and(|length| length == 1 && byte == [1]);
    let answer = if is_made {
        let refused = maps.into_iter().find_map(|(program, own, range)| said(program, born.pid, own, range));
        refused.unwrap_or_else(|| Answer::works("both have mapped a range"))
    } else {
        Answer::unknown("there is no user namespace to try them on")
    };
    let _ = insula_sys::signal::pidfd_send_signal(born.pidfd.as_fd(), 9);
    let _ = waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED);
    answer
}

/// What a helper says if it refuses.
fn said(program: &str, pid: i32, own: u32, range: Range) -> Option<Answer> {
    let count = range.count.min(2).to_string();
    let (pid, own, first) = (pid.to_string(), own.to_string(), range.first.to_string());
    let words = [&*pid, "0", &*own, "1", "1", &*first, &*count];
    let output = Command::new(program).args(words).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            Some(Answer::missing(text.lines().next().unwrap_or("it refused without a word").to_owned()))
        }
        Err(error) => Some(Answer::refused(&format!("execute `{program}`"), ground::errno(&error))),
    }
}

/// The root of our mount namespace, and ours: entering one's own mount namespace again leads to its root. Who may not do
/// that is in a chroot if its root directory is no mount point, or if user namespaces say so.
fn chrooted() -> Answer {
    let fix =
        "start insula outside of the chroot; `insula unshare --root DIR` or `insula run DIR` make one later";
    let answer = apart(|| {
        if !ground::may_mount() {
            return Answer::unknown("");
        }
        let root = || fs::metadata("/").map(|found| (found.dev(), found.ino()));
        let before = root();
        let Ok(file) = fs::File::open("/proc/self/ns/mnt") else { return Answer::unknown("") };
        match (birth::setns(file.as_fd(), 0), before, root()) {
            (Ok(()), Ok(before), Ok(after)) if before == after => {
                Answer::works("`/` is the root of the mount namespace")
            }
            (Ok(()), Ok(_), Ok(_)) => {
                Answer::limited("we are in a chroot: `/` is a directory below the mount namespace's root")
            }
            _ => Answer::unknown(""),
        }
    });
    match answer.state {
        State::Limited => answer.fix(fix),
        State::Unknown if has_no_root_mount() => {
            Answer::limited("we are in a chroot: no mount has `/` as its mount point").fix(fix)
        }
        State::Unknown => Answer::works("`/` is a mount point"),
        _ => answer,
    }
}

/// Our table of mounts is written as seen from our root directory.
fn has_no_root_mount() -> bool {
    let host = insula_launch::host::mounts::probe();
    !host.is_empty() && host.iter().all(|mount| mount.point != "/")
}

/// What bites a program in namespaces of its own.
fn limits() -> Answer {
    let table = [
        (Resource::Nproc, "processes (RLIMIT_NPROC)", 256),
        (Resource::Nofile, "open files (RLIMIT_NOFILE)", 256),
        (Resource::Fsize, "bytes in a file (RLIMIT_FSIZE)", 1 << 30),
        (Resource::As, "bytes of memory (RLIMIT_AS)", 1 << 30),
    ];
    let tight: Vec<String> = table
        .into_iter()
        .filter_map(|(resource, what, least)| {
            let current = getrlimit(resource).current?;
            (current < least).then(|| format!("{current} {what}"))
        })
        .collect();
    if tight.is_empty() {
        return Answer::works("none is tight");
    }
    Answer::limited(format!("no more than {}", tight.join(", ")))
        .fix("raise them: `ulimit`, /etc/security/limits.conf, a service's Limit…=")
}
