//! Who owns what: the order of joins is right for each way in which namespaces can belong to user namespaces.

use std::fs;

use crate::both::Both;
use crate::caller::Caller;
use crate::target::Target;
use insula_proof as proof;

/// What the program has, for some kinds.
fn namespaces(both: &Both, words: &[&str], kinds: &[&str]) -> Vec<String> {
    let links: Vec<String> = kinds.iter().map(|kind| format!("/proc/self/ns/{kind}")).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let said = both.same(&[words, &["readlink"], &links].concat()).said();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_network_of_the_host_with_a_user_namespace_of_the_container() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::root());
    // As `ip netns exec` and then `unshare -r`: the network belongs to the host, and is not the host's own.
    let target = proof::or_skip!(Target::new(&caller, &["-n", "unshare", "-r"]));
    let both = Both::new(&caller);
    let theirs = [target.namespace("net"), target.namespace("user")];
    let pid = target.pid();
    let (net, user) = (format!("--net=/proc/{pid}/ns/net"), format!("--user=/proc/{pid}/ns/user"));
    let ways: [&[&str]; 5] = [
        &["-t", pid, "-n", "-U"],
        &["-t", pid, "-a"],
        &["-t", pid, "-U", &net],
        &["-t", pid, &user, "-n"],
        &[&user, &net],
    ];
    for way in ways {
        assert_eq!(namespaces(&both, way, &["net", "user"]), theirs, "{way:?}");
    }
}

#[test]
fn a_user_who_is_nothing_outside_of_the_user_namespace() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::user());
    let target = proof::or_skip!(Target::new(&caller, &["-r", "-n", "-m", "-u"]));
    let both = Both::new(&caller);
    let kinds = ["net", "user", "mnt", "uts"];
    let theirs = kinds.map(|kind| target.namespace(kind));
    let pid = target.pid();
    let keep = "--preserve-credentials";
    assert_eq!(namespaces(&both, &["-t", pid, "-n", "-m", "-u", "-U", keep], &kinds), theirs);
    let files: Vec<String> = [("mount", "mnt"), ("net", "net"), ("uts", "uts"), ("user", "user")]
        .iter()
        .map(|(flag, kind)| format!("--{flag}=/proc/{pid}/ns/{kind}"))
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(namespaces(&both, &[&files[..], &[keep]].concat(), &kinds), theirs);
}

#[test]
fn a_network_that_the_containers_user_namespace_owns_and_another_process_has() {
    proof::need!(program "nsenter", program "unshare");
    for caller in [Caller::root(), Caller::user()].into_iter().flatten() {
        let first = proof::or_skip!(Target::new(&caller, &["-r", "-u"]));
        let user = format!("--user=/proc/{}/ns/user", first.pid());
        let words = ["nsenter", &user, "--preserve-credentials", "unshare", "-n"];
        let words = [&words[..], &Target::wait()].concat();
        let second = proof::or_skip!(Target::of(caller.command(words[0]).args(&words[1..]), false));
        let net = format!("--net=/proc/{}/ns/net", second.pid());
        let both = Both::new(&caller);
        let way = ["-t", first.pid(), "-U", "-u", &net, "--preserve-credentials"];
        let found = namespaces(&both, &way, &["net", "user", "uts"]);
        assert_eq!(found, [second.namespace("net"), first.namespace("user"), first.namespace("uts")]);
    }
}

#[test]
fn a_user_cannot_enter_what_the_host_owns_and_hears_why() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::user());
    let target = proof::or_skip!(Target::new(&caller, &["-r"]));
    let both = Both::new(&caller);
    let end = both.same(&["-t", target.pid(), "-a", "--preserve-credentials", "true"]);
    assert_eq!(end.code(), 1);
    assert!(
        end.err.contains("the cgroup namespace is owned by a user namespace that is neither"),
        "{}",
        end.err
    );
    let end = both.same(&["-t", target.pid(), "-n", "true"]);
    assert!(end.err.contains("it is this process' own net namespace already"), "{}", end.err);
    let end = both.same(&["-t", target.pid(), "-U", "-t", "1", "true"]);
    assert_eq!(end.code(), 1);
}

#[test]
fn a_network_that_belongs_to_the_target_wants_its_user_namespace_too() {
    proof::need!(program "nsenter", program "unshare");
    let caller = proof::or_skip!(Caller::user());
    let target = proof::or_skip!(Target::new(&caller, &["-r", "-n"]));
    let end = Both::new(&caller).same(&["-t", target.pid(), "-n", "true"]);
    assert!(
        end.err.contains("with `--user` this process enters that as well, and is root there"),
        "{}",
        end.err
    );
}

#[test]
fn root_without_the_right_to_change_root_gets_it_by_the_user_namespace() {
    proof::need!(program "nsenter", program "unshare", program "setpriv");
    let caller = proof::or_skip!(Caller::root());
    let target = proof::or_skip!(Target::new(&caller, &["-r", "-m", "-u"]));
    let both = Both::new(&caller);
    let by = ["setpriv", "--bounding-set", "-sys_chroot"];
    let way = ["-t", target.pid(), "-a", "readlink", "/proc/self/ns/mnt"];
    assert_eq!(both.same_by(&by, &way).said(), target.namespace("mnt"));
}

#[test]
fn what_is_entered_by_name_or_number_is_the_same_namespace() {
    let caller = proof::or_skip!(Caller::root());
    let target = proof::or_skip!(Target::new(&caller, &["-u"]));
    let uts = format!("/proc/{}/ns/uts", target.pid());
    let own = fs::read_link("/proc/self/ns/uts").expect("a namespace");
    assert_ne!(own.to_str(), Some(target.namespace("uts").as_str()));
    let words = ["-u", &uts, "readlink", "/proc/self/ns/uts"];
    // A letter's value stands right behind it: this would run the file.
    assert_eq!(Both::new(&caller).same(&words).code(), 1);
}
