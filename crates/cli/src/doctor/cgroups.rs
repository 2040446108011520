//! Control groups: which hierarchies there are, what is in them, and what of it is ours.

use insula_cgroup::{Directory, Hierarchies, Hierarchy, Version};
use insula_launch::error::Named;
use insula_namespaces::doctor::{Answer, Check, Group, Weight, apart};
use insula_sys::birth;
use insula_sys::bpf;
use rustix::fd::AsFd;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::path::Path;

const fn check(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { key, group: Group::Cgroups, what, loss, weight: Weight::Feature, probe }
}

const fn comfort(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { weight: Weight::Comfort, ..check(key, what, loss, probe) }
}

/// The checks.
pub const CHECKS: &[Check] = &[
    check("cgroup-mode", "the version of control groups", "`insula cgroup`", mode),
    check(
        "cgroup-controllers",
        "the controllers that limit",
        "`cgroup new` and `set` with the limits of what is missing",
        controllers,
    ),
    check(
        "cgroup-delegation",
        "groups that we may make",
        "`cgroup new`, `exec`, `join`, and limits of any kind",
        delegation,
    ),
    check("cgroup-kill", "cgroup.kill", "nothing: `cgroup kill` freezes and signals one by one", kill),
    check(
        "cgroup-freeze",
        "groups that can be frozen",
        "`cgroup freeze` and `thaw`, a safe `cgroup kill`",
        freeze,
    ),
    comfort("psi", "pressure stall information", "`cgroup show` has no pressure", pressure),
    comfort(
        "clone-into-cgroup",
        "processes born in a group",
        "nothing: they move into it, some milliseconds later",
        born_inside,
    ),
    check(
        "device-bpf",
        "rules on devices in version 2",
        "`linux.resources.devices` of config.json, `cgroup` rules on devices",
        devices,
    ),
];

/// Everything below asks about what is mounted.
fn with(look: impl FnOnce(&Hierarchies) -> Answer) -> Answer {
    match Hierarchies::discover() {
        Ok(hierarchies) => look(&hierarchies),
        Err(error) => {
            let answer = Answer::missing(error.to_string());
            match error.hint() {
                Some(hint) => answer.fix(hint),
                None => answer,
            }
        }
    }
}

fn labels<'a>(hierarchies: impl Iterator<Item = &'a Hierarchy>) -> String {
    let words: Vec<String> = hierarchies
        .map(|hierarchy| match hierarchy.version {
            Version::V2 if hierarchy.controllers.is_empty() => "v2 without controllers".to_owned(),
            Version::V2 => format!("v2 with {}", hierarchy.controllers.join(", ")),
            Version::V1 => format!("v1 {}", hierarchy.label()),
        })
        .collect();
    words.join("; ")
}

fn mode() -> Answer {
    with(|hierarchies| Answer::works(format!("{}: {}", hierarchies.kind(), labels(hierarchies.iter()))))
}

fn controllers() -> Answer {
    with(|hierarchies| {
        let wanted = ["cpu", "cpuset", "memory", "pids", "freezer", "blkio"];
        let is_missing = |name: &&str| match *name {
            "freezer" => hierarchies.unified().is_none() && hierarchies.of("freezer").is_none(),
            "blkio" => hierarchies.of("io").is_none() && hierarchies.of("blkio").is_none(),
            name => hierarchies.of(name).is_none(),
        };
        let missing: Vec<&str> = wanted.into_iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Answer::works("all that limits are made of");
        }
        Answer::limited(format!("no hierarchy has {}", missing.join(", "))).fix(
            "see /proc/cgroups; version 2 hands controllers down by cgroup.subtree_control (`systemctl set-property`, Delegate=), version 1 by a mount",
        )
    })
}

/// Where we may make groups: a directory that is ours to write, with its `cgroup.procs`.
fn delegation() -> Answer {
    with(|hierarchies| {
        let of_limits = |hierarchy: &&Hierarchy| hierarchy.name.is_none();
        let (ours, others): (Vec<&Hierarchy>, Vec<&Hierarchy>) =
            hierarchies.iter().filter(of_limits).partition(|hierarchy| hierarchy.top().is_some());
        let names = |all: &[&Hierarchy]| all.iter().map(|one| one.label()).collect::<Vec<_>>().join(", ");
        let read_only: Vec<&Hierarchy> =
            others.iter().filter(|hierarchy| hierarchy.read_only).copied().collect();
        match (ours.as_slice(), others.as_slice()) {
            (_, []) => Answer::works(format!("in all: {}", names(&ours))),
            ([], _) if !read_only.is_empty() => {
                Answer::missing(format!("mounted read-only: {}", names(&read_only)))
                    .fix("mount them read-write, or ask outside of this container")
            }
            ([], _) => Answer::missing("no group here is ours").fix(delegate()),
            (ours, others) => {
                Answer::limited(format!("in {}; not in {}", names(ours), names(others))).fix(delegate())
            }
        }
    })
}

