//! Flags: values without sense, contradictions, things that are not there.

use crate::caller::{Caller, EXITS, ended};
use crate::{fifo, refused};
use insula_proof as proof;

by_everyone!(
    flags_with_senseless_values,
    flags_that_contradict_one_another,
    sources_that_are_not_there,
    files_of_variables_that_are_traps,
    namespaces_that_are_none,
    parameters_of_no_namespace_of_its_own,
);

fn flags_with_senseless_values(caller: &Caller) {
    let long = "x".repeat(65);
    let table: &[(&str, &[&str])] = &[
        ("--cap-add", &["NO_SUCH", "", "SYS_ADMIN,CHOWN", "99", "cap_"]),
        ("--cap-drop", &["NO_SUCH", ""]),
        (
            "--ulimit",
            &[
                "nofile",
                "nofile=",
                "nofile=200:100",
                "nofile=-1x",
                "nosuch=1",
                "=1",
                "nofile=1:2:3",
                "nofile=99999999999999999999",
            ],
        ),
        (
            "--volume",
            &[
                "/data",
                ":/data",
                "/etc:data",
                "/etc:",
                "/etc:/data:bogus",
                "/etc:/data:ro,rw",
                "/etc:/",
                "etc:/data",
                "",
            ],
        ),
        (
            "--mount",
            &[
                "",
                "type=bind",
                "type=bogus,source=/etc,target=/x",
                "type=bind,source=/etc",
                "type=tmpfs,target=x",
                "bogus=1,target=/x",
            ],
        ),
        (
            "--tmpfs",
            &[
                "",
                "x",
                "/x:size=huge",
                "/x:size=-1",
                "/x:mode=999",
                "/x:bogus",
                "/x:size=99999999999999999999",
                "/",
            ],
        ),
        ("--shm-size", &["", "0", "-1", "1x", "99999999999999999999g"]),
        (
            "--user",
            &[
                "",
                ":",
                "a b",
                "-1",
                "4294967295",
                "4294967296",
                "99999999999999999999",
                "0:4294967295",
                "0:",
                "a/b",
                "no-such-user",
                "0:no-such-group",
            ],
        ),
        ("--group-add", &["", "4294967295", "no-such-group", "a:b"]),
        ("--workdir", &["", "relative", "./x"]),
        ("--env", &["", "=x"]),
        ("--hostname", &["", &long, "a/b", "a b", "-"]),
        ("--domainname", &["", &long, "a\nb"]),
        ("--name", &["", "a/b", "..", "-a", "a b"]),
        ("--network", &["", "no-such-network", "container:x", "../x", "a/b"]),
        ("--pid", &["", "no-such-container", "../x"]),
        ("--ipc", &["no-such-container"]),
        ("--uts", &["no-such-container"]),
        ("--cgroupns", &["no-such-container"]),
        ("--userns", &["", "bogus", "1000"]),
        (
            "--time-offset",
            &[
                "",
                "bogus",
                "boottime",
                "boottime=",
                "boottime=x",
                "realtime=5",
                "boottime=1,boottime=2",
                "boottime=99999999999999999999",
            ],
        ),
        ("--sysctl", &["", "x", "=1", "net.ipv4.ip_forward", "../../x=1", "net/../../x=1", "/etc/passwd=1"]),
        (
            "--device",
            &[
                "",
                "dev/null",
                "/dev/null:relative",
                "/dev/null:/dev/x:bogus",
                "/etc/passwd",
                "/no/such/device",
            ],
        ),
        ("--security-opt", &["", "bogus", "no-new-privileges:maybe"]),
        ("--timeout", &["", "0", "-1", "x", "1y"]),
        ("--stop-timeout", &["", "-1", "x"]),
        ("--stop-signal", &["", "0", "65", "SIGNOSUCH", "-9"]),
        ("--init", &["maybe"]),
        ("--explain", &["xml"]),
        ("--keep", &[""]),
    ];
    let before = caller.census();
    for (flag, values) in table {
        for value in *values {
            let word = format!("{flag}={value}");
            // `--network` may be called by its alias.
            let end = refused(caller, &["run", &word, "--", "true"], &[&flag[..5]]);
            assert!(end.err.trim_end().len() > word.len().min(20) + 20, "a reason for {word:?}: {}", end.err);
        }
    }
    before.assert_equal_within(EXITS);
}

