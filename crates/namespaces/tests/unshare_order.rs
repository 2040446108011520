//! The laws of the order of steps in plans of unsharing: on the plans that are kept, and on requests of all combinations.
#![forbid(unsafe_code)]

mod unshare_given;

use insula_launch::plan::{Kind, Plan};
use insula_launch::step::Step;
use insula_namespaces::unshare::{Request, compile};
use std::collections::BTreeSet;
use unshare_given::{Case, ROOT, USER, auto, cases, own, request};

/// All steps of `first` stand before all of `then`.
struct Law {
    name: &'static str,
    first: &'static [&'static str],
    then: &'static [&'static str],
}

const NEW: &[&str] = &["try-unshare", "unshare", "time-offsets"];

const LAWS: &[Law] = &[
    Law { name: "who shall own a user namespace makes it", first: &["owner"], then: NEW },
    Law {
        name: "setgroups(2) is denied or allowed before a group map is written",
        first: &["setgroups"],
        then: &["map-ids", "map-own-ids"],
    },
    Law {
        name: "ids are mapped after the namespace is made, before anything else is done in it",
        first: &["try-unshare", "unshare"],
        then: &["setgroups", "map-ids", "map-own-ids", "host-name", "domain-name", "propagation", "fork"],
    },
    Law {
        name: "rights in the namespaces come with the mapped ids",
        first: &["map-ids", "map-own-ids"],
        then: &["host-name", "domain-name", "chroot", "mount-proc", "mount-binfmt", "set-ids", "keep-caps"],
    },
    Law {
        name: "clocks are set before the first process enters",
        first: &["time-offsets"],
        then: &["fork", "execvp"],
    },
    Law {
        name: "the mounts are cut off before the first of ours",
        first: &["propagation"],
        then: &["chroot", "mount-proc", "mount-binfmt"],
    },
    Law {
        name: "a procfs is mounted by a process of the new pid namespace",
        first: &["fork"],
        then: &["mount-proc", "mount-binfmt", "death-signal"],
    },
    Law { name: "the working directory is one of the new root", first: &["chroot"], then: &["chdir"] },
    Law {
        name: "an interpreter is registered where one may, and before the program that it may be for",
        first: &["map-ids", "map-own-ids"],
        then: &["load-interp", "execvp"],
    },
    Law {
        name: "what wants root's rights comes before the change of ids",
        first: &["chroot", "chdir", "mount-proc", "mount-binfmt", "load-interp"],
        then: &["set-ids"],
    },
    Law { name: "capabilities are kept after what takes them", first: &["set-ids"], then: &["keep-caps"] },
    Law {
        name: "the death signal is set after what clears it",
        first: &["set-ids", "keep-caps"],
        then: &["death-signal"],
    },
    Law {
        name: "what outlives the process is made when nothing but the program can fail",
        first: &["unshare", "fork", "chdir", "set-ids", "keep-caps", "death-signal"],
        then: &["persist"],
    },
    Law {
        name: "the program is last",
        first: &["persist", "keep-caps", "load-interp", "death-signal"],
        then: &["execvp"],
    },
];

/// Steps that stand once at most, and the program once.
const ONCE: &[&str] = &[
    "chdir",
    "chroot",
    "death-signal",
    "domain-name",
    "fork",
    "host-name",
    "keep-caps",
    "load-interp",
    "map-ids",
    "map-own-ids",
    "mount-proc",
    "owner",
    "propagation",
    "set-ids",
    "setgroups",
    "time-offsets",
    "unshare",
];

fn holds(law: &Law, steps: &[Step]) -> bool {
    let last = steps.iter().rposition(|step| law.first.contains(&step.name()));
    let start = steps.iter().position(|step| law.then.contains(&step.name()));
    last.zip(start).is_none_or(|(last, start)| last < start)
}

