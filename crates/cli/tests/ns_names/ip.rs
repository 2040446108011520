//! Two ways with iproute2: network namespaces of sets are names of `ip netns`, and names of `ip netns` are names here.

use crate::room::Room;
use insula_proof as proof;

/// The room of a root, real or of a user namespace.
fn rooms() -> Result<[Room; 2], String> {
    proof::need::program("ip")?;
    Ok([Room::root()?, Room::inner_root()?])
}

#[test]
fn the_network_of_a_set_is_a_name_of_ips() {
    for room in proof::or_skip!(rooms()) {
        room.says(
            "insula ns new web; ip netns | cut -d ' ' -f 1; ip netns add plain; ip -n web link add va type veth peer name vb netns plain
             ip -n web addr add 10.9.8.1/24 dev va; ip -n web link set va up; ip -n plain link set vb up; ip -n plain addr add 10.9.8.2/24 dev vb
             insula ns exec web -- ip -br addr show va | tr -s ' ' | cut -d ' ' -f 1,3; insula ns exec plain -- ip -br addr show vb | tr -s ' ' | cut -d ' ' -f 1,3
             [ \"$(ip netns exec web readlink /proc/self/ns/net)\" = \"$(inside web net)\" ] && echo the same
             insula ns rm web; ip netns; insula ns rm plain; ip netns; clean",
            "web\nva@if2 10.9.8.1/24\nvb@if2 10.9.8.2/24\nthe same\nplain\n",
        );
    }
}

#[test]
fn what_ip_deletes_or_makes_anew_is_not_taken_for_the_sets() {
    for room in proof::or_skip!(rooms()) {
        let ended = room.says(
            "insula ns new -u -n web; ip netns delete web; insula ns exec web -- echo wrong; echo $?
             ip netns add web; insula ns exec web -- echo wrong; echo $?; insula ns exec web -n echo wrong; echo $?
             insula ns exec web -u echo right; insula ns rm web; ip netns; ip netns delete web; clean",
            "1\n1\n1\nright\nweb\n",
        );
        assert!(ended.err.contains("another namespace is there now"), "{}", ended.err);
        assert!(ended.err.contains("it was unmounted"), "{}", ended.err);
    }
}

#[test]
fn a_name_that_ip_has_is_taken() {
    for room in proof::or_skip!(rooms()) {
        room.says(
            "ip netns add web; insula ns new web 2>/dev/null; echo $?; insula ns new -u web 2>/dev/null; echo $?
             insula ns new set; ip netns add set 2>/dev/null; echo $?; insula netns add set 2>/dev/null; echo $?
             insula ns exec web -- ip -br link | tr -s ' ' | cut -d ' ' -f 1; insula ns rm web set; clean",
            "125\n125\n1\n1\nlo\n",
        );
    }
}

#[test]
fn rm_all_leaves_ips_names_alone_and_gc_clears_what_ip_left() {
    for room in proof::or_skip!(rooms()) {
        room.says(
            "ip netns add web; insula ns new -u one; insula ns new -n two; insula ns rm --all; ip netns
             : >/run/netns/left; touch -d '-1 minute' /run/netns/left; insula ns exec left true 2>/dev/null; echo $?
             insula ns gc --dry-run; insula ns gc; ip netns; ip netns delete web; clean",
            "web\n1\nwould remove left (left by a command that was killed)\nremoved left (left by a command that was killed)\nweb\n",
        );
    }
}
