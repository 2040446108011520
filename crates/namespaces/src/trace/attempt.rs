//! What a refused call on mounts and paths was to do, as `launch::why` wants to know it.

use super::decode::{Decoded, int};
use insula_launch::fault::Call;
use insula_launch::why::Attempt;
use std::collections::HashMap;

/// mount(2)'s flags.
const MS_REMOUNT: u64 = 32;
const MS_BIND: u64 = 4096;
const MS_MOVE: u64 = 8192;
const MS_REC: u64 = 1 << 14;
/// MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE and MS_SHARED.
const PROPAGATION: u64 = 0xf << 17;
/// The flags that the table of mounts shows.
const SHOWN: [(u64, &str); 4] = [(1, "ro"), (2, "nosuid"), (4, "nodev"), (8, "noexec")];
/// `AT_RECURSIVE`.
const AT_RECURSIVE: u64 = 0x8000;
/// `OPEN_TREE_CLONE`.
const CLONE: u64 = 1;
/// `MOUNT_ATTR_IDMAP`.
const IDMAP: u64 = 0x10_0000;
/// `FSCONFIG_CMD_CREATE`.
const CREATE: u64 = 6;
/// `O_WRONLY`, `O_RDWR` and `O_CREAT`: open(2) makes or writes something.
const WRITES: u64 = 0o103;

/// A file system in the making, fsopen(2).
#[derive(Debug, Clone, Default)]
struct Making {
    fstype: String,
    options: Vec<(String, Option<String>)>,
}

/// The file systems in the making, by process and descriptor.
#[derive(Debug, Default)]
pub(super) struct Contexts(HashMap<(i32, i32), Making>);

impl Contexts {
    /// A call has succeeded that makes one, or gives it an option.
    pub(super) fn succeeded(&mut self, pid: i32, name: &str, args: &[u64; 6], decoded: &Decoded, value: i64) {
        match name {
            "fsopen" => {
                if let (Ok(fd), Some(fstype)) = (i32::try_from(value), text(decoded, 0)) {
                    self.0.insert((pid, fd), Making { fstype, options: Vec::new() });
                }
            }
            "fsconfig" => {
                if let (Some(making), Some(key)) = (self.0.get_mut(&(pid, int(args[0]))), text(decoded, 0)) {
                    // A program that sets options without end is not kept in mind without end.
                    if making.options.len() < 1000 {
                        making.options.push((key, text(decoded, 1)));
                    }
                }
            }
            _ => {}
        }
    }

    /// The process has ended.
    pub(super) fn forget(&mut self, pid: i32) {
        self.0.retain(|(owner, _), _| *owner != pid);
    }
}

/// What was tried, and by which call. `None`: it is none of mounts and paths.
pub(super) fn attempt(
    pid: i32,
    name: &str,
    args: &[u64; 6],
    decoded: &Decoded,
    contexts: &Contexts,
) -> Option<(Attempt, Call)> {
    let lossy = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
    let path = || decoded.path.as_ref().map(lossy);
    let second = || decoded.second.as_ref().map(lossy);
    let made = || {
        let making = contexts.0.get(&(pid, int(args[0])))?.clone();
        Some(Attempt::New { fstype: making.fstype, options: making.options, target: None })
    };
    Some(match name {
        "mount" => (mounted(args[3], decoded, path()?), Call::Mount),
        "umount2" => (Attempt::Unmount { path: path()? }, Call::Umount2),
        "pivot_root" => (Attempt::Pivot { new_root: path()?, put_old: second()? }, Call::PivotRoot),
        "chroot" => (Attempt::Reach { path: path()? }, Call::Chroot),
        "chdir" => (Attempt::Reach { path: path()? }, Call::Chdir),
        "open_tree" if args[2] & CLONE != 0 => {
            let recursive = args[2] & AT_RECURSIVE != 0;
            (Attempt::Bind { source: path()?, recursive, target: None }, Call::OpenTree)
        }
        "open_tree" => (Attempt::Reach { path: path()? }, Call::OpenTree),
        "open_tree_attr" => (attributes(args[2], decoded, path()?), Call::OpenTree),
        "move_mount" => (Attempt::Attach { target: second()? }, Call::MoveMount),
        "fsopen" => {
            let fstype = text(decoded, 0)?;
            (Attempt::New { fstype, options: Vec::new(), target: None }, Call::Fsopen)
        }
        "fsconfig" if args[1] == CREATE => (made()?, Call::FsconfigCreate),
        "fsconfig" => (made()?, Call::Fsconfig),
        "fsmount" => (made()?, Call::Fsmount),
        "mount_setattr" => (attributes(args[2], decoded, path()?), Call::MountSetattr),
        "execve" | "execveat" => (Attempt::Execute { paths: vec![path()?] }, Call::Execve),
        "open" | "openat" | "creat" => {
            let flags = match name {
                "open" => args[1],
                "openat" => args[2],
                _ => WRITES,
            };
            let path = path()?;
            let attempt = if flags & WRITES != 0 { Attempt::Write { path } } else { Attempt::Reach { path } };
            (attempt, Call::Openat2)
        }
        "openat2" | "access" | "faccessat" | "faccessat2" | "stat" | "lstat" | "newfstatat" | "statx"
        | "statfs" | "readlink" | "readlinkat" => (Attempt::Reach { path: path()? }, Call::Openat2),
        "mknod" | "mknodat" => (Attempt::Write { path: path()? }, Call::Mknodat),
        "mkdir" | "mkdirat" => (Attempt::Write { path: path()? }, Call::Mkdirat),
        "symlink" | "symlinkat" => (Attempt::Write { path: path()? }, Call::Symlinkat),
        "rmdir" | "unlink" | "unlinkat" | "rename" | "renameat2" | "link" | "truncate" | "utimensat"
        | "chmod" | "fchmodat" | "setxattr" => (Attempt::Write { path: path()? }, Call::Unknown),
        _ => return None,
    })
}

