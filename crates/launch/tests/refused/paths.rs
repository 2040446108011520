//! Paths, programs and file systems.

use crate::room::Room;
use insula_proof::{self as proof};

#[test]
fn the_part_of_a_path_that_is_not_there_is_named() {
    proof::need!(user_namespaces);
    Room::of_user().tries("mkdir a", None, "chdir $T/a/b/c").is(
        "path-absent",
        "`$T/a/b` is not there",
        "ls -d $T/a",
    );
    // What the message names already is no cause.
    let told = Room::of_user().tries("mkdir a", None, "chdir $T/a/b");
    assert_eq!((told.key.as_str(), told.cause.as_str()), ("unexplained", "No such file or directory"));
}

#[test]
fn the_part_of_a_path_that_is_no_directory_is_named() {
    proof::need!(user_namespaces);
    Room::of_user().tries("touch f", None, "chroot $T/f/b").is(
        "path-no-directory",
        "`$T/f` is no directory",
        "ls -ld $T/f",
    );
    Room::of_user().tries("touch f", None, "chroot $T/f").is(
        "path-no-directory",
        "`$T/f` is no directory",
        "ls -ld $T/f",
    );
}

#[test]
fn links_that_lead_nowhere_are_named() {
    proof::need!(user_namespaces);
    Room::of_user().tries("ln -s b a; ln -s a b; mkdir d; ln -s ../a d/l", None, "chdir $T/d/l/x").is(
        "path-links",
        "the symbolic link `$T/d/l` leads back to itself",
        "readlink $T/d/l",
    );
}

#[test]
fn a_closed_directory_is_named_with_its_owner() {
    proof::need!(user_namespaces);
    // Without the capabilities that pass through everything.
    let setup = "mkdir -p shut/in; chmod 0600 shut";
    let told = Room::of_user().without("dac_override,dac_read_search").tries(setup, None, "chdir $T/shut/in");
    told.is(
        "path-closed",
        "`$T/shut` is closed to uid 0: it is uid 0's, with mode 0600",
        "chmod a+x $T/shut",
    );
    Room::of_user().tries(setup, None, "chdir $T/shut/in").is_done();
    let told = Room::of_user().without("dac_override").tries("mkdir -m 0500 d", None, "mkdir $T/d/x");
    told.is(
        "path-unwritable",
        "uid 0 may not write to `$T/d`: it is uid 0's, with mode 0500",
        "be its owner",
    );
}

#[test]
fn a_read_only_mount_is_told_from_a_read_only_file_system() {
    proof::need!(user_namespaces);
    Room::of_user().tries("mkdir m; mount -t tmpfs -o ro none m", None, "mkdir $T/m/x").is(
        "read-only",
        "the tmpfs on `$T/m` is read-only as a whole",
        "remount,rw $T/m",
    );
    Room::of_user()
        .tries("mkdir m; mount -t tmpfs none m; mount -o remount,bind,ro m", None, "mkdir $T/m/x")
        .is("read-only", "the mount of tmpfs on `$T/m` is read-only", "remount,bind,rw $T/m");
}

#[test]
fn a_full_file_system_is_named() {
    proof::need!(user_namespaces);
    Room::of_user()
        .tries("mkdir m; mount -t tmpfs -o nr_inodes=2 none m; mkdir m/a", None, "mkdir $T/m/x")
        .is("no-room", "the tmpfs on `$T/m` has no files left", "nr_inodes=");
}

#[test]
fn why_a_program_is_not_executed() {
    proof::need!(user_namespaces);
    Room::of_user()
        .tries("mkdir m; mount -t tmpfs -o noexec none m; cp /bin/true m/p", None, "execute $T/m/p")
        .is("noexec", "`$T/m/p` is on the mount `$T/m`, which is noexec", "remount,bind,exec $T/m");
    Room::of_user().tries("echo >p; chmod 0640 p", None, "execute $T/p").is(
        "not-executable",
        "`$T/p` has no permission to be executed: its mode is 0640",
        "chmod a+x $T/p",
    );
    Room::of_user().tries("echo '#! /no/such -x' >p; chmod 0755 p", None, "execute $T/p").is(
        "no-interpreter",
        "`$T/p` is there, but the interpreter that it names, `/no/such`, is not",
        "install what has `/no/such`",
    );
    let told = Room::of_user().tries("true", None, "execute $T/none");
    assert_eq!(told.key, "unexplained");
}

#[test]
fn the_interpreter_of_a_binary_is_read_from_it() {
    proof::need!(user_namespaces, program "sed");
    let setup = "sed 's,/ld-linux,/LD-LINUX,' /bin/true >p; chmod 0755 p";
    let told = Room::of_user().tries(setup, None, "execute $T/p");
    told.is(
        "no-interpreter",
        &format!(
            "`$T/p` is there, but the interpreter that it names, `{}`, is not",
            told.cause.split('`').nth(3).unwrap_or_default()
        ),
        "another C library's",
    );
    assert!(told.cause.contains("/LD-LINUX"), "{told:?}");
}

#[test]
fn a_file_whose_owner_is_not_mapped_is_nobodys() {
    proof::need!(root);
    // uid 0 of the host has no id in a user namespace that maps only another.
    Room::of_root().tries("mkdir d", Some("true"), "mkdir $T/d/x").is_done();
    let told = Room::of_root().tries("mkdir d; chown 4321 d; chmod 0755 d", Some("true"), "mkdir $T/d/x");
    told.is(
        "owner-unmapped",
        "the owner of `$T/d` has no id in this user namespace, so that its root has no rights over it",
        "--map-users",
    );
}
