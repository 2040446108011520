//! Killed at any moment: a device is in one namespace or the other, never in both or in none, and nothing is left over.

use crate::caller::Caller;
use crate::pairs::room;
use crate::room::Room;
use insula_proof as proof;
use rustix::process::{Pid, Signal, kill_process};
use std::process::Stdio;
use std::time::Duration;

by_everyone!(
    a_move_that_is_killed_loses_no_device,
    a_pair_that_is_killed_is_whole_or_not_there,
    a_signal_that_can_wait_does,
);

/// Starts `insula link WORDS…`, and kills it after a while.
fn killed(room: &Room<'_>, words: &str, after: Duration, signal: Signal) {
    let mut command = room.linking(words);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start the call");
    std::thread::sleep(after);
    // nsenter(1) has become insula by exec: it is the child itself.
    let pid = Pid::from_child(&child);
    if child.try_wait().expect("look").is_none() {
        kill_process(pid, signal).expect("kill it");
    }
    child.wait().expect("wait");
}

/// Moments that close in on the one at which a call takes effect, from both sides: where it has, the next is earlier.
struct Moments {
    next: Duration,
    before: usize,
    after: usize,
}

impl Moments {
    const ALL: usize = 40;

    fn new() -> Moments {
        Moments { next: Duration::from_millis(8), before: 0, after: 0 }
    }

    fn was(&mut self, done: bool) {
        if done {
            self.after += 1;
            self.next = self.next * 3 / 4;
        } else {
            self.before += 1;
            self.next = self.next * 4 / 3 + Duration::from_micros(10);
        }
    }

    /// Were there some on both sides?
    #[track_caller]
    fn assert_both(&self) {
        assert!(self.before > 3 && self.after > 3, "{} before and {} after", self.before, self.after);
    }
}

fn a_move_that_is_killed_loses_no_device(caller: &Caller) {
    proof::need!(swift);
    let room = room!(caller);
    room.done("pair a:x=10.0.0.1/24 y=10.0.0.2/24");
    let (mut from, mut to) = ("a", "b");
    let mut moments = Moments::new();
    for _ in 0..Moments::ALL {
        let after = moments.next;
        killed(&room, &format!("move {from}:x {to}"), after, Signal::KILL);
        let places = [room.devices(from), room.devices(to), room.devices("host")];
        match places.each_ref().map(Vec::len) {
            [1, 0, 1] => moments.was(false),
            [0, 1, 1] => {
                moments.was(true);
                (from, to) = (to, from);
            }
            _ => panic!("after {after:?}: {places:?}"),
        }
        assert_eq!((places[0].len() + places[1].len(), &places[2][..]), (1, &["y".to_owned()][..]));
    }
    moments.assert_both();
    // What a killed one has left is as good as any: it can be given what it lacks, and be deleted.
    let _ = room.link(&format!("addr {from}:x 10.0.0.1/24"));
    room.done(&format!("up {from}:x"));
    assert!(room.reaches(from, "10.0.0.2"));
    room.done("del y");
    assert_eq!([room.devices("a"), room.devices("b")], [vec![], Vec::<String>::new()]);
}

fn a_pair_that_is_killed_is_whole_or_not_there(caller: &Caller) {
    proof::need!(swift);
    let room = room!(caller);
    let mut moments = Moments::new();
    for _ in 0..Moments::ALL {
        let after = moments.next;
        killed(&room, "pair a:x=10.0.0.1/24 b:y=10.0.0.2/24", after, Signal::KILL);
        let (a, b) = (room.devices("a"), room.devices("b"));
        assert_eq!(a.len(), b.len(), "after {after:?}: {a:?} {b:?}");
        moments.was(!a.is_empty());
        if !a.is_empty() {
            assert_eq!((&a[0][..], &b[0][..]), ("x", "y"));
            room.done("del b:y");
        }
    }
    moments.assert_both();
    assert_eq!(
        [room.devices("a"), room.devices("b"), room.devices("host")],
        [vec![], vec![], Vec::<String>::new()]
    );
}

fn a_signal_that_can_wait_does(caller: &Caller) {
    proof::need!(swift);
    let room = room!(caller);
    let mut moments = Moments::new();
    for _ in 0..Moments::ALL {
        let after = moments.next;
        killed(&room, "pair a:x=10.0.0.1/24 b:y=10.0.0.2/24", after, Signal::TERM);
        // With its addresses, and up, or not there.
        for (netns, name, address) in [("a", "x", "10.0.0.1/24"), ("b", "y", "10.0.0.2/24")] {
            let all = room.shown(netns);
            if all.len() > 1 {
                assert_eq!((&all[1]["name"], &all[1]["up"]), (&name.into(), &true.into()), "after {after:?}");
                assert_eq!(room.addresses(netns, name), [address], "after {after:?}");
            }
        }
        let made = !room.devices("a").is_empty();
        moments.was(made);
        if made {
            room.done("del a:x");
        }
    }
    moments.assert_both();
}
