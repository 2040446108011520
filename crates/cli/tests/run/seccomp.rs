//! Which system calls the program may make.

use crate::caller::{Caller, ended};
#[cfg(target_arch = "x86_64")]
use insula_proof as proof;
#[cfg(target_arch = "x86_64")]
use std::process::Command;

by_everyone!(
    a_profile_is_in_force_in_the_program_and_in_process_1,
    a_profile_of_dockers_format_is_for_this_machine_and_these_capabilities,
    the_profile_of_our_own_lets_programs_work_and_gives_no_namespaces,
    what_is_no_profile_is_refused_with_its_place,
    an_agent_is_refused_and_not_ignored,
);

/// Refuses mkdir(2) with an errno that nothing else gives.
const NO_DIRECTORIES: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}"#;

/// A caller's file as the value of `--security-opt`.
fn option(caller: &Caller, content: &str) -> String {
    format!("seccomp={}", caller.write("profile.json", content))
}

fn a_profile_is_in_force_in_the_program_and_in_process_1(caller: &Caller) {
    let profile = option(caller, NO_DIRECTORIES);
    let script = "mkdir /tmp/x 2>&1; grep -h Seccomp: /proc/1/status /proc/self/status; ls /proc/self/fd";
    for privileges in ["no-new-privileges:false", "no-new-privileges"] {
        for init in ["--init", "--init=false"] {
            let flags = [init, "--security-opt", privileges, "--security-opt", &profile, "--tmpfs", "/tmp"];
            assert_eq!(
                caller.sh(&flags, script),
                "mkdir: cannot create directory '/tmp/x': Operation not supported\n\
                 Seccomp:\t2\nSeccomp:\t2\n0\n1\n2\n3",
                "{flags:?}"
            );
        }
    }
    let unconfined = ["--security-opt", &profile, "--security-opt", "seccomp=unconfined", "--tmpfs", "/tmp"];
    assert_eq!(caller.sh(&unconfined, "mkdir /tmp/x && ls /tmp"), "x");
}

/// Writes a word and ends, by two system calls.
#[cfg(target_arch = "x86_64")]
const TINY: &str = r#"
void _start(void)
{
    static const char word[] = "here\n";
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(1), "D"(1), "S"(word), "d"(5) : "rcx", "r11", "memory");
    __asm__ volatile("syscall" : : "a"(60), "D"(0));
}
"#;

