//! Names are shared with `ip`, both ways and at once; monitor; loopback; what is not deleted by mistake.

use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    each_uses_the_names_of_the_other,
    many_at_once_lose_no_name,
    monitor_tells_of_names_of_both,
    a_link_elsewhere_is_deleted_and_what_it_leads_to_is_not,
    several_names_are_deleted_and_a_failure_does_not_keep_the_others,
    loopback_is_brought_up_where_that_is_asked,
    a_process_may_stand_in_place_of_a_name_to_get_an_id,
    each_name_of_a_namespace_is_told,
);

fn each_uses_the_names_of_the_other(room: &Room) {
    proof::need!(program "ip");
    let ours = room.ours(
        "check() { $2 netns add $1 && $2 netns set $1 $4 && $3 netns && $3 netns exec $1 $2 netns identify &&
             $3 netns list-id nsid $4 && $3 netns pids $1 && $3 netns delete $1 && $2 netns; echo $?; ls -A /run/netns; }
         check one $REAL $OURS 4; check two $OURS $REAL 5; mounts | grep -c netns",
    );
    let of =
        |name: &str, id| format!("{name} (id: {id})\n{name}\nnsid {id} (iproute2 netns name: {name})\n0\n");
    assert_eq!(ours.out, format!("{}{}1\n", of("one", 4), of("two", 5)), "{}", ours.err);
}

/// Each name is a mount of its own, and the directory is one mount: none lies over another.
fn many_at_once_lose_no_name(room: &Room) {
    proof::need!(program "ip");
    let ours = room.ours(
        "for n in $(seq 25); do $OURS netns add ours$n & $REAL netns add real$n & done; wait
         ip netns | wc -l; mounts | grep -c ' /run/netns '; mounts | grep -c ' /run/netns/'
         stat -f -c %T /run/netns/* | sort | uniq -c | tr -s ' '
         for n in $(seq 25); do $OURS netns del real$n & $REAL netns del ours$n & done; wait
         ls -A /run/netns; mounts | grep -c ' /run/netns/'
         for n in $(seq 20); do $OURS netns add same 2>/dev/null && echo made & done; wait; ip netns del same; ls -A /run/netns",
    );
    assert_eq!(ours.out, "50\n1\n50\n 50 nsfs\n0\nmade\n", "{}", ours.err);
    assert_eq!(ours.err, "");
}

fn monitor_tells_of_names_of_both(room: &Room) {
    let ours = room.ours(
        "watches() { until ls -l /proc/$1/fd | grep -q inotify; do sleep 0.02; done; }
         ip netns monitor >heard & watches $!; $OURS netns add a; ${REAL:-$OURS} netns add b; ${REAL:-$OURS} netns del a
         $OURS netns del b; until test $(wc -l <heard) = 4; do sleep 0.02; done
         kill $!; wait $! 2>/dev/null; cat heard; stat -c %A /run/netns
         ip netns monitor | head -n 1 | tr -d 0-9 &
         for n in $(seq 100); do ip netns add c$n; sleep 0.02; kill -0 $! 2>/dev/null || break; done
         ip netns add d; ip netns add e; wait; ip -all netns del
         ip netns monitor & watches $!; umount /run/netns; rmdir /run/netns; wait $!; echo $?",
    );
    let expected = "add a\nadd b\ndelete a\ndelete b\ndrwxr-xr-x\nadd c\n1\n";
    assert_eq!(ours.out, expected, "{}", ours.err);
    assert!(ours.err.contains("the directory of names is gone"), "{}", ours.err);
}

/// `ip` unmounts what the link leads to.
fn a_link_elsewhere_is_deleted_and_what_it_leads_to_is_not(room: &Room) {
    let ours = room.ours(
        "ip netns add a; touch /run/kept; mount --bind /run/netns/a /run/kept; ln -s /run/kept /run/netns/link
         ip netns delete link; echo $?; ip netns; stat -f -c %T /run/kept; nsenter --net=/run/kept ip netns identify",
    );
    assert_eq!(ours.out, "0\na\nnsfs\na\n", "{}", ours.err);
}

fn several_names_are_deleted_and_a_failure_does_not_keep_the_others(room: &Room) {
    let ours = room.ours(
        "ip netns add a; ip netns add b; ip netns del a none b; echo $?; ip netns
         ip netns add --up; ip netns add c; mkdir /run/netns/directory; ip -all netns delete; echo $?; ls /run/netns",
    );
    assert_eq!(ours.out, "1\n1\ndirectory\n", "{}", ours.err);
    assert!(ours.err.contains("`none`: no network namespace has this name"), "{}", ours.err);
    assert!(ours.err.contains("`add`: a name is missing"), "{}", ours.err);
}

fn loopback_is_brought_up_where_that_is_asked(room: &Room) {
    let ours = room.ours(
        "ip netns add a; ip netns add b --up; netns --up add c
         for n in a b c; do ip netns exec $n cat /sys/class/net/lo/flags; done; ip netns identify",
    );
    assert_eq!(ours.out, "0x8\n0x9\n0x9\n\n", "{}", ours.err);
}

/// As with `ip` since 2026; the one here may be older.
fn a_process_may_stand_in_place_of_a_name_to_get_an_id(room: &Room) {
    let ours = room.ours(
        "ip netns add a; ip netns exec a sleep 60 & sleep 0.3; ip netns set $! 6; echo $?; ip netns; kill $!
         ip netns set 2147483647 7; echo $?",
    );
    assert_eq!(ours.out, "0\na (id: 6)\n1\n", "{}", ours.err);
}

/// `ip` prints the last of them only; its manual promises all.
fn each_name_of_a_namespace_is_told(room: &Room) {
    let ours = room.ours(
        "ip netns attach one $$; ip netns attach two $$; ip netns add other; ip netns identify $$ | sort",
    );
    assert_eq!(ours.out, "one\ntwo\n", "{}", ours.err);
}
