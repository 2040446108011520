//! Looks at one side: what /proc and the namespace files tell of it.

use super::facts::{Facts, Hidden, Machine, Namespace, OpenFile, Place, Process, Seen, User};
use super::mounts;
use crate::error::Error;
use crate::party::{Party, Whom};
use crate::pids::proc_is_ours;
use crate::process::Process as Directory;
use crate::status;
use insula_launch::plan::Kind;
use insula_sys::{nsfs, pidfd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, OFlags, RawDir, StatxFlags, fstat, statat, statx};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;

/// What there is to know of whom a word means. [`Error::NoProcess`]: the process has ended.
pub fn facts(subject: &Party) -> Result<Facts, Error> {
    let files = Kind::ALL.map(|kind| match &subject.whom {
        Whom::Namespaces(_) => match subject.namespace(kind) {
            Ok(file) => Seen::Is(file),
            Err(_) => Seen::Nothing("no namespace of this kind has this name"),
        },
        Whom::Process(process) | Whom::Host(process, _) => match process.namespace(kind) {
            Err(Errno::NOENT) => Seen::Nothing("the kernel has no such namespaces, or the process has ended"),
            file => seen(file),
        },
    });
    let process = subject.process().map(process).transpose()?;
    let files = with_own_pid_namespace(files, process.as_ref());
    let (users, pids) = lines(&files);
    let name = match (&subject.whom, subject.process()) {
        (Whom::Process(_), Some(process)) => format!("{} ({})", process.pid, command(process)),
        _ => subject.word.clone(),
    };
    let namespaces = files.map(|file| match file {
        Seen::Is(file) => seen(numbers(&file)),
        file => file.map(|_| Namespace { inode: 0, id: None }),
    });
    Ok(Facts { name, namespaces, users, pids, process })
}

/// What the machine says.
pub fn machine() -> Machine {
    let number =
        |path: &str| std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u32>().ok());
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    Machine {
        yama: number("/proc/sys/kernel/yama/ptrace_scope").and_then(|scope| u8::try_from(scope).ok()),
        ids_are_whole: map.split_whitespace().eq(["0", "0", "4294967295"]),
        last_capability: number("/proc/sys/kernel/cap_last_cap").unwrap_or(40),
    }
}

/// A process that has one pid only is in the pid namespace of /proc itself; that is told of every process.
fn with_own_pid_namespace(mut files: [Seen<OwnedFd>; 8], process: Option<&Process>) -> [Seen<OwnedFd>; 8] {
    let slot = &mut files[Kind::Pid as usize];
    let has_one_pid = process.is_some_and(|process| process.status.pids.len() == 1);
    if matches!(slot, Seen::Hidden(_)) && has_one_pid && proc_is_ours() {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        if let Ok(file) = rustix::fs::open("/proc/self/ns/pid", flags, rustix::fs::Mode::empty()) {
            *slot = Seen::Is(file);
        }
    }
    files
}

/// A refusal as what it means for who asks.
pub(super) fn seen<T>(found: Result<T, Errno>) -> Seen<T> {
    match found {
        Ok(value) => Seen::Is(value),
        Err(Errno::ACCESS | Errno::PERM) => Seen::Hidden(Hidden::Rights),
        Err(Errno::SRCH | Errno::NOENT) => Seen::Hidden(Hidden::Gone),
        Err(_) => Seen::Hidden(Hidden::Kernel("the kernel does not tell")),
    }
}

fn numbers(file: &OwnedFd) -> Result<Namespace, Errno> {
    Ok(Namespace { inode: fstat(file)?.st_ino, id: nsfs::id(file.as_fd()).ok() })
}

/// The lines of parents of the user and of the pid namespace. Of a namespace file alone, the user namespace that owns it
/// says nothing of who is in it, so there is a line only where there is such a namespace.
fn lines(files: &[Seen<OwnedFd>; 8]) -> (Vec<User>, Vec<u64>) {
    let line = |kind: Kind| {
        let mut next = files[kind as usize].known().and_then(|file| file.try_clone().ok());
        std::iter::from_fn(move || {
            let file = next.take()?;
            next = nsfs::parent(file.as_fd()).ok();
            let inode = fstat(&file).ok()?.st_ino;
            Some(User { inode, owner: nsfs::owner_uid(file.as_fd()).ok() })
        })
    };
    (line(Kind::User).collect(), line(Kind::Pid).map(|namespace| namespace.inode).collect())
}

fn process(directory: &Directory) -> Result<Process, Error> {
    let status = directory.read(c"status").map_err(|errno| match errno {
        Errno::SRCH | Errno::NOENT => Error::NoProcess(directory.pid),
        errno => Error::process("read the status".to_owned(), directory.pid, errno),
    })?;
    Ok(Process {
        pid: directory.pid,
        status: status::parse(&String::from_utf8_lossy(&status)),
        root: seen(place(directory, c"root")),
        cwd: seen(place(directory, c"cwd")),
        // A zombie has none any more, and the kernel says EINVAL.
        mounts: seen(directory.read(c"mountinfo")).map(|table| mounts::parse(&table)),
        cgroups: seen(directory.read(c"cgroup")).map(|text| cgroups(&String::from_utf8_lossy(&text))),
        label: label(directory),
        dumpable: dumpable(directory.pid),
        session: seen(directory.read(c"stat").and_then(|line| session(&line).ok_or(Errno::INVAL))),
        abstract_sockets: seen(directory.read(c"net/unix")).map(|table| abstract_sockets(&table)),
        files: seen(open_files(directory)),
    })
}

