//! The program: how it ends, what it inherits and what it does not.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::caller::{Caller, Started, ended};
use insula_proof as proof;

by_everyone!(
    the_exit_code_is_the_programs,
    a_program_that_cannot_be_run_is_126_or_127,
    standard_input_is_given_only_when_asked_for,
    the_environment_is_clean,
    variables_come_from_files_and_flags,
    the_working_directory_is_the_callers_or_the_one_asked_for,
    an_entrypoint_stands_in_front,
    the_callers_descriptors_signals_and_umask_do_not_enter,
    our_own_binary_is_not_in_the_container,
    a_script_that_names_its_own_executable_does_not_run_insula,
    numbers_are_users,
);

fn the_exit_code_is_the_programs(caller: &Caller) {
    let table = [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 125", 125),
        ("exit 255", 255),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("kill -SEGV $$", 139),
    ];
    for init in ["--init", "--init=false"] {
        for (script, code) in table {
            // Without an init the program is pid 1, and its own signals do not reach it.
            if init == "--init=false" && code > 128 && code < 255 {
                continue;
            }
            let end = ended(&mut caller.insula(&["run", init, "--", "sh", "-c", script]));
            assert_eq!((end.code(), end.err.as_str()), (code, ""), "{init} {script}");
        }
    }
}

fn a_program_that_cannot_be_run_is_126_or_127(caller: &Caller) {
    let executable = |name, content| {
        let path = caller.write(name, content);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("make it executable");
        path
    };
    let table = [
        (executable("orphan", "#!/no/such/interpreter\n"), 127),
        (executable("no-magic", "true\n"), 126),
        (executable("elf", "\x7fELF\u{1}nonsense"), 126),
        (caller.write("plain", "#!/bin/sh\n"), 126),
        (caller.directory("directory"), 126),
        ("/no/such/program".to_owned(), 127),
        ("no-such-program".to_owned(), 127),
    ];
    for (program, code) in table {
        let end = ended(&mut caller.insula(&["run", "--", &program]));
        assert_eq!(end.code(), code, "{program}: {}", end.err);
        assert!(end.err.starts_with("insula: error: step "), "{program}: {}", end.err);
    }
}

fn standard_input_is_given_only_when_asked_for(caller: &Caller) {
    for (flags, expected) in [(&["run"][..], ""), (&["run", "-i"], "hello")] {
        let words = [flags, &["--", "cat"]].concat();
        let mut started = Started::new(caller.insula(&words).stdin(Stdio::piped()));
        let mut input = started.child.stdin.take().expect("a pipe");
        // EPIPE: nobody reads, as it should be.
        drop(input.write_all(b"hello"));
        drop(input);
        assert_eq!(started.ended().said(), expected, "{flags:?}");
    }
}

/// The lines of a text in order.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn the_environment_is_clean(caller: &Caller) {
    let mut env = caller.insula(&["run", "--", "env"]);
    let said = ended(env.env("SECRET", "of the caller").env("LD_PRELOAD", "")).said();
    assert_eq!(sorted(&said), ["HOME=/root", "HOSTNAME=insula", PATH]);
}

fn variables_come_from_files_and_flags(caller: &Caller) {
    let file = caller.write("env", "# a comment\nA=file\nB=two words\n\nPASSED\n");
    let flags = ["run", "--env-file", &file, "-e", "A=flag", "-e", "ALSO", "-e", "ABSENT", "-e", "EMPTY="];
    let mut env = caller.insula(&[&flags[..], &["--", "env"]].concat());
    let said = ended(env.env("PASSED", "1").env("ALSO", "2")).said();
    let expected =
        ["A=flag", "ALSO=2", "B=two words", "EMPTY=", "HOME=/root", "HOSTNAME=insula", "PASSED=1", PATH];
    assert_eq!(sorted(&said), expected);
}

fn the_working_directory_is_the_callers_or_the_one_asked_for(caller: &Caller) {
    let home = caller.home().to_str().expect("a path in UTF-8");
    assert_eq!(caller.sh(&[], "pwd"), home);
    assert_eq!(caller.sh(&["-w", "/usr"], "pwd"), "/usr");
    let end = ended(&mut caller.insula(&["run", "-w", "/no/such", "--", "pwd"]));
    assert_eq!(end.code(), 125);
    assert!(end.err.contains("`/no/such`"), "{}", end.err);
    // /run is empty in the view, so what is below it on the host is not there.
    let run = std::fs::read_dir("/run").expect("list").flatten().find(|entry| entry.path().is_dir());
    if let Some(below) = run.filter(|_| caller.is_root()) {
        let mut pwd = caller.insula(&["run", "--", "pwd"]);
        assert_eq!(ended(pwd.current_dir(below.path())).said(), "/");
    }
}

