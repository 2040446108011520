//! What two processes share without a name for it: kcmp(2).

use super::facts::{Common, Facts, Hidden, OpenFile, Seen, Together};
use insula_sys::kcmp::{Resource, shares};
use rustix::io::Errno;
use std::collections::BTreeMap;

/// Of one file both may have so many descriptors that it is not worth to compare each with each: anonymous inodes have
/// one for all of their kind.
const MOST_PAIRS: usize = 4096;

/// Asks. `None`: not both are processes.
pub fn look(a: &Facts, b: &Facts) -> Option<Together> {
    let (one, other) = (a.process.as_ref()?, b.process.as_ref()?);
    let ask = |resource| answer(shares(one.pid, other.pid, resource));
    let files = ask(Resource::Files);
    let common = match (&one.files, &other.files) {
        (Seen::Is(ours), Seen::Is(theirs)) => {
            common(ours, theirs, &|a, b| shares(one.pid, other.pid, Resource::File(a, b)))
        }
        (Seen::Is(_), hidden) | (hidden, _) => hidden.clone().map(|_| Vec::new()),
    };
    Some(Together {
        files,
        file_system: ask(Resource::FileSystem),
        memory: ask(Resource::Memory),
        signal_handlers: ask(Resource::SignalHandlers),
        common,
    })
}

fn answer(shared: Result<bool, Errno>) -> Seen<bool> {
    match shared {
        Ok(shared) => Seen::Is(shared),
        Err(errno) => Seen::Hidden(why(errno)),
    }
}

fn why(errno: Errno) -> Hidden {
    match errno {
        Errno::PERM | Errno::ACCESS => Hidden::Rights,
        Errno::SRCH => Hidden::Gone,
        _ => Hidden::Kernel("the kernel is without kcmp(2) (CONFIG_KCMP)"),
    }
}

/// The open files that both have: one description, or two ends of one pipe. Two that were opened apart are two, though the
/// file be one.
fn common(
    ours: &[OpenFile],
    theirs: &[OpenFile],
    is_one: &dyn Fn(i32, i32) -> Result<bool, Errno>,
) -> Seen<Vec<Common>> {
    let mut by_file: BTreeMap<(u64, u64), Vec<&OpenFile>> = BTreeMap::new();
    for file in theirs {
        by_file.entry(file.file).or_default().push(file);
    }
    let (mut found, mut pairs) = (Vec::new(), 0);
    for our in ours {
        for their in by_file.get(&our.file).into_iter().flatten() {
            pairs += 1;
            if pairs > MOST_PAIRS {
                return Seen::Hidden(Hidden::Kernel(
                    "there are too many open files of one kind to compare each with each",
                ));
            }
            match is_one(our.fd, their.fd) {
                Ok(is_one) if is_one || our.link.starts_with(b"pipe:") => {
                    found.push(Common { a: our.fd, b: their.fd, link: our.link.clone(), is_one });
                }
                // Closed meanwhile.
                Ok(_) | Err(Errno::BADF) => {}
                Err(errno) => return Seen::Hidden(why(errno)),
            }
        }
    }
    Seen::Is(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(fd: i32, inode: u64, link: &str) -> OpenFile {
        OpenFile { fd, file: (1, inode), link: link.as_bytes().to_vec() }
    }

    #[test]
    fn one_description_and_the_ends_of_a_pipe_are_common() {
        let ours = [file(0, 9, "/dev/null"), file(3, 5, "pipe:[5]"), file(4, 6, "/tmp/x")];
        let theirs = [file(0, 9, "/dev/null"), file(7, 5, "pipe:[5]"), file(8, 6, "/tmp/x")];
        let found = common(&ours, &theirs, &|a, b| Ok((a, b) == (4, 8)));
        let expected = [
            Common { a: 3, b: 7, link: b"pipe:[5]".to_vec(), is_one: false },
            Common { a: 4, b: 8, link: b"/tmp/x".to_vec(), is_one: true },
        ];
        assert_eq!(found, Seen::Is(expected.to_vec()));
    }

    #[test]
    fn a_refusal_hides_it_and_a_closed_file_does_not() {
        let files = [file(0, 1, "/x")];
        assert_eq!(common(&files, &files, &|_, _| Err(Errno::PERM)), Seen::Hidden(Hidden::Rights));
        assert_eq!(common(&files, &files, &|_, _| Err(Errno::BADF)), Seen::Is(Vec::new()));
        let many: Vec<OpenFile> = (0..100).map(|fd| file(fd, 1, "anon_inode:[eventpoll]")).collect();
        assert!(matches!(common(&many, &many, &|_, _| Ok(false)), Seen::Hidden(Hidden::Kernel(_))));
    }
}
