//! Names that come and go, inotify(7), ip-netns(8) monitor.

use super::directory::Directory;
use crate::error::Error;
use crate::name::NETNS;
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStringExt;

/// Room for some hundred events: each has up to 16 bytes and a name of up to 256.
const BUFFER_BYTES: usize = 16 * 1024;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A name was given.
    Added(OsString),
    /// A name was taken away.
    Deleted(OsString),
    /// Some events are lost: nobody read them for too long.
    Missed,
    /// The directory itself is gone; nothing more will come.
    Over,
}

/// The watch over the directory.
#[derive(Debug)]
pub struct Monitor(OwnedFd);

impl Monitor {
    /// Begins to watch. The directory is made if it is missing, since nothing can be watched that is not there.
    pub fn begin() -> Result<Monitor, Error> {
        let failed = |errno| Error::Netns("watch", NETNS.into(), errno);
        let inotify = init(CreateFlags::CLOEXEC).map_err(failed)?;
        let events = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::DELETE_SELF | WatchFlags::ONLYDIR;
        match add_watch(&inotify, NETNS, events) {
            Err(Errno::NOENT) => {
                Directory::make()?;
                add_watch(&inotify, NETNS, events).map_err(failed)?
            }
            done => done.map_err(failed)?,
        };
        Ok(Monitor(inotify))
    }

    /// The next events; waits for one.
    pub fn wait(&mut self) -> Result<Vec<Event>, Error> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let mut events = Vec::new();
        loop {
            match reader.next() {
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(Error::Netns("watch", NETNS.into(), errno)),
                Ok(event) => {
                    let name = || {
                        let bytes = event.file_name().map(|name| name.to_bytes().to_vec());
                        OsString::from_vec(bytes.unwrap_or_default())
                    };
                    let happened = event.events();
                    if happened.contains(ReadFlags::CREATE) {
                        events.push(Event::Added(name()));
                    }
                    if happened.contains(ReadFlags::DELETE) {
                        events.push(Event::Deleted(name()));
                    }
                    if happened.contains(ReadFlags::QUEUE_OVERFLOW) {
                        events.push(Event::Missed);
                    }
                    if happened.intersects(ReadFlags::DELETE_SELF | ReadFlags::IGNORED) {
                        events.push(Event::Over);
                    }
                }
            }
            if reader.is_buffer_empty() {
                return Ok(events);
            }
        }
    }
}
