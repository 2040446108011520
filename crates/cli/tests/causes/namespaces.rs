//! New namespaces: sysctls and limits by level, levels, rights, a chroot, what cannot be.

use crate::caller::Caller;
use crate::told::{Told, refused, shell, within};
use insula_proof as proof;

/// Root of a user namespace of one's own: there the settings `user.*` are one's own.
const ROOT: &[&str] = &["--user", "--map-root-user"];

fn a_setting_of_0_is_named(caller: &Caller) {
    for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
        let flag = if kind == "mnt" { "mount" } else { kind };
        let script = format!(
            r#""$0" unshare --{flag} --fork true && echo 0 >/proc/sys/user/max_{kind}_namespaces && "$0" unshare --{flag} --fork true"#
        );
        refused(caller, ROOT, &script).is(
            &format!("user.max_{kind}_namespaces is 0 in this user namespace"),
            &format!("sysctl user.max_{kind}_namespaces="),
        );
    }
}

fn of_several_kinds_the_one_is_named_that_is_off(caller: &Caller) {
    let script = r#"echo 0 >/proc/sys/user/max_uts_namespaces; "$0" unshare --user --net --uts --ipc true"#;
    refused(caller, ROOT, script).is("user.max_uts_namespaces is 0", "user.max_uts_namespaces=");
}

fn a_limit_that_is_used_up_is_named_with_its_value(caller: &Caller) {
    let script = r#"echo 2 >/proc/sys/user/max_net_namespaces
        "$0" unshare --net --fork "$0" unshare --net --fork "$0" unshare --net true"#;
    refused(caller, ROOT, script)
        .is("user.max_net_namespaces is 2 in this user namespace, and 2 are in use", "lsns --type net");
    let script = script.replace("echo 2", "echo 3");
    assert_eq!(within(caller, ROOT, &script).said(), "");
}

fn of_several_kinds_the_one_is_found_that_is_used_up(caller: &Caller) {
    let script = r#"echo 1 >/proc/sys/user/max_uts_namespaces; "$0" unshare --uts "$0" unshare --net --ipc --uts true"#;
    refused(caller, ROOT, script).is("user.max_uts_namespaces is 1", "lsns --type uts");
}

fn a_limit_above_is_told_as_one_that_is_not_shown(caller: &Caller) {
    let script = r#"echo 1 >/proc/sys/user/max_uts_namespaces
        "$0" unshare --user --map-root-user --uts "$0" unshare --uts true"#;
    refused(caller, ROOT, script)
        .is("a limit of uts namespaces is reached above this user namespace", "from outside");
}

fn a_name_for_a_network_namespace_tells_it_too(caller: &Caller) {
    let flags = &["--user", "--map-root-user", "--mount"];
    let script = r#"mount -t tmpfs none /run && "$0" netns add one && "$0" netns exec one true || exit 9
        echo 0 >/proc/sys/user/max_net_namespaces; "$0" netns add two"#;
    refused(caller, flags, script)
        .is("user.max_net_namespaces is 0 in this user namespace", "user.max_net_namespaces=");
}

fn the_levels_end(caller: &Caller) {
    let deeper = |flags: &str| {
        format!(
            r#"deeper='exec "$0" unshare {flags} -- sh -c "$1" "$0" "$1"'
            exec sh -c "$deeper" "$0" "$deeper""#
        )
    };
    let told = refused(caller, ROOT, &deeper("--user --map-root-user"));
    told.is("33 are within one another", "user");
    let told = refused(caller, ROOT, &deeper("--pid --fork"));
    let cause = told.cause.as_deref().unwrap_or_default();
    assert!(cause.contains("32") && cause.contains("within one another"), "{told:?}");
}