/// mount(2) does one of five things, by its flags.
fn mounted(flags: u64, decoded: &Decoded, target: String) -> Attempt {
    let source = || text(decoded, 0).unwrap_or_default();
    if flags & MS_REMOUNT != 0 {
        let cleared = SHOWN.iter().filter(|(flag, _)| flags & flag == 0).map(|(_, name)| *name).collect();
        Attempt::Attributes { path: target, cleared }
    } else if flags & MS_BIND != 0 {
        Attempt::Bind { source: source(), recursive: flags & MS_REC != 0, target: Some(target) }
    } else if flags & PROPAGATION != 0 {
        Attempt::Propagation { path: target }
    } else if flags & MS_MOVE != 0 {
        Attempt::Attach { target }
    } else {
        let options = text(decoded, 2).unwrap_or_default();
        let option = |option: &str| match option.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (option.to_owned(), None),
        };
        let options = options.split(',').filter(|option| !option.is_empty()).map(option).collect();
        Attempt::New { fstype: text(decoded, 1).unwrap_or_default(), options, target: Some(target) }
    }
}

/// mount_setattr(2) and open_tree_attr(2), by what is in their struct.
fn attributes(flags: u64, decoded: &Decoded, path: String) -> Attempt {
    let [set, clear, propagation, _] = decoded.attributes;
    if set & IDMAP != 0 {
        Attempt::Translate { path, recursive: flags & AT_RECURSIVE != 0, by: None }
    } else if propagation != 0 {
        Attempt::Propagation { path }
    } else {
        let cleared = SHOWN.iter().filter(|(flag, _)| clear & flag != 0).map(|(_, name)| *name).collect();
        Attempt::Attributes { path, cleared }
    }
}

/// The string argument with this place among the strings.
fn text(decoded: &Decoded, at: usize) -> Option<String> {
    decoded.texts.get(at)?.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(texts: [Option<&str>; 3]) -> Decoded {
        let texts = texts.map(|text| text.map(str::to_owned)).to_vec();
        Decoded { path: Some(b"/mnt".to_vec()), texts, ..Decoded::default() }
    }

    fn tried(name: &str, args: [u64; 6], decoded: &Decoded) -> Option<Attempt> {
        attempt(7, name, &args, decoded, &Contexts::default()).map(|(attempt, _)| attempt)
    }

    #[test]
    fn mount_is_known_by_its_flags() {
        let target = || "/mnt".to_owned();
        let mount = |flags, texts| tried("mount", [0, 0, 0, flags, 0, 0], &decoded(texts));
        let new = Attempt::New {
            fstype: "tmpfs".to_owned(),
            options: vec![("size".to_owned(), Some("1m".to_owned())), ("ro".to_owned(), None)],
            target: Some(target()),
        };
        assert_eq!(mount(6, [Some("x"), Some("tmpfs"), Some("size=1m,ro")]), Some(new));
        let bind = Attempt::Bind { source: "/a".to_owned(), recursive: true, target: Some(target()) };
        assert_eq!(mount(MS_BIND | MS_REC, [Some("/a"), None, None]), Some(bind));
        let remount = Attempt::Attributes { path: target(), cleared: vec!["nodev", "noexec"] };
        assert_eq!(mount(MS_REMOUNT | MS_BIND | 3, [None, None, None]), Some(remount));
        let private = Attempt::Propagation { path: target() };
        assert_eq!(mount(MS_REC | 1 << 18, [None, None, None]), Some(private));
        assert_eq!(mount(MS_MOVE, [Some("/a"), None, None]), Some(Attempt::Attach { target: target() }));
    }

    #[test]
    fn a_file_system_in_the_making_is_known_by_its_descriptor() {
        let mut contexts = Contexts::default();
        contexts.succeeded(7, "fsopen", &[0; 6], &decoded([Some("overlay"), None, None]), 5);
        contexts.succeeded(
            7,
            "fsconfig",
            &[5, 1, 0, 0, 0, 0],
            &decoded([Some("upperdir"), Some("/u"), None]),
            0,
        );
        let create = |pid| attempt(pid, "fsconfig", &[5, CREATE, 0, 0, 0, 0], &Decoded::default(), &contexts);
        let options = vec![("upperdir".to_owned(), Some("/u".to_owned()))];
        let new = Attempt::New { fstype: "overlay".to_owned(), options, target: None };
        assert_eq!(create(7), Some((new, Call::FsconfigCreate)));
        assert_eq!(create(8), None, "another process's descriptor");
    }

    #[test]
    fn an_open_for_writing_is_told_from_one_for_reading() {
        let open = |flags| tried("openat", [0, 0, flags, 0, 0, 0], &decoded([None, None, None]));
        assert_eq!(open(0), Some(Attempt::Reach { path: "/mnt".to_owned() }));
        assert_eq!(open(1), Some(Attempt::Write { path: "/mnt".to_owned() }));
        assert_eq!(open(0o2_000_000), Some(Attempt::Reach { path: "/mnt".to_owned() }));
        assert_eq!(tried("socket", [0; 6], &Decoded::default()), None);
    }
}
