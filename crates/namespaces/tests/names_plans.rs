//! Plans of `ns new` as people read them, the order of their steps, and what the steps say of failures. Pure.
//! `INSULA_BLESS=1` accepts what is new.
#![forbid(unsafe_code)]

mod hints;

use insula_launch::plan::{Birth, Kind, Plan};
use insula_launch::step::Step;
use insula_launch::step::propagation::Mode;
use insula_namespaces::names::{Facts, Request, compile};
use insula_namespaces::unshare::{Caller, IdRange, IdsAsked};
use insula_proof::snapshot;
use rustix::io::Errno;

fn root() -> Facts {
    Facts {
        caller: Caller { uid: 0, gid: 0, may_map_any: true },
        store: "/run/insula/names".to_owned(),
        pinned: true,
        copy: true,
        mounts_id: Some(4711),
        denies_setgroups: false,
    }
}

fn user() -> Facts {
    Facts {
        caller: Caller { uid: 1000, gid: 100, may_map_any: false },
        store: "/run/user/1000/insula/names".to_owned(),
        pinned: false,
        copy: false,
        ..root()
    }
}

fn all() -> Request {
    Request {
        kinds: Kind::ALL.to_vec(),
        loopback: true,
        proc: true,
        propagation: Some(Mode::Slave),
        ..Request::default()
    }
}

fn without_user() -> Request {
    Request { kinds: Kind::ALL.into_iter().filter(|kind| *kind != Kind::User).collect(), ..all() }
}

fn ranges() -> IdsAsked {
    IdsAsked { own: None, ranges: vec![IdRange { inside: None, outside: 100_000, count: 65_536 }] }
}

fn cases() -> Vec<(&'static str, Plan)> {
    let everything = Request {
        users: ranges(),
        groups: ranges(),
        hostname: Some("blue".to_owned()),
        domainname: Some("green".to_owned()),
        monotonic_s: Some(86_400),
        rootfs: Some(c"/srv/root".to_owned()),
        propagation: Some(Mode::Private),
        ..all()
    };
    let plan =
        |request: &Request, facts: &Facts| compile("web", request, facts).expect("it can be made").plan;
    vec![
        ("root", plan(&without_user(), &root())),
        ("root-net", plan(&Request { kinds: vec![Kind::Net], ..all() }, &root())),
        ("root-everything", plan(&everything, &root())),
        ("root-keeper", plan(&without_user(), &Facts { pinned: false, copy: false, ..root() })),
        ("old-kernel", plan(&without_user(), &Facts { mounts_id: None, copy: false, ..root() })),
        ("user", plan(&all(), &user())),
        ("user-everything", plan(&everything, &user())),
        ("inner-root", plan(&all(), &Facts { denies_setgroups: true, ..root() })),
    ]
}

#[test]
fn each_request_compiles_to_the_plan_that_is_kept() {
    for (name, plan) in cases() {
        snapshot::assert(&format!("tests/names/{name}.txt"), &plan.to_string());
    }
}

#[test]
fn each_step_says_of_each_failure_what_is_kept() {
    let errnos = [
        ("EPERM", Errno::PERM),
        ("ENOENT", Errno::NOENT),
        ("ESRCH", Errno::SRCH),
        ("EACCES", Errno::ACCESS),
        ("EEXIST", Errno::EXIST),
        ("EINVAL", Errno::INVAL),
        ("ENOSPC", Errno::NOSPC),
        ("ELOOP", Errno::LOOP),
    ];
    let ours = ["pin", "new-mounts", "keep-open", "hold", "write-down"];
    let steps =
        cases().into_iter().flat_map(|(_, plan)| plan.steps).filter(|step| ours.contains(&step.name()));
    let text = format!(
        "What each step of names says of a failure: the calls and errnos, the hint.\n{}",
        hints::table(steps, &errnos)
    );
    snapshot::assert("tests/names/hints.txt", &text);
}

