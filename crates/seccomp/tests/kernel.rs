//! On the real kernel: what a program under a loaded filter gets, by all the ways into this machine's kernel.
#![cfg(target_arch = "x86_64")]

use insula_oci::Seccomp;
use insula_proof::{Scratch, need, or_skip};
use insula_seccomp::{compile, native};
use insula_sys::seccomp::{Flags, Instruction, load};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::thread;

/// The C program that makes one call.
struct Attempt(Scratch);

impl Attempt {
    fn new() -> Attempt {
        let scratch = Scratch::new();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernel/attempt.c");
        let gcc = Command::new("gcc")
            .args(["-O1", "-Wall", "-Werror", "-o"])
            .arg(scratch.join("attempt"))
            .arg(source)
            .status();
        assert!(gcc.expect("start gcc").success(), "gcc {source}");
        Attempt(scratch)
    }

    /// What comes of `words` under `program`: what was printed, or the signal that ended it.
    fn under(&self, program: &[Instruction], flags: Flags, words: &str) -> String {
        let (program, path) = (program.to_vec(), self.0.join("attempt"));
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        // A thread of its own: the filter is for it, and for what it starts.
        let thread = thread::spawn(move || {
            insula_sys::prctl::no_new_privs().expect("PR_SET_NO_NEW_PRIVS");
            load(&program, flags).expect("load the filter");
            Command::new(path).args(words).output().expect("start the C program")
        });
        let output = thread.join().expect("the thread under the filter");
        match output.status.signal() {
            Some(signal) => format!("signal {signal}"),
            None => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        }
    }

    /// Whether the kernel runs 32-bit calls at all.
    fn has_narrow(&self) -> Result<(), String> {
        let output =
            Command::new(self.0.join("attempt")).args(["32", "20"]).output().expect("start the C program");
        if output.status.success() { Ok(()) } else { Err("this kernel has no 32-bit calls".to_owned()) }
    }
}

fn profile(json: &str) -> Vec<Instruction> {
    let profile: Seccomp = serde_json::from_str(json).expect("it is a profile");
    compile(&profile, native()).expect("it compiles").program
}

/// SIGSYS
const KILLED: &str = "signal 31";

const DENIES_SOME: &str = r#"{
    "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [
        {"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 41},
        {"names": ["sysinfo"], "action": "SCMP_ACT_KILL_PROCESS"},
        {"names": ["getsid"], "action": "SCMP_ACT_TRAP"},
        {"names": ["getpgid"], "action": "SCMP_ACT_LOG"},
        {"names": ["sched_yield"], "action": "SCMP_ACT_TRACE", "errnoRet": 9},
        {"names": ["times"], "action": "SCMP_ACT_KILL_THREAD"},
        {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42},
        {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 43,
            "args": [{"index": 0, "value": 4294967295, "op": "SCMP_CMP_EQ"}]},
        {"names": ["getpgrp"], "action": "SCMP_ACT_ERRNO", "errnoRet": 44, "args": [
            {"index": 0, "value": 240, "valueTwo": 32, "op": "SCMP_CMP_MASKED_EQ"},
            {"index": 1, "value": 4294967296, "op": "SCMP_CMP_GE"}]}]}"#;

#[test]
fn each_action_is_what_the_program_gets() {
    need!(program "gcc");
    let attempt = Attempt::new();
    let program = profile(DENIES_SOME);
    let table = [
        ("64 140", "-41"),
        ("64 99", KILLED),
        ("64 100", KILLED),
        ("64 124", "trap 124 c000003e"),
        // Nobody traces: no such call.
        ("64 24", "-38"),
        ("64 41 1 1", "-42"),
        ("64 135 0xffffffff", "-43"),
        ("64 111 0x120 0x100000000", "-44"),
    ];
    for (words, expected) in table {
        assert_eq!(attempt.under(&program, Flags::LOG, words), expected, "{words}");
    }
    // Logged, and done.
    for words in ["64 121", "64 135 0x1ffffffff", "64 111 0x110 0x100000000", "64 111 0x120 0xffffffff"] {
        let said = attempt.under(&program, Flags::LOG, words);
        assert!(said.parse::<i64>().is_ok_and(|result| result >= 0), "{words}: {said}");
    }
}

