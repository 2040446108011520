//! No new process: limits, and a pid namespace whose first process has ended.

use crate::caller::{Caller, ended};
use crate::told::{Told, refused, within};
use insula_proof as proof;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &[&str] = &["--user", "--map-root-user"];

#[test]
fn the_limit_of_a_users_processes_is_named() {
    proof::need!(program "prlimit");
    let caller = proof::or_skip!(Caller::user());
    let fork = |limit: &str| {
        within(&caller, ROOT, &format!(r#"exec prlimit --nproc={limit} "$0" unshare --fork true"#))
    };
    Told::by(&fork("1:1"))
        .is("may have 1 processes and threads (RLIMIT_NPROC, `ulimit -u`), and has", "ulimit -u");
    assert_eq!(fork("4000:4000").said(), "");
}

/// A control group with a limit of processes, which goes away with the test.
struct Group(PathBuf);

impl Group {
    fn new(most: &str) -> Result<Group, String> {
        let unified = proof::need::cgroup2_mount().unwrap_or_default();
        let top = match proof::need::cgroup_v2_controller("pids") {
            Ok(()) => unified,
            Err(_) => proof::need::cgroup_v1("pids").map(|()| PathBuf::from("/sys/fs/cgroup/pids"))?,
        };
        let path = top.join(format!("insula-causes-{}", proof::scratch::unique()));
        fs::create_dir(&path).map_err(|error| format!("make a control group: {error}"))?;
        let group = Group(path);
        fs::write(group.0.join("pids.max"), most).map_err(|error| format!("no pids.max: {error}"))?;
        Ok(group)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What ended a moment ago may still be counted.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[test]
fn a_full_control_group_is_named() {
    let caller = proof::or_skip!(Caller::root());
    let call = |group: &Group, words: &[&str]| {
        let script = r#"echo $$ >"$0/cgroup.procs"; exec "$@""#;
        let words = caller.words(words);
        let path = group.path().to_str().expect("a path in UTF-8");
        ended(caller.command("sh").args(["-c", script, path]).args(words))
    };
    let one = proof::or_skip!(Group::new("1"));
    for words in [&["unshare", "--fork", "true"][..], &["run", "--", "true"]] {
        let name = one.path().file_name().and_then(|name| name.to_str()).expect("a name");
        let told = Told::by(&call(&one, words));
        told.is(&format!("{name}` may have 1 processes and threads (pids.max), and has them"), "pids.max");
    }
    let many = proof::or_skip!(Group::new("50"));
    assert_eq!(call(&many, &["unshare", "--fork", "true"]).said(), "");
}

#[test]
fn numbers_that_are_all_given_are_named() {
    let caller = proof::or_skip!(Caller::user());
    let flags = &["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    let setting = "echo 301 2>/dev/null >/proc/sys/kernel/pid_max";
    let can = within(&caller, flags, &format!("{setting} && cat /proc/sys/kernel/pid_max"));
    proof::or_skip!(proof::need::that(can.out.trim() == "301", "this kernel has one pid_max for all"));
    // The numbers below 300 are given once; the one that is left is this sleep's.
    let script = format!(
        r#"{setting}; while [ "$(sh -c 'echo $$')" -lt 299 ]; do :; done
        sleep 60 & exec "$0" unshare --fork true"#
    );
    refused(&caller, flags, &script).is("kernel.pid_max is 301", "sysctl kernel.pid_max=");
}

#[test]
fn a_pid_namespace_that_has_ended_is_told() {
    let caller = proof::or_skip!(Caller::user());
    let flags = &["--user", "--map-root-user", "--mount"];
    let script = r#"touch ended lasting
        "$0" unshare --fork --pid=ended true; "$0" nsenter --pid=ended true"#;
    refused(&caller, flags, script).is("the first process of the pid namespace", "make a new pid namespace");
}
