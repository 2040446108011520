//! A call as a person reads it: names for flags, paths for addresses and descriptors.

use super::flags::{self, choice, flags};
use super::memory::{Memory, Text};
use super::place::{absolute, link};
use super::table::{Arg, Signature};

/// `AT_FDCWD`.
const HERE: i32 = -100;
/// How much of what was written is told.
const SHOWN_BYTES: usize = 80;
/// The most ids of an array that are told.
const SHOWN_IDS: usize = 8;

/// A decoded call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Decoded {
    /// `unshare(CLONE_NEWNET)`.
    pub(super) text: String,
    /// The first path of it, absolute, as the process sees it: what the call is about.
    pub(super) path: Option<Vec<u8>>,
    /// The second path.
    pub(super) second: Option<Vec<u8>>,
    /// The `CLONE_*` flags, if it has some.
    pub(super) clone: u64,
    /// What was written.
    pub(super) data: Option<Vec<u8>>,
    /// The strings that are no paths, in order: type and options of a mount.
    pub(super) texts: Vec<Option<String>>,
    /// `struct mount_attr`: set, cleared, propagation, user namespace.
    pub(super) attributes: [u64; 4],
}

/// Decodes a call of the stopped thread `tid`.
pub(super) fn decode(tid: i32, signature: &Signature, args: &[u64; 6]) -> Decoded {
    let memory = Memory::of(tid);
    let mut done = Decoded::default();
    let mut parts: Vec<String> = Vec::new();
    let mut dirfd = None;
    for (i, arg) in signature.args.iter().enumerate() {
        let value = args.get(i).copied().unwrap_or(0);
        let before = i.checked_sub(1).and_then(|i| args.get(i)).copied().unwrap_or(0);
        let next = args.get(i + 1).copied().unwrap_or(0);
        match arg {
            Arg::Skipped => continue,
            Arg::Fd => {
                dirfd = Some(int(value));
                parts.push(descriptor(tid, int(value)));
                // What is done to a descriptor is done to its file; a path behind it says more.
                if !signature.args.get(i + 1).is_some_and(|arg| matches!(arg, Arg::Path))
                    && done.path.is_none()
                {
                    done.path = link(tid, &format!("fd/{}", int(value)));
                }
                continue;
            }
            Arg::Path => {
                let text = memory.text(value);
                if let Some(path) = path(tid, dirfd, &text) {
                    let place = if done.path.is_none() { &mut done.path } else { &mut done.second };
                    *place = Some(path);
                }
                parts.push(quoted(&text));
            }
            Arg::Text => {
                let text = memory.text(value);
                done.texts.push(match &text {
                    Text::Bytes { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
                    Text::Null | Text::Unreadable(_) => None,
                });
                parts.push(quoted(&text));
            }
            Arg::Data => {
                let most = usize::try_from(next).unwrap_or(usize::MAX);
                let bytes = memory.bytes(value, most.min(4096));
                let whole = bytes.len() == most && most <= SHOWN_BYTES;
                parts.push(quoted(&Text::Bytes {
                    bytes: bytes[..bytes.len().min(SHOWN_BYTES)].to_vec(),
                    whole,
                }));
                done.data = Some(bytes);
            }
            other => parts.push(scalar(*other, value, before, &memory, &mut done)),
        }
        dirfd = None;
    }
    let unknown = if signature.args.is_empty() { "…" } else { "" };
    done.text = format!("{}({}{unknown})", signature.name, parts.join(", "));
    done
}

/// An argument that is no string and no descriptor.
fn scalar(arg: Arg, value: u64, before: u64, memory: &Memory, done: &mut Decoded) -> String {
    match arg {
        Arg::Flags(names) => flags(value & 0xffff_ffff, names),
        Arg::Kinds => {
            done.clone = value & 0xffff_ffff;
            flags(done.clone, flags::CLONE)
        }
        Arg::Choice(names) => choice(value & 0xffff_ffff, names),
        Arg::Mode => format!("{:#o}", value & 0o177_777),
        Arg::Pointer if value == 0 => "NULL".to_owned(),
        Arg::Pointer => "…".to_owned(),
        Arg::CloneFlags => {
            /// `CSIGNAL`: the low byte is the signal at the child's end.
            const SIGNAL: u64 = 0xff;
            done.clone = value & !SIGNAL;
            flags(done.clone, flags::CLONE)
        }
        Arg::CloneArgs => match memory.words(value, 1).first() {
            Some(given) => {
                done.clone = *given;
                flags(*given, flags::CLONE)
            }
            None => format!("{value:#x}"),
        },
        Arg::MountAttr => {
            let words = memory.words(value, 4);
            if let Ok(attributes) = words[..].try_into() {
                done.attributes = attributes;
            }
            mount_attr(&words)
        }
        Arg::Ids => {
            let count = usize::try_from(before).unwrap_or(usize::MAX);
            let bytes = memory.bytes(value, count.min(SHOWN_IDS) * 4);
            let ids =
                bytes.chunks_exact(4).map(|four| u32::from_ne_bytes(four.try_into().unwrap_or_default()));
            let mut ids: Vec<String> = ids.map(|id| id.to_string()).collect();
            if count > SHOWN_IDS {
                ids.push("…".to_owned());
            }
            format!("[{}]", ids.join(", "))
        }
        _ => int(value).to_string(),
    }
}

/// `struct mount_attr`: what is set, cleared, the propagation, a user namespace.
fn mount_attr(words: &[u64]) -> String {
    let [set, clear, propagation, userns] = *words else { return "…".to_owned() };
    let mut parts = vec![format!("set={}", flags(set, flags::MOUNT_ATTR))];
    if clear != 0 {
        parts.push(format!("clear={}", flags(clear, flags::MOUNT_ATTR)));
    }
    if propagation != 0 {
        parts.push(format!("propagation={}", flags(propagation, flags::MOUNT)));
    }
    if set & 0x10_0000 != 0 {
        parts.push(format!("userns_fd={userns}"));
    }
    format!("{{{}}}", parts.join(", "))
}

/// The path that a string means.
fn path(tid: i32, dirfd: Option<i32>, text: &Text) -> Option<Vec<u8>> {
    let Text::Bytes { bytes, .. } = text else { return None };
    Some(absolute(tid, dirfd.filter(|fd| *fd != HERE), bytes))
}

/// The path of an `openat` and its like, without the rest of the decoding.
pub(super) fn first_path(tid: i32, signature: &Signature, args: &[u64; 6]) -> Option<Vec<u8>> {
    match signature.args.iter().position(|arg| matches!(arg, Arg::Path)) {
        Some(at) => {
            let dirfd = at.checked_sub(1).filter(|i| matches!(signature.args[*i], Arg::Fd));
            path(tid, dirfd.map(|i| int(args[i])), &Memory::of(tid).text(args[at]))
        }
        None => link(tid, &format!("fd/{}", int(args[0]))),
    }
}

/// A descriptor, and what it is open on.
fn descriptor(tid: i32, fd: i32) -> String {
    if fd == HERE {
        return "AT_FDCWD".to_owned();
    }
    match link(tid, &format!("fd/{fd}")) {
        Some(target) => format!("{fd}<{}>", String::from_utf8_lossy(&target)),
        None => fd.to_string(),
    }
}

/// A string in quotes.
fn quoted(text: &Text) -> String {
    match text {
        Text::Null => "NULL".to_owned(),
        Text::Unreadable(address) => format!("{address:#x}"),
        Text::Bytes { bytes, whole } => {
            let text = String::from_utf8_lossy(bytes);
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("\"{text}\"{}", if *whole { "" } else { "…" })
        }
    }
}

/// The low 32 bits as the int that they are.
pub(super) fn int(value: u64) -> i32 {
    ((value & 0xffff_ffff) as u32).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::table::Table;
    use std::os::fd::AsRawFd as _;

    /// Decodes a call with pointers into our own memory.
    fn decoded(name: &str, args: [u64; 6]) -> Decoded {
        let table = Table::new(false);
        let number = insula_sys::syscall::all().find(|(_, known)| *known == name).unwrap().0;
        let own = i32::try_from(std::process::id()).unwrap();
        decode(own, table.find(number).unwrap(), &args)
    }

    #[test]
    fn flags_and_paths_are_told_by_name() {
        let unshare = decoded("unshare", [0x4000_0000, 0, 0, 0, 0, 0]);
        assert_eq!((unshare.text.as_str(), unshare.clone), ("unshare(CLONE_NEWNET)", 0x4000_0000));
        let (source, target, kind) = (c"proc", c"/proc", c"proc");
        let args = [source.as_ptr() as u64, target.as_ptr() as u64, kind.as_ptr() as u64, 6, 0, 0];
        let mount = decoded("mount", args);
        assert_eq!(mount.text, r#"mount("proc", "/proc", "proc", MS_NOSUID|MS_NODEV, NULL)"#);
        assert_eq!(mount.path.as_deref(), Some(&b"/proc"[..]));
        assert_eq!(mount.texts, [Some("proc".to_owned()), Some("proc".to_owned()), None]);
    }

    #[test]
    fn a_descriptor_is_told_with_its_file() {
        let file = std::fs::File::open("/proc/self/ns/net").unwrap();
        let fd = u64::try_from(file.as_raw_fd()).unwrap();
        let setns = decoded("setns", [fd, 0x4000_0000, 0, 0, 0, 0]);
        assert!(setns.text.starts_with(&format!("setns({fd}<net:[")), "{}", setns.text);
        assert!(setns.text.ends_with("]>, CLONE_NEWNET)"), "{}", setns.text);
        let closed = decoded("setns", [99_999, 0, 0, 0, 0, 0]);
        assert_eq!(closed.text, "setns(99999, 0)");
    }

    #[test]
    fn arguments_that_point_nowhere_are_numbers() {
        let nowhere = [u64::MAX, 1, u64::MAX - 7, u64::MAX, u64::MAX, u64::MAX];
        for name in
            ["mount", "clone3", "clone", "mount_setattr", "setgroups", "execveat", "write", "sethostname"]
        {
            let done = decoded(name, nowhere);
            assert!(done.text.starts_with(&format!("{name}(")) && done.text.len() < 1000, "{}", done.text);
        }
        assert_eq!(decoded("chroot", [7, 0, 0, 0, 0, 0]).text, "chroot(0x7)");
    }

    #[test]
    fn what_is_written_is_cut_and_its_end_shown() {
        let text = vec![b'x'; 5000];
        let done = decoded("write", [1, text.as_ptr() as u64, 5000, 0, 0, 0]);
        assert!(done.text.contains(&format!("\"{}\"…, 5000)", "x".repeat(SHOWN_BYTES))), "{}", done.text);
        let ids = [1_u32, 2, 3];
        assert_eq!(
            decoded("setgroups", [3, ids.as_ptr() as u64, 0, 0, 0, 0]).text,
            "setgroups(3, [1, 2, 3])"
        );
    }

    #[test]
    fn quotes_and_ends_of_lines_stay_in_their_string() {
        let odd = c"a\"b\\\nc";
        assert_eq!(decoded("chroot", [odd.as_ptr() as u64, 0, 0, 0, 0, 0]).text, r#"chroot("a\"b\\\nc")"#);
    }
}
