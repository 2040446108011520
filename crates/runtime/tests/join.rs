//! A process that joins a container: the plan of an `exec` as people read it, and the laws of its order.
#![forbid(unsafe_code)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
mod given;

use insula_launch::plan::{Kind, Plan};
use insula_launch::step::Who;
use insula_oci::scheduling::CpuAffinity;
use insula_proof::snapshot;
use insula_runtime::compile::{Attachment, CgroupPlace, Entry, Life, compile_exec};

fn plan(case: &str) -> Plan {
    let case = given::CASES.iter().find(|known| known.name == case).expect("there is such a case");
    let mut spec = case.spec();
    if let Some(process) = &mut spec.process {
        process.exec_cpu_affinity =
            Some(CpuAffinity { initial: Some("0-1".to_owned()), last: Some("1".to_owned()) });
        process.terminal = true;
        process.env.retain(|variable| !variable.starts_with("HOME="));
    }
    let entry = Entry {
        namespaces: Kind::ALL
            .into_iter()
            .map(|kind| (kind, format!("/proc/4242/ns/{}", kind.name())))
            .collect(),
    };
    let cgroup = Some(CgroupPlace { name: "/web".to_owned(), doors: 2, mounts: Vec::new() });
    let attachment = Attachment { life: Life::Run, cgroup, ..Attachment::default() };
    match compile_exec(&spec, &given::host((case.ids)()), &attachment, &entry) {
        Ok(compiled) => compiled.plan,
        Err(faults) => panic!("{faults:?}"),
    }
}

#[test]
fn an_exec_compiles_to_the_plan_that_is_kept() {
    for (name, who) in [("root-directory", '#'), ("user-directory", '$')] {
        let text = format!("{who} insula-oci exec -t web sh\n\n{}", plan(name));
        snapshot::check(&format!("tests/join/{name}.txt"), &text)
            .unwrap_or_else(|changed| panic!("{changed}"));
    }
}

fn at(plan: &Plan, name: &str) -> Option<usize> {
    plan.steps.iter().position(|step| step.name() == name)
}

#[test]
fn the_order_of_an_exec_is_that_of_the_first_process() {
    for case in ["root-directory", "user-directory"] {
        let plan = plan(case);
        let order = [
            "move-to-cgroup",
            "affinity",
            "own-ids",
            "session",
            "console",
            "take-console",
            "umask",
            "bounding",
            "user",
            "work-dir",
            "capabilities",
            "program",
            "find-home",
            "commit",
            "exec",
        ];
        let places: Vec<Option<usize>> = order.iter().map(|name| at(&plan, name)).collect();
        assert!(places.iter().all(Option::is_some), "{case}: {places:?}\n{plan}");
        assert!(places.is_sorted(), "{case}: {places:?}\n{plan}");
        assert_eq!(plan.steps[0].who(), Who::Parent);
    }
}

#[test]
fn the_user_namespace_is_entered_where_its_rights_or_ours_are_needed() {
    let place = |case: &str| {
        let plan = plan(case);
        plan.birth.joins().iter().position(|join| join.kind == Kind::User)
    };
    assert_eq!(place("root-directory"), Some(7), "root's rights are needed for the others");
    assert_eq!(place("user-directory"), Some(0), "a user has none but those of the namespace");
}

#[test]
fn nothing_of_a_plan_for_the_first_process_is_done_again() {
    let plan = plan("root-directory");
    for name in ["rootfs", "mount", "pivot-root", "host-name", "loopback", "nodes", "mask", "sysctl"] {
        assert_eq!(at(&plan, name), None, "{name}");
    }
}