fn a_missing_capability_is_named_with_its_user_namespace(caller: &Caller) {
    // Without a map the program is nobody, and has no capability.
    refused(caller, &["--user"], r#""$0" unshare --net true"#).is(
        "a new net namespace wants CAP_SYS_ADMIN, which this process does not have in user namespace",
        "be root there",
    );
    if !caller.is_root() {
        Told::by(&shell(caller, r#""$0" unshare --uts true"#))
            .is("a new uts namespace wants CAP_SYS_ADMIN", "--user --map-root-user");
    }
    proof::need!(program "setpriv");
    refused(caller, ROOT, r#"setpriv --bounding-set -sys_admin "$0" unshare --net true"#)
        .is("out of its bounding set", "--cap-add SYS_ADMIN");
}

/// Makes the tree `root`: the machine's programs, insula, and nothing else.
const TREE: &str = r#"mkdir root && cd root && mkdir proc usr
    for name in bin lib lib32 lib64 etc; do
        if [ -L /$name ]; then cp -P /$name .; elif [ -d /$name ]; then mkdir $name && mount --rbind /$name $name; fi
    done
    mount --rbind /usr usr && touch insula && mount --bind "$0" insula || exit 9
    "#;

fn a_chroot_is_seen(caller: &Caller) {
    let flags = &["--user", "--map-root-user", "--mount"];
    let told = |name: &str, script: &str| {
        let tree = TREE.replace("mkdir root && cd root", &format!("mkdir {name} && cd {name}"));
        refused(caller, flags, &format!("{tree}{script}"))
    };
    let cure = "before the chroot";
    told("bare", "chroot . /insula unshare --user true").is("this process is in a chroot,", cure);
    told("proc", "mount --rbind /proc proc; chroot . /insula unshare --user --net true")
        .is("this process is in a chroot,", cure);
    // The root of a mount, which the top of a mount namespace is too.
    let script =
        "mount --rbind /proc proc; mount --rbind . . && cd ../mount && chroot . /insula unshare --user true";
    told("mount", script).is("this process is in a chroot (`", cure);
}

fn ids_that_are_not_mapped_own_no_namespace(caller: &Caller) {
    refused(caller, &["--user"], r#""$0" unshare --user true"#)
        .is("a user id that is not mapped in its own user namespace", "map it first");
}

fn a_pid_namespace_is_made_once(caller: &Caller) {
    let flags = &["--user", "--map-root-user", "--pid"];
    refused(caller, flags, r#"exec "$0" unshare --pid true"#)
        .is("children of this process are born in another pid namespace already", "--fork");
}

fn a_pid_namespace_of_another_user_namespace_has_none_below_it(caller: &Caller) {
    let script = r#"mkfifo there
        "$0" unshare --user --map-root-user --pid --fork sh -c 'echo >there; exec sleep 60' & outer=$!
        read line <there
        "$0" nsenter --target $(cat /proc/$outer/task/$outer/children) --pid "$0" unshare --pid true
        kill -9 $(cat /proc/$outer/task/$outer/children)"#;
    refused(caller, ROOT, script)
        .is("owned by a user namespace which this process has not entered", "--user");
}

by_everyone!(
    a_setting_of_0_is_named,
    of_several_kinds_the_one_is_named_that_is_off,
    a_limit_that_is_used_up_is_named_with_its_value,
    of_several_kinds_the_one_is_found_that_is_used_up,
    a_limit_above_is_told_as_one_that_is_not_shown,
    a_name_for_a_network_namespace_tells_it_too,
    the_levels_end,
    a_missing_capability_is_named_with_its_user_namespace,
    a_chroot_is_seen,
    ids_that_are_not_mapped_own_no_namespace,
    a_pid_namespace_is_made_once,
    a_pid_namespace_of_another_user_namespace_has_none_below_it,
);

#[test]
fn a_status_line_has_the_cause() {
    proof::need!(user_namespaces);
    let caller = proof::or_skip!(Caller::user());
    let script =
        r#"echo 0 >/proc/sys/user/max_net_namespaces; "$0" unshare --net --json=3 true 3>line; cat line"#;
    let end = within(&caller, ROOT, script);
    let line: serde_json::Value = serde_json::from_str(&end.out).expect("a line of JSON");
    assert_eq!(line["cause"]["key"], "namespaces-off", "{line}");
    assert_eq!(line["cause"]["text"], "user.max_net_namespaces is 0 in this user namespace");
    assert!(line["hint"].as_str().is_some_and(|hint| hint.contains("sysctl")), "{line}");
    let script = r#"INSULA_FAULT=1:1 "$0" unshare --net --json=3 true 3>line; cat line"#;
    let line: serde_json::Value =
        serde_json::from_str(&within(&caller, ROOT, script).out).expect("a line of JSON");
    assert_eq!(line["cause"], serde_json::Value::Null, "{line}");
}

/// The child is in a user namespace below ours, and what it makes is counted in ours as well.
#[test]
fn a_child_below_meets_the_limit_of_ours() {
    let caller = proof::or_skip!(Caller::root());
    let root = proof::or_skip!(caller.busybox_root());
    let flags = &["--user", "--map-users=all", "--map-groups=all", "--mount"];
    let run = format!(r#""$0" run --userns identity --time-offset monotonic=5 {root} -- true"#);
    assert_eq!(within(&caller, flags, &run).said(), "");
    let told = refused(&caller, flags, &format!("echo 0 >/proc/sys/user/max_time_namespaces; {run}"));
    told.is("user.max_time_namespaces is 0 in user namespace ", "sysctl user.max_time_namespaces=");
}