fn delegate() -> String {
    let uid = rustix::process::geteuid().as_raw();
    insula_cgroup::Error::NowhereToMake { name: String::new(), uid }.hint().unwrap_or_default()
}

/// Whether a file of version 2 is in the group that we are in, or in one below the root: the root itself has few files.
/// Where there is no such group, one is made for the look if we may.
fn has_file(hierarchies: &Hierarchies, file: &str) -> Option<bool> {
    let unified = hierarchies.unified()?;
    let root = unified.root();
    let is_there = |group: &Directory| Path::new(&group.shown_of(file)).exists();
    let own =
        unified.own.as_ref().filter(|path| !path.names().is_empty()).and_then(|path| root.at(path).ok());
    let below = || root.children().unwrap_or_default().into_iter().find_map(|name| root.child(&name).ok());
    if let Some(group) = own.or_else(below) {
        return Some(is_there(&group));
    }
    let name = format!("insula-doctor-{}", std::process::id());
    root.make(&name).ok()?;
    let answer = root.child(&name).ok().map(|group| is_there(&group));
    // It is empty, and ours: nothing keeps it.
    let _ = root.remove(&name);
    answer
}

fn file_of_v2(file: &'static str, since: &'static str, without: fn(&Hierarchies) -> Answer) -> Answer {
    with(|hierarchies| match has_file(hierarchies, file) {
        Some(true) => Answer::works(format!("{file} is there")),
        Some(false) => Answer::missing(format!("{file} is not there")).fix(format!("Linux {since} or newer")),
        None if hierarchies.unified().is_some() => Answer::unknown("there is no group here to look at"),
        None => without(hierarchies),
    })
}

fn kill() -> Answer {
    file_of_v2("cgroup.kill", "5.14", |_| {
        Answer::works("not needed: version 1 has none, and is killed by freezing")
    })
}

fn freeze() -> Answer {
    file_of_v2("cgroup.freeze", "5.2", |hierarchies| match hierarchies.of("freezer") {
        Some(_) => Answer::works("by version 1's freezer"),
        None => Answer::missing("neither version 2 nor version 1's freezer is mounted")
            .fix("`mount -t cgroup -o freezer none /sys/fs/cgroup/freezer`"),
    })
}

fn pressure() -> Answer {
    // /proc/pressure cannot be read where it is switched off, though the files are there.
    match std::fs::read_to_string("/proc/pressure/memory") {
        Ok(_) => Answer::works("/proc/pressure is there"),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::OPNOTSUPP) => {
            Answer::missing("it is switched off").fix("`psi=1` on the kernel's command line")
        }
        Err(_) => Answer::missing("/proc/pressure is not there")
            .fix("a kernel with CONFIG_PSI, or `psi=1` on its command line"),
    }
}

/// A process is born into the group that we are in already, which needs no other.
fn born_inside() -> Answer {
    with(|hierarchies| {
        let group = hierarchies.unified().and_then(|unified| unified.root().at(unified.own.as_ref()?).ok());
        let Some(group) = group else {
            return Answer::missing("we are in no group of version 2")
                .fix("mount it: `mount -t cgroup2 none DIR`");
        };
        let directory = match group.open(".", OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(directory) => directory,
            Err(errno) => return Answer::refused("open our own group", errno),
        };
        apart(|| match birth::fork_into(directory.as_fd(), || birth::exit_now(0)) {
            Ok(born) => {
                let _ = waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED);
                Answer::works("a process was born in our own group")
            }
            Err(Errno::ACCESS | Errno::PERM) => {
                Answer::limited("our own group is not ours to write; groups that we make are").fix(delegate())
            }
            Err(errno) => Answer::missing(format!("clone3: {}", Named(errno))).fix("Linux 5.7 or newer"),
        })
    })
}

/// A program that allows everything, loaded and let go.
fn devices() -> Answer {
    with(|hierarchies| {
        if hierarchies.of("devices").is_some() {
            return Answer::works("not needed: version 1's devices is mounted");
        }
        // r0 = 1; exit
        let program = [0x0000_0001_0000_00b7, 0x95];
        match bpf::load_device_program(&program) {
            Ok(_) => Answer::works("a program was loaded"),
            Err(Errno::PERM) => {
                Answer::missing("loading a BPF program wants CAP_BPF and CAP_NET_ADMIN of the host")
                    .fix("be root of the host for it")
            }
            Err(errno) => Answer::refused("bpf", errno).fix("a kernel with CONFIG_CGROUP_BPF"),
        }
    })
}
