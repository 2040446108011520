//! File systems and mounts: the new interface, ids that are translated, and what a user namespace may mount.

use super::answer::{Answer, Check, Group, Weight};
use super::ground::{self, Refused, no_ground};
use super::room::apart;
use insula_launch::plan::Kind;
use insula_sys::birth;
use insula_sys::harmless;
use insula_sys::mount::{MountAttr, attr, mount_setattr, open_tree_attr};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, open};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_fd, fsmount, fsopen, move_mount, open_tree,
};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use std::ffi::{CStr, CString};
use std::fs;
use std::os::unix::fs::MetadataExt;

const fn mount(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { key, group: Group::Mounts, what, loss, weight: Weight::Feature, probe }
}

const fn comfort(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { weight: Weight::Comfort, ..mount(key, what, loss, probe) }
}

/// The checks.
pub(super) const CHECKS: &[Check] = &[
    mount(
        "mount-api",
        "mounts by descriptor (fsopen, open_tree, mount_setattr, move_mount)",
        "`run`",
        interface,
    ),
    mount(
        "mount-proc",
        "a new proc in new user and pid namespaces",
        "an ordinary user's `run` and `unshare --mount-proc`",
        new_proc,
    ),
    mount(
        "mount-sysfs",
        "a new sysfs in new user and network namespaces",
        "an ordinary user's `run --network none` and `netns exec`",
        new_sysfs,
    ),
    mount("proc", "all of /proc", "`lsns`, `nsenter` and `ns` see less than there is", all_of_proc),
    mount(
        "idmap-tmpfs",
        "ids translated on tmpfs",
        "`run -v …:idmap` there; `run --userns` on a root in memory",
        idmap_tmpfs,
    ),
    mount(
        "idmap-root",
        "ids translated on /",
        "`run --userns auto` falls back to identity; `-v …:idmap` there",
        || idmap("/"),
    ),
    mount("idmap-home", "ids translated on /home", "`run -v /home/…:…:idmap`", || idmap("/home")),
    mount("idmap-var", "ids translated on /var", "`run -v /var/…:…:idmap`", || idmap("/var")),
    mount(
        "binfmt",
        "binfmt_misc of a user namespace's own",
        "`unshare --mount-binfmt` and `--load-interp` of an ordinary user",
        binfmt,
    ),
    mount(
        "fuse",
        "file systems in user space",
        "programs that mount FUSE in a container (`run --device /dev/fuse`)",
        fuse,
    ),
    comfort("open-tree-attr", "open_tree_attr(2)", "nothing: two calls do the same", clone_with_attributes),
    comfort("mount-beneath", "MOVE_MOUNT_BENEATH", "nothing today: mounts are replaced from above", beneath),
    comfort("statmount", "statmount(2) and listmount(2)", "nothing: the table of mounts is read", || {
        asked("statmount")
    }),
];

/// Whether a call is there, by a question that changes nothing.
pub(super) fn asked(name: &str) -> Answer {
    let Some(question) = harmless::about(name) else { return Answer::unknown("there is no such question") };
    match harmless::ask(question) {
        Err(Errno::NOSYS) => absent(name, question.since),
        Err(Errno::PERM) if super::security::is_filtered() => {
            Answer::missing(format!("{name}(2) is refused by a filter of system calls"))
                .fix(super::security::UNFILTER)
        }
        _ => Answer::works(format!("{name}(2) is there")),
    }
}

/// A call that is answered with ENOSYS.
pub(super) fn absent(name: &str, since: &str) -> Answer {
    Answer::missing(format!("{name}(2) is not there")).fix(format!("Linux {since} or newer"))
}

/// A new file system, detached.
pub(super) fn new_filesystem(kind: &CStr) -> Result<OwnedFd, Refused> {
    let name = kind.to_string_lossy();
    let fs = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).map_err(Refused::at(format!("fsopen {name}")))?;
    fsconfig_create(&fs).map_err(Refused::at(format!("create the {name}")))?;
    fsmount(&fs, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        .map_err(Refused::at(format!("fsmount {name}")))
}

