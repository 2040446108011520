//! SIGKILL at any moment, and what it may leave: an empty file, which is known for what it is.

use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    a_killed_add_or_delete_leaves_what_is_repaired,
    an_add_that_is_killed_at_each_of_its_calls_is_repaired,
    a_file_that_ip_may_be_about_to_mount_on_is_left_alone,
    a_name_that_is_held_in_another_mount_namespace_is_left_alone,
    what_is_left_behind_is_told_and_removed,
);

const CHECK: &str = "
check() {
    for n in $(ls -A /run/netns 2>/dev/null); do
        case $(stat -f -c %T /run/netns/$n) in nsfs) ;; *) test $(stat -c %a,%s /run/netns/$n) = 200,0 || echo bad $n;; esac
        ip netns add $n 2>/dev/null || stat -f -c %T /run/netns/$n | grep -qx nsfs || echo not repaired $n
        ip netns exec $n true || echo not usable $n
        ip netns delete $n || echo not deleted $n
    done
    test $(mounts | grep -c ' /run/netns ') -le 1 || echo mounted twice
    mounts | grep ' /run/netns/'
    ls -A /run/netns 2>/dev/null
}";

fn a_killed_add_or_delete_leaves_what_is_repaired(room: &Room) {
    proof::need!(swift);
    let ours = room.ours(&format!(
        "{CHECK}
        for n in $(seq 60); do
            (ip netns add k$n; ip netns delete k$n) 2>/dev/null & pid=$!
            sleep 0.00$(( n % 10 ))$(( n % 7 )); kill -9 $(cat /proc/$pid/task/$pid/children) 2>/dev/null; wait $pid
        done 2>/dev/null
        check; echo done"
    ));
    assert_eq!(ours.out, "done\n", "{}", ours.err);
}

fn an_add_that_is_killed_at_each_of_its_calls_is_repaired(room: &Room) {
    proof::need!(swift, program "strace");
    // In turn the last call before which it is killed: the directory, the lock, the mount on itself, the file, the name.
    let ours = room.ours(&format!(
        "{CHECK}
        killed=0
        for call in mkdir chmod flock open_tree mount_setattr move_mount openat unshare rt_sigprocmask; do
            for when in 1 2 3 4 5 6 7 8; do
                for before in fresh shared; do
                    if [ $before = shared ]; then ip netns add x; ip netns delete x; fi
                    strace -f -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$when ip netns add k \\
                        >/dev/null 2>&1 || killed=$((killed + 1))
                    check
                    umount /run/netns 2>/dev/null; rmdir /run/netns 2>/dev/null
                done
            done
        done
        test $killed -gt 20 || echo hardly killed: $killed; echo done"
    ));
    assert_eq!(ours.out, "done\n", "{}", ours.err);
}

fn a_file_that_ip_may_be_about_to_mount_on_is_left_alone(room: &Room) {
    let ours = room.ours(
        "ip netns add a; (umask 777; : >/run/netns/x); ip netns add x; echo $?; stat -f -c %T /run/netns/x
         touch -d '-1 minute' /run/netns/x; ip netns add x; echo $?; stat -f -c %T /run/netns/x; ip netns exec x echo used
         echo text >/run/netns/y; touch -d '-1 minute' /run/netns/y; ip netns add y; echo $?; cat /run/netns/y",
    );
    assert_eq!(ours.out, "1\ntmpfs\n0\nnsfs\nused\n1\ntext\n", "{}", ours.err);
    assert!(ours.err.contains("`ip netns add` may be about to mount on it"), "{}", ours.err);
}

fn a_name_that_is_held_in_another_mount_namespace_is_left_alone(room: &Room) {
    let ours = room.ours(
        "mkdir /run/netns; unshare -m --propagation private sh -c 'ip netns add held; touch inside; exec sleep 60' & pid=$!
         while [ ! -e inside ]; do sleep 0.05; done; stat -f -c %T /run/netns/held; ip netns add held; echo $?
         nsenter --mount=/proc/$pid/ns/mnt stat -f -c %T /run/netns/held 2>/dev/null
         kill $pid; wait $pid 2>/dev/null; ip netns add held; echo $?; ip netns exec held echo used",
    );
    assert!(
        ours.out.starts_with("tmpfs\n1\n") && ours.out.ends_with("0\nused\n"),
        "{}{}",
        ours.out,
        ours.err
    );
    assert!(ours.err.contains("one is mounted there in the mount namespace of process"), "{}", ours.err);
}

fn what_is_left_behind_is_told_and_removed(room: &Room) {
    let script =
        "ip netns add a; : >/run/netns/left; ip netns; echo $?; ip -j netns; ip netns exec left true; echo $?
        ip netns identify; ip netns delete left; echo $?; ip netns";
    room.alike(script, "left\na\n0\n[{\"name\":\"left\"},{\"name\":\"a\"}]\n255\n\n0\na\n");
    let ours = room.ours(script);
    assert!(ours.err.starts_with("ip: warning: `/run/netns/left` is no network namespace"), "{}", ours.err);
}
