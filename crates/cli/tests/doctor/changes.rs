//! Each lack of the machine changes exactly the lines that it should.

use crate::filter::Filter;
use crate::report::Report;
use insula_proof::{self as proof, Ordinary, Scratch, insula, need};
use std::collections::BTreeSet;
use std::process::Command;

/// Every kind of namespace.
const KINDS: [&str; 8] = ["user", "mnt", "uts", "ipc", "net", "pid", "cgroup", "time"];
/// What cannot be tried without any.
const ON_NAMESPACES: [&str; 15] = [
    "nesting-user",
    "nesting-pid",
    "mount-api",
    "mount-proc",
    "mount-sysfs",
    "idmap-tmpfs",
    "binfmt",
    "open-tree-attr",
    "mount-beneath",
    "overlay-user",
    "user-xattr",
    "pidfd-setns",
    "veth",
    "bridge",
    "nftables",
];

fn set<'a>(keys: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    keys.into_iter().collect()
}

/// The doctor as an ordinary user.
fn asks(user: &Ordinary) -> Command {
    let mut command = user.insula();
    command.args(["doctor", "--json"]);
    command
}

/// Lines that depend on what the machine has.
fn without(keys: BTreeSet<&str>, left_out: &[&str]) -> BTreeSet<String> {
    keys.into_iter().filter(|key| !left_out.contains(key)).map(str::to_owned).collect()
}

#[test]
fn an_old_kernel_lacks_what_is_newer_and_nothing_else() {
    // The doctor gives a question two seconds.
    proof::need!(root, swift);
    // Where the whole pass is under that filter already, nothing changes.
    proof::or_skip!(need::that(std::env::var_os("INSULA_OLD_KERNEL").is_none(), "under the filter already"));
    let plain = Report::of(insula().args(["doctor", "--json"]));
    let has = plain.line("statmount").state == "works";
    proof::or_skip!(need::that(has, "this kernel itself lacks what is newer"));
    let old = Report::of(&mut Filter::OldKernel.over(insula().args(["doctor", "--json"])));
    let newer = [
        ("open-tree-attr", "open_tree_attr(2) is not there", "Linux 6.15"),
        ("mount-beneath", "move_mount(2) does not take the flag", "Linux 6.5"),
        ("statmount", "statmount(2) is not there", "Linux 6.8"),
        ("pidfd-namespaces", "PIDFD_GET_*_NAMESPACE are not there", "Linux 6.11"),
        ("ns-id", "NS_GET_ID is not there", "Linux 6.18"),
        ("nsfs-handles", "nsfs has no file handles", "Linux 6.18"),
        ("listns", "listns(2) is not there", "Linux 6.19"),
    ];
    for (key, found, fix) in newer {
        old.has(key, "missing", found, fix);
    }
    old.has("outer-seccomp", "limited", "statmount (ENOSYS)", "wider filter");
    let mut allowed = set(newer.map(|(key, ..)| key));
    // The old kernel is a filter, and the doctor sees it for what it is: the present kernel has those calls.
    allowed.insert("outer-seccomp");
    let changed = plain.changed(&old);
    assert!(changed.is_subset(&allowed), "{:?}", changed.difference(&allowed));
    assert_eq!(old.code, 1, "nsenter by id is a feature");
}

