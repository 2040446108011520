//! Plans of `netns exec` as people read them, the order of their steps, and what the steps say of failures. Pure.
//! `INSULA_BLESS=1` accepts what is new.
#![forbid(unsafe_code)]

mod hints;

use insula_launch::plan::{Kind, Plan};
use insula_launch::step::Step;
use insula_namespaces::netns::exec::{Request, compile};
use insula_namespaces::netns::view::View;
use insula_proof::snapshot;
use rustix::io::Errno;

fn view(name: &str, settings: &[&str]) -> View {
    View { name: name.into(), settings: settings.iter().map(Into::into).collect() }
}

fn plan(views: Vec<View>) -> Plan {
    let request = Request {
        views,
        words: vec![c"ls".to_owned(), c"/sys/class/net".to_owned()],
        environment: Vec::new(),
        path: Some(c"/usr/bin:/bin".to_owned()),
        called: "insula",
    };
    compile(request).expect("there is a program").0
}

fn cases() -> [(&'static str, Plan); 3] {
    [
        ("plain", plan(vec![view("blue", &[])])),
        ("settings", plan(vec![view("blue", &["hosts", "resolv.conf"])])),
        ("two", plan(vec![view("blue", &["hosts"]), view("green", &["hosts"])])),
    ]
}

#[test]
fn each_request_compiles_to_the_plan_that_is_kept() {
    for (name, plan) in cases() {
        snapshot::assert(&format!("tests/netns/{name}.txt"), &plan.to_string());
    }
}

#[test]
fn each_step_says_of_each_failure_what_is_kept() {
    let errnos = [
        ("EPERM", Errno::PERM),
        ("ENOENT", Errno::NOENT),
        ("EACCES", Errno::ACCESS),
        ("EBUSY", Errno::BUSY),
        ("EINVAL", Errno::INVAL),
        ("ENOTDIR", Errno::NOTDIR),
    ];
    let steps = cases().into_iter().flat_map(|(_, plan)| plan.steps);
    let text = format!(
        "What each step of `netns exec` says of a failure: the calls and errnos, the hint.\n{}",
        hints::table(steps, &errnos)
    );
    snapshot::assert("tests/netns/hints.txt", &text);
}

/// For each namespace in turn: it is entered, then the mounts are ours, then they are cut off from others', and only
/// then is anything mounted; the program is last.
fn lawful(steps: &[Step]) -> bool {
    let Some((Step::Execvp(_), steps)) = steps.split_last() else { return false };
    // The name of what must have been done last before a step of this name.
    let after = |step: &Step| match step.name() {
        "enter" => &[None, Some("sysfs"), Some("bind-over")][..],
        "unshare" => &[Some("enter")],
        "propagation" => &[Some("unshare")],
        "sysfs" => &[Some("propagation")],
        "bind-over" => &[Some("sysfs"), Some("bind-over")],
        _ => &[],
    };
    let before = std::iter::once(None).chain(steps.iter().map(|step| Some(step.name())));
    let ours = |step: &Step| match step {
        Step::Enter(enter) => enter.kind == Kind::Net,
        Step::Unshare(unshare) => unshare.kinds == [Kind::Mnt],
        _ => true,
    };
    steps.iter().zip(before).all(|(step, last)| after(step).contains(&last) && ours(step))
        && steps.last().is_some_and(|last| matches!(last, Step::Sysfs(_) | Step::BindOver(_)))
}

#[test]
fn what_is_mounted_is_mounted_in_the_namespace_and_seen_by_nobody_else() {
    for (name, plan) in cases() {
        assert!(lawful(&plan.steps), "{name}");
        for at in 0..plan.steps.len() - 1 {
            let mut wrong = cases().into_iter().find(|(other, _)| *other == name).expect("the case").1.steps;
            wrong.swap(at, at + 1);
            let twins = wrong[at].name() == wrong[at + 1].name();
            assert!(twins || !lawful(&wrong), "{name}: {at} and {} may be exchanged", at + 1);
        }
    }
}
