//! What a test has tried: this test's own program, started again in the room of the test, makes one call and tells what
//! is found of its refusal.

use insula_launch::fault::{Call, Fault};
use insula_launch::why::{Act, Attempt, Refusal, Subject, find};
use insula_sys::mount::{MountAttr, attr, mount_setattr};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, open, statx};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, OpenTreeFlags, UnmountFlags, mount, mount_change, open_tree, unmount,
};
use rustix::process::{chdir, chroot, pivot_root};
use std::ffi::CString;
use std::os::unix::process::CommandExt;

/// The words of the attempt; without it the test below is no test.
pub const WORDS: &str = "INSULA_ATTEMPT";

/// What is told begins so.
pub const MARK: &str = "attempt: ";

#[test]
fn attempt() {
    let Ok(words) = std::env::var(WORDS) else { return };
    let words: Vec<&str> = words.split(' ').collect();
    let (act, call, done) = tried(&words);
    let told = match done {
        Ok(()) => "done".to_owned(),
        Err(errno) => match find(&Refusal { act, fault: Fault { call, errno } }, &Subject::ourselves()) {
            None => format!("unexplained | {}", insula_launch::error::Named(errno)),
            Some(cause) => format!("{} | {cause} | {}", cause.key(), cause.cure()),
        },
    };
    println!("\n{MARK}{told}");
}

fn owned(word: &str) -> String {
    word.to_owned()
}

fn tree(path: &str, recursive: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(CWD, path, flags)
}