fn an_entrypoint_stands_in_front(caller: &Caller) {
    let said = ended(&mut caller.insula(&["run", "--entrypoint", "echo", "--", "-n", "a  b"])).said();
    assert_eq!(said, "a  b");
}

fn the_callers_descriptors_signals_and_umask_do_not_enter(caller: &Caller) {
    let inside =
        "ls /proc/self/fd | tr '\\n' ' '; umask; grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t\\n'";
    let script = "umask 077; exec 5</dev/null 9>/dev/null 200</; \
         exec env --ignore-signal=HUP,INT,TERM,CHLD,USR1,PIPE --block-signal=USR2,TERM,WINCH \
         \"$@\"";
    let mut command = caller.command("bash");
    command.args(["-c", script, "bash"]).args(caller.words(&["run", "--", "sh", "-c", inside]));
    let said = ended(&mut command).said();
    let zeros = "0000000000000000";
    assert_eq!(said, format!("0 1 2 3 0022\nSigBlk:{zeros}SigIgn:{zeros}"));
}

fn our_own_binary_is_not_in_the_container(caller: &Caller) {
    for flags in [&[][..], &["--init=false"], &["-t"]] {
        // The init is shut in /proc until it has let go of what it was given.
        let script = "until readlink /proc/1/exe > /dev/null; do sleep 0.01; done; \
                      for p in /proc/[0-9]*; do readlink $p/exe; done; true";
        let said = caller.sh(flags, script);
        let said = said.replace('\r', "");
        assert!(!said.contains("/insula") && said.lines().count() > 0, "{flags:?}: {said}");
        let first = said.lines().next().unwrap_or_default();
        let is_init = first == "/memfd:insula-init (deleted)";
        assert_eq!(is_init, !flags.contains(&"--init=false"), "{flags:?}: {said}");
    }
}

fn a_script_that_names_its_own_executable_does_not_run_insula(caller: &Caller) {
    let path = caller.write("turn", "#!/proc/self/exe --version\n");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("make it executable");
    for init in ["--init", "--init=false"] {
        let end = ended(&mut caller.insula(&["run", init, "--", &path]));
        assert_ne!(end.code(), 0, "{init}");
        assert!(!end.out.contains("insula"), "{init}: {}", end.out);
    }
}

fn numbers_are_users(caller: &Caller) {
    assert_eq!(caller.sh(&["-u", "0:0"], "id -u; id -g; id -G"), "0\n0\n0");
    if !caller.maps_ranges() {
        let end = ended(&mut caller.insula(&["run", "-u", "1000", "--", "true"]));
        assert_eq!(end.code(), 125, "one id is mapped, and 1000 is not it");
        return;
    }
    assert_eq!(caller.sh(&["-u", "1000:2000"], "id -u; id -g; id -G"), "1000\n2000\n2000");
    assert_eq!(caller.sh(&["-u", "4242", "--group-add", "7"], "id -u; id -g; id -G"), "4242\n0\n0 7");
}

#[test]
fn the_callers_groups_do_not_enter() {
    proof::need!(root, program "setpriv");
    let caller = proof::or_skip!(Caller::root());
    let words = caller.words(&["run", "-u", "0:0", "--", "grep", "Groups", "/proc/self/status"]);
    let said = ended(caller.command("setpriv").args(["--groups", "4242,4243"]).args(words)).said();
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["Groups:"]);
}

fn accounts(caller: &Caller) -> Result<String, String> {
    let root = caller.busybox_root()?;
    let write = |name: &str, content: &str| caller.write(&format!("root/etc/{name}"), content);
    write("passwd", "root:x:0:0::/root:/bin/sh\nada:x:1000:100::/home/ada:/bin/sh\n1000:x:7:7::/:\n");
    write("group", "root:x:0:\nusers:x:100:\nvideo:x:44:ada\n");
    Ok(root)
}

#[test]
fn names_are_the_roots_own() {
    let caller = proof::or_skip!(Caller::root().or_else(|_| Caller::user_with_subuids()));
    let root = proof::or_skip!(accounts(&caller));
    let table = [
        ("ada", "1000 100 100 44 /home/ada"),
        ("1000", "1000 100 100 44 /home/ada"),
        ("ada:video", "1000 44 44 /home/ada"),
        ("0:users", "0 100 100 /root"),
    ];
    for (user, expected) in table {
        let script = "echo $(id -u) $(id -g) $(id -G) $HOME";
        let said = ended(&mut caller.insula(&["run", "-u", user, &root, "sh", "-c", script])).said();
        assert_eq!(said, expected, "{user}");
    }
}
