//! Namespaces, names and members as they come and go.
//!
//! No kernel tells all of it. Names are told by inotify(7), each one. Births and ends of processes are told by the proc
//! connector, where it speaks to us; a process is then looked at, at once. unshare(2) and setns(2) are told by nothing:
//! what they did is seen when the process executes a program, and else by a look at everything, each interval. The table
//! of mounts, and the ids of network namespaces (rtnetlink(7)), say when such a look is due sooner. What can be missed so
//! is said: see [`Coverage`].

mod connector;
mod event;
mod names;
mod places;
mod state;

pub use event::{Change, Event, Missed, Which};

use crate::error::Error;
use crate::scan;
use connector::{Connector, Happened};
use insula_net::nsid;
use names::Names;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use state::State;
use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, Instant};

/// After something happened, so long is waited for more before all is looked at.
const SETTLE: Duration = Duration::from_millis(20);
/// Each so many intervals everything that can hold a namespace is looked at, not processes and mounts alone.
const WHOLE: u32 = 10;
/// So often it is told how many processes were missed: on a busy machine there are some all the time.
const TELL_MISSED: Duration = Duration::from_secs(10);

/// What is watched, and how.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The kinds, by `Kind as usize`.
    pub kinds: [bool; 8],
    /// Tell of namespaces and members; else of names alone, and no process is looked at.
    pub namespaces: bool,
    /// Tell who joins and leaves.
    pub members: bool,
    /// Tell it of the namespaces as well that we are in ourselves.
    pub own_members: bool,
    /// How often all is looked at.
    pub interval: Duration,
}

/// How much a watch can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// The kernel tells of each birth and end of a process: what is missed is what lived too shortly to be looked at, and
    /// that is counted. Else what lives for less than an interval is missed unseen.
    pub told_of_processes: bool,
    /// How many processes cannot be looked at.
    pub unseen: usize,
}

/// The watch.
pub struct Watch {
    asked: Asked,
    state: State,
    names: Names,
    connector: Option<Connector>,
    mounts: Option<File>,
    ids: Option<nsid::Events>,
    /// When all is looked at next.
    due: Instant,
    /// How many looks it is since the last one at everything.
    looks: u32,
    unseen: usize,
    /// Processes that were missed and are not told yet, and when they will be.
    missed: u64,
    missed_due: Instant,
}

impl Watch {
    /// Begins. The events are what is there.
    pub fn begin(asked: Asked) -> Result<(Watch, Vec<Event>), Error> {
        // First the sources, then the look: what happens in between is heard of.
        let names = Names::begin()?;
        let connector = asked.namespaces.then(Connector::listen).flatten();
        let mounts = File::open("/proc/self/mountinfo").ok();
        let ids = asked.namespaces.then(|| nsid::Events::listen().ok()).flatten();
        let state = State::new(asked.kinds, asked.members, asked.own_members);
        let due = Instant::now() + asked.interval;
        let missed_due = Instant::now() + TELL_MISSED;
        let mut watch = Watch {
            asked,
            state,
            names,
            connector,
            mounts,
            ids,
            due,
            looks: 0,
            unseen: 0,
            missed: 0,
            missed_due,
        };
        let mut events = Vec::new();
        watch.look(true, Change::There, &mut events)?;
        Ok((watch, events))
    }

    /// How much it can see.
    pub fn coverage(&self) -> Coverage {
        Coverage { told_of_processes: self.connector.is_some(), unseen: self.unseen }
    }

    /// What happens next: waits for something to happen, until `deadline` or until `reader`, the other end of a pipe
    /// that is written to, is gone; `None` then.
    pub fn next(
        &mut self,
        reader: BorrowedFd<'_>,
        deadline: Option<Instant>,
    ) -> Result<Option<Vec<Event>>, Error> {
        loop {
            let mut events = Vec::new();
            let until = [Some(self.due), self.names.due(), deadline].into_iter().flatten().min();
            let ready = self.wait(reader, until.unwrap_or(self.due))?;
            if ready.is_reader_gone {
                return Ok(None);
            }
            self.hear(&ready, &mut events)?;
            let now = Instant::now();
            if now >= self.due {
                self.looks += 1;
                let whole = self.looks >= WHOLE;
                self.looks = if whole { 0 } else { self.looks };
                self.due = now + self.asked.interval;
                self.look(whole, Change::Came, &mut events)?;
            }
            self.names.settle(&mut self.state, now, &mut events);
            let is_over = deadline.is_some_and(|deadline| now >= deadline);
            if self.missed > 0 && (now >= self.missed_due || is_over) {
                events.push(Event::Missed(Missed::Processes(std::mem::take(&mut self.missed))));
                self.missed_due = now + TELL_MISSED;
            }
            if !events.is_empty() {
                return Ok(Some(events));
            }
            if is_over {
                return Ok(None);
            }
        }
    }

