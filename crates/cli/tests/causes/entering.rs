//! Entering: whose right is lacking, what cannot be entered again or upwards.

use crate::caller::Caller;
use crate::told::{Told, refused, shell, within};
use insula_proof as proof;

const ROOT: &[&str] = &["--user", "--map-root-user"];

/// `sh -c` in namespaces where descriptor 9 is a namespace of before.
fn with_door(kind: &str, rest: &str) -> String {
    format!("exec 9</proc/self/ns/{kind}; {rest}")
}

fn the_own_user_namespace_is_not_entered_again(caller: &Caller) {
    Told::by(&shell(caller, r#""$0" nsenter --user=/proc/self/ns/user true"#))
        .is("this process' own user namespace already", "leave `--user` out");
}

fn a_user_namespace_above_is_for_nobody(caller: &Caller) {
    let script =
        with_door("user", r#""$0" unshare --map-root-user "$0" nsenter --user=/proc/self/fd/9 true"#);
    Told::by(&shell(caller, &script)).is("is not for user 0 to enter", "be the user who made it");
}

fn an_owner_above_is_out_of_view(caller: &Caller) {
    let script =
        with_door("net", r#""$0" unshare --map-root-user --net "$0" nsenter --net=/proc/self/fd/9 true"#);
    Told::by(&shell(caller, &script)).is(
        "the net namespace is owned by a user namespace that is neither this process' own nor below",
        "from that user namespace",
    );
}

fn an_owner_below_has_to_be_entered_as_well(caller: &Caller) {
    // Root has all rights below; a user has them only inside.
    if caller.is_root() {
        return;
    }
    let script = r#"mkfifo there
        "$0" unshare --map-root-user --net sh -c 'echo >there; exec sleep 60' & target=$!
        read line <there
        "$0" nsenter --target $target --net true
        "$0" nsenter --target $target --user --preserve-credentials --net true
        kill $target"#;
    Told::by(&shell(caller, script)).is("is owned by the target's user namespace", "with `--user`");
}

fn the_own_namespace_is_not_entered_again_without_rights(caller: &Caller) {
    refused(caller, &["--user", "--net"], r#""$0" nsenter --net=/proc/self/ns/net true"#)
        .is("own net namespace already", "leave `--net` out");
}

fn an_owner_where_we_lack_the_right_is_named(caller: &Caller) {
    proof::need!(program "setpriv");
    let script = with_door(
        "net",
        r#""$0" unshare --net setpriv --bounding-set -sys_admin "$0" nsenter --net=/proc/self/fd/9 true"#,
    );
    refused(caller, &["--user", "--map-root-user", "--net"], &script)
        .is("where this process is and has no CAP_SYS_ADMIN", "be root there");
}

fn a_mount_namespace_wants_a_second_right(caller: &Caller) {
    proof::need!(program "setpriv");
    let script = |drop: &str| {
        with_door(
            "mnt",
            &format!(r#""$0" unshare --mount setpriv {drop} "$0" nsenter --mount=/proc/self/fd/9 true"#),
        )
    };
    let flags = &["--user", "--map-root-user", "--mount"];
    refused(caller, flags, &script("--bounding-set -sys_chroot"))
        .is("CAP_SYS_CHROOT besides CAP_SYS_ADMIN", "SYS_CHROOT");
    assert_eq!(within(caller, flags, &script("--bounding-set -sys_boot")).said(), "");
}

fn a_process_only_goes_down(caller: &Caller) {
    let script =
        with_door("pid", r#""$0" unshare --pid --fork --mount-proc "$0" nsenter --pid=/proc/self/fd/9 true"#);
    refused(caller, &["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"], &script)
        .is("a process can only go down", "from that pid namespace");
}

fn run_says_it_as_well(caller: &Caller) {
    let script = with_door(
        "net",
        r#""$0" unshare --map-root-user --net "$0" run --userns identity --network /proc/self/fd/9 -- true"#,
    );
    let end = shell(caller, &script);
    assert!(
        end.err.contains("insula: cause: ") && end.err.contains("neither this process' own nor below"),
        "{end:?}"
    );
}

by_everyone!(
    the_own_user_namespace_is_not_entered_again,
    a_user_namespace_above_is_for_nobody,
    an_owner_above_is_out_of_view,
    an_owner_below_has_to_be_entered_as_well,
    the_own_namespace_is_not_entered_again_without_rights,
    an_owner_where_we_lack_the_right_is_named,
    a_mount_namespace_wants_a_second_right,
    a_process_only_goes_down,
    run_says_it_as_well,
);

#[test]
fn what_may_be_entered_is_entered_without_a_word() {
    let caller = proof::or_skip!(Caller::user());
    let script = with_door("net", r#""$0" unshare --net "$0" nsenter --net=/proc/self/fd/9 true"#);
    assert_eq!(within(&caller, &[ROOT, &["--net"]].concat(), &script).said(), "");
}
