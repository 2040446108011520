//! Which refused call was the program's undoing. Nobody knows; there are signs.
//!
//! The signs: its process has written the error's own words to standard error; nothing of weight was done after it; its
//! process's end was handed on by all above it, up to the program, as a shell does with that of its last command. Where
//! they weigh the same, the later call is taken.

use super::record::{End, Outcome, Record, Refused};

/// How sure we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// It was the last that was refused before a bad end, and that is all.
    Last,
    /// And its process did nothing of weight after it.
    Stopped,
    /// And its process has said so.
    Said,
}

impl Certainty {
    /// Its key in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Certainty::Last => "last",
            Certainty::Stopped => "stopped",
            Certainty::Said => "said",
        }
    }
}

/// The call that has most likely been fatal, by its place in [`Record::refused`]. `None`: the program has ended well, or
/// no refused call stands before a bad end.
pub fn verdict(record: &Record) -> Option<(usize, Certainty)> {
    if record.end.is_none_or(End::is_success) {
        return None;
    }
    let candidates = record.refused.iter().enumerate().filter(|(_, refused)| {
        record.outcome(refused) == Outcome::Open && ended_badly(record, refused.pid).is_some()
    });
    let weighed = candidates.filter_map(|(i, refused)| {
        let (rank, certainty) = (ended_badly(record, refused.pid)?, certainty(refused));
        Some((rank as u8 + certainty as u8, i, certainty))
    });
    weighed.max().map(|(_, i, certainty)| (i, certainty))
}

fn certainty(refused: &Refused) -> Certainty {
    if refused.is_complained_of() {
        Certainty::Said
    } else if refused.went_on {
        Certainty::Last
    } else {
        Certainty::Stopped
    }
}

/// What the bad end of a process was to those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// Somebody above it went on, and ended well or otherwise later.
    Alone = 0,
    /// All above it have ended badly, up to the program; or it is the program.
    Followed = 1,
    /// All above it have ended in the same way.
    HandedOn = 2,
}

/// Has the process ended badly? One that still runs has not.
fn ended_badly(record: &Record, pid: i32) -> Option<Rank> {
    let bad = |end: Option<End>| end.filter(|end| !end.is_success());
    let mut process = record.process(pid)?;
    let own = bad(process.end)?;
    let (mut rank, mut same) = (Rank::Followed, true);
    // A bound, should numbers that were used again make a circle.
    for _ in 0..record.processes.len() {
        let Some(parent) = process.parent.and_then(|parent| record.process(parent)) else {
            return Some(rank);
        };
        // A parent that lives on, or was let go, says nothing.
        let Some(end) = bad(parent.end) else { return Some(Rank::Alone) };
        same &= end == own;
        rank = if same { Rank::HandedOn } else { Rank::Followed };
        process = parent;
    }
    Some(Rank::Alone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::record::Process;
    use crate::trace::table::Family;
    use rustix::io::Errno;

    fn process(pid: i32, parent: Option<i32>, code: i32) -> Process {
        let end = Some(End::Exited(code));
        Process { pid, parent, program: "p".to_owned(), end, let_go: false }
    }

    fn refused(pid: i32, call: &'static str) -> Refused {
        Refused {
            pid,
            tid: pid,
            program: "p".to_owned(),
            call,
            family: Family::Mounts,
            text: format!("{call}()"),
            errno: Errno::PERM,
            subject: String::new(),
            found: None,
            said: None,
            repeated: false,
            went_on: false,
            times: 1,
            places: Vec::new(),
        }
    }

    fn judged(processes: Vec<Process>, refused: Vec<Refused>) -> Option<(usize, Certainty)> {
        let end = processes.first().and_then(|process| process.end);
        verdict(&Record { processes, refused, end, ..Record::default() })
    }

    #[test]
    fn a_program_that_ended_well_has_no_undoing() {
        assert_eq!(judged(vec![process(1, None, 0)], vec![refused(1, "mount")]), None);
        assert_eq!(judged(vec![process(1, None, 1)], vec![]), None);
    }

    #[test]
    fn the_last_one_that_nothing_followed() {
        let all = vec![refused(1, "fsopen"), refused(1, "mount")];
        assert_eq!(judged(vec![process(1, None, 1)], all), Some((1, Certainty::Stopped)));
        let went_on = Refused { went_on: true, ..refused(1, "mount") };
        assert_eq!(judged(vec![process(1, None, 1)], vec![went_on]), Some((0, Certainty::Last)));
    }

    #[test]
    fn what_succeeded_later_was_not_it() {
        let over = Refused { repeated: true, ..refused(1, "clone3") };
        assert_eq!(
            judged(vec![process(1, None, 1)], vec![refused(1, "mount"), over]),
            Some((0, Certainty::Stopped))
        );
    }

    #[test]
    fn a_child_that_failed_without_harm_is_not_it() {
        // 2 failed, and its parent 3 ended well; 1 failed later on its own account.
        let processes = vec![process(1, None, 1), process(3, Some(1), 0), process(2, Some(3), 1)];
        let all = vec![refused(1, "mount"), refused(2, "chroot")];
        assert_eq!(judged(processes, all), Some((0, Certainty::Stopped)));
    }

    #[test]
    fn an_end_that_was_handed_on_counts_more_than_another_complaint() {
        // A shell whose first command complained, and whose last one gave it its exit code.
        let processes = vec![process(1, None, 32), process(2, Some(1), 1), process(3, Some(1), 32)];
        let said = Some("mkdir: a: Operation not permitted".to_owned());
        let all = vec![Refused { said, ..refused(2, "mkdir") }, refused(3, "mount")];
        assert_eq!(judged(processes, all), Some((1, Certainty::Stopped)));
    }

    #[test]
    fn a_helper_that_complained_counts_more_than_what_its_parent_went_on_after() {
        let processes = vec![process(1, None, 125), process(2, Some(1), 1)];
        let said = Some("crun: mount `proc`: Operation not permitted".to_owned());
        let went_on = Refused { went_on: true, ..refused(1, "clone3") };
        let all = vec![went_on, Refused { said, ..refused(2, "mount") }, refused(1, "umount2")];
        assert_eq!(judged(processes, all), Some((1, Certainty::Said)));
    }

    #[test]
    fn who_says_so_is_believed_before_the_clean_up_that_follows() {
        let said = Some("mount: permission denied (Operation not permitted)".to_owned());
        let all = vec![Refused { said, ..refused(2, "mount") }, refused(1, "umount2")];
        let processes = vec![process(1, None, 1), process(2, Some(1), 32)];
        assert_eq!(judged(processes, all), Some((0, Certainty::Said)));
    }
}
