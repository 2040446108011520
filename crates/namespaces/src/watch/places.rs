//! The directories of names, watched by inotify(7), also while they are not there yet.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Room for some hundred events: each has up to 16 bytes and a name of up to 256.
const ROOM_BYTES: usize = 64 * 1024;

/// What was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A file was made in this place.
    Added(PathBuf, OsString),
    /// It was taken away.
    Removed(PathBuf, OsString),
    /// Events were lost.
    Lost,
}

/// The directories.
pub(super) struct Places {
    inotify: OwnedFd,
    places: Vec<Place>,
}

/// One of them.
struct Place {
    directory: PathBuf,
    /// The watch over it, or over the nearest directory above that is there.
    watch: Option<i32>,
    /// It is there, and the watch is over itself.
    is_there: bool,
    /// The names in it that were told.
    names: BTreeSet<OsString>,
}

impl Places {
    /// Begins to watch. What is there already is told by the first [`Places::list`].
    pub(super) fn begin(directories: Vec<PathBuf>) -> Result<Places, Errno> {
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let place = |directory| Place { directory, watch: None, is_there: false, names: BTreeSet::new() };
        let mut places = Places { inotify, places: directories.into_iter().map(place).collect() };
        for at in 0..places.places.len() {
            places.attach(at)?;
        }
        Ok(places)
    }

    /// Puts the watch of a place as near to it as can be.
    fn attach(&mut self, at: usize) -> Result<(), Errno> {
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let directory = self.places[at].directory.clone();
        for above in directory.ancestors() {
            match add_watch(&self.inotify, above, flags) {
                Ok(watch) => {
                    let old = self.places[at].watch.replace(watch);
                    self.places[at].is_there = above == directory;
                    self.forget(old);
                    // It may have come while the watch above was put.
                    if !self.places[at].is_there && is_dir(&next(&directory, above)) {
                        return self.attach(at);
                    }
                    return Ok(());
                }
                Err(errno @ (Errno::NOSPC | Errno::MFILE | Errno::NOMEM)) => return Err(errno),
                // Not there, or not ours to read: its parent will do.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Takes away a watch that no place has any more.
    fn forget(&mut self, old: Option<i32>) {
        if let Some(old) = old.filter(|old| self.places.iter().all(|place| place.watch != Some(*old))) {
            // Its directory may be gone, and the watch with it.
            let _ = remove_watch(&self.inotify, old);
        }
    }

    /// What happened since the last time, in its order.
    pub(super) fn heard(&mut self) -> Result<Vec<Heard>, Errno> {
        let mut heard = Vec::new();
        for (watch, flags, name) in self.read()? {
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                heard.push(Heard::Lost);
                heard.extend(self.list());
                continue;
            }
            for at in 0..self.places.len() {
                if self.places[at].watch == Some(watch) {
                    self.event(at, flags, name.as_ref(), &mut heard)?;
                }
            }
        }
        Ok(heard)
    }

    fn read(&self) -> Result<Vec<(i32, ReadFlags, Option<OsString>)>, Errno> {
        let mut room = [MaybeUninit::uninit(); ROOM_BYTES];
        let mut reader = Reader::new(&self.inotify, &mut room);
        let mut events = Vec::new();
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsString::from_vec(name.to_bytes().to_vec()));
                    events.push((event.wd(), event.events(), name));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(events),
                Err(errno) => return Err(errno),
            }
        }
    }

    fn event(
        &mut self,
        at: usize,
        flags: ReadFlags,
        name: Option<&OsString>,
        heard: &mut Vec<Heard>,
    ) -> Result<(), Errno> {
        let gone = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED | ReadFlags::UNMOUNT;
        let place = &mut self.places[at];
        if flags.intersects(gone) {
            let directory = place.directory.clone();
            let names = std::mem::take(&mut place.names);
            heard.extend(names.into_iter().map(|name| Heard::Removed(directory.clone(), name)));
            place.watch = None;
            self.attach(at)?;
            heard.extend(self.list_one(at));
            return Ok(());
        }
        let Some(name) = name else { return Ok(()) };
        if !place.is_there {
            // Something was made above: perhaps what leads there.
            self.attach(at)?;
            heard.extend(self.list_one(at));
        } else if flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
            if place.names.insert(name.clone()) {
                heard.push(Heard::Added(place.directory.clone(), name.clone()));
            }
        } else if flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) && place.names.remove(name) {
            heard.push(Heard::Removed(place.directory.clone(), name.clone()));
        }
        Ok(())
    }

    /// Compares what is there with what was told. Events that are still waiting then change nothing any more.
    pub(super) fn list(&mut self) -> Vec<Heard> {
        (0..self.places.len()).flat_map(|at| self.list_one(at)).collect()
    }

    fn list_one(&mut self, at: usize) -> Vec<Heard> {
        let place = &mut self.places[at];
        let now: BTreeSet<OsString> = match std::fs::read_dir(&place.directory) {
            Ok(entries) => entries.flatten().map(|entry| entry.file_name()).collect(),
            Err(_) => BTreeSet::new(),
        };
        let directory = &place.directory;
        let removed =
            place.names.difference(&now).map(|name| Heard::Removed(directory.clone(), name.clone()));
        let added = now.difference(&place.names).map(|name| Heard::Added(directory.clone(), name.clone()));
        let heard = removed.chain(added).collect();
        place.names = now;
        heard
    }
}

