//! Freezes a group: all its processes stop where they are, until they are thawed.
//!
//! Version 2 (`cgroup.freeze`, Linux 5.2) is asked first, on a hybrid machine too; else version 1's freezer controller. Both
//! take their time: a process in the kernel stops when it comes back from there. So the end is waited for, and a group
//! that does not come to rest is thawed again.

use crate::error::{Cause, Error, Missing};
use crate::group::{Group, Place, not_ours};
use crate::members::members;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long one look apart from the next is, in version 1, which wakes nobody.
const PAUSE: Duration = Duration::from_millis(1);

/// After so many looks, version 1 is thawed for a moment: it can stay `FREEZING` while processes wait for one another
/// (runc does the same).
const LOOKS_BEFORE_THAW: u32 = 50;

/// The two ways.
enum Way<'a> {
    Unified(&'a Place),
    Freezer(&'a Place),
}

impl<'a> Way<'a> {
    fn of(group: &'a Group) -> Option<Way<'a>> {
        let unified = group.unified().filter(|place| place.directory.look("cgroup.freeze").is_some());
        unified.map(Way::Unified).or_else(|| group.place("freezer").map(Way::Freezer))
    }

    fn place(&self) -> &'a Place {
        match self {
            Way::Unified(place) | Way::Freezer(place) => place,
        }
    }
}

/// Whether the group is frozen now; `None` if nothing here can freeze it.
pub fn is_frozen(group: &Group) -> Option<bool> {
    Some(match Way::of(group)? {
        Way::Unified(place) => event(place, "frozen")?,
        Way::Freezer(place) => place.directory.look("freezer.state")? == "FROZEN",
    })
}

/// Freezes the group and all below it, and waits until every process has stopped.
pub fn freeze(group: &Group, patience: Duration) -> Result<(), Error> {
    let way = way(group, "freeze")?;
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    if members(group)?.iter().any(|member| member.pid == own) {
        let path = way.place().directory.shown().to_owned();
        return Err(Error::Within { doing: "freeze", path });
    }
    let done = match way {
        Way::Unified(place) => set(place, "cgroup.freeze", "1").and_then(|()| rests(place, true, patience)),
        Way::Freezer(place) => freeze_v1(place, patience),
    };
    match done {
        Ok(true) => Ok(()),
        Ok(false) => {
            // Half frozen is worse than not: what still runs may wait for what does not.
            thaw(group, patience)?;
            Err(timed_out(
                way.place(),
                "freeze",
                patience,
                "some of its processes still ran, and were thawed again",
            ))
        }
        Err(error) => Err(error),
    }
}

/// Lets the group go on, and waits until it does.
pub fn thaw(group: &Group, patience: Duration) -> Result<(), Error> {
    let (place, done) = match way(group, "thaw")? {
        Way::Unified(place) => {
            let done = set(place, "cgroup.freeze", "0").and_then(|()| rests(place, false, patience))?;
            (place, done)
        }
        Way::Freezer(place) => {
            set(place, "freezer.state", "THAWED")?;
            (
                place,
                waits(patience, || {
                    place.directory.look("freezer.state").is_none_or(|state| state == "THAWED")
                }),
            )
        }
    };
    if done {
        Ok(())
    } else {
        Err(timed_out(place, "thaw", patience, "it is still frozen, as a group above it is"))
    }
}

fn way<'a>(group: &'a Group, doing: &'static str) -> Result<Way<'a>, Error> {
    Way::of(group).ok_or_else(|| {
        let (controller, value) = ("freezer".to_owned(), doing.to_owned());
        Error::Missing { controller, file: "cgroup.freeze".to_owned(), value, why: Missing::Controller }
    })
}

fn set(place: &Place, file: &str, value: &str) -> Result<(), Error> {
    place.directory.write(file, value).map_err(|errno| {
        let cause = match errno {
            Errno::ROFS => Some(Cause::ReadOnly { path: place.directory.shown().to_owned() }),
            Errno::ACCESS | Errno::PERM => not_ours(&place.directory),
            _ => None,
        };
        Error::Write { path: place.directory.shown_of(file), value: value.to_owned(), errno, cause }
    })
}

/// Whether the group comes to this state in time: the kernel wakes who polls `cgroup.events`.
fn rests(place: &Place, frozen: bool, patience: Duration) -> Result<bool, Error> {
    let failed = |errno| {
        let path = place.directory.shown_of("cgroup.events");
        Error::Call { doing: "watch", path, errno, cause: None }
    };
    let end = Instant::now() + patience;
    loop {
        // Opened before it is read: what changes after that wakes the poll.
        let events = place.directory.open("cgroup.events", OFlags::RDONLY).map_err(failed)?;
        if is_event(&events, "frozen") == Some(frozen) {
            return Ok(true);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let timeout = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        match poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
}

/// A line of `cgroup.events`: whether it is 1.
pub(crate) fn event(place: &Place, name: &str) -> Option<bool> {
    line(&place.directory.look("cgroup.events")?, name)
}

/// The same, of an open file.
fn is_event(file: &rustix::fd::OwnedFd, name: &str) -> Option<bool> {
    let mut bytes = [0_u8; 256];
    let read = rustix::io::pread(file, &mut bytes, 0).ok()?;
    line(std::str::from_utf8(&bytes[..read]).ok()?, name)
}

fn line(text: &str, name: &str) -> Option<bool> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    Some(value.trim() == "1")
}

fn freeze_v1(place: &Place, patience: Duration) -> Result<bool, Error> {
    let end = Instant::now() + patience;
    let mut looks = 0;
    loop {
        set(place, "freezer.state", "FROZEN")?;
        if place.directory.look("freezer.state").as_deref() == Some("FROZEN") {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        looks += 1;
        if looks % LOOKS_BEFORE_THAW == 0 {
            set(place, "freezer.state", "THAWED")?;
        }
        sleep(PAUSE);
    }
}

/// Whether `done` holds in time.
pub(crate) fn waits(patience: Duration, done: impl Fn() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(PAUSE);
    }
}

fn timed_out(place: &Place, doing: &'static str, patience: Duration, what: &str) -> Error {
    let seen = format!("after {} ms {what}", patience.as_millis());
    Error::TimedOut { doing, path: place.directory.shown().to_owned(), seen }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_of_events_is_found_by_its_whole_name() {
        let text = "populated 1\nfrozen 0\n";
        assert_eq!(super::line(text, "populated"), Some(true));
        assert_eq!(super::line(text, "frozen"), Some(false));
        assert_eq!(super::line(text, "froze"), None);
    }
}
