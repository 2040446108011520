//! What `ns new` makes, and that it stays as long as it is said.

use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    each_kind_by_itself_is_another_than_ours_and_the_same_each_time,
    a_whole_set_is_entered_at_once,
    what_is_asked_for_is_in_them,
    names_survive_the_command_that_made_them_and_go_with_rm,
    json_tells_what_was_made,
    a_plan_is_told_and_not_carried_out,
    nothing_is_left_of_what_fails,
);

/// A user namespace goes with every kind, for who has no rights without one.
fn user_flag(room: &Room) -> &'static str {
    if room.pins() { "" } else { "-U" }
}

fn each_kind_by_itself_is_another_than_ours_and_the_same_each_time(room: &Room) {
    let script = format!(
        "for kind in mount/mnt uts/uts ipc/ipc net/net pid/pid cgroup/cgroup time/time user/user; do
            name=${{kind#*/}}; insula ns new {user} --${{kind%/*}} k$name 2>/dev/null || echo not made $name
            one=$(inside k$name $name); two=$(inside k$name $name)
            [ \"$one\" = \"$two\" ] && [ \"$one\" != $(readlink /proc/self/ns/$name) ] || echo \"$name: $one, $two\"
            grep -q \"part.$name.[0-9]*.${{one#*:[}}\" $STORE/set/k$name/record 2>/dev/null
            [ $(insula ns exec k$name -- sh -c 'readlink /proc/self/ns/uts') = $(readlink /proc/self/ns/uts) ] || echo $name has a uts
            insula ns rm k$name || echo not removed
        done; clean",
        user = user_flag(room)
    );
    let expected = "uts has a uts\n";
    room.says(&script, expected);
}

fn a_whole_set_is_entered_at_once(room: &Room) {
    room.says(
        "insula ns new --all web 2>/dev/null
         for kind in user mnt pid net ipc uts cgroup time; do
            there=$(inside web $kind); [ \"$there\" != $(readlink /proc/self/ns/$kind) ] || echo same $kind
         done
         insula ns exec web -- sh -c 'id -u; cat /proc/1/comm; pwd; ip -br link 2>/dev/null | tr -s \" \" | cut -d \" \" -f 1,4'
         insula ns exec web -n -U -- sh -c 'readlink /proc/self/ns/uts' | grep -qxF \"$(readlink /proc/self/ns/uts)\" && echo narrowed
         insula ns rm web; clean",
        "0\ninsula-hold\n/\nlo <LOOPBACK,UP,LOWER_UP>\nnarrowed\n",
    );
}

fn what_is_asked_for_is_in_them(room: &Room) {
    room.says(
        "insula ns new --all web --hostname blue --domainname green --monotonic 86400 --boottime 172800 2>/dev/null
         insula ns exec web -- sh -c 'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname; cat /proc/self/timens_offsets | tr -s \" \"'
         insula ns exec web -- sh -c 'ls /proc | grep -c \"^[0-9]\"' | grep -qx '[1-5]' && echo own proc
         insula ns new --all bare --no-loopback --no-proc 2>/dev/null
         insula ns exec bare -- ip -br link 2>/dev/null | tr -s ' ' | cut -d ' ' -f 4
         insula ns exec bare -- sh -c '[ $(readlink /proc/self/ns/pid | wc -c) -gt 1 ] || echo proc is of another pid namespace'
         insula ns new --all -c me 2>/dev/null; insula ns exec me --preserve-credentials -- id -u | grep -qx $(id -u) && echo myself
         insula ns rm --all; clean",
        "blue\ngreen\nmonotonic 86400 0\nboottime 172800 0\nown proc\n<LOOPBACK>\nmyself\n",
    );
}

fn names_survive_the_command_that_made_them_and_go_with_rm(room: &Room) {
    room.says(
        "insula ns new -a a 2>/dev/null; insula ns new -a b 2>/dev/null; one=$(inside a net); two=$(inside b net)
         sleep 0.1; [ \"$one\" = \"$(inside a net)\" ] && [ \"$one\" != \"$two\" ] && echo stays
         insula ns rm a; insula ns exec a -- true 2>/dev/null; echo $?; [ \"$two\" = \"$(inside b net)\" ] && echo the other stays
         insula ns new -a a 2>/dev/null; insula ns exec a -- echo usable at once
         insula ns rm a b; echo $?; clean",
        "stays\n1\nthe other stays\nusable at once\n0\n",
    );
}

fn json_tells_what_was_made(room: &Room) {
    let script = "insula ns new --json -a web; insula ns rm web; clean";
    let ended = room.run(script);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let told: serde_json::Value = serde_json::from_str(&ended.out).expect("one value");
    assert_eq!(told["name"], "web");
    assert_eq!(told["hold"], if room.pins() { "pinned" } else { "kept" });
    assert_eq!(told["keeper"].is_u64(), !room.pins());
    assert_eq!(told["state"], "live");
    let parts = told["namespaces"].as_array().expect("an array");
    assert_eq!(parts.len(), 8);
    for part in parts {
        assert!(part["inode"].is_u64() && part["state"] == "live", "{part}");
        assert_eq!(part["path"].is_string(), room.pins(), "{part}");
    }
}

fn a_plan_is_told_and_not_carried_out(room: &Room) {
    let ended = room.run("insula ns new --explain -a web; insula ns new --explain=json -a web; clean");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let (text, json) = ended.out.split_once("{\n").expect("both forms");
    assert!(text.starts_with("insula would do this, and has done none of it:"), "{text}");
    let plan: serde_json::Value = serde_json::from_str(&format!("{{{json}")).expect("a plan");
    let steps: Vec<&str> =
        plan["steps"].as_array().expect("steps").iter().filter_map(|s| s["step"].as_str()).collect();
    assert_eq!(steps.last(), Some(&"hold"));
    assert_eq!(steps.contains(&"pin"), room.pins());
    assert_eq!(steps.contains(&"keep-open"), !room.pins());
}

fn nothing_is_left_of_what_fails(room: &Room) {
    // The last can be refused only when all else is done: a name in the way of a mount, a path that is too long.
    room.says(
        "insula ns new -a web --rootfs /proc/1/nowhere 2>/dev/null; echo $?
         insula ns new -a web --rootfs /etc/passwd 2>/dev/null; echo $?
         insula ns new -a web --monotonic 99999999999999 2>/dev/null; echo $?
         insula ns new -a web --boottime 99999999999999 --hostname x 2>/dev/null; echo $?; clean; insula ns gc",
        "125\n125\n125\n125\n",
    );
}

#[test]
fn a_root_of_its_own_is_the_only_root() {
    for room in [Room::root(), Room::user()] {
        let room = proof::or_skip!(room);
        proof::need!(path "/bin/busybox");
        room.says(
            "mkdir -p root/bin root/proc && cp /bin/busybox root/bin/sh && cp /bin/busybox root/bin/ls && cp /bin/busybox root/bin/cat
             insula ns new -a web --rootfs root 2>/dev/null; insula ns exec web -- /bin/sh -c '/bin/ls /; /bin/cat /proc/1/comm'
             insula ns rm web; clean; ls root",
            "bin\nproc\ninsula-hold\nbin\nproc\n",
        );
    }
}

#[test]
fn as_root_all_but_a_user_namespace_is_made() {
    let room = proof::or_skip!(Room::root());
    room.says(
        "insula ns new web; grep -c '^part' $STORE/set/web/record; grep -c 'part.user' $STORE/set/web/record; stat -c %a $STORE $STORE/set/web $STORE/set/web/record
         insula ns exec web -- cat /proc/self/uid_map | tr -s ' '; kill -9 $(holder web); insula ns rm web; clean",
        "7\n0\n700\n700\n600\n 0 0 4294967295\n",
    );
}

/// All that lives when the command has ended is in the names' own pid namespaces.
#[test]
fn without_a_pid_namespace_no_process_is_left() {
    let room = proof::or_skip!(Room::root());
    room.says(
        "insula ns new -m -u -i -n -C -T -U web; holders; ls /proc | grep -c '^[0-9]' | grep -qx '[1-6]' && echo few
         insula ns exec web -- true && echo entered; insula ns rm web; clean",
        "few\nentered\n",
    );
}

#[test]
fn a_name_is_not_held_by_the_mount_namespace_of_another() {
    let room = proof::or_skip!(Room::root());
    room.says(
        "insula ns new -u -n first; insula ns new -m second; insula ns exec second -- grep -c nsfs /proc/self/mountinfo
         insula ns new -u third; insula ns exec second -- sh -c 'grep insula/names /proc/self/mountinfo; ls -A /run/netns'
         insula ns rm --all; clean",
        "0\n",
    );
}
