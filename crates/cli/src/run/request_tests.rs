//! Tests of [`Request`](super::Request): whole command lines, and the words of refusal.

use super::{Explain, Request};
use crate::run::flags;
use crate::run::namespace::{Choice, UserNs};
use crate::run::root::Root;
use std::ffi::OsString;
use std::time::Duration;

/// Reads a command line, blanks between its words.
pub fn read(line: &str) -> Result<Request, String> {
    let arguments: Vec<OsString> =
        ["run"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect();
    let matches = flags::command().try_get_matches_from(&arguments).map_err(|error| error.to_string())?;
    let dashed = flags::is_dashed(&matches, &arguments);
    Request::from_matches(&matches, dashed).map_err(|error| error.to_string())
}

fn valid(line: &str) -> Request {
    read(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn the_table_of_flags_is_sound() {
    flags::command().debug_assert();
}

#[test]
fn nothing_asked_is_a_shell_on_the_host() {
    let request = valid("");
    assert_eq!((request.root, request.command), (Root::Host, vec!["/bin/sh".to_owned()]));
    assert!(request.init && !request.tty && !request.interactive && !request.no_new_privileges);
    assert_eq!(request.namespaces, super::Namespaces::default());
    assert_eq!(request.stop_timeout, Duration::from_secs(10));
    assert_eq!(request.shm_size_bytes, 64 << 20);
}

#[test]
fn roots_and_commands() {
    let table = [
        ("-it host sh -i", Root::Host, "sh -i"),
        ("-- host x.org", Root::Host, "host x.org"),
        ("-e A -- host x.org", Root::Host, "host x.org"),
        ("host -- host x.org", Root::Host, "host x.org"),
        ("/ sh", Root::Directory("/".to_owned()), "sh"),
        (". -- ls -- -a", Root::Directory(".".to_owned()), "ls -- -a"),
        ("grep --help -v -- x", Root::Host, "grep --help -v -- x"),
        ("--init=false ls", Root::Host, "ls"),
        ("--init ls -a", Root::Host, "ls -a"),
        ("--entrypoint ls host -a", Root::Host, "ls -a"),
        ("--entrypoint ls", Root::Host, "ls"),
    ];
    for (line, root, command) in table {
        let request = valid(line);
        assert_eq!((request.root, request.command.join(" ").as_str()), (root, command), "{line}");
    }
}

#[test]
fn flags_have_types() {
    let request = valid(
        "-it --rm -h web --net blue --pid /proc/1/ns/pid --userns keep-id --timeout 1.5 --stop-signal int \
         --explain=json --security-opt no-new-privileges:true -u 1:2 -v /a/b:/x/y -v /c:/x --tmpfs /z cmd",
    );
    assert!(request.tty && request.interactive && request.no_new_privileges);
    assert_eq!(request.hostname.as_deref(), Some("web"));
    assert_eq!(request.namespaces.net, Choice::Named("blue".to_owned()));
    assert_eq!(request.namespaces.pid, Choice::Path("/proc/1/ns/pid".to_owned()));
    assert_eq!(request.namespaces.user, UserNs::KeepId);
    assert!(!request.init, "a joined pid namespace has a pid 1 already");
    assert_eq!(request.timeout, Some(Duration::from_millis(1500)));
    assert_eq!((request.stop_signal, request.explain), (2, Some(Explain::Json)));
    let destinations: Vec<&str> = request.mounts.iter().map(|mount| mount.destination()).collect();
    assert_eq!(destinations, ["/x", "/z", "/x/y"], "outer mounts come first");
}

#[test]
fn a_refusal_names_flag_value_and_cure() {
    let table = [
        (
            "--ulimit nofile=abc",
            "`--ulimit nofile=abc`: `abc` is no number; write NAME=SOFT[:HARD], as nofile=1024:4096 or core=unlimited",
        ),
        ("--timeout 0", "`--timeout 0`: it must be above zero; write seconds"),
        ("--name -x", "error: "),
        ("--name a/b", "`--name a/b`: `a/b` is no name; write letters"),
        (
            "-v data:/data",
            "`--volume data:/data`: `data` is no path, and there are no named volumes; write SOURCE:",
        ),
        ("-u 4294967295", "`--user 4294967295`: `4294967295` is no id: ids end at 4294967294; write USER"),
        ("--hostname \u{1b}[2J", "`--hostname \\u{1b}[2J`: `\\u{1b}[2J` is no name; write "),
        ("--net container:x", "`--network container:x`: `container:x` is no name; write none, host"),
        ("--privileged sh", "error: "),
        (
            "--security-opt apparmor=unconfined",
            "`--security-opt apparmor=unconfined`: there is no such option; write",
        ),
        ("--uts host -h a", "`--hostname` contradicts `--uts`; "),
        ("--pid host --init", "`--init` contradicts `--pid`; "),
        ("--keep d / sh", "`--keep d` contradicts `/`; "),
        ("-v /a:/x --tmpfs /x", "`a mount at /x` contradicts `another mount at /x`; leave one of them out"),
        ("--ulimit core=0 --ulimit core=1", "`--ulimit core=1` contradicts `an earlier --ulimit`; "),
        ("grep -- x", "`grep`: stands before `--` as the root, but is no directory; write -- grep -- if"),
    ];
    for (line, message) in table {
        let said = read(line).expect_err(line);
        assert!(said.starts_with(message), "{line}\n  said     {said}\n  expected {message}");
    }
}
