//! `linux.resources` of a config.json on the real kernel, as the runtime gives it.
#![forbid(unsafe_code)]

use insula_cgroup::{Error, Group, Hierarchies, Made, Name, create, kill_all, limits, members, remove};
use insula_oci::Resources;
use insula_proof::{need, scratch::unique};
use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// A group with these limits, removed when dropped.
struct Container(Option<Group>);

impl Container {
    fn new(json: &str) -> Result<Container, Error> {
        let resources = parse(json);
        let hierarchies = Hierarchies::discover()?;
        let name = Name::parse(&format!("/insula-test-{}", unique()))?;
        let made = create(&hierarchies, &name, &limits::controllers(&resources, &hierarchies)?)?;
        assert!(made.is_new());
        match limits::apply(&made.group, &resources) {
            Ok(()) => Ok(Container(Some(made.group))),
            Err(error) => {
                let paths = shown(&made);
                made.undo();
                assert!(paths.iter().all(|path| !fs::exists(path).unwrap_or(true)), "{paths:?} are left");
                Err(error)
            }
        }
    }

    fn group(&self) -> &Group {
        self.0.as_ref().expect("a group until it is dropped")
    }

    fn read(&self, controller: &str, file: &str) -> String {
        let place = self.group().place(controller).expect("its directory");
        place.directory.look(file).unwrap_or_else(|| panic!("no {file}"))
    }

    /// Runs a script in the group: it waits for a line, which comes once it is inside. Its output, errors included.
    fn sh(&self, script: &str) -> String {
        let mut child = Command::new("sh")
            .args(["-c", &format!("read go; exec 2>&1; {script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start sh");
        let pid = i32::try_from(child.id()).expect("a pid");
        self.group().join(pid).expect("join");
        assert_eq!(members(self.group()).expect("members").len(), 1);
        child.stdin.take().expect("a pipe").write_all(b"\n").expect("tell it");
        String::from_utf8(child.wait_with_output().expect("its end").stdout).expect("UTF-8")
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            kill_all(&group, insula_proof::patience(PATIENCE)).expect("kill what is left");
            remove(&group, true, insula_proof::patience(PATIENCE)).expect("remove the group");
        }
    }
}

fn shown(made: &Made) -> Vec<String> {
    made.group.places().iter().map(|place| place.directory.shown().to_owned()).collect()
}

fn parse(json: &str) -> Resources {
    serde_json::from_str(json).expect("the JSON of this test")
}

/// Docker's and containerd's default: nothing but a few nodes.
#[test]
fn version_1_lets_a_container_use_the_devices_that_it_was_given() {
    need!(root, cgroup_v1 "devices");
    let container = Container::new(
        r#"{"devices": [
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "minor": 5, "access": "w"}
        ]}"#,
    )
    .expect("a group");
    assert_eq!(container.read("devices", "devices.list"), "c 1:3 rwm\nc 1:5 w");
    let said = container
        .sh("cat /dev/null && echo null; head -c 1 /dev/zero | wc -c; echo > /dev/zero && echo zero");
    assert!(said.starts_with("null\n"), "{said}");
    assert!(said.contains("Operation not permitted") && said.contains("\n0\n"), "{said}");
    assert!(said.ends_with("zero\n"), "{said}");
    // The same, once more: an update goes over what is there.
    let again =
        parse(r#"{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 1, "minor": 5}]}"#);
    limits::apply(container.group(), &again).expect("an update");
    assert_eq!(container.read("devices", "devices.list"), "c 1:5 rwm");
}

