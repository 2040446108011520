//! The journal on a real file system: nothing is lost, nothing of the living or of strangers is touched.

use insula_launch::journal::{Book, Error, Identity, Trace, Undo};
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// A directory that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("insula-journal-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("make a scratch directory");
        Scratch(path)
    }

    fn book(&self) -> Book {
        Book::open(self.0.join("book").to_str().expect("a path in UTF-8")).expect("open the book")
    }

    fn thing(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn remove(trace: &Trace) -> Result<(), Errno> {
    let stat = match rustix::fs::lstat(trace.payload.as_str()) {
        Err(Errno::NOENT) => return Ok(()),
        stat => stat?,
    };
    match trace.identity {
        Some(Identity::File(device, inode)) if (device, inode) != (stat.st_dev, stat.st_ino) => Ok(()),
        _ => rustix::fs::unlink(trace.payload.as_str()),
    }
}

const UNDO: &[Undo] = &[("file", remove)];

fn make(path: &str) -> Identity {
    std::fs::write(path, "x").expect("make a file");
    let stat = rustix::fs::stat(path).expect("look at it");
    Identity::File(stat.st_dev, stat.st_ino)
}

#[test]
fn an_owner_that_ends_leaves_nothing() {
    let scratch = Scratch::new("end");
    let (a, b) = (scratch.thing("a"), scratch.thing("b"));
    let mut journal = scratch.book().begin("me", UNDO).expect("begin");
    for path in [&a, &b] {
        journal.intend("file", path).expect("intend");
        journal.done(make(path)).expect("done");
    }
    assert_eq!(journal.end(UNDO), []);
    assert!(!Path::new(&a).exists() && !Path::new(&b).exists());
    assert_eq!(std::fs::read_dir(scratch.0.join("book")).expect("list").count(), 0);
}

#[test]
fn the_living_are_passed_over_and_the_dead_are_swept() {
    let scratch = Scratch::new("sweep");
    let path = scratch.thing("a");
    let mut journal = scratch.book().begin("me", UNDO).expect("begin");
    journal.intend("file", &path).expect("intend");
    journal.done(make(&path)).expect("done");
    assert_eq!(scratch.book().sweep(UNDO), []);
    assert!(Path::new(&path).exists(), "a living owner's thing was swept");
    assert_eq!(scratch.book().begin("me", UNDO).err(), Some(Error::Taken("me".to_owned())));
    // As if killed: the lock goes with the descriptor, nothing is undone.
    drop(journal);
    assert_eq!(scratch.book().sweep(UNDO), []);
    assert!(!Path::new(&path).exists(), "a dead owner's thing was left");
}

#[test]
fn an_intent_without_effect_is_undone_without_error() {
    let scratch = Scratch::new("intent");
    let mut journal = scratch.book().begin("me", UNDO).expect("begin");
    journal.intend("file", &scratch.thing("never")).expect("intend");
    drop(journal);
    assert_eq!(scratch.book().sweep(UNDO), []);
}

#[test]
fn a_strangers_thing_of_the_same_name_is_not_touched() {
    let scratch = Scratch::new("stranger");
    let path = scratch.thing("a");
    let mut journal = scratch.book().begin("me", UNDO).expect("begin");
    journal.intend("file", &path).expect("intend");
    journal.done(make(&path)).expect("done");
    drop(journal);
    // Renamed away, not removed: its inode cannot be given to the stranger.
    std::fs::rename(&path, scratch.thing("elsewhere")).expect("move ours away");
    make(&path);
    assert_eq!(scratch.book().sweep(UNDO), []);
    assert!(Path::new(&path).exists(), "another's file was removed");
}

#[test]
fn what_cannot_be_undone_stays_written_down() {
    let scratch = Scratch::new("stays");
    let mut journal = scratch.book().begin("me", UNDO).expect("begin");
    journal.intend("unheard-of", "x").expect("intend");
    drop(journal);
    for _ in 0..2 {
        let errors = scratch.book().sweep(UNDO);
        assert!(matches!(errors.as_slice(), [Error::Undo(_, Errno::OPNOTSUPP)]), "{errors:?}");
    }
}

#[test]
fn a_book_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("others");
    let path = scratch.thing("open");
    std::fs::create_dir(&path).expect("make it");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).expect("open it");
    assert!(matches!(Book::open(&path), Err(Error::NotOurs(_))));
}
