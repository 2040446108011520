//! The plans of our own commands, rehearsed: what held, what was refused, what was not tried, what was not reached.

use super::{ended, why};
use crate::caller::Caller;
use insula_proof as proof;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// The outcome of each step with its name.
fn outcomes(answer: &Value) -> Vec<(String, String)> {
    let steps = answer["steps"].as_array().unwrap_or_else(|| panic!("no steps in {answer:#}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    steps.iter().map(|step| (text(&step["step"]), text(&step["outcome"]))).collect()
}

/// The outcome of the step with this name.
#[track_caller]
fn outcome(answer: &Value, name: &str) -> String {
    let all = outcomes(answer);
    let found = all.iter().find(|(step, _)| step == name);
    found.unwrap_or_else(|| panic!("no step `{name}` in {all:?}")).1.clone()
}

fn a_plan_that_holds_is_not_executed(caller: &Caller) {
    let answer = why(caller, &["insula", "unshare", "-Urmpf", "--mount-proc", "touch", "made"]);
    assert_eq!((answer.end.code(), answer.end.out.as_str(), answer.end.err.as_str()), (0, "", ""));
    let outcomes = outcomes(&answer.json);
    assert!(outcomes.len() > 4 && outcomes.iter().all(|(_, outcome)| outcome == "held"), "{outcomes:?}");
    assert_eq!(answer.json["refused"], Value::Null);
    assert!(fs::metadata(caller.home().join("made")).is_err(), "the program ran");
    let end = ended(&mut caller.insula(&["unshare", "-Urmpf", "--mount-proc", "touch", "made"]));
    assert_eq!(end.code(), 0, "what held, holds: {}", end.err);
}

fn a_container_s_plan_holds_as_well(caller: &Caller) {
    let answer = why(caller, &["insula", "run", "--hostname", "x", "true"]);
    assert_eq!(answer.end.code(), 0, "{:#}\n{}", answer.json, answer.end.err);
    let outcomes = outcomes(&answer.json);
    assert!(outcomes.len() > 20 && outcomes.iter().all(|(_, outcome)| outcome == "held"), "{outcomes:?}");
}

fn a_program_that_is_not_there_is_refused_at_its_step(caller: &Caller) {
    let answer = why(caller, &["insula", "run", "no-such-program"]);
    assert_eq!(answer.end.code(), 1);
    assert_eq!(
        (outcome(&answer.json, "program"), outcome(&answer.json, "exec")),
        ("refused".into(), "not-reached".into())
    );
    assert_eq!(answer.json["refused"]["errno"], "ENOENT");
    let answer = why(caller, &["insula", "unshare", "-Ur", "no-such-program"]);
    assert_eq!(answer.end.code(), 1);
    assert_eq!(outcome(&answer.json, "execvp"), "refused");
}

fn an_interpreter_that_is_not_there_is_found_without_an_exec(caller: &Caller) {
    let path = caller.write("script", "#!/no/such/interpreter\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set the mode");
    let answer = why(caller, &["insula", "unshare", "-Ur", &path]);
    assert_eq!((answer.end.code(), outcome(&answer.json, "execvp")), (1, "refused".into()));
    assert_eq!(answer.json["refused"]["cause"]["key"], "no-interpreter", "{:#}", answer.json);
}

fn a_link_of_a_face_is_our_own_command(caller: &Caller) {
    let insula = caller.words(&[]).remove(0);
    let link = caller.home().join("unshare");
    std::os::unix::fs::symlink(insula, &link).expect("make a link");
    let answer = why(caller, &[link.to_str().expect("a path in UTF-8"), "-Ur", "true"]);
    assert_eq!((answer.end.code(), outcome(&answer.json, "execvp")), (0, "held".into()));
    fs::remove_file(&link).expect("remove the link");
}

fn a_command_without_a_plan_is_traced(caller: &Caller) {
    let answer = why(caller, &["insula", "--version"]);
    assert_eq!((answer.end.code(), answer.json["traced"].as_bool()), (0, Some(true)));
    assert!(answer.end.out.starts_with("insula "), "{}", answer.end.out);
}

fn what_the_plan_needs_and_is_not_there_is_refused(caller: &Caller) {
    for words in [
        &["insula", "netns", "exec", "no-such-name", "true"][..],
        &["insula", "cgroup", "exec", "no-such-group", "true"],
        &["insula", "nsenter", "-t", "4194304", "-n", "true"],
    ] {
        let all = [&["why", "--"], words].concat();
        let end = ended(&mut caller.insula(&all));
        assert_eq!((end.code(), end.out.as_str()), (1, ""), "{words:?}: {}", end.err);
        assert!(end.err.starts_with("insula: error: "), "{words:?}: {}", end.err);
    }
    let end = ended(&mut caller.insula(&["why", "--", "insula", "unshare", "--no-such-flag"]));
    assert_eq!(end.code(), 125, "{}", end.err);
}

fn a_name_s_plan_is_tried_and_no_name_is_there_afterwards(caller: &Caller) {
    let insula = caller.words(&[]).remove(0);
    let run = caller.directory("run");
    let script = format!(
        "export XDG_RUNTIME_DIR={run}; [ $(id -u) != 0 ] || mount -t tmpfs run /run
             {insula} why --json -o new.json -- insula ns new -U -m -p -u -n web; echo $?; {insula} ns ls
             {insula} ns new -U -m -p -u -n web
             {insula} why --json -o exec.json -- insula ns exec web -- no-such-program; echo $?
             {insula} why -- insula ns exec web -- true 2>/dev/null; echo $?
             {insula} ns rm web; {insula} why -- insula ns exec web -- true; echo $?"
    );
    let user = ["--user", "--map-current-user"];
    let user = if caller.is_root() { &[][..] } else { &user };
    let end = ended(caller.command("unshare").args(user).args(["--mount", "sh", "-c", &script]));
    assert_eq!(end.out, "0\n1\n0\n1\n", "{}", end.err);
    assert!(end.err.contains("nothing has the name `web`"), "{}", end.err);
    let answer = |file: &str| -> Value {
        let text = fs::read_to_string(caller.home().join(file)).expect("read the answer");
        serde_json::from_str(&text).expect("an answer in JSON")
    };
    let new = outcomes(&answer("new.json"));
    let pinned = new.iter().filter(|(step, _)| step == "pin").map(|(_, outcome)| &**outcome);
    assert!(pinned.clone().all(|outcome| outcome == "not-tried"), "{new:?}");
    assert_eq!(pinned.count(), if caller.is_root() { 5 } else { 0 });
    assert!(new.iter().all(|(step, outcome)| step == "pin" || outcome == "held"), "{new:?}");
    assert_eq!(outcome(&answer("exec.json"), "execvp"), "refused");
}

by_everyone! {
    a_plan_that_holds_is_not_executed,
    a_container_s_plan_holds_as_well,
    a_program_that_is_not_there_is_refused_at_its_step,
    an_interpreter_that_is_not_there_is_found_without_an_exec,
    a_link_of_a_face_is_our_own_command,
    a_command_without_a_plan_is_traced,
    what_the_plan_needs_and_is_not_there_is_refused,
    a_name_s_plan_is_tried_and_no_name_is_there_afterwards,
}

#[test]
fn what_is_refused_is_told_with_its_cause_and_what_comes_behind_it_is_not_reached() {
    let caller = proof::or_skip!(Caller::user());
    let answer = why(&caller, &["insula", "unshare", "--net", "true"]);
    assert_eq!(answer.end.code(), 1);
    assert_eq!(
        (outcome(&answer.json, "unshare"), outcome(&answer.json, "execvp")),
        ("refused".into(), "not-reached".into())
    );
    let cause = answer.json["refused"]["cause"]["text"].as_str().unwrap_or_default();
    assert!(cause.contains("CAP_SYS_ADMIN"), "{:#}", answer.json);
    let end = ended(&mut caller.insula(&["why", "--", "insula", "unshare", "--net", "true"]));
    for line in [
        "insula: refused: step 1 ",
        "insula: cause: ",
        "insula: hint: ",
        "   1 refused ",
        "   2 not reached ",
    ] {
        assert!(end.err.contains(line), "no `{line}` in {}", end.err);
    }
}

#[test]
fn what_would_outlast_is_not_tried_and_what_is_there_is_not_taken_away() {
    let caller = proof::or_skip!(Caller::root());
    let (file, insula) = (caller.write("kept", ""), caller.words(&[]).remove(0));
    // The file has a namespace already; a failing launch takes back what it has kept, and this it has not.
    let script = format!(
        "{insula} unshare --uts={file} true && grep -c ' {file} ' /proc/self/mountinfo; \
         {insula} why --json -o answer.json -- insula unshare --uts={file} -pf no-such-program; echo $?; \
         grep -c ' {file} ' /proc/self/mountinfo"
    );
    let end = ended(caller.command("unshare").args(["--mount", "sh", "-c", &script]));
    assert_eq!(end.out, "1\n1\n1\n", "{}", end.err);
    let text = fs::read_to_string(caller.home().join("answer.json")).expect("read the answer");
    let answer: Value = serde_json::from_str(&text).expect("an answer in JSON");
    assert_eq!(
        (outcome(&answer, "persist"), outcome(&answer, "execvp")),
        ("not-tried".into(), "refused".into())
    );
    assert_eq!(outcome(&answer, "fork"), "held");
}

#[test]
fn a_mount_with_shared_propagation_does_not_leave_the_rehearsal() {
    let caller = proof::or_skip!(Caller::root());
    let (place, insula) = (caller.directory("place"), caller.words(&[]).remove(0));
    let script = format!(
        "mount -t tmpfs x {place} && mount --make-shared {place} && mkdir {place}/proc && \
         {insula} why -- insula unshare --mount --propagation=unchanged --mount-proc={place}/proc true && \
         grep -c ' {place}/proc ' /proc/self/mountinfo"
    );
    let end = ended(caller.command("unshare").args(["--mount", "sh", "-c", &script]));
    assert_eq!(end.out, "0\n", "{}", end.err);
    assert!(end.err.contains("held         mount procfs on"), "{}", end.err);
}

#[test]
fn the_namespaces_of_a_process_are_entered_and_left() {
    let caller = proof::or_skip!(Caller::user());
    let own = std::process::id().to_string();
    let mut holder = caller.command("unshare").args(["-Urn", "sleep", "20"]).spawn().expect("start a holder");
    let pid = holder.id().to_string();
    let own_net = fs::read_link(format!("/proc/{own}/ns/net")).expect("our namespace");
    while fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|net| net == own_net) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let answer =
        why(&caller, &["insula", "nsenter", "-t", &pid, "-U", "-n", "--preserve-credentials", "true"]);
    let (code, outcomes) = (answer.end.code(), outcomes(&answer.json));
    holder.kill().and_then(|()| holder.wait()).expect("end the holder");
    assert!(
        code == 0 && outcomes.iter().all(|(_, outcome)| outcome == "held"),
        "{outcomes:?}: {}",
        answer.end.err
    );
}
