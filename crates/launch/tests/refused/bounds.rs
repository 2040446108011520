//! File systems that are not for here, proc and sysfs that would show too much, rights that are lacking.

use crate::room::Room;
use insula_proof::{self as proof};

#[test]
fn a_file_system_that_the_kernel_has_not_is_named() {
    proof::need!(user_namespaces);
    Room::of_user().tries("mkdir m", None, "mount nosuchfs $T/m -").is(
        "filesystem-unknown",
        "/proc/filesystems has no nosuchfs, and this kernel has no module of it",
        "a kernel with nosuchfs",
    );
}

#[test]
fn a_file_system_on_a_device_is_the_hosts() {
    proof::need!(user_namespaces, filesystem "ext4");
    Room::of_user().tries("mkdir m", None, "mount ext4 $T/m -").is(
        "filesystem-host-only",
        "ext4 lies on a device: the kernel lets no user namespace mount it",
        "bind it",
    );
    Room::of_user().tries("mkdir m", None, "mount tmpfs $T/m -").is_done();
}

#[test]
fn a_file_system_without_a_device_may_be_the_hosts_too() {
    proof::need!(user_namespaces, filesystem "debugfs");
    Room::of_user().tries("mkdir m", None, "mount debugfs $T/m -").is(
        "filesystem-host-only",
        "the kernel lets no user namespace mount debugfs",
        "mount it as root of the host",
    );
}

#[test]
fn what_hides_a_part_of_proc_is_named() {
    proof::need!(user_namespaces);
    let room = || Room::of_user().with(&["--pid", "--fork"]);
    let hide = "mkdir m; mount --bind /dev/null /proc/version";
    let told = room().tries(hide, Some("true"), "mount proc $T/m -");
    assert_eq!(told.key, "mount-too-revealing", "{told:?}");
    assert!(told.cause.starts_with("a new proc would show what is hidden here: "), "{told:?}");
    assert!(told.cause.contains(" on `/proc/version`"), "{told:?}");
    assert!(told.cure.contains("--pid host"), "{told:?}");
    room().tries("mkdir m", Some("true"), "mount proc $T/m -").is_done();
}

#[test]
fn a_proc_wants_a_pid_namespace_of_its_own() {
    proof::need!(user_namespaces);
    Room::of_user().tries("mkdir m", None, "mount proc $T/m -").is(
        "mount-namespace-not-owned",
        "a new proc shows the pid namespace that this process is in, which is not owned by its user namespace",
        "`--pid --fork`",
    );
}

#[test]
fn a_sysfs_wants_a_network_namespace_of_its_own() {
    proof::need!(user_namespaces);
    Room::of_user().tries("mkdir m", None, "mount sysfs $T/m -").is(
        "mount-namespace-not-owned",
        "a new sysfs shows the net namespace that this process is in, which is not owned by its user namespace",
        "`--net`",
    );
    Room::of_user().with(&["--net"]).tries("mkdir m", None, "mount sysfs $T/m -").is_done();
}

#[test]
fn a_read_only_sysfs_hides_what_a_new_one_would_let_write() {
    proof::need!(user_namespaces);
    let outside = "mkdir m; mount -o remount,bind,ro /sys";
    let told = Room::of_user().with(&["--net"]).tries(outside, Some("true"), "mount sysfs $T/m -");
    assert_eq!(told.key, "mount-too-revealing", "{told:?}");
    assert!(told.cause.contains("`/sys` is mounted read-only"), "{told:?}");
}

#[test]
fn a_right_that_is_lacking_is_named_with_its_user_namespace() {
    proof::need!(user_namespaces);
    let told = Room::of_user().with(&["--uts"]).without("sys_admin").tries("true", None, "host-name x");
    assert_eq!(told.key, "capability-lacking", "{told:?}");
    assert!(
        told.cause.starts_with(
            "a host name wants CAP_SYS_ADMIN, which this process (uid 0) does not have in user namespace "
        ),
        "{told:?}"
    );
    let told = Room::of_user().tries("true", None, "host-name x");
    told.is(
        "capability-elsewhere",
        "this process has CAP_SYS_ADMIN in its user namespace, and its uts namespace is owned by another one, where that does not count",
        "`--uts`",
    );
    Room::of_user().with(&["--uts"]).tries("true", None, "host-name x").is_done();
}
