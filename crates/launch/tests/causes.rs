//! Causes that no command of insula's meets by itself, but any program may: each provoked by a call of this test. And the
//! table of all causes, which a person reads.

mod samples;

use insula_launch::fault::{Call, Fault};
use insula_launch::plan::Kind;
use insula_launch::step::map_ids::IdMap;
use insula_launch::why::{Act, Cause, Enter, Maps, Refusal, Subject, Writer, find};
use insula_proof as proof;
use insula_sys::birth::{Born, exit_now, fork, setns, unshare};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, WaitId, WaitIdOptions, waitid};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt::Write as _;

#[test]
fn the_table_of_all_causes_is_what_a_person_has_read() {
    let samples = samples::all();
    let mut text = "Every cause: its key, how it is told, and the cure.\n".to_owned();
    for cause in &samples {
        let _ = write!(text, "\n{}\n  {cause}\n      {}\n", cause.key(), cause.cure());
    }
    // Where systemd runs, this cure comes first.
    let text = text.replace("`systemd-run --user --scope -p Delegate=yes $SHELL`, or ", "");
    let shown: BTreeSet<&str> = samples.iter().map(Cause::key).collect();
    let all: BTreeSet<&str> = Cause::keys().collect();
    assert_eq!(shown, all, "a cause has no sample, or two have one key");
    assert_eq!(all.len(), Cause::keys().count(), "two causes have one key");
    proof::snapshot::assert("tests/why/causes.txt", &text);
}

#[test]
fn every_cause_stands_on_the_page_for_people() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/why.md")).expect("the page");
    let missing: Vec<&str> = Cause::keys().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/why.md does not name {missing:?}");
}

/// A process of ours in a new user namespace without maps, which waits.
struct InUserNamespace(Born);

impl InUserNamespace {
    fn new() -> InUserNamespace {
        let (hear, tell) = pipe_with(PipeFlags::CLOEXEC).expect("make a pipe");
        let born = fork(|| -> Infallible {
            if unshare(Kind::User.flag()).is_err() || rustix::io::write(&tell, b"x").is_err() {
                exit_now(1);
            }
            loop {
                std::thread::sleep(std::time::Duration::from_secs(60));
            }
        });
        let born = InUserNamespace(born.expect("fork"));
        drop(tell);
        assert_eq!(rustix::io::read(&hear, &mut [0u8][..]), Ok(1), "no user namespace was made");
        born
    }

    fn write(&self, file: &str, text: &str) -> Result<(), Errno> {
        let path = format!("/proc/{}/{file}", self.0.pid);
        let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::io::write(&file, text.as_bytes()).map(drop)
    }

