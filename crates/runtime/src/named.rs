//! Running containers that have names: one owner in the Book each, and a directory that says which process it is.
//!
//! `STATE/book/NAME` is the journal, locked while the container's parent lives; `STATE/named/NAME/process` holds pid and
//! start time. A name whose parent was killed is swept by the next command that looks.

use insula_launch::host::process::start_time;
use insula_launch::host::state::root as state_root;
use insula_launch::journal::{Book, Error, Identity, Journal, Trace, Undo};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, lstat, mkdirat, open, openat, unlinkat};
use rustix::io::Errno;

/// The kinds of the runtime, and how each is undone.
pub const UNDO: &[Undo] = &[("container-directory", remove_directory)];

const KIND: &str = "container-directory";
const PROCESS: &str = "process";

/// A name that is held while its container runs.
#[derive(Debug)]
pub struct Named {
    journal: Option<Journal>,
    directory: String,
}

impl Named {
    /// Takes the name, and undoes what a dead holder of it has left.
    pub fn take(name: &str) -> Result<Named, Error> {
        let root = state_root();
        Book::open(&root)?;
        let book = Book::open(&format!("{root}/book"))?;
        Book::open(&format!("{root}/named"))?;
        let directory = format!("{root}/named/{name}");
        let mut journal = book.begin(name, UNDO)?;
        journal.intend(KIND, &directory)?;
        let failed = |errno| Error::File("make the directory", directory.clone(), errno);
        mkdirat(CWD, directory.as_str(), Mode::from_raw_mode(0o700)).map_err(failed)?;
        let made = lstat(directory.as_str()).map_err(failed)?;
        journal.done(Identity::File(made.st_dev, made.st_ino))?;
        Ok(Named { journal: Some(journal), directory })
    }

    /// Writes down which process the container is.
    pub fn record(&self, pid: i32) -> Result<(), Error> {
        let path = format!("{}/{PROCESS}", self.directory);
        let failed = |errno| Error::File("write", path.clone(), errno);
        let start = start_time(pid).ok_or_else(|| failed(Errno::SRCH))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = open(path.as_str(), flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
        rustix::io::write(&file, format!("{pid} {start}\n").as_bytes()).map(drop).map_err(failed)
    }

    /// Gives the name back. What could not be removed is returned.
    pub fn end(mut self) -> Vec<Error> {
        self.journal.take().map_or_else(Vec::new, |journal| journal.end(UNDO))
    }
}

impl Drop for Named {
    /// On the way out by an error: what cannot be undone now stays in the journal for the next sweep.
    fn drop(&mut self) {
        if let Some(journal) = self.journal.take() {
            drop(journal.end(UNDO));
        }
    }
}

/// Undoes what dead owners have left, if there ever was an owner.
pub fn sweep() -> Vec<Error> {
    match Book::existing(&format!("{}/book", state_root())) {
        Ok(Some(book)) => book.sweep(UNDO),
        Ok(None) => Vec::new(),
        Err(error) => vec![error],
    }
}

/// The process of a running container of this name. The reuse of a pid is noticed by its start time.
pub fn process(name: &str) -> Option<i32> {
    let text = std::fs::read_to_string(format!("{}/named/{name}/{PROCESS}", state_root())).ok()?;
    let (pid, start) = text.trim().split_once(' ')?;
    let pid: i32 = pid.parse().ok()?;
    (start_time(pid)?.to_string() == start).then_some(pid)
}

/// Removes a container's directory, if it is the one that was made.
fn remove_directory(trace: &Trace) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = match openat(CWD, trace.payload.as_str(), flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        directory => directory?,
    };
    let found = rustix::fs::fstat(&directory)?;
    if trace.identity.is_some_and(|identity| identity != Identity::File(found.st_dev, found.st_ino)) {
        return Ok(());
    }
    match unlinkat(&directory, PROCESS, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    match unlinkat(CWD, trace.payload.as_str(), AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}
