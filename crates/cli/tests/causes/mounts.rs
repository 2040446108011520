//! Mounts, paths, rights and groups, as the commands tell them. Each cause by itself, and without it, is provoked in the
//! tests of `insula-launch`, `refused`.

use crate::caller::{Caller, ended};
use crate::told::{Told, refused, within};
use insula_proof as proof;

/// A mount namespace with a tmpfs on /mnt, in a user namespace: nothing of the machine is touched.
const ROOM: &[&str] = &["--user", "--map-root-user", "--mount"];

fn a_proc_of_another_pid_namespace_is_refused_with_the_flags_that_help(caller: &Caller) {
    let told = Told::by(&ended(&mut caller.insula(&["unshare", "-r", "--mount-proc", "true"])));
    told.is("a new proc shows the pid namespace that this process is in", "`--pid --fork`");
    let end = ended(&mut caller.insula(&["unshare", "-rpf", "--mount-proc", "true"]));
    assert_eq!(end.said(), "");
}

fn what_hides_a_part_of_proc_is_named_for_unshare_and_run(caller: &Caller) {
    let hide = "mount --bind /dev/null /proc/version";
    let below = r#""$0" unshare --user --map-root-user --mount --pid --fork --mount-proc true"#;
    refused(caller, ROOM, &format!("{hide}; {below}")).is(" on `/proc/version`", "systempaths=unconfined");
    assert_eq!(within(caller, ROOM, below).said(), "");
    // In a root of its own a container has a proc of its own.
    let run = r#"mkdir /mnt/root && "$0" run --userns host /mnt/root -- /no-program"#;
    let script = format!(
        "{hide}; mount -t tmpfs none /mnt; exec \"$0\" unshare --user --map-root-user --mount -- sh -c '{run}' \"$0\""
    );
    refused(caller, ROOM, &script).is(" on `/proc/version`", "--pid host");
}

fn a_program_on_a_noexec_mount_is_told_by_the_mount(caller: &Caller) {
    let script =
        r#"mount -t tmpfs -o noexec none /mnt && cp /bin/true /mnt/program && "$0" unshare /mnt/program"#;
    refused(caller, ROOM, script)
        .is("`/mnt/program` is on the mount `/mnt`, which is noexec", "remount,bind,exec /mnt");
}

fn in_a_chroot_the_propagation_is_told_with_the_flag_that_helps(caller: &Caller) {
    let chroot = "mount -t tmpfs none /mnt; cd /mnt; mkdir root; for d in /*; do n=root/${d#/}; \
                  if [ -L $d ]; then cp -d $d root/; elif [ -d $d ] && [ $d != /mnt ]; then mkdir $n; mount --rbind $d $n; fi; done";
    refused(caller, ROOM, &format!(r#"{chroot}; exec chroot root "$0" unshare --mount true"#))
        .is("the root directory is no mount point: this process is in a chroot", "--propagation unchanged");
    let script = format!(r#"{chroot}; exec chroot root "$0" unshare --mount --propagation unchanged true"#);
    assert_eq!(within(caller, ROOM, &script).said(), "");
}

fn changes_kept_on_an_overlay_are_refused_with_the_reason(caller: &Caller) {
    let script = r#"mount -t tmpfs none /mnt && cd /mnt && mkdir l u w o &&
        mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr none o && mkdir o/kept &&
        "$0" run --userns host --keep /mnt/o/kept -- true"#;
    refused(caller, ROOM, script)
        .is("the upper layer `/mnt/o/kept` is on overlay", "put upperdir and workdir on ext4");
}

fn a_change_of_the_network_names_the_right_and_where(caller: &Caller) {
    // A network namespace that is owned by the user namespace above: its root has no say in it.
    let script = r#"exec "$0" unshare --user --map-root-user -- "$0" link bridge br0"#;
    refused(caller, &["--user", "--map-root-user", "--net"], script).is(
        "this process has CAP_NET_ADMIN in its user namespace, and its net namespace is owned by another one",
        "`--net`",
    );
    let end = within(caller, &["--user", "--map-root-user", "--net"], r#""$0" link bridge br0"#);
    assert_eq!(end.said(), "");
}

by_everyone! {
    a_proc_of_another_pid_namespace_is_refused_with_the_flags_that_help,
    what_hides_a_part_of_proc_is_named_for_unshare_and_run,
    a_program_on_a_noexec_mount_is_told_by_the_mount,
    in_a_chroot_the_propagation_is_told_with_the_flag_that_helps,
    changes_kept_on_an_overlay_are_refused_with_the_reason,
    a_change_of_the_network_names_the_right_and_where,
}

#[test]
fn an_ordinary_user_hears_why_the_machines_own_are_not_his() {
    let caller = proof::or_skip!(Caller::user());
    let told = |words: &[&str]| Told::by(&ended(&mut caller.insula(words)));
    let right = "which this process (uid ";
    told(&["link", "pair", "proof0", "proof1"]).is(right, "unshare --map-root-user");
    told(&["netns", "add", "proof"]).is("uid ", "names of network namespaces are root's");
    let end = ended(&mut caller.insula(&["cgroup", "new", "/proof-of-a-user"]));
    let told = Told::by(&end);
    told.is("belongs to uid 0, and this is uid ", "insula cgroup new --owner ");
}