/// On a hybrid machine this test runs itself again under a look at version 2 alone.
#[test]
fn version_2_lets_a_container_use_the_devices_that_it_was_given() {
    need!(root, program "unshare");
    if Hierarchies::discover().is_ok_and(|all| all.unified().is_none()) {
        insula_proof::skip!("no cgroup2 is mounted");
    }
    if insula_proof::need::cgroup_v1("devices").is_ok() {
        let again = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c"])
            .arg("mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup && exec \"$0\" --nocapture --exact \"$1\"")
            .arg(std::env::current_exe().expect("this test"))
            .arg("version_2_lets_a_container_use_the_devices_that_it_was_given")
            .output()
            .expect("start this test again");
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(again.status.success() && said.contains("1 passed") && !said.contains("skipped"), "{said}");
        return;
    }
    let container = Container::new(
        r#"{"devices": [
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "access": "rwm"},
            {"allow": false, "type": "c", "major": 1, "minor": 5, "access": "r"},
            {"allow": false, "type": "c", "major": 1, "minor": 9}
        ]}"#,
    )
    .expect("a group");
    let script = "cat /dev/null && echo null; head -c 1 /dev/zero | wc -c; echo > /dev/zero && echo zero; \
                  (: <> /dev/zero) || echo both; head -c 1 /dev/urandom || echo urandom";
    let said = container.sh(script);
    assert!(said.starts_with("null\n"), "{said}");
    assert!(
        said.contains("/dev/zero") && said.contains("Operation not permitted") && said.contains("\n0\n"),
        "{said}"
    );
    assert!(said.contains("\nzero\n"), "{said}");
    // Who opens it for both reads too.
    assert!(said.contains("\nboth\n"), "{said}");
    assert!(said.ends_with("urandom\n"), "{said}");
    // An update takes the place of what was there.
    let again =
        parse(r#"{"devices": [{"allow": false}, {"allow": true, "type": "c", "major": 1, "minor": 5}]}"#);
    limits::apply(container.group(), &again).expect("an update");
    let said = container.sh("head -c 1 /dev/zero | wc -c; cat /dev/null || echo null");
    assert!(said.starts_with("1\n") && said.ends_with("null\n"), "{said}");
    let all = parse(r#"{"devices": [{"allow": true}]}"#);
    limits::apply(container.group(), &all).expect("an update");
    assert_eq!(container.sh("cat /dev/null && head -c 1 /dev/zero | wc -c"), "1\n");
}

#[test]
fn a_whole_configuration_of_an_engine_is_taken() {
    need!(root);
    if let Err(reason) = controller("memory").and(controller("cpu")).and(controller("pids")) {
        insula_proof::skip!("{reason}");
    }
    // What dockerd 20.10 writes for `--memory 64m --cpus 1.5 --cpu-shares 512 --pids-limit 100`, devices apart.
    let container = Container::new(
        r#"{"memory": {"limit": 67108864, "disableOOMKiller": false},
            "cpu": {"shares": 512, "quota": 150000, "period": 100000},
            "pids": {"limit": 100},
            "blockIO": {"weight": 0}}"#,
    )
    .expect("a group");
    let v1 = insula_proof::need::cgroup_v1("cpu").is_ok();
    let (file, value) = if v1 { ("cpu.shares", "512") } else { ("cpu.weight", "59") };
    assert_eq!(container.read("cpu", file), value);
    assert_eq!(container.read("pids", "pids.max"), "100");
    let used = insula_cgroup::usage::limits(container.group());
    assert_eq!(used.memory_bytes, Some(64 << 20));
    assert_eq!((used.cpu_quota_us, used.cpu_period_us), (Some(150_000), Some(100_000)));
}

#[test]
fn an_update_below_the_use_is_refused_before_anything_happens() {
    need!(root);
    if let Err(reason) = controller("memory") {
        insula_proof::skip!("{reason}");
    }
    let container = Container::new(r#"{"memory": {"limit": 67108864}}"#).expect("a group");
    assert_eq!(container.sh("head -c 4000000 /dev/zero | tail -c 1 | wc -c"), "1\n");
    let used = insula_cgroup::usage::usage(container.group()).memory.expect("memory").current_bytes;
    assert!(used > 0, "what the kernel keeps for the group");
    let limit = used.min(4096);
    let update =
        |check: bool| parse(&format!(r#"{{"memory": {{"limit": {limit}, "checkBeforeUpdate": {check}}}}}"#));
    let error = limits::apply(container.group(), &update(true)).expect_err("a refusal");
    assert!(matches!(error, Error::BelowUse { .. }), "{error}");
    assert!(error.to_string().contains("bytes are in use"), "{error}");
    assert_eq!(insula_cgroup::usage::limits(container.group()).memory_bytes, Some(64 << 20));
}

#[test]
fn a_process_joins_by_descriptors_that_were_opened_before() {
    need!(root);
    let container = Container::new("{}").expect("a group");
    let joins = container.group().joins().expect("open them");
    assert_eq!(joins.len(), container.group().places().len());
    // This process itself may not join: the test's threads share it. A pid that cannot be shows that they are written to.
    for (path, fd) in &joins {
        assert!(path.ends_with("/cgroup.procs"));
        let written = rustix::io::write(fd.as_fd(), b"4194304");
        assert_eq!(written, Err(rustix::io::Errno::SRCH), "{path}");
    }
    let v2 = insula_proof::need::cgroup_v2().is_ok();
    assert_eq!(container.group().unified_fd().is_some(), v2);
}

#[test]
fn shares_beyond_their_range_are_not_rounded_in_silence() {
    need!(root, cgroup_v1 "cpu");
    for shares in [1, 262_145] {
        let error =
            Container::new(&format!(r#"{{"cpu": {{"shares": {shares}}}}}"#)).err().expect("a refusal");
        assert!(error.to_string().contains("is not within 2 and 262144"), "{error}");
    }
}

fn controller(name: &str) -> Result<(), String> {
    insula_proof::need::cgroup_v1(name).or_else(|_| insula_proof::need::cgroup_v2_controller(name))
}
