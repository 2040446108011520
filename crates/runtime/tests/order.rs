//! The laws of the order of steps, on the plans that are kept and on those of random configurations.
#![forbid(unsafe_code)]

#[path = "order/field.rs"]
mod field;
mod given;
#[path = "order/law.rs"]
mod law;
#[path = "order/random.rs"]
mod random;

use given::CASES;
use insula_launch::plan::Plan;
use insula_launch::step::Step;
use insula_oci::{IdMapping, Mount, Spec};
use insula_runtime::compile::{Attachment, compile};
use law::{LAWS, Law};
use proptest::prelude::*;
use random::Asked;
use std::collections::BTreeSet;
use std::path::Path;

/// As many as `PROPTEST_CASES` says. No file of failures: one that is found becomes a test with a name.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn broken(plan: &Plan) -> Vec<&'static str> {
    LAWS.iter().filter(|law| !(law.holds)(law, plan)).map(|law| law.name).collect()
}

#[test]
fn the_plans_that_are_kept_obey_the_laws() {
    for case in CASES {
        assert_eq!(broken(&case.plan()), [""; 0], "{}", case.name);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_good_configuration_compiles_to_a_plan_that_obeys_the_laws(asked in random::good()) {
        let Asked { host, spec, attachment } = asked;
        match compile(&spec, &host, &attachment) {
            Ok(compiled) => prop_assert_eq!(broken(&compiled.plan), [""; 0], "{}", compiled.plan),
            Err(faults) => prop_assert!(false, "{faults:?}"),
        }
    }

    #[test]
    fn a_bad_configuration_compiles_lawfully_or_is_refused_by_fields_that_there_are(asked in random::bad()) {
        let Asked { host, spec, attachment } = asked;
        match compile(&spec, &host, &attachment) {
            Ok(compiled) => prop_assert_eq!(broken(&compiled.plan), [""; 0], "{}", compiled.plan),
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(field::exists(&fault.field, &spec), "no field `{}` ({})", fault.field, fault.reason);
                    prop_assert!(!fault.reason.is_empty() && !fault.reason.ends_with('.'), "{}", fault.reason);
                }
            }
        }
    }
}

fn faults_of(change: impl FnOnce(&mut Spec)) -> Vec<String> {
    let case = CASES.iter().find(|case| case.name == "root-directory").expect("there is such a case");
    let mut spec = case.spec();
    change(&mut spec);
    let compiled = compile(&spec, &given::host(given::root()), &Attachment::default());
    compiled.map_or_else(|faults| faults.into_iter().map(|fault| fault.field).collect(), |_| Vec::new())
}

/// It was a panic: 4294967295 is no `Gid`.
#[test]
fn a_group_that_is_no_id_is_refused() {
    let faults = faults_of(|spec| {
        if let Some(process) = &mut spec.process {
            process.user.additional_gids = vec![5, u32::MAX];
        }
    });
    assert_eq!(faults, ["process.user.additionalGids[1]"]);
}

/// Each pair of lines was compared, and each that overlaps a fault of its own: 4 MiB of lines took hours and all memory.
#[test]
fn a_map_of_too_many_lines_is_refused_without_comparing_them() {
    let faults = faults_of(|spec| {
        if let Some(linux) = &mut spec.linux {
            linux.uid_mappings = vec![IdMapping { container_id: 0, host_id: 0, size: 1 }; 4000];
        }
    });
    assert_eq!(faults, ["linux.uidMappings"]);
}

/// Slots were numbered by 16 bits: a panic, or in a release build two trees in one slot.
#[test]
fn seventy_thousand_mounts_have_a_slot_each() {
    let mount = Mount {
        destination: "/a".to_owned(),
        kind: Some("bind".to_owned()),
        source: Some("/srv".to_owned()),
        ..Mount::default()
    };
    assert_eq!(faults_of(|spec| spec.mounts = vec![mount; 70_000]), [""; 0]);
}

/// Steps of a process that joins a container: their law stands in tests/join.rs.
const OF_JOINING: &[&str] = &["affinity"];

/// Steps that only the commands of the namespaces' storey push: their laws stand in crates/namespaces/tests.
const OF_NAMESPACES: &[&str] = &[
    "bind-over",
    "chdir",
    "chroot",
    "chroot-to",
    "enter",
    "enter-process",
    "exec-context",
    "execvp",
    "fchdir",
    "fork",
    "hold",
    "join-cgroup",
    "keep-caps",
    "keep-open",
    "leave-groups",
    "load-interp",
    "map-own-ids",
    "mount-binfmt",
    "mount-proc",
    "new-mounts",
    "owner",
    "persist",
    "pin",
    "same-namespaces",
    "set-ids",
    "setgroups",
    "sysfs",
    "try-unshare",
    "write-down",
];

/// The names of all steps that the runtime has, by their source.
fn step_names() -> BTreeSet<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../launch/src/step");
    let files = std::fs::read_dir(directory).expect("read the directory of the steps");
    let texts =
        files.map(|file| std::fs::read_to_string(file.expect("read an entry").path()).expect("read a step"));
    let name = |line: &str| {
        let rest = line.trim().strip_prefix("const NAME: &'static str = \"")?;
        rest.strip_suffix("\";").map(str::to_owned)
    };
    let names = texts.flat_map(|text| text.lines().filter_map(name).collect::<Vec<String>>());
    names
        .filter(|name| !OF_NAMESPACES.contains(&name.as_str()) && !OF_JOINING.contains(&name.as_str()))
        .collect()
}

#[test]
fn every_step_stands_in_a_law_and_in_a_plan_that_is_kept() {
    let in_plans: BTreeSet<String> =
        CASES.iter().flat_map(|case| case.plan().steps).map(|step| step.name().to_owned()).collect();
    let in_laws: BTreeSet<String> =
        LAWS.iter().flat_map(|law| law.about).map(|name| (*name).to_owned()).collect();
    let steps = step_names();
    assert_eq!(in_laws, steps, "left: the laws of tests/order/law.rs, right: the steps");
    assert_eq!(in_plans, steps, "left: the plans of tests/plans, right: the steps");
}

#[test]
fn every_law_is_broken_by_some_wrong_plan() {
    let toothless: Vec<&str> =
        LAWS.iter().filter(|law| !CASES.iter().any(|case| bites(law, case))).map(|law| law.name).collect();
    assert_eq!(toothless, [""; 0]);
}

/// Does the law see it when a step that it speaks of is moved to either end, left out, or done twice?
fn bites(law: &Law, case: &given::Case) -> bool {
    let wrongs: [fn(&mut Vec<Step>, Step, Step); 4] = [
        |steps, step, _| steps.insert(0, step),
        |steps, step, _| steps.push(step),
        |_, _, _| {},
        |steps, step, twin| steps.extend([step, twin]),
    ];
    let steps = case.plan().steps;
    let spoken_of = steps.iter().enumerate().filter(|(_, step)| law.about.contains(&step.name()));
    let mut cases = spoken_of.flat_map(|(at, _)| wrongs.map(|wrong| (at, wrong)));
    cases.any(|(at, wrong)| {
        let (mut plan, mut twins) = (case.plan(), case.plan());
        let step = plan.steps.remove(at);
        wrong(&mut plan.steps, step, twins.steps.remove(at));
        !(law.holds)(law, &plan)
    })
}
