//! Plans of entering namespaces, as people read them, for facts that are made up: no kernel. `INSULA_BLESS=1` accepts
//! what is new.
#![forbid(unsafe_code)]

mod hints;

use insula_launch::plan::Kind;
use insula_launch::step::same_namespaces::Seen;
use insula_namespaces::enter::facts::{Facts, Found, Join, OwnView, Rights, TargetFacts};
use insula_namespaces::enter::request::{Directory, Id, Request, Source, Target};
use insula_namespaces::enter::{Compiled, compile};
use insula_proof::snapshot;
use rustix::io::Errno;
use std::path::PathBuf;

const ROOT: Rights = Rights { sys_admin: true, sys_chroot: true };
const USER: Rights = Rights { sys_admin: false, sys_chroot: false };

fn seen(kind: Kind) -> Seen {
    let inode = (4_026_532_100_u64..).zip(Kind::ALL).find(|(_, known)| *known == kind);
    Seen { kind, device: 4, inode: inode.expect("one of all kinds").0 }
}

fn at_target(kinds: &[Kind]) -> Vec<Join> {
    kinds.iter().map(|kind| Join { seen: seen(*kind), found: Found::AtTarget }).collect()
}

fn open(kind: Kind, from: &str) -> Join {
    Join { seen: seen(kind), found: Found::Open(from.to_owned()) }
}

fn facts(rights: Rights, joins: Vec<Join>) -> Facts {
    Facts {
        target: Some(TargetFacts { pid: 7, by_pidfd: true, by_directory: true }),
        joins,
        rights,
        own_view: OwnView::Directory,
        environment: vec![c"PATH=/usr/bin:/bin".to_owned()],
        shell: c"/bin/bash".to_owned(),
        ..Facts::default()
    }
}

fn request() -> Request {
    let target = Some(Target { pid: 7, inode: None });
    Request { target, program: vec![c"ls".to_owned(), c"-l".to_owned()], ..Request::default() }
}

/// The cases: a name, the words that such a request comes from, the request, the facts.
fn cases() -> Vec<(&'static str, &'static str, Request, Facts)> {
    let all = || Request { all: true, ..request() };
    let net = |path: &str| vec![(Kind::Net, Source::File(PathBuf::from(path)))];
    let others: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Net).collect();
    let mixed = |rights| {
        let joins = [at_target(&others), vec![open(Kind::Net, "/run/netns/blue")]].concat();
        (Request { joins: net("/run/netns/blue"), ..all() }, facts(rights, joins))
    };
    let everything = Request {
        joins: vec![(Kind::Mnt, Source::Target)],
        root: Some(Directory::Target),
        working_directory: Some(Directory::Path(PathBuf::from("/srv"))),
        join_cgroup: true,
        uid: Some(Id::Follow),
        gid: Some(Id::Given(5)),
        follow_context: true,
        keep_caps: true,
        program: Vec::new(),
        ..request()
    };
    let everything_facts = Facts {
        cgroups: Some((2, "/box cpu:/box".to_owned())),
        context: Some(b"system_u:system_r:container_t:s0".to_vec()),
        ..facts(ROOT, at_target(&[Kind::Mnt]))
    };
    let inside = Request {
        joins: vec![(Kind::User, Source::Target), (Kind::Mnt, Source::Target)],
        preserve_credentials: true,
        keep_caps: true,
        working_directory_inside: Some(c"/srv".to_owned()),
        ..request()
    };
    let root_only = Request { root: Some(Directory::Path(PathBuf::from("/srv"))), ..request() };
    let (root_mixed, root_mixed_facts) = mixed(ROOT);
    let (user_mixed, user_mixed_facts) = mixed(USER);
    let no_chroot = Rights { sys_admin: true, sys_chroot: false };
    let old = Facts {
        target: Some(TargetFacts { pid: 7, by_pidfd: false, by_directory: true }),
        own_view: OwnView::None,
        ..facts(ROOT, at_target(&[Kind::Net, Kind::Uts]))
    };
    vec![
        ("root-all", "# nsenter --target 7 --all ls -l", all(), facts(ROOT, at_target(&Kind::ALL))),
        ("user-all", "$ nsenter --target 7 --all ls -l", all(), facts(USER, at_target(&Kind::ALL))),
        (
            "root-all-no-fork",
            "# nsenter --target 7 --all --no-fork ls -l",
            Request { no_fork: true, ..all() },
            facts(ROOT, at_target(&Kind::ALL)),
        ),
        ("root-all-net-file", "# nsenter -t 7 -a --net=/run/netns/blue ls -l", root_mixed, root_mixed_facts),
        ("user-all-net-file", "$ nsenter -t 7 -a --net=/run/netns/blue ls -l", user_mixed, user_mixed_facts),
        (
            "no-chroot-all",
            "# setpriv --bounding-set -sys_chroot nsenter -t 7 -a ls -l",
            all(),
            facts(no_chroot, at_target(&Kind::ALL)),
        ),
        (
            "root-everything",
            "# nsenter -t 7 -m -r -w/srv -c -S follow -G 5 -Z --keep-caps",
            everything,
            everything_facts,
        ),
        (
            "user-inside",
            "$ nsenter -t 7 -U -m -W/srv --preserve-credentials --keep-caps ls -l",
            inside,
            facts(USER, at_target(&[Kind::User, Kind::Mnt])),
        ),
        (
            "root-only",
            "# nsenter --root=/srv ls -l",
            root_only,
            Facts { target: None, ..facts(ROOT, Vec::new()) },
        ),
        (
            "old-kernel",
            "# nsenter -t 7 -n -u ls -l    (no pidfd, no procfs of our own)",
            Request { joins: vec![(Kind::Net, Source::Target), (Kind::Uts, Source::Target)], ..request() },
            old,
        ),
    ]
}

#[test]
fn each_request_compiles_to_the_plan_that_is_kept() {
    let changed = cases().into_iter().filter_map(|(name, words, request, facts)| {
        let Compiled { plan, .. } = compile(&request, &facts);
        snapshot::check(&format!("tests/enter/{name}.txt"), &format!("{words}\n\n{plan}")).err()
    });
    let changed: Vec<String> = changed.collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

const ERRNOS: [(&str, Errno); 9] = [
    ("EPERM", Errno::PERM),
    ("ENOENT", Errno::NOENT),
    ("EACCES", Errno::ACCESS),
    ("EAGAIN", Errno::AGAIN),
    ("ENOMEM", Errno::NOMEM),
    ("EINVAL", Errno::INVAL),
    ("ENOTDIR", Errno::NOTDIR),
    ("ESRCH", Errno::SRCH),
    ("ESTALE", Errno::STALE),
];

#[test]
fn each_step_says_of_each_failure_what_is_kept() {
    let steps = cases().into_iter().flat_map(|(_, _, request, facts)| compile(&request, &facts).plan.steps);
    let text = format!(
        "What each step of entering says of a failure: the calls and errnos, the hint.\n{}",
        hints::table(steps, &ERRNOS)
    );
    snapshot::assert("tests/enter/hints.txt", &text);
}