/// Where each step has to stand: a step of the first name, if there is one, comes before each of the second.
const ORDER: &[(&str, &str)] = &[
    // The maps first: until then every id is nobody.
    ("map-ids", "own-ids"),
    // The file of the offsets belongs to the ids of the birth.
    ("time-offsets", "own-ids"),
    ("own-ids", "new-mounts"),
    // What is mounted is mounted in the new mount namespace, and spreads nowhere.
    ("new-mounts", "propagation"),
    ("propagation", "mount-proc"),
    ("propagation", "rootfs"),
    ("rootfs", "mount"),
    ("mount", "pivot-root"),
    // The keyring belongs to the ids.
    ("own-ids", "session"),
    // By the caller's /proc, before another is mounted over it, and of the namespaces that are the last.
    ("time-offsets", "keep-open"),
    ("new-mounts", "keep-open"),
    ("keep-open", "mount-proc"),
    ("keep-open", "rootfs"),
    // It is written down what they are, before they can be found; and all that can fail comes before what outlives it.
    ("time-offsets", "write-down"),
    ("new-mounts", "write-down"),
    ("pivot-root", "write-down"),
    ("loopback", "write-down"),
    ("write-down", "pin"),
    ("pin", "hold"),
];

fn lawful(plan: &Plan) -> bool {
    let names: Vec<&str> = plan.steps.iter().map(Step::name).collect();
    let in_order = |first: &str, second: &str| {
        let last_of_first = names.iter().rposition(|name| *name == first);
        let first_of_second = names.iter().position(|name| *name == second);
        last_of_first.zip(first_of_second).is_none_or(|(first, second)| first < second)
    };
    names.last() == Some(&"hold")
        && names.iter().filter(|name| **name == "write-down").count() == 1
        && ORDER.iter().all(|(first, second)| in_order(first, second))
}

#[test]
fn the_steps_of_every_request_stand_in_order() {
    let mut tried = 0;
    for facts in [root(), user(), Facts { copy: false, ..root() }] {
        // Every set of kinds, with every setting that fits it.
        for set in 1..256_usize {
            let kinds: Vec<Kind> = Kind::ALL
                .into_iter()
                .enumerate()
                .filter(|(i, _)| set >> i & 1 == 1)
                .map(|(_, kind)| kind)
                .collect();
            let has = |kind| kinds.contains(&kind);
            let request = Request {
                hostname: has(Kind::Uts).then(|| "blue".to_owned()),
                boottime_s: (has(Kind::Time) && set % 3 == 0).then_some(7),
                rootfs: (has(Kind::Mnt) && set % 5 < 2).then(|| c"/srv".to_owned()),
                users: if set % 7 < 3 { ranges() } else { IdsAsked::default() },
                groups: if set % 7 < 3 { ranges() } else { IdsAsked::default() },
                kinds: kinds.clone(),
                ..all()
            };
            let plan = compile("web", &request, &facts).expect("it can be made").plan;
            assert!(lawful(&plan), "{plan}");
            // Each kind is made once: at the birth or by a step; and kept once, by a mount or by its keeper.
            let Birth::Clone(newborn) = &plan.birth else { panic!("a name has a birth") };
            for kind in &kinds {
                let by_step = |step: &Step| match step {
                    Step::TimeOffsets(_) => *kind == Kind::Time,
                    Step::NewMounts(_) => *kind == Kind::Mnt,
                    _ => false,
                };
                let made = newborn.new.iter().filter(|new| *new == kind).count()
                    + plan.steps.iter().filter(|step| by_step(step)).count();
                let kept = plan.steps.iter().filter(|step| match step {
                    Step::Pin(pin) => pin.kind == *kind,
                    Step::KeepOpen(open) => open.namespaces.iter().any(|(open, _)| open == kind),
                    _ => false,
                });
                assert_eq!((made, kept.count()), (1, 1), "{}: {plan}", kind.name());
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 765);
}

#[test]
fn what_the_laws_forbid_is_seen() {
    for (name, plan) in cases() {
        for at in 0..plan.steps.len() - 1 {
            let mut wrong = cases().into_iter().find(|(other, _)| *other == name).expect("the case").1;
            let pair = (wrong.steps[at].name(), wrong.steps[at + 1].name());
            wrong.steps.swap(at, at + 1);
            let is_law = ORDER.contains(&pair) || pair.1 == "hold";
            assert_eq!(!lawful(&wrong), is_law, "{name}: {pair:?}");
        }
    }
}