#[test]
fn thirty_two_bit_calls_have_their_own_numbers_and_arguments() {
    need!(program "gcc");
    let attempt = Attempt::new();
    or_skip!(attempt.has_narrow());
    let program = profile(DENIES_SOME);
    let table = [
        ("32 96", "-41"),
        ("32 116", KILLED),
        ("32 147", "trap 147 40000003"),
        // socket(2), behind socketcall(2) and by itself; the argument is a pointer that nobody follows.
        ("32 102 1 0", "-42"),
        ("32 359 1 1", "-42"),
        // bind(2) is another call: EFAULT.
        ("32 102 2 0", "-14"),
        ("32 136 0xffffffff", "-43"),
    ];
    for (words, expected) in table {
        assert_eq!(attempt.under(&program, Flags::default(), words), expected, "{words}");
    }
}

#[test]
fn calls_of_x32_and_of_architectures_that_are_not_listed_are_killed() {
    need!(program "gcc");
    let attempt = Attempt::new();
    let program = profile(DENIES_SOME);
    // getpid(2), of which nothing is said.
    assert_eq!(attempt.under(&program, Flags::default(), "x32 39"), KILLED);
    let alone = profile(&DENIES_SOME.replace(r#", "SCMP_ARCH_X86""#, ""));
    if attempt.has_narrow().is_ok() {
        assert_eq!(attempt.under(&alone, Flags::default(), "32 20"), KILLED);
    }
    let listed = profile(&DENIES_SOME.replace("SCMP_ARCH_X86\"", "SCMP_ARCH_X32\""));
    // The same number with the bit is refused by its rule; without a rule it goes to the kernel, which may not have x32.
    assert_eq!(attempt.under(&listed, Flags::default(), "x32 140"), "-41");
    let said = attempt.under(&listed, Flags::default(), "x32 39");
    assert!(said == "-38" || said.parse::<i64>().is_ok_and(|pid| pid > 0), "{said}");
}

#[test]
fn what_the_profile_does_not_know_of_does_not_exist() {
    need!(program "gcc");
    let attempt = Attempt::new();
    let names: Vec<&str> =
        insula_seccomp::known().filter(|name| !["getpriority", "syslog"].contains(name)).collect();
    let names = serde_json::to_string(&names).expect("names are text");
    let json = format!(
        r#"{{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 77, "syscalls": [
            {{"names": {names}, "action": "SCMP_ACT_ALLOW"}}]}}"#
    );
    let program = profile(&json);
    assert_eq!(attempt.under(&program, Flags::default(), "64 140"), "-77");
    assert_eq!(attempt.under(&program, Flags::default(), "64 103"), "-77");
    assert_eq!(attempt.under(&program, Flags::default(), "64 600"), "-38");
}

#[test]
fn the_longest_program_is_taken_and_a_longer_one_refused_by_name() {
    need!(program "gcc");
    let attempt = Attempt::new();
    // Each condition on a value of its own: about four instructions.
    let rules = |count: u64| {
        let one = |value| {
            format!(
                r#"{{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 41,
                    "args": [{{"index": 0, "value": {value}, "op": "SCMP_CMP_EQ"}}]}}"#
            )
        };
        let rules: Vec<String> = (0..count).map(one).collect();
        format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]}}"#, rules.join(","))
    };
    let program = profile(&rules(1000));
    assert!((3500..=4096).contains(&program.len()), "{}", program.len());
    assert_eq!(attempt.under(&program, Flags::default(), "64 140 999"), "-41");
    assert_ne!(attempt.under(&program, Flags::default(), "64 140 1000"), "-41");
    let longer: Seccomp = serde_json::from_str(&rules(1200)).expect("it is a profile");
    let errors = compile(&longer, native()).expect_err("it is too long");
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("linux.seccomp.syscalls: the program has "), "{said:?}");
    assert!(
        said[0].contains("instructions, and the kernel takes 4096: list fewer architectures"),
        "{said:?}"
    );
}
