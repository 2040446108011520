//! The journal's lines: `intent BOOT KIND PAYLOAD` and `done WHAT NUMBERS`, separated by tabs.

use super::trace::{Error, Identity, Trace};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, pread};

/// The most that is read of a journal, in bytes: some thousand entries.
const MOST: usize = 1 << 20;

/// Is it a name: not empty, no dot first, no slash, nothing that would break a line?
pub(super) fn writable(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.starts_with('.') || name.contains('/') || name.len() > 200 {
        return Err(Error::Unwritable(name.escape_default().to_string()));
    }
    speakable(name)
}

/// Can it stand in a line?
pub(super) fn speakable(text: &str) -> Result<(), Error> {
    if text.contains(|c: char| c.is_control()) {
        return Err(Error::Unwritable(text.escape_default().to_string()));
    }
    Ok(())
}

/// The line of an intent.
pub(super) fn intent(boot: &str, kind: &str, payload: &str) -> String {
    format!("intent\t{boot}\t{kind}\t{payload}\n")
}

/// The line behind it.
pub(super) fn done(identity: Identity) -> String {
    match identity {
        Identity::File(device, inode) => format!("done\tfile\t{device}\t{inode}\n"),
        Identity::Namespace(id) => format!("done\tnamespace\t{id}\n"),
        Identity::Link(index) => format!("done\tlink\t{index}\n"),
    }
}

/// Reads a journal. Lines that are cut off or unknown are passed over: an intent without its `done` is undone with care.
pub(super) fn read(file: &OwnedFd, owner: &str, boot: &str) -> Result<Vec<Trace>, Errno> {
    let mut bytes = vec![0; MOST];
    let mut length = 0;
    while length < MOST {
        match pread(file, &mut bytes[length..], u64::try_from(length).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(parse(&String::from_utf8_lossy(&bytes[..length]), owner, boot))
}

fn parse(text: &str, owner: &str, boot: &str) -> Vec<Trace> {
    let mut traces: Vec<Trace> = Vec::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["intent", then, kind, payload] => traces.push(Trace {
                owner: owner.to_owned(),
                kind: (*kind).to_owned(),
                payload: (*payload).to_owned(),
                identity: None,
                other_boot: *then != boot,
            }),
            ["done", rest @ ..] => {
                if let (Some(trace), Some(identity)) = (traces.last_mut(), identity(rest)) {
                    trace.identity = Some(identity);
                }
            }
            _ => {}
        }
    }
    traces
}

fn identity(fields: &[&str]) -> Option<Identity> {
    match fields {
        ["file", device, inode] => Some(Identity::File(device.parse().ok()?, inode.parse().ok()?)),
        ["namespace", id] => id.parse().ok().map(Identity::Namespace),
        ["link", index] => index.parse().ok().map(Identity::Link),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_off_is_not() {
        let text =
            intent("b", "dir", "/a b") + &done(Identity::File(1, 2)) + &intent("c", "link", "x") + "done\tli";
        let traces = parse(&text, "me", "b");
        assert_eq!(traces.len(), 2);
        assert_eq!((traces[0].identity, traces[0].other_boot), (Some(Identity::File(1, 2)), false));
        assert_eq!((traces[1].identity, traces[1].other_boot), (None, true));
    }

    #[test]
    fn names_stay_in_the_directory() {
        for bad in ["", ".", "..", ".x", "a/b", "a\nb"] {
            assert!(writable(bad).is_err(), "{bad:?}");
        }
        assert!(writable("web-1.2_x").is_ok());
    }
}
