//! pivot_root(2): one errno, many causes.

use crate::attempt::tells_mount_roots;
use crate::room::Room;
use insula_proof::{self as proof};

/// A new root that is a mount of its own, and a place in it for the old one.
const READY: &str = "mkdir new && mount -t tmpfs none new && mkdir new/old";

#[test]
fn a_change_of_root_that_is_right_is_done() {
    proof::need!(user_namespaces);
    Room::of_user().tries(READY, None, "pivot $T/new $T/new/old").is_done();
}

#[test]
fn a_shared_parent_is_named() {
    proof::need!(user_namespaces);
    let told =
        Room::of_user().tries(&format!("{READY}; mount --make-shared ."), None, "pivot $T/new $T/new/old");
    told.is(
        "pivot-shared",
        "what the new root is mounted on is the mount `$T`, which is shared: the change would spread to other mount namespaces",
        "mount --make-private $T",
    );
}

#[test]
fn a_shared_place_for_the_old_root_is_named() {
    proof::need!(user_namespaces);
    let told =
        Room::of_user().tries(&format!("{READY}; mount --make-shared new"), None, "pivot $T/new $T/new/old");
    told.is(
        "pivot-shared",
        "where the old root would go is the mount `$T/new`, which is shared: the change would spread to other mount namespaces",
        "--make-private $T/new",
    );
}

#[test]
fn a_new_root_that_is_no_mount_point_is_named() {
    proof::need!(user_namespaces);
    proof::or_skip!(tells_mount_roots());
    let told = Room::of_user().tries("mkdir -p new/old", None, "pivot $T/new $T/new/old");
    told.is(
        "pivot-new-root-no-mount",
        "the new root `$T/new` is no mount point",
        "mount --bind $T/new $T/new",
    );
}

#[test]
fn a_place_beside_the_new_root_is_named() {
    proof::need!(user_namespaces);
    let told = Room::of_user().tries(&format!("{READY}; mkdir beside"), None, "pivot $T/new $T/beside");
    told.is(
        "pivot-put-old-elsewhere",
        "`$T/beside`, where the old root would go, is not below the new root `$T/new`",
        "below `$T/new`",
    );
}

#[test]
fn the_present_root_cannot_be_the_new_one() {
    // In a user namespace it is locked besides, which the kernel finds first.
    proof::need!(root);
    let told = Room::of_root().tries("true", None, "pivot / /");
    told.is("pivot-same-mount", "`/` is on the mount that is the root already", "mount --bind / /");
}

#[test]
fn in_a_chroot_the_root_is_no_mount_point() {
    proof::need!(user_namespaces);
    proof::or_skip!(tells_mount_roots());
    let told = Room::of_user().in_chroot().tries(
        "mkdir root/new; mount -t tmpfs none root/new; mkdir root/new/old",
        None,
        "pivot /new /new/old",
    );
    told.is(
        "pivot-in-chroot",
        "the present root directory is no mount point: this process is in a chroot",
        "start outside of the chroot",
    );
}

#[test]
fn a_new_root_that_is_locked_is_named() {
    proof::need!(user_namespaces);
    let told = Room::of_user().tries(READY, Some("true"), "pivot $T/new $T/new/old");
    told.is(
        "pivot-locked",
        "the new root, the mount `$T/new`, came into this user namespace with what it covers, and is locked there",
        "mount --rbind $T/new $T/new",
    );
}

#[test]
fn a_mount_of_another_mount_namespace_is_named() {
    proof::need!(user_namespaces);
    // A process in a copy of this mount namespace, by whose root the copy of the new root is named.
    let outside = format!(
        "{READY}; unshare --mount sleep 3 & p=$!; until [ \"$(readlink /proc/$p/ns/mnt)\" != \"$(readlink /proc/self/ns/mnt)\" ]; do :; done; \
         INSULA_ATTEMPT=\"pivot /proc/$p/root$T/new /proc/$p/root$T/new/old\"; export INSULA_ATTEMPT"
    );
    let told = Room::of_user().tries(&outside, None, "none");
    assert_eq!(told.key, "pivot-foreign-mount", "{told:?}");
    assert!(told.cause.ends_with("$T/new` is on a mount of another mount namespace"), "{told:?}");
}