/// The name of a process.
fn command(directory: &Directory) -> String {
    let name = directory.read(c"comm").unwrap_or_default();
    String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned()
}

fn place(directory: &Directory, name: &CStr) -> Result<Place, Errno> {
    let file = directory.file(name, OFlags::PATH)?;
    let found = fstat(&file)?;
    let mount = statx(&file, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)
        .ok()
        .filter(|found| found.stx_mask & StatxFlags::MNT_ID.bits() != 0)
        .map(|found| found.stx_mnt_id);
    Ok(Place { mount, device: found.st_dev, inode: found.st_ino, path: directory.link(name)? })
}

/// `ID:CONTROLLERS:PATH`, proc_pid_cgroup(5).
fn cgroups(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let hierarchy = if controllers.is_empty() { "unified" } else { controllers };
            Some((hierarchy.to_owned(), path.to_owned()))
        })
        .collect();
    found.sort_unstable();
    found
}

fn label(directory: &Directory) -> Seen<String> {
    match directory.read(c"attr/current") {
        Ok(label) => {
            let label = String::from_utf8_lossy(&label);
            Seen::Is(label.trim_end_matches(['\n', '\0']).to_owned())
        }
        Err(Errno::INVAL | Errno::NOENT) => Seen::Nothing("no security module labels processes here"),
        Err(errno) => seen(Err(errno)),
    }
}

/// By the pidfd from Linux 6.16 on. Before, the owner of /proc/PID tells it, unless that is root anyway.
fn dumpable(pid: i32) -> Seen<pidfd::Dumpable> {
    let found = Pid::from_raw(pid)
        .ok_or(Errno::SRCH)
        .and_then(|pid| pidfd_open(pid, PidfdFlags::empty()))
        .and_then(|file| pidfd::dumpable(file.as_fd()));
    match found {
        Ok(dumpable) => Seen::Is(dumpable),
        Err(_) => by_owner(pid),
    }
}

/// proc(5): the files of a process are its effective user's if it is dumpable, else root's.
fn by_owner(pid: i32) -> Seen<pidfd::Dumpable> {
    const UNTOLD: Hidden =
        Hidden::Kernel("before Linux 6.16 the kernel does not tell it of root's processes");
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let effective = status::parse(&text).uids[1];
    // Of the files in it: the directory itself is its user's always.
    match statat(rustix::fs::CWD, format!("/proc/{pid}/status"), AtFlags::empty()) {
        Ok(found) if effective != 0 && found.st_uid == effective => Seen::Is(pidfd::Dumpable::Yes),
        Ok(found) if effective != 0 && found.st_uid == 0 => Seen::Is(pidfd::Dumpable::No),
        Ok(_) => Seen::Hidden(UNTOLD),
        Err(errno) => seen(Err(errno)),
    }
}

/// The fourth field behind the name in brackets, proc_pid_stat(5): state, parent, process group, session.
fn session(line: &[u8]) -> Option<i32> {
    let after = line.iter().rposition(|byte| *byte == b')')?;
    std::str::from_utf8(line.get(after + 2..)?).ok()?.split(' ').nth(3)?.parse().ok()
}

/// Names that begin with `@`, unix(7): the eighth field.
fn abstract_sockets(table: &[u8]) -> usize {
    let name = |line: &&[u8]| {
        line.split(|byte| *byte == b' ')
            .filter(|word| !word.is_empty())
            .nth(7)
            .is_some_and(|name| name[0] == b'@')
    };
    table.split(|byte| *byte == b'\n').filter(name).count()
}

fn open_files(directory: &Directory) -> Result<Vec<OpenFile>, Errno> {
    let list = directory.file(c"fd", OFlags::RDONLY | OFlags::DIRECTORY)?;
    let mut room = [MaybeUninit::<u8>::uninit(); 8192];
    let mut entries = RawDir::new(list.as_fd(), &mut room);
    let mut files = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let Some(fd) = entry.file_name().to_str().ok().and_then(|name| name.parse().ok()) else { continue };
        // One that is closed meanwhile is none.
        let Ok(found) = statat(&list, entry.file_name(), AtFlags::empty()) else { continue };
        let link = rustix::fs::readlinkat(&list, entry.file_name(), Vec::new()).map(CString::into_bytes);
        files.push(OpenFile { fd, file: (found.st_dev, found.st_ino), link: link.unwrap_or_default() });
    }
    files.sort_unstable_by_key(|file| file.fd);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hierarchy_has_its_name() {
        let found = cgroups("4:cpuacct,cpu:/a:b\n2:name=systemd:/x\n0::/here\nrubbish\n");
        let expected = [("cpuacct,cpu", "/a:b"), ("name=systemd", "/x"), ("unified", "/here")];
        assert_eq!(found, expected.map(|(name, path)| (name.to_owned(), path.to_owned())));
    }

    #[test]
    fn a_session_stands_behind_any_name() {
        assert_eq!(session(b"12 (a) b (c) S 1 12 7 0 -1"), Some(7));
        assert_eq!(session(b"12 (a"), None);
    }

    #[test]
    fn abstract_names_are_counted() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 20 @x y\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 21 /run/x\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 22\n";
        assert_eq!(abstract_sockets(table), 1);
    }
}