/// Attaches over `/`: nobody's files are needed for it, and absolute paths lead below it as before.
pub(super) fn over_root(tree: &OwnedFd) -> Result<(), Refused> {
    move_mount(tree, c"", CWD, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(Refused::at("move_mount"))
}

/// A new tmpfs whose ids are translated, detached.
pub(super) fn translated_tmpfs() -> Result<OwnedFd, Refused> {
    let tree = new_filesystem(c"tmpfs")?;
    translated(&tree).map(|()| tree)
}

/// Attaches a tree to the place that `target` is open on.
pub(super) fn attach(tree: &OwnedFd, target: BorrowedFd<'_>) -> Result<(), Refused> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, c"", target, c"", flags).map_err(Refused::at("move_mount"))
}

fn answer(done: Result<Answer, Refused>) -> Answer {
    done.unwrap_or_else(|refused| refused.answer())
}

fn interface() -> Answer {
    apart(|| {
        if let Err(refused) = ground::mounts() {
            return no_ground(&refused);
        }
        answer((|| {
            let tree = new_filesystem(c"tmpfs")?;
            over_root(&tree)?;
            let flags = OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_EMPTY_PATH;
            let clone = open_tree(&tree, c"", flags).map_err(Refused::at("open_tree"))?;
            let read_only = MountAttr { set: attr::RDONLY, ..MountAttr::default() };
            mount_setattr(clone.as_fd(), false, read_only, None).map_err(Refused::at("mount_setattr"))?;
            over_root(&clone)?;
            Ok(Answer::works("all of them"))
        })())
    })
    .or_fix("Linux 5.12 or newer, and no filter of system calls around us")
}

/// Kills a child of ours and waits for its end.
fn reap(born: &birth::Born) -> Option<i32> {
    let ended = waitid(WaitId::PidFd(born.pidfd.as_fd()), WaitIdOptions::EXITED).ok().flatten()?;
    ended.exit_status()
}

/// In a child of a new pid namespace, where a proc is that namespace's; its exit code is the errno.
fn new_proc() -> Answer {
    apart(|| {
        if let Err(refused) = ground::user_mounts().and_then(|()| ground::new(Kind::Pid)) {
            return no_ground(&refused);
        }
        let born = birth::plain_fork(|| {
            let errno = new_filesystem(c"proc").err().map_or(0, |refused| refused.errno.raw_os_error());
            birth::exit_now(errno)
        });
        match born.map(|born| reap(&born)) {
            Ok(Some(0)) => Answer::works("mounted"),
            Ok(Some(1)) => revealing("proc"),
            Ok(Some(errno)) => Answer::refused("mount a proc", Errno::from_raw_os_error(errno)),
            Ok(None) => Answer::unknown("the process that tried it was killed"),
            Err(errno) => Answer::refused("make a process in a new pid namespace", errno),
        }
    })
}

fn new_sysfs() -> Answer {
    apart(|| {
        if let Err(refused) = ground::user_mounts().and_then(|()| ground::new(Kind::Net)) {
            return no_ground(&refused);
        }
        match new_filesystem(c"sysfs") {
            Ok(_) => Answer::works("mounted"),
            Err(Refused { errno: Errno::PERM, .. }) => revealing("sysfs"),
            Err(refused) => refused.answer(),
        }
    })
}

/// EPERM: some of the present one is hidden, and a new one would show it (the kernel's mount_too_revealing()).
fn revealing(kind: &str) -> Answer {
    let hidden = insula_launch::why::mounts::revealing::hidden(kind);
    let found = match hidden.as_slice() {
        [] => format!("no {kind} that can be seen whole is mounted here"),
        hidden => format!("parts of {kind} are hidden here: {}", hidden.join(", ")),
    };
    Answer::missing(format!("{found}; a new one would show them"))
        .fix("whoever started this container leaves them open (Docker: `--security-opt systempaths=unconfined`), or `run --pid host`")
}

/// Another user's processes: `hidepid` of proc(5), and what lies over parts of it.
fn all_of_proc() -> Answer {
    let Ok(table) = fs::read_to_string("/proc/self/mountinfo") else {
        return Answer::missing("no proc is mounted on /proc").fix("`mount -t proc proc /proc`");
    };
    let line = table.lines().rfind(|line| line.split(' ').nth(4) == Some("/proc")).unwrap_or_default();
    let options = line.split(' ').next_back().unwrap_or_default();
    let narrow: Vec<&str> = options
        .split(',')
        .filter(|option| {
            (option.starts_with("hidepid=") && !matches!(*option, "hidepid=0" | "hidepid=off"))
                || option.starts_with("subset=")
        })
        .collect();
    let hidden = insula_launch::why::mounts::revealing::hidden("proc");
    match (narrow.as_slice(), hidden.as_slice()) {
        ([], []) => Answer::works("all of it is to be seen"),
        ([], hidden) => Answer::limited(format!("hidden: {}", hidden.join(", ")))
            .fix("outside of this container, or where it is started with all of /proc"),
        (narrow, _) => Answer::limited(format!("mounted with {}", narrow.join(", ")))
            .fix("as root: `mount -o remount,hidepid=0 /proc`"),
    }
}

/// A user namespace to translate by: that of a child that waits.
fn translation() -> Result<(birth::Born, OwnedFd), Refused> {
    let (hear, tell) = rustix::pipe::pipe().map_err(Refused::at("make a pipe"))?;
    let born = birth::plain_fork(|| {
        let made = ground::user_namespace();
        let _ = rustix::io::write(&tell, &[u8::from(made.is_ok())]);
        std::thread::sleep(std::time::Duration::from_secs(1));
        birth::exit_now(0)
    })
    .map_err(Refused::at("make a process"))?;
    let mut byte = [0];
    let is_made = rustix::io::read(&hear, &mut byte).is_ok_and(|length| length == 1 && byte == [1]);
    if !is_made {
        return Err(Refused::at("make a user namespace")(Errno::PERM));
    }
    let file = open(format!("/proc/{}/ns/user", born.pid), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(Refused::at("open a user namespace"))?;
    Ok((born, file))
}

/// Clones what is mounted there, and has its ids translated.
fn translated(tree: &OwnedFd) -> Result<(), Refused> {
    let (born, userns) = translation()?;
    let done = mount_setattr(tree.as_fd(), false, MountAttr::default(), Some(userns.as_fd()));
    let _ = insula_sys::signal::pidfd_send_signal(born.pidfd.as_fd(), 9);
    reap(&born);
    done.map_err(Refused::at("mount_setattr with an id map"))
}

fn idmap_tmpfs() -> Answer {
    apart(|| {
        let tree = match ground::mounts().and_then(|()| new_filesystem(c"tmpfs")) {
            Ok(tree) => tree,
            Err(refused) => return no_ground(&refused),
        };
        match translated(&tree) {
            Ok(()) => Answer::works("translated"),
            Err(refused) => refused.answer().fix("Linux 6.3 or newer"),
        }
    })
}

fn idmap(path: &'static str) -> Answer {
    if path != "/" {
        let device = |path: &str| fs::metadata(path).map(|found| found.dev());
        match (device(path), device("/")) {
            (Err(_), _) => return Answer::works(format!("there is no {path}")),
            (Ok(here), Ok(root)) if here == root => return Answer::works("the same file system as /"),
            _ => {}
        }
    }
    apart(|| {
        let name = filesystem(path);
        let is_user = !ground::may_mount();
        if let Err(refused) = ground::mounts() {
            return no_ground(&refused);
        }
        let flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
        let place = CString::new(path).unwrap_or_default();
        let tree = open_tree(CWD, place.as_c_str(), flags).map_err(Refused::at("open_tree"));
        match tree.and_then(|tree| translated(&tree)) {
            Ok(()) => Answer::works(format!("{name} translates")),
            Err(Refused { errno: Errno::PERM, .. }) if is_user => Answer::works(format!(
                "not needed: {name} is translated by root alone, and an ordinary user's `run` does without"
            )),
            Err(Refused { errno: Errno::INVAL, .. }) => {
                Answer::missing(format!("{name} cannot translate ids here")).fix(
                    "a newer kernel, or another file system (ext4, xfs, btrfs, f2fs, overlay's layers, tmpfs from Linux 6.3 on)",
                )
            }
            Err(refused) => refused.answer(),
        }
    })
}

/// The type of what is mounted at `path`, by the table of mounts.
fn filesystem(path: &str) -> String {
    let table = insula_launch::host::table::of("self");
    insula_launch::host::table::holding(&table, path)
        .map_or_else(|| "the file system".to_owned(), |mount| mount.fstype.clone())
}

fn binfmt() -> Answer {
    apart(|| match ground::user_mounts() {
        Err(refused) => no_ground(&refused),
        Ok(()) => match new_filesystem(c"binfmt_misc") {
            Ok(_) => Answer::works("mounted"),
            Err(Refused { errno: Errno::NODEV, .. }) => Answer::missing("this kernel has no binfmt_misc")
                .fix("as root: `modprobe binfmt_misc`; or a kernel with CONFIG_BINFMT_MISC"),
            Err(Refused { errno: Errno::PERM, .. }) => {
                Answer::missing("only the host may mount it").fix("Linux 6.7 or newer")
            }
            Err(refused) => refused.answer(),
        },
    })
}

fn fuse() -> Answer {
    apart(|| {
        let device = match open(c"/dev/fuse", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
            Ok(device) => device,
            Err(Errno::NOENT) => {
                return Answer::missing("there is no /dev/fuse").fix("as root: `modprobe fuse`");
            }
            Err(Errno::ACCESS) => {
                return Answer::missing("/dev/fuse is closed to us")
                    .fix("as root: `chmod 0666 /dev/fuse`, as most distributions have it");
            }
            Err(errno) => return Answer::refused("open `/dev/fuse`", errno),
        };
        let made = ground::user_mounts().and_then(|()| {
            let fs = fsopen(c"fuse", FsOpenFlags::FSOPEN_CLOEXEC).map_err(Refused::at("fsopen fuse"))?;
            // Without more options the file system would refuse; that the option is taken shows that it is there.
            fsconfig_set_fd(&fs, c"fd", &device).map_err(Refused::at("give it the device"))
        });
        match made {
            Ok(()) => Answer::works("/dev/fuse is open to us, and the kernel has it"),
            Err(refused) if refused.errno == Errno::NODEV => {
                Answer::missing("this kernel has no fuse").fix("as root: `modprobe fuse`")
            }
            // Older kernels take the number as text only: the device is open, and so the driver is there.
            Err(refused) if refused.errno == Errno::INVAL => Answer::works("/dev/fuse is open to us"),
            Err(refused) => no_ground(&refused),
        }
    })
}

fn clone_with_attributes() -> Answer {
    apart(|| {
        let tree = match ground::mounts().and_then(|()| new_filesystem(c"tmpfs")) {
            Ok(tree) => tree,
            Err(refused) => return no_ground(&refused),
        };
        if let Err(refused) = over_root(&tree) {
            return no_ground(&refused);
        }
        match open_tree_attr(tree.as_fd(), MountAttr { set: attr::RDONLY, ..MountAttr::default() }) {
            Ok(_) => Answer::works("cloned"),
            Err(Errno::NOSYS) => absent("open_tree_attr", "6.15"),
            Err(errno) => Answer::refused("open_tree_attr", errno),
        }
    })
}

fn beneath() -> Answer {
    apart(|| {
        let done = ground::mounts().and_then(|()| {
            let (top, below) = (new_filesystem(c"tmpfs")?, new_filesystem(c"tmpfs")?);
            mkdirat(&top, c"d", Mode::from_raw_mode(0o755)).map_err(Refused::at("make a directory"))?;
            over_root(&top)?;
            // The root of a mount namespace has nothing beneath it; a mount on a directory has.
            let inner = new_filesystem(c"tmpfs")?;
            move_mount(&inner, c"", &top, c"d", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
                .map_err(Refused::at("move_mount"))?;
            Ok((top, below))
        });
        let (top, below) = match done {
            Ok(both) => both,
            Err(refused) => return no_ground(&refused),
        };
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::from_bits_retain(0x200);
        match move_mount(&below, c"", &top, c"d", flags) {
            Ok(()) => Answer::works("mounted beneath"),
            Err(Errno::INVAL) => {
                Answer::missing("move_mount(2) does not take the flag").fix("Linux 6.5 or newer")
            }
            Err(errno) => Answer::refused("move_mount", errno),
        }
    })
}