#[test]
#[cfg(target_arch = "x86_64")]
fn with_no_new_privileges_a_profile_has_to_allow_execve_alone() {
    proof::need!(program "gcc");
    let caller = proof::or_skip!(if proof::need::root().is_ok() { Caller::root() } else { Caller::user() });
    let source = caller.write("tiny.c", TINY);
    let tiny = caller.home().join("tiny");
    let gcc = Command::new("gcc").args(["-O1", "-static", "-nostdlib", "-o"]).arg(&tiny).arg(source).status();
    assert!(gcc.expect("start gcc").success());
    let tiny = tiny.to_str().expect("a path of ours is UTF-8");
    let strict = |names: &str| {
        let json = format!(
            r#"{{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [
                {{"names": [{names}], "action": "SCMP_ACT_ALLOW"}}]}}"#
        );
        option(&caller, &json)
    };
    let run = |profile: &str, privileges: &str| {
        let options = ["--security-opt", profile, "--security-opt", privileges];
        ended(&mut caller.insula(&[&["run", "--init=false"][..], &options, &["--", tiny]].concat()))
    };
    let end = run(&strict(r#""execve", "write", "exit""#), "no-new-privileges");
    assert_eq!((end.code(), end.said().as_str()), (0, "here"));
    // Without it, what we do after the filter has to be allowed as well; the error says at which step it was not.
    let end = run(&strict(r#""execve", "write", "exit""#), "no-new-privileges:false");
    assert_eq!(end.code(), 125);
    assert!(end.err.contains("become user 0"), "{}", end.err);
    assert!(end.err.contains("may deny it: allow the call, or set no_new_privs"), "{}", end.err);
    // The program itself is killed by SIGSYS for a call that is not in its profile: write(2), here.
    let end = run(&strict(r#""execve", "exit""#), "no-new-privileges");
    assert_eq!(end.code(), 128 + 31);
}

/// Conditions of each kind.
const CONDITIONS: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [
    {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}], "syscalls": [
    {"name": "mkdir", "action": "SCMP_ACT_ERRNO", "errnoRet": 95, "args": null, "includes": {"caps": ["CAP_SYS_PACCT"]}},
    {"name": "mkdirat", "action": "SCMP_ACT_ERRNO", "errnoRet": 95, "includes": {"caps": ["CAP_SYS_PACCT"]}},
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 39, "includes": {"minKernel": "99.0"}}]}"#;

fn a_profile_of_dockers_format_is_for_this_machine_and_these_capabilities(caller: &Caller) {
    let profile = option(caller, CONDITIONS);
    let flags = ["--tmpfs", "/tmp", "--security-opt", &profile];
    assert_eq!(caller.sh(&flags, "mkdir /tmp/x && ls /tmp"), "x");
    let said = caller.sh(&[&flags[..], &["--cap-add", "SYS_PACCT"]].concat(), "mkdir /tmp/x 2>&1; ls /tmp");
    assert_eq!(said, "mkdir: cannot create directory '/tmp/x': Operation not supported");
}

fn the_profile_of_our_own_lets_programs_work_and_gives_no_namespaces(caller: &Caller) {
    let flags = ["--tmpfs", "/tmp", "--security-opt", "seccomp=builtin"];
    let script = "mkdir /tmp/a && echo b > /tmp/a/c && (cat /tmp/a/c; sleep 0.01) | tr b d; unshare -n true 2>&1; \
                  unshare -U true 2>&1; mount -t tmpfs x /tmp 2>&1 | grep -c permission";
    let denied = "unshare: unshare failed: Operation not permitted";
    assert_eq!(caller.sh(&flags, script), format!("d\n{denied}\n{denied}\n1"));
    let with = [&flags[..], &["--cap-add", "SYS_ADMIN"]].concat();
    assert_eq!(caller.sh(&with, "unshare -n true && echo new"), "new");
}

fn what_is_no_profile_is_refused_with_its_place(caller: &Caller) {
    let table = [
        ("[]", "it is no profile: "),
        ("{}", "it is no profile: missing field `defaultAction`"),
        (r#"{"defaultAction": "SCMP_ACT_WHY"}"#, "it is no profile: unknown variant `SCMP_ACT_WHY`"),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
                "archMap": [{"architecture": "SCMP_ARCH_X86"}]}"#,
            "archMap: `architectures` is there as well: leave one out",
        ),
    ];
    for (content, expected) in table {
        let end =
            ended(&mut caller.insula(&["run", "--security-opt", &option(caller, content), "--", "true"]));
        assert_eq!(end.code(), 125, "{content}");
        assert!(end.err.contains(expected), "{content}: {}", end.err);
    }
    // What is wrong with the rules is said with the field of config.json.
    let rules = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 9, "value": 0, "op": "SCMP_CMP_EQ"}]}]}"#;
    let end = ended(&mut caller.insula(&["run", "--security-opt", &option(caller, rules), "--", "true"]));
    assert_eq!(end.code(), 125);
    assert!(
        end.err.contains("linux.seccomp.syscalls[0].args[0].index: 9 is not between 0 and 5"),
        "{}",
        end.err
    );
    for file in ["/no/such/profile.json", "/"] {
        let end =
            ended(&mut caller.insula(&["run", "--security-opt", &format!("seccomp={file}"), "--", "true"]));
        assert_eq!(end.code(), 125, "{file}");
        assert!(end.err.contains(&format!("`--security-opt seccomp={file}`: ")), "{}", end.err);
    }
}

fn an_agent_is_refused_and_not_ignored(caller: &Caller) {
    let profile = r#"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent.sock", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}"#;
    let end = ended(&mut caller.insula(&["run", "--security-opt", &option(caller, profile), "--", "true"]));
    assert_eq!(end.code(), 125);
    assert!(
        end.err.contains("linux.seccomp.listenerPath: an agent is told of a container with a state"),
        "{}",
        end.err
    );
}