    fn namespace(&self, kind: &str) -> OwnedFd {
        let path = format!("/proc/{}/ns/{kind}", self.0.pid);
        open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).expect("its namespace")
    }

    fn end(&self) {
        let pid = rustix::process::Pid::from_raw(self.0.pid).expect("a pid");
        let _ = rustix::process::kill_process(pid, Signal::KILL);
        let _ = waitid(WaitId::PidFd(self.0.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

impl Drop for InUserNamespace {
    fn drop(&mut self) {
        self.end();
    }
}

fn lines(rows: &[(u32, u32, u32)]) -> Vec<IdMap> {
    rows.iter().map(|&(inside, outside, size)| IdMap { inside, outside, size }).collect()
}

/// Writes maps as any program may; the key of the cause of the refusal, `None` where there was none.
fn refused_map(
    before: &[(&str, &str)],
    uid: &[(u32, u32, u32)],
    gid: &[(u32, u32, u32)],
) -> Option<&'static str> {
    let process = InUserNamespace::new();
    for (file, text) in before {
        process.write(file, text).expect("what is written before");
    }
    let maps = Maps { uid: lines(uid), gid: lines(gid), writer: Writer::Caller };
    let text = |lines: &[IdMap]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let gid = if maps.gid.is_empty() { Ok(()) } else { process.write("gid_map", &text(&maps.gid)) };
    let done = gid
        .and_then(|()| if maps.uid.is_empty() { Ok(()) } else { process.write("uid_map", &text(&maps.uid)) });
    let errno = done.err()?;
    let refusal = Refusal { act: Act::Map(maps), fault: Fault { call: Call::Write, errno } };
    let cause = find(&refusal, &Subject::process(process.0.pid));
    Some(cause.map_or("no cause", |cause| cause.key()))
}

#[test]
fn each_rule_of_a_map_is_found_on_the_process() {
    proof::need!(user_namespaces);
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let own = format!("0 {uid} 1");
    assert_eq!(refused_map(&[], &[(0, uid, 1)], &[]), None);
    assert_eq!(
        refused_map(&[("uid_map", &own)], &[(0, uid, 1), (1, uid + 1, 1)], &[]),
        Some("id-map-written")
    );
    assert_eq!(refused_map(&[], &[(0, uid, 0)], &[]), Some("id-map-no-range"));
    assert_eq!(refused_map(&[], &[(0, uid, 5), (4, uid + 9, 2)], &[]), Some("id-map-overlap"));
    let many: Vec<(u32, u32, u32)> = (0..341).map(|n| (n, n, 1)).collect();
    assert_eq!(refused_map(&[], &many, &[]), Some("id-map-too-many-lines"));
    let long: Vec<(u32, u32, u32)> = (0..300).map(|n| (4_000_000_000 + n, 4_000_000_000 + n, 1)).collect();
    assert_eq!(refused_map(&[], &long, &[]), Some("id-map-too-long"));
    assert_eq!(refused_map(&[("setgroups", "deny")], &[], &[(0, gid, 1)]), None);
}

#[test]
fn a_user_without_the_capability_maps_its_own_id_alone() {
    proof::need!(ordinary, user_namespaces);
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    assert_eq!(refused_map(&[], &[(0, uid + 1, 1)], &[]), Some("id-map-not-own-id"));
    assert_eq!(refused_map(&[], &[(0, uid, 2)], &[]), Some("id-map-several-ids"));
    assert_eq!(refused_map(&[], &[(0, uid, 1), (1, uid + 1, 1)], &[]), Some("id-map-several-ids"));
    assert_eq!(refused_map(&[], &[], &[(0, gid, 1)]), Some("id-map-setgroups-first"));
}

#[test]
fn a_user_namespace_of_another_is_not_ours_to_map() {
    proof::need!(root, program "setpriv");
    let process = InUserNamespace::new();
    // The same user without a right: who made the user namespace is another.
    let maps = Maps { uid: lines(&[(0, 0, 1)]), gid: Vec::new(), writer: Writer::Caller };
    let refusal = Refusal { act: Act::Map(maps), fault: Fault { call: Call::Write, errno: Errno::PERM } };
    let nobody = insula_launch::why::Caller { uid: 1000, gid: 1000, capabilities: 0 };
    let cause = find(&refusal, &Subject::process(process.0.pid).called_by(nobody)).expect("a cause");
    assert_eq!(cause.key(), "id-map-not-ours");
    assert!(cause.to_string().contains("(made by user 0) is not for user 1000 to map"), "{cause}");
}

#[test]
fn the_initial_user_namespace_has_no_map_to_write() {
    proof::need!(root);
    let Err(errno) =
        std::fs::write("/proc/self/uid_map", "0 0 1").map_err(|error| Errno::from_io_error(&error))
    else {
        panic!("the map of the initial user namespace was written");
    };
    let maps = Maps { uid: lines(&[(0, 0, 1)]), gid: Vec::new(), writer: Writer::Caller };
    let fault = Fault { call: Call::Write, errno: errno.expect("an errno") };
    let cause = find(&Refusal { act: Act::Map(maps), fault }, &Subject::ourselves());
    let initial = insula_launch::why::user_namespace::UserNamespace::of(&Subject::ourselves());
    proof::or_skip!(proof::need::that(
        initial.is_some_and(|user| user.is_initial()),
        "these are not the initial namespaces"
    ));
    assert_eq!(cause.map(|cause| cause.key()), Some("id-map-initial"));
}

#[test]
fn it_is_too_late_to_deny_setgroups() {
    proof::need!(root);
    let process = InUserNamespace::new();
    process.write("gid_map", "0 0 1").expect("write the map");
    let errno = process.write("setgroups", "deny").expect_err("denied after the map");
    let refusal = Refusal { act: Act::Setgroups(false), fault: Fault { call: Call::Write, errno } };
    let cause = find(&refusal, &Subject::process(process.0.pid));
    assert_eq!(cause.map(|cause| cause.key()), Some("setgroups-too-late"));
}

#[test]
fn groups_wait_for_their_map() {
    proof::need!(user_namespaces);
    let process = InUserNamespace::new();
    // setgroups(2) there is EPERM: the group map is missing.
    let act = Act::SetIds { uid: None, gids: vec![0] };
    let refusal = Refusal { act, fault: Fault { call: Call::Setgroups, errno: Errno::PERM } };
    let cause = find(&refusal, &Subject::process(process.0.pid));
    assert_eq!(cause.map(|cause| cause.key()), Some("groups-before-map"));
}

/// A second thread, which ends with the value.
fn with_a_thread<T>(look: impl FnOnce() -> T) -> T {
    let (stop, wait) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || wait.recv());
        let seen = look();
        drop(stop);
        seen
    })
}