/// The path one step from `above` towards `directory`.
fn next(directory: &Path, above: &Path) -> PathBuf {
    let rest = directory.strip_prefix(above).unwrap_or(directory);
    rest.components().next().map_or_else(|| above.to_path_buf(), |part| above.join(part))
}

/// Is it a directory that we may look into? Else to try again would be for ever.
fn is_dir(path: &Path) -> bool {
    path.is_dir() && rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
}

impl AsFd for Places {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insula_proof::Scratch;
    use std::fs;

    fn added(directory: &Path, name: &str) -> Heard {
        Heard::Added(directory.to_path_buf(), name.into())
    }

    fn removed(directory: &Path, name: &str) -> Heard {
        Heard::Removed(directory.to_path_buf(), name.into())
    }

    #[test]
    fn names_are_heard_in_the_order_in_which_they_come_and_go() {
        let scratch = Scratch::new();
        scratch.write("first", "");
        let mut places = Places::begin(vec![scratch.to_path_buf()]).expect("inotify");
        assert_eq!(places.list(), [added(&scratch, "first")]);
        for name in ["a", "b"] {
            fs::write(scratch.join(name), "").expect("write");
            fs::remove_file(scratch.join(name)).expect("remove");
        }
        let expected = ["a", "b"].map(|name| [added(&scratch, name), removed(&scratch, name)]);
        assert_eq!(places.heard().expect("inotify"), expected.into_iter().flatten().collect::<Vec<_>>());
        assert_eq!(places.heard().expect("inotify"), []);
        assert_eq!(places.list(), [], "what was told is not told again");
    }

    #[test]
    fn a_directory_that_comes_later_is_watched_from_its_first_name_on() {
        let scratch = Scratch::new();
        let deep = scratch.join("a/b");
        let mut places = Places::begin(vec![deep.clone(), scratch.join("c")]).expect("inotify");
        assert_eq!(places.list(), []);
        fs::create_dir_all(&deep).expect("make");
        fs::write(deep.join("blue"), "").expect("write");
        assert_eq!(places.heard().expect("inotify"), [added(&deep, "blue")]);
        fs::remove_dir_all(scratch.join("a")).expect("remove");
        assert_eq!(places.heard().expect("inotify"), [removed(&deep, "blue")]);
        fs::create_dir_all(&deep).expect("make");
        let mut heard = places.heard().expect("inotify");
        fs::write(deep.join("red"), "").expect("write");
        heard.extend(places.heard().expect("inotify"));
        assert_eq!(heard, [added(&deep, "red")]);
    }
}