fn flags_that_contradict_one_another(caller: &Caller) {
    let directory = caller.directory("directory");
    let table: [(&[&str], &[&str]); 6] = [
        (&["--uts", "host", "-h", "x", "--", "true"], &["--hostname", "--uts"]),
        (&["--uts", "host", "--domainname", "x", "--", "true"], &["--domainname", "--uts"]),
        (&["--pid", "host", "--init", "--", "true"], &["--init", "--pid"]),
        (&["--keep", "x", &directory, "true"], &["--keep"]),
        (&["--tmpfs", "/x", "--tmpfs", "/x", "--", "true"], &["/x"]),
        (&["--ulimit", "core=0", "--ulimit", "core=1", "--", "true"], &["--ulimit"]),
    ];
    for (words, names) in table {
        refused(caller, &[&["run"], words].concat(), names);
    }
}

fn sources_that_are_not_there(caller: &Caller) {
    let before = caller.census();
    refused(caller, &["run", "-v", "/no/such/source:/data", "--", "true"], &["/no/such/source"]);
    refused(caller, &["run", "--mount", "type=bind,source=/no/such,target=/x", "--", "true"], &["/no/such"]);
    refused(caller, &["run", "--env-file", "/no/such/file", "--", "true"], &["--env-file", "/no/such/file"]);
    refused(caller, &["run", "-w", "/no/such/directory", "--", "true"], &["/no/such/directory"]);
    let end = ended(&mut caller.insula(&["run", "--", ""]));
    assert!((125..=127).contains(&end.code()), "an empty program: {}", end.err);
    before.assert_equal_within(EXITS);
}

fn files_of_variables_that_are_traps(caller: &Caller) {
    let large = caller.write("large", &"A=1\n".repeat(500_000));
    let odd = caller.write("odd", "A=1\n=no name\n");
    for file in [&large, &odd, "/dev/zero", "/"] {
        refused(caller, &["run", "--env-file", file, "--", "true"], &["--env-file", file]);
    }
    // A shell's `<(…)` is a pipe, and no trap.
    let words = caller.words(&["run", "--env-file", "/dev/stdin", "--", "sh", "-c", "'echo $A'"]).join(" ");
    let said = ended(caller.command("sh").args(["-c", &format!("echo A=1 | {words}")])).said();
    assert_eq!(said, "1");
}

fn namespaces_that_are_none(caller: &Caller) {
    let plain = caller.write("plain", "");
    let pipe = caller.home().join("fifo");
    fifo(&pipe);
    let pipe = pipe.to_str().expect("UTF-8");
    let before = caller.census();
    for flag in ["--net", "--pid", "--ipc", "--uts", "--cgroupns"] {
        for path in
            ["/dev/null", "/no/such", "/proc/self/ns/mnt", "/proc/self/ns/user", &plain, pipe, "/", "/proc/1"]
        {
            refused(caller, &["run", flag, path, "--", "true"], &[path]);
        }
    }
    refused(caller, &["run", "--net", "/proc/self/ns/uts", "--", "true"], &["/proc/self/ns/uts"]);
    before.assert_equal_within(EXITS);
}

fn parameters_of_no_namespace_of_its_own(caller: &Caller) {
    let before = caller.census();
    for setting in
        ["kernel.panic=1", "vm.swappiness=1", "fs.file-max=1", "kernel.core_pattern=x", "no.such.key=1"]
    {
        let key = setting.split('=').next().unwrap_or_default();
        refused(caller, &["run", "--sysctl", setting, "--", "true"], &[key]);
    }
    let words = ["run", "--net", "host", "--sysctl", "net.ipv4.ip_forward=1", "--", "true"];
    refused(caller, &words, &["ip_forward"]);
    before.assert_equal_within(EXITS);
}

#[test]
fn the_hosts_own_parameters_are_refused_to_root_as_well() {
    let caller = proof::or_skip!(Caller::root());
    // The values are the host's, so that a failure of this test changes nothing.
    let table = [
        (&[][..], "vm.swappiness"),
        (&["--net", "host"], "net.ipv4.ip_default_ttl"),
        (&["--uts", "host"], "kernel.hostname"),
        (&["--ipc", "host"], "kernel.msgmax"),
    ];
    for (flags, key) in table {
        let path = key.replace('.', "/");
        let value = std::fs::read_to_string(format!("/proc/sys/{path}")).expect("the host's value");
        let setting = format!("{key}={}", value.trim());
        let words = [&["run", "--userns", "host", "--sysctl", &setting], flags, &["--", "true"]].concat();
        refused(&caller, &words, &[key]);
    }
}