fn tried(words: &[&str]) -> (Act, Call, Result<(), Errno>) {
    let (attempt, call, done) = match *words {
        ["pivot", new_root, put_old] => (
            Attempt::Pivot { new_root: owned(new_root), put_old: owned(put_old) },
            Call::PivotRoot,
            pivot_root(new_root, put_old),
        ),
        ["bind", how, source] => (
            Attempt::Bind { source: owned(source), recursive: how == "all", target: None },
            Call::OpenTree,
            tree(source, how == "all").map(drop),
        ),
        ["umount", path] => {
            (Attempt::Unmount { path: owned(path) }, Call::Umount2, unmount(path, UnmountFlags::empty()))
        }
        ["clear", flag, path] => clear(flag, path),
        ["mount", fstype, target, options] => new(fstype, target, options),
        ["translate", path, pid] => translate(path, pid),
        ["translate-twice", path, pid] => {
            // The first is attached over the path, so that the second is of a mount with an id map.
            let first = open(format!("/proc/{pid}/ns/user"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                .and_then(|userns| {
                    let tree = tree(path, false)?;
                    mount_setattr(tree.as_fd(), false, MountAttr::default(), Some(userns.as_fd()))?;
                    let flags = rustix::mount::MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
                    rustix::mount::move_mount(&tree, c"", CWD, path, flags)
                });
            first.expect("translate the first");
            translate(path, pid)
        }
        ["propagation", path] => (
            Attempt::Propagation { path: owned(path) },
            Call::Mount,
            mount_change(path, MountPropagationFlags::PRIVATE),
        ),
        ["mkdir", path] => {
            let made = mkdirat(CWD, path, Mode::from_raw_mode(0o755));
            (Attempt::Write { path: owned(path) }, Call::Mkdirat, made)
        }
        ["chdir", path] => (Attempt::Reach { path: owned(path) }, Call::Chdir, chdir(path)),
        ["chroot", path] => (Attempt::Reach { path: owned(path) }, Call::Chroot, chroot(path)),
        ["execute", path] => {
            let error = std::process::Command::new(path).exec();
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            (Attempt::Execute { paths: vec![owned(path)] }, Call::Execve, Err(errno))
        }
        ["open-tree", flags] => {
            let flags: u32 = flags.parse().expect("flags");
            let made = open_tree(CWD, "/", OpenTreeFlags::from_bits_retain(flags)).map(drop);
            return (Act::Call { name: owned("open_tree"), flags: flags.into() }, Call::OpenTree, made);
        }
        ["ask", name] => {
            let question = insula_sys::harmless::about(name).expect("a question");
            let answer = insula_sys::harmless::ask(question).map(drop);
            return (Act::Call { name: owned(name), flags: 0 }, Call::Unknown, answer);
        }
        ["filtered", name] => {
            filter(name);
            let question = insula_sys::harmless::about(name).expect("a question");
            let answer = insula_sys::harmless::ask(question).map(drop);
            return (Act::Call { name: owned(name), flags: 0 }, Call::Unknown, answer);
        }
        ["keep", target] => {
            let done = rustix::mount::mount_bind("/proc/self/ns/mnt", target);
            (Attempt::Keep { target: owned(target) }, Call::Mount, done)
        }
        ["host-name", name] => {
            return (Act::Other, Call::Sethostname, rustix::system::sethostname(name.as_bytes()));
        }
        ref other => panic!("no attempt {other:?}"),
    };
    (Act::Mount(attempt), call, done)
}

/// From now on this call is ENOSYS: a filter of one test.
fn filter(name: &str) {
    use insula_sys::seccomp::{Flags, Instruction, load};
    let number = match name {
        "fsopen" => libc::SYS_fsopen,
        "pidfd_open" => libc::SYS_pidfd_open,
        other => panic!("no number of {other}"),
    };
    let number = u32::try_from(number).expect("a number of a call");
    let program = [
        Instruction { code: 0x20, jt: 0, jf: 0, k: 0 },
        Instruction { code: 0x15, jt: 0, jf: 1, k: number },
        Instruction { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs() },
        Instruction { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ];
    insula_sys::prctl::no_new_privs().expect("set no_new_privs");
    // All threads: what is looked at is the process.
    load(&program, Flags::ALL_THREADS).expect("load the filter");
}

fn clear(flag: &str, path: &str) -> (Attempt, Call, Result<(), Errno>) {
    let (name, bit) = match flag {
        "nosuid" => ("nosuid", attr::NOSUID),
        "nodev" => ("nodev", attr::NODEV),
        _ => ("ro", attr::RDONLY),
    };
    let done = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).and_then(|file| {
        mount_setattr(file.as_fd(), false, MountAttr { clear: bit, ..MountAttr::default() }, None)
    });
    (Attempt::Attributes { path: owned(path), cleared: vec![name] }, Call::MountSetattr, done)
}

fn new(fstype: &str, target: &str, options: &str) -> (Attempt, Call, Result<(), Errno>) {
    let data = CString::new(options).expect("no NUL in a test's words");
    let data = (options != "-").then_some(data.as_c_str());
    let done = mount("none", target, fstype, MountFlags::empty(), data);
    let options = options.split(',').map(|option| match option.split_once('=') {
        Some((key, value)) => (owned(key), Some(owned(value))),
        None => (owned(option), None),
    });
    (
        Attempt::New { fstype: owned(fstype), options: options.collect(), target: Some(owned(target)) },
        Call::Mount,
        done,
    )
}

/// By the user namespace of another process.
fn translate(path: &str, pid: &str) -> (Attempt, Call, Result<(), Errno>) {
    let done = open(format!("/proc/{pid}/ns/user"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .and_then(|userns| {
            mount_setattr(tree(path, true)?.as_fd(), true, MountAttr::default(), Some(userns.as_fd()))
        });
    let attempt = Attempt::Translate {
        path: owned(path),
        recursive: true,
        by: pid.parse().or(i32::try_from(std::process::id())).ok(),
    };
    (attempt, Call::MountSetattr, done)
}

/// Whether the kernel tells where a mount begins (Linux 5.10).
pub fn tells_mount_roots() -> Result<(), String> {
    let found = statx(CWD, "/", AtFlags::empty(), rustix::fs::StatxFlags::empty());
    let tells =
        found.is_ok_and(|found| found.stx_attributes_mask.contains(rustix::fs::StatxAttributes::MOUNT_ROOT));
    insula_proof::need::that(tells, "the kernel does not tell where a mount begins")
}
