//! Id maps and what they allow: the rules of user_namespaces(7) that insula's own commands can meet.

use crate::caller::Caller;
use crate::told::{Told, refused, shell, within};
use insula_proof as proof;

const ROOT: &[&str] = &["--user", "--map-root-user"];

fn ids_that_the_user_namespace_above_lacks_are_named(caller: &Caller) {
    let map = |user: &str, group: &str| {
        format!(r#""$0" unshare --user --map-users={user} --map-groups={group} true"#)
    };
    refused(caller, ROOT, &map("0:5:1", "0:0:1")).is(
        "the line `0 5 1` of uid_map names ids outside that the user namespace above does not have; it has 0",
        "first column",
    );
    refused(caller, ROOT, &map("0:0:1", "0:7:1")).is("the line `0 7 1` of gid_map", "first column");
    assert_eq!(within(caller, ROOT, &map("0:0:1", "0:0:1")).said(), "");
}

fn a_denied_setgroups_stays_denied(caller: &Caller) {
    refused(caller, ROOT, r#""$0" unshare --setgroups=allow true"#).is("says `deny`", "--map-auto");
    // Inherited: a new user namespace below has it too.
    refused(caller, ROOT, r#""$0" unshare --user --setgroups=allow true"#)
        .is("or from one above", "one inside this does not help");
    refused(caller, &["--user"], r#""$0" unshare --setgroups=deny true"#)
        .is("/proc/self/setgroups is opened for writing only with CAP_SYS_ADMIN", "--user");
}

fn other_ids_are_refused_with_what_is_mapped(caller: &Caller) {
    Told::by(&shell(caller, r#""$0" unshare --map-root-user --setuid 7 true"#))
        .is("user 7 is not mapped in this user namespace; uid_map has 0", "--map-auto");
    Told::by(&shell(caller, r#""$0" unshare --map-root-user --setgid 7 true"#))
        .is("denies setgroups(2)", "--map-auto");
    refused(caller, &["--user"], r#""$0" unshare --setuid 3 true"#).is("uid_map has no line", "--map-auto");
    proof::need!(program "setpriv");
    let script = r#"setpriv --bounding-set -setuid "$0" unshare --setuid 3 true"#;
    let script = if caller.is_root() { script } else { r#""$0" unshare --setuid 3 true"# };
    Told::by(&shell(caller, script))
        .is("wants CAP_SETUID, which this process does not have in", "root has it");
    let end = shell(caller, r#""$0" unshare --map-root-user --setuid 0 true"#);
    assert_eq!(end.said(), "");
}

by_everyone!(
    ids_that_the_user_namespace_above_lacks_are_named,
    a_denied_setgroups_stays_denied,
    other_ids_are_refused_with_what_is_mapped,
);

#[test]
fn who_lacks_setfcap_cannot_give_root_away() {
    proof::need!(program "setpriv");
    let caller = proof::or_skip!(Caller::root());
    let map = |from: &str| {
        format!(
            r#"setpriv --bounding-set -setfcap "$0" unshare --user --map-users=0:{from}:1 --map-groups=0:{from}:1 true"#
        )
    };
    Told::by(&shell(&caller, &map("0"))).is("maps user 0 of the user namespace above", "CAP_SETFCAP");
    assert_eq!(shell(&caller, &map("1000")).said(), "");
    // Our own id, mapped by ourselves from inside: what we had is no longer to be seen there, and is told all the same.
    let own = r#"setpriv --bounding-set -setfcap "$0" unshare --map-root-user true"#;
    Told::by(&shell(&caller, own)).is("maps user 0 of the user namespace above", "CAP_SETFCAP");
}
