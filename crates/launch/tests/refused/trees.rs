//! What is locked in a user namespace, and what is in use.

use crate::attempt::tells_mount_roots;
use crate::room::Room;
use insula_proof::{self as proof};

#[test]
fn flags_of_the_host_may_not_be_cleared() {
    proof::need!(user_namespaces);
    let outside = "mkdir m; mount -t tmpfs -o nosuid,nodev,ro none m";
    for (flag, word) in [("nosuid", "nosuid"), ("nodev", "nodev"), ("ro", "ro")] {
        let told = Room::of_user().tries(outside, Some("true"), &format!("clear {flag} $T/m"));
        told.is(
            "mount-flags-locked",
            &format!("the mount `$T/m` came into this user namespace with {word}, which is locked: it may be set here, not cleared"),
            &format!("keep {word}"),
        );
    }
    // Whoever has set them may clear them.
    Room::of_user().tries(outside, None, "clear nosuid $T/m").is_done();
}

#[test]
fn what_is_mounted_below_is_locked_to_it() {
    proof::need!(user_namespaces);
    let outside = "mkdir -p a/b a/c; mount -t tmpfs none a/b";
    let told = Room::of_user().tries(outside, Some("true"), "bind one $T/a");
    told.is(
        "mount-tree-locked",
        "`$T/a/b` is mounted below `$T/a`, locked to it in this user namespace: it cannot be bound without",
        "rbind",
    );
    Room::of_user().tries(outside, Some("true"), "bind all $T/a").is_done();
    Room::of_user().tries(outside, Some("true"), "bind one $T/a/c").is_done();
    // Where they are not locked the kernel leaves them out.
    Room::of_user().tries(outside, None, "bind one $T/a").is_done();
}

#[test]
fn an_unbindable_mount_is_named() {
    proof::need!(user_namespaces);
    let told = Room::of_user().tries(
        "mkdir u; mount -t tmpfs none u; mount --make-unbindable u",
        None,
        "bind one $T/u",
    );
    told.is("mount-unbindable", "the mount `$T/u` is unbindable", "--make-private $T/u");
}

#[test]
fn a_mount_that_came_from_outside_cannot_be_taken_away() {
    proof::need!(user_namespaces);
    let outside = "mkdir m; mount -t tmpfs none m";
    let told = Room::of_user().tries(outside, Some("cd /"), "umount $T/m");
    told.is(
        "mount-locked",
        "the mount `$T/m` came into this user namespace with what it covers, and is locked there",
        "mount something over it",
    );
    Room::of_user().tries(outside, None, "umount $T/m").is_done();
}

#[test]
fn where_nothing_is_mounted_nothing_is_taken_away() {
    proof::need!(user_namespaces);
    proof::or_skip!(tells_mount_roots());
    let told = Room::of_user().tries("mkdir d", None, "umount $T/d");
    told.is("no-mount-point", "nothing is mounted on `$T/d`", "findmnt -T");
    let told = Room::of_user().tries("mkdir d", None, "propagation $T/d");
    told.is("propagation-no-mount-point", "`$T/d` is no mount point", "mount --bind $T/d $T/d");
}

#[test]
fn in_a_chroot_the_propagation_of_the_root_cannot_be_changed() {
    proof::need!(user_namespaces);
    proof::or_skip!(tells_mount_roots());
    let told = Room::of_user().in_chroot().tries("true", None, "propagation /");
    told.is(
        "propagation-no-mount-point",
        "the root directory is no mount point: this process is in a chroot",
        "--propagation unchanged",
    );
}

#[test]
fn a_mount_namespace_is_not_kept_on_a_shared_mount() {
    proof::need!(user_namespaces);
    let setup = "mkdir m; mount -t tmpfs none m; touch m/ns";
    let told = Room::of_user().tries(&format!("{setup}; mount --make-shared m"), None, "keep $T/m/ns");
    told.is(
        "mount-shared",
        "the mount `$T/m` is shared: a mount namespace kept on it would spread into itself",
        "--make-private",
    );
    // Nor within itself, which is another cause.
    assert_eq!(Room::of_user().tries(setup, None, "keep $T/m/ns").key, "unexplained");
}

#[test]
fn a_mount_namespace_that_is_full_is_told_by_its_bound() {
    proof::need!(root, slow);
    // Each time as many again: the bound is met within a few.
    let setup = "mkdir a; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do mount --rbind . a 2>/dev/null || break; done; mkdir m";
    let told = Room::of_root().tries(setup, None, "mount tmpfs $T/m -");
    if told.key == "done" {
        // Less than as many again fits, but one does.
        return;
    }
    assert_eq!(told.key, "mounts-too-many", "{told:?}");
}

#[test]
fn what_uses_a_mount_is_named() {
    proof::need!(user_namespaces);
    let told = Room::of_user().tries(
        "mkdir m; mount -t tmpfs none m; mkdir m/n; mount -t tmpfs none m/n",
        None,
        "umount $T/m",
    );
    told.is("mount-busy", "on `$T/m` `$T/m/n` is mounted", "umount -R");
    let told = Room::of_user().tries("mkdir m; mount -t tmpfs none m; cd m", None, "umount $T/m");
    assert_eq!(told.key, "mount-busy");
    assert!(told.cause.starts_with("`$T/m` is in use by the processes "), "{told:?}");
}
