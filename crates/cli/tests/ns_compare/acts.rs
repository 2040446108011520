//! `insula ns diff`: who may trace and signal whom, held against what the kernel lets each of them do.

use crate::caller::{Caller, ended};
use crate::diff::{diff, row};
use crate::holder::{Holder, beside, ns};
use insula_proof as proof;
use std::process::Command;
use std::time::{Duration, Instant};

by_both!(who_may_trace_and_signal_is_what_the_kernel_allows, what_is_not_dumpable_is_told);

/// A way to start a program: what it is called, and its words.
struct Manner<'c> {
    caller: &'c Caller,
    base: &'c Holder,
    name: &'static str,
    within: bool,
    words: &'static [&'static str],
}

impl Manner<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let words: Vec<&str> = self.words.iter().chain(words).copied().collect();
        let mut command =
            if self.within { beside(self.caller, self.base) } else { self.caller.command("env") };
        command.args(words);
        command
    }
}

/// Opening the memory of a process wants what ptrace(2) wants (proc_pid_mem(5)); so does `kill -0` what a signal wants.
fn who_may_trace_and_signal_is_what_the_kernel_allows(caller: &Caller) {
    proof::need!(program "setpriv");
    let base = proof::or_skip!(Holder::unshared(caller, &["--user", "--map-root-user"]));
    let manner = |name, within, words| Manner { caller, base: &base, name, within, words };
    let mut manners = vec![
        manner("plain", false, &[]),
        manner("root of a user namespace", true, &[]),
        manner("with fewer capabilities", true, &["setpriv", "--bounding-set", "-all", "--"]),
        manner("without CAP_SYS_PTRACE", true, &["setpriv", "--bounding-set", "-sys_ptrace", "--"]),
        manner("no new privileges", false, &["setpriv", "--no-new-privs", "--"]),
    ];
    if caller.is_root() {
        manners.push(manner(
            "another user",
            false,
            &["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "--"],
        ));
        manners.push(manner(
            "root without capabilities",
            false,
            &["setpriv", "--bounding-set", "-all", "--"],
        ));
    }
    let holders: Vec<Holder> = manners
        .iter()
        .map(|manner| {
            Holder::of(&mut manner.command(&["sh", "-c", "echo ready; exec sleep 120"])).expect("a process")
        })
        .collect();
    for (actor, one) in manners.iter().zip(&holders) {
        for (target, other) in manners.iter().zip(&holders).filter(|(target, _)| target.name != actor.name) {
            let told = diff(caller, one, other);
            let which = format!("{} → {}: {}", actor.name, target.name, told["verdict"]);
            let tried = |script: String| ended(&mut actor.command(&["sh", "-c", &script])).code() == 0;
            let traces = tried(format!("exec 2>/dev/null 3</proc/{}/mem", other.pid));
            // Before Linux 6.16 it is not told of root's processes whether they are dumpable.
            let is_told =
                row(&told, "dumpable")["b"].is_string() || !told["a"]["may_trace_other"]["may"].is_null();
            if is_told {
                assert_eq!(told["a"]["may_trace_other"]["may"], traces, "trace {which}");
            }
            let signals = tried(format!("kill -0 {} 2>/dev/null", other.pid));
            assert_eq!(told["a"]["may_signal_other"]["may"], signals, "signal {which}");
        }
    }
}

fn what_is_not_dumpable_is_told(caller: &Caller) {
    let plain = Holder::plain(caller);
    if caller.is_root() {
        let told = diff(caller, &plain, &plain);
        assert!(matches!(row(&told, "dumpable")["a"].as_str(), Some("yes") | None), "{told}");
        return;
    }
    // A program that its user may execute and not read is not dumpable, execve(2).
    let copy = caller.home().join("sleep");
    let made = caller
        .command("sh")
        .args(["-c", "cp \"$(command -v sleep)\" \"$1\" && chmod 0111 \"$1\"", "sh"])
        .arg(&copy)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "copy sleep");
    let mut command = caller.command("sh");
    let closed =
        Holder::of(command.args(["-c", "echo ready; exec \"$1\" 120", "sh"]).arg(&copy)).expect("sh");
    // It becomes that program a moment after it says that it is ready.
    let deadline = Instant::now() + Duration::from_secs(10);
    let told = loop {
        let told = diff(caller, &plain, &closed);
        if row(&told, "dumpable")["b"] == "no" {
            break told;
        }
        assert!(Instant::now() < deadline, "{told:#}");
    };
    assert_eq!(row(&told, "dumpable")["a"], "yes");
    assert_eq!(told["outcome"], "untold", "its namespaces may not be seen any more");
    // Who it is may be told of everyone, its namespaces not.
    let (code, out, _) = ns(caller, &["diff", &plain.pid.to_string(), &closed.pid.to_string()]);
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("its own user may see it, or who has CAP_SYS_PTRACE over it"), "{out}");
}