    fn look(&mut self, whole: bool, change: Change, events: &mut Vec<Event>) -> Result<(), Error> {
        if !self.asked.namespaces {
            self.names.list(&mut self.state, change, events);
            return Ok(());
        }
        let before = self.state.known();
        let snapshot = scan::take(&self.state.look(whole))?;
        self.unseen = snapshot.unseen;
        // What is mounted in the snapshot has its name by now: so it is told with it.
        self.names.list(&mut self.state, change, events);
        self.names.mounted(&mut self.state, events);
        self.state.take_in(&snapshot, &before, whole, change, events);
        Ok(())
    }

    /// Waits for any of the sources.
    fn wait(&self, reader: BorrowedFd<'_>, until: Instant) -> Result<Ready, Error> {
        // A pipe whose reader is gone says so unasked.
        let mut polled = vec![PollFd::from_borrowed_fd(reader, PollFlags::empty())];
        polled.push(PollFd::from_borrowed_fd(self.names.as_fd(), PollFlags::IN));
        let others = [
            (self.connector.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.mounts.as_ref().map(AsFd::as_fd), PollFlags::PRI),
            (self.ids.as_ref().map(AsFd::as_fd), PollFlags::IN),
        ];
        let [connector, mounts, ids] = others.map(|(fd, flags)| {
            let at = polled.len();
            polled.push(PollFd::from_borrowed_fd(fd?, flags));
            Some(at)
        });
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::File("wait for", "events".to_owned(), errno)),
        }
        let said = |at: Option<usize>| at.is_some_and(|at| !polled[at].revents().is_empty());
        Ok(Ready {
            is_reader_gone: polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
            names: said(Some(1)),
            connector: said(connector),
            mounts: said(mounts),
            ids: said(ids),
        })
    }

    fn hear(&mut self, ready: &Ready, events: &mut Vec<Event>) -> Result<(), Error> {
        // First who has ended: what it was in may be gone, and its inode given to what is told next.
        if ready.connector {
            self.hear_processes(events);
        }
        if ready.names {
            self.names.hear(&mut self.state, events)?;
        }
        if ready.mounts {
            self.names.mounted(&mut self.state, events);
            self.soon();
        }
        if ready.ids {
            // What was lost of it is no loss: it only says when to look.
            if let Some(Err(_)) = self.ids.as_mut().map(nsid::Events::wait) {
                self.ids = nsid::Events::listen().ok();
            }
            self.soon();
        }
        Ok(())
    }

    fn hear_processes(&mut self, events: &mut Vec<Event>) {
        let Some(connector) = &mut self.connector else { return };
        let happened = match connector.happened() {
            Ok(happened) => happened,
            Err(Errno::NOBUFS) => {
                events.push(Event::Missed(Missed::ProcessEvents));
                self.due = Instant::now();
                return;
            }
            Err(_) => {
                // From here on it is as if there were none.
                self.connector = None;
                events.push(Event::Missed(Missed::ProcessEvents));
                return;
            }
        };
        let mut missed = BTreeSet::new();
        let mut is_due = false;
        for one in happened {
            match one {
                Happened::Look(pid) if self.state.look_at(pid, events) => {}
                Happened::Look(pid) => _ = missed.insert(pid),
                Happened::Ended(pid) => is_due |= self.state.ended(pid, events),
                Happened::Heard => {}
            }
        }
        self.missed += missed.len() as u64;
        if is_due {
            self.soon();
        }
    }

    /// Something has changed: all is looked at as soon as it is calm.
    fn soon(&mut self) {
        self.due = self.due.min(Instant::now() + SETTLE);
    }
}

/// Which sources have something to say.
struct Ready {
    is_reader_gone: bool,
    names: bool,
    connector: bool,
    mounts: bool,
    ids: bool,
}