#[test]
fn an_outer_filter_that_forbids_namespaces_is_found_and_nothing_runs() {
    proof::need!(swift, user_namespaces, privileged_programs);
    let user = Ordinary::new();
    let plain = Report::of(&mut asks(&user));
    // The test's own program may be closed to that user: the copy of insula is started by a copy of the filter.
    let own = std::env::current_exe().expect("this test's own program");
    let copy = user.home().join("filter");
    std::fs::copy(own, &copy).expect("copy the filter");
    let filtered = Filter::NoNamespaces.over(&asks(&user));
    let mut command = user.command(&copy);
    command.args(filtered.get_args());
    command.envs(filtered.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let report = Report::of(&mut command);
    assert_eq!((report.code, report.verdict.as_str()), (2, "nothing-runs"));
    for kind in KINDS {
        report.has(kind, "missing", "unshare", "whoever starts this process");
        report.has(kind, "missing", "a filter of system calls (seccomp)", "seccomp");
    }
    report.has("clone3", "missing", "Function not implemented", "start insula outside of the container");
    report.has("outer-seccomp", "limited", "unshare", "seccomp=unconfined");
    report.has("run", "missing", "clone3", "");
    let mut expected = set(KINDS);
    expected.extend(ON_NAMESPACES);
    // The filter of an ordinary user brings no_new_privs.
    expected.extend(["clone3", "run", "outer-seccomp", "no-new-privs", "clone-into-cgroup"]);
    let changed = without(
        plain.changed(&report),
        &["newuidmap", "idmap-root", "idmap-home", "idmap-var", "fuse", "clone-into-cgroup"],
    );
    // In the pass of old kernels there is a filter already.
    let known = if std::env::var_os("INSULA_OLD_KERNEL").is_some() { "outer-seccomp" } else { "" };
    assert_eq!(changed, without(expected, &["clone-into-cgroup", known]));
}

#[test]
fn no_user_namespaces_are_told_by_the_sysctl_and_nothing_runs() {
    proof::need!(user_namespaces);
    let user = Ordinary::new();
    // A user namespace of the test's own, in which we are an ordinary user once the limit is set.
    let within = |limit: &str| {
        let script = format!(
            "{limit} exec setpriv --ambient-caps -all --inh-caps -all -- {} doctor --json",
            user.insula_path().display()
        );
        let mut command = user.command("unshare");
        // Of an account here, newuidmap(1) would be asked.
        command.args(["--user", "--map-user=64321", "--map-group=64321", "--keep-caps", "sh", "-c", &script]);
        Report::of(&mut command)
    };
    let (plain, report) = (within(""), within("echo 0 >/proc/sys/user/max_user_namespaces;"));
    assert_eq!((report.code, report.verdict.as_str()), (2, "nothing-runs"));
    for kind in KINDS {
        report.has(kind, "missing", "user.max_user_namespaces is 0", "sysctl user.max_user_namespaces=");
    }
    report.has("run", "missing", "user.max_user_namespaces is 0", "sysctl user.max_user_namespaces=");
    let mut expected = set(KINDS);
    expected.extend(ON_NAMESPACES);
    expected.insert("run");
    let left_out = ["idmap-root", "idmap-home", "idmap-var", "fuse", "newuidmap"];
    assert_eq!(without(plain.changed(&report), &left_out), without(expected, &[]));
    assert_eq!(plain.code, 1);
}

/// Runs the doctor in a chroot whose root is no mount point, as root or as uid 54321.
fn in_chroot(as_user: bool) -> Report {
    let place = Scratch::new();
    std::fs::set_permissions(&*place, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("open it to all");
    let copy = place.join("insula");
    std::fs::copy(proof::binary::path(), &copy).expect("copy insula");
    let enter =
        if as_user { "setpriv --reuid 54321 --regid 54321 --clear-groups --inh-caps -all --" } else { "" };
    let script = format!(
        "set -e; mkdir root; for d in /*; do n=root/${{d#/}}; if [ -L $d ]; then cp -d $d root/; \
         elif [ -d $d ]; then mkdir $n; mount --rbind $d $n; fi; done; exec chroot root {enter} {} doctor --json",
        copy.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script]).current_dir(&*place);
    Report::of(&mut command)
}

#[test]
fn in_a_chroot_an_ordinary_user_can_run_nothing() {
    proof::need!(root, user_namespaces);
    let report = in_chroot(true);
    assert_eq!((report.code, report.verdict.as_str()), (2, "nothing-runs"));
    report.has("chroot", "limited", "we are in a chroot", "outside of the chroot");
    report.has("user", "missing", "chroot", "chroot");
    report.has("run", "missing", "chroot", "chroot");
}

#[test]
fn in_a_chroot_root_has_mount_namespaces_and_no_run() {
    proof::need!(root);
    let plain = Report::of(insula().args(["doctor", "--json"]));
    let report = in_chroot(false);
    assert_eq!((report.code, report.verdict.as_str()), (1, "lacks"));
    report.has("chroot", "limited", "we are in a chroot", "outside of the chroot");
    report.has("mnt", "limited", "as we are; not through a user namespace", "chroot");
    report.has("user", "missing", "chroot", "chroot");
    report.has("run", "missing", "chroot", "chroot");
    assert_eq!(plain.line("outer-seccomp"), report.line("outer-seccomp"));
    assert_eq!(plain.line("landlock"), report.line("landlock"));
}

#[test]
fn without_newuidmap_in_the_path_that_line_alone_changes() {
    let user = proof::or_skip!(Ordinary::with_subuids());
    let plain = Report::of(&mut asks(&user));
    plain.has("newuidmap", "works", "both have mapped a range", "");
    plain.has("subids", "works", "65536 uids and 65536 gids", "");
    let script = format!("PATH=/nonexistent exec {} doctor --json", user.insula_path().display());
    let mut command = user.command("sh");
    let report = Report::of(command.args(["-c", &script]));
    report.has("newuidmap", "missing", "`newuidmap` is not in PATH", "package uidmap");
    assert_eq!(plain.changed(&report), set(["newuidmap"]));
    assert_eq!(report.code, 1);
}

#[test]
fn without_subordinate_ids_their_lines_say_so() {
    proof::need!(root);
    let user = Ordinary::new();
    let report = Report::of(&mut asks(&user));
    report.has("subids", "missing", "54321 has none in /etc/subuid and /etc/subgid", "54321:100000:65536");
    report.has("newuidmap", "unknown", "without subordinate ids they cannot be tried", "");
}

#[test]
fn a_proc_with_masks_is_told_with_what_hides_it() {
    proof::need!(user_namespaces);
    let user = Ordinary::new();
    // Root of one user namespace masks a file; the doctor asks in the one below, where that is locked.
    let script = format!(
        "mount --bind /dev/null /proc/version; exec unshare --user --map-root-user {} doctor --json proc mount-proc",
        user.insula_path().display()
    );
    let mut command = user.command("unshare");
    let report = Report::of(command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]));
    report.has("proc", "limited", " on `/proc/version`", "outside of this container");
    report.has("mount-proc", "missing", " on `/proc/version`", "systempaths=unconfined");
    assert_eq!(report.code, 1);
}

#[test]
fn no_new_privs_costs_the_helpers_of_an_ordinary_user() {
    proof::need!(program "setpriv");
    let user = Ordinary::new();
    let mut command = user.command("setpriv");
    command.arg("--no-new-privs").arg(user.insula_path()).args(["doctor", "--json", "no-new-privs"]);
    let report = Report::of(&mut command);
    report.has("no-new-privs", "limited", "no_new_privs is set", "NoNewPrivileges=");
    assert_eq!(report.code, 1);
}