#[track_caller]
fn assert_lawful(plan: &Plan, what: &str) {
    for law in LAWS {
        assert!(holds(law, &plan.steps), "{}: {what}\n{plan}", law.name);
    }
    let count = |name: &str| plan.steps.iter().filter(|step| step.name() == name).count();
    for name in ONCE {
        assert!(count(name) <= 1, "{name} twice: {what}\n{plan}");
    }
    assert_eq!(count("execvp"), 1, "{what}\n{plan}");
    for (at, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.name() == "load-interp") {
        assert_eq!(plan.steps[at - 1].name(), "mount-binfmt", "{step}: {what}\n{plan}");
    }
}

#[test]
fn the_plans_that_are_kept_obey_the_laws() {
    for case in cases() {
        assert_lawful(&case.plan(), case.words);
    }
}

/// Each choice on and off: 2,048 requests for each caller.
#[test]
fn every_combination_obeys_the_laws() {
    let choices: [fn(&mut Request); 11] = [
        |request| request.kinds.extend([Kind::Mnt, Kind::Uts]),
        |request| (request.fork, request.kill_child) = (true, Some(9)),
        |request| (request.users, request.groups) = (own(0), own(0)),
        |request| (request.users.ranges, request.groups.ranges) = (auto(None).ranges, auto(None).ranges),
        |request| request.setgroups = Some(false),
        |request| (request.monotonic_s, request.hostname) = (Some(5), Some("blue".to_owned())),
        |request| request.mount_proc = Some(c"/proc".to_owned()),
        |request| request.root = Some(c"/srv".to_owned()),
        |request| (request.uid, request.keep_caps) = (Some(7), true),
        |request| request.tried = vec![Kind::Net, Kind::Pid],
        |request| request.persist = vec![(Kind::Ipc, c"/run/ipc".to_owned())],
    ];
    for caller in [ROOT, USER] {
        for chosen in 0..1_u32 << choices.len() {
            let mut request = request(&[Kind::User, Kind::Time, Kind::Ipc]);
            choices
                .iter()
                .enumerate()
                .filter(|(i, _)| chosen >> i & 1 == 1)
                .for_each(|(_, choose)| choose(&mut request));
            let plan = compile(&request, caller).unwrap_or_else(|error| panic!("{request:?}: {error}"));
            assert_lawful(&plan, &format!("{chosen:b} {request:?}"));
        }
    }
}

#[test]
fn every_step_of_unsharing_stands_in_a_law_and_in_a_plan_that_is_kept() {
    let in_plans: BTreeSet<&str> =
        cases().iter().flat_map(|case| case.plan().steps).map(|step| step.name()).collect();
    let in_laws: BTreeSet<&str> =
        LAWS.iter().flat_map(|law| law.first.iter().chain(law.then)).copied().collect();
    assert_eq!(in_laws, in_plans, "left: the laws, right: the plans of tests/unshare");
    let source = include_str!("../src/unshare/compile.rs");
    let imported = source.split("use insula_launch::step::{").nth(1).and_then(|rest| rest.split("};").next());
    let wanted = imported.expect("the steps that compile uses").split(',').map(str::trim);
    for step in wanted.filter(|name| !name.is_empty() && *name != "Step") {
        let name = step.char_indices().fold(String::new(), |name, (i, c)| {
            format!(
                "{name}{}{}",
                if i > 0 && c.is_ascii_uppercase() { "-" } else { "" },
                c.to_ascii_lowercase()
            )
        });
        assert!(in_plans.contains(&*name), "{name} is in no plan");
    }
}

#[test]
fn every_law_is_broken_by_some_wrong_plan() {
    let bites = |law: &Law, case: &Case| {
        let first = case.plan().steps.iter().position(|step| law.first.contains(&step.name()));
        first.is_some_and(|at| {
            let mut steps = case.plan().steps;
            let step = steps.remove(at);
            steps.push(step);
            !holds(law, &steps)
        })
    };
    let toothless: Vec<&str> =
        LAWS.iter().filter(|law| !cases().iter().any(|case| bites(law, case))).map(|law| law.name).collect();
    assert_eq!(toothless, [""; 0]);
}