fn enter(kind: Kind, file: OwnedFd, errno: Errno, target: Option<i32>) -> Option<&'static str> {
    let enter = Enter { kind: Some(kind), file: Some(file), target, with_user: false };
    let refusal = Refusal { act: Act::Enter(enter), fault: Fault { call: Call::Setns, errno } };
    find(&refusal, &Subject::ourselves()).map(|cause| cause.key())
}

#[test]
fn a_process_of_several_threads_gets_no_user_namespace_and_enters_none() {
    proof::need!(user_namespaces);
    with_a_thread(|| {
        let errno = unshare(Kind::User.flag()).expect_err("a user namespace for one of several threads");
        let refusal =
            Refusal { act: Act::Make(vec![Kind::User]), fault: Fault { call: Call::Unshare, errno } };
        let cause = find(&refusal, &Subject::ourselves()).expect("a cause");
        assert_eq!(cause.key(), "user-namespace-threads");
        let process = InUserNamespace::new();
        let user = process.namespace("user");
        let errno = setns(user.as_fd(), 0).expect_err("entered by one of several threads");
        assert_eq!(enter(Kind::User, user, errno, None), Some("enter-with-threads"));
        let time = open("/proc/self/ns/time", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        if let Ok(time) = time {
            let errno = setns(time.as_fd(), 0).expect_err("entered by one of several threads");
            assert_eq!(enter(Kind::Time, time, errno, None), Some("enter-with-threads"));
        }
    });
}

#[test]
fn a_namespace_of_another_kind_is_told_by_its_kind() {
    let file = open("/proc/self/ns/uts", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).expect("our own");
    let kind = i32::try_from(Kind::Net.flag()).expect("a flag");
    let errno = setns(file.as_fd(), kind).expect_err("a uts namespace is no network namespace");
    assert_eq!(enter(Kind::Net, file, errno, None), Some("namespace-of-another-kind"));
}

#[test]
fn a_process_that_is_gone_is_told() {
    proof::need!(user_namespaces);
    let process = InUserNamespace::new();
    let (user, pid) = (process.namespace("user"), process.0.pid);
    let before = enter(Kind::User, open_own(), Errno::SRCH, Some(pid));
    assert_eq!(before, None);
    process.end();
    assert_eq!(enter(Kind::User, user, Errno::SRCH, Some(pid)), Some("process-gone"));
}

fn open_own() -> OwnedFd {
    open("/proc/self/ns/user", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).expect("our own")
}

/// An errno whose cause is not there gets none: this process is root, under nothing, with room for all.
#[test]
fn where_nothing_is_wrong_nothing_is_said() {
    proof::need!(root);
    let filtered = Subject::ourselves().status().is_none_or(|status| status.filtered);
    proof::or_skip!(proof::need::that(!filtered, "the tests run under a filter of system calls"));
    let uts = || open("/proc/self/ns/uts", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok();
    let tried = || {
        let door = Enter { kind: Some(Kind::Uts), file: uts(), target: Some(1), with_user: false };
        // Not unshare(2) of a user namespace: these tests have threads.
        vec![
            (Act::Make(vec![Kind::User, Kind::Net]), &[Call::Clone3][..]),
            (Act::Make(vec![Kind::Pid, Kind::Mnt, Kind::Uts]), &[Call::Unshare, Call::Clone3]),
            (Act::Fork, &[Call::Clone3]),
            (Act::SetIds { uid: Some(7), gids: vec![7, 8] }, &[Call::Setuid, Call::Setgid, Call::Setgroups]),
            (Act::Setgroups(true), &[Call::Write, Call::Openat2]),
            (Act::Setgroups(false), &[Call::Openat2]),
            (Act::Look(1), &[Call::Openat2]),
            (Act::Enter(door), &[Call::Setns]),
        ]
    };
    let errnos = [
        Errno::PERM,
        Errno::ACCESS,
        Errno::INVAL,
        Errno::NOSPC,
        Errno::AGAIN,
        Errno::NOMEM,
        Errno::SRCH,
        Errno::NOENT,
        Errno::USERS,
        Errno::NOSYS,
        Errno::ROFS,
    ];
    let calls = tried().into_iter().map(|(_, calls)| calls);
    for (n, call) in calls.enumerate().flat_map(|(n, calls)| calls.iter().map(move |call| (n, *call))) {
        for errno in errnos {
            let (act, _) = tried().swap_remove(n);
            let refusal = Refusal { act, fault: Fault { call, errno } };
            assert_eq!(find(&refusal, &Subject::ourselves()), None, "{refusal:?}");
        }
    }
}
