//! `ns attach`: namespaces of a process that runs, and what becomes of them when it ends.

use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    what_was_anothers_stays_when_it_ends,
    only_what_differs_is_named_unless_it_is_asked_for,
    a_process_that_is_not_there_has_nothing_to_name,
);

/// Starts a process in new namespaces, in the script: `$job`, which has ended its setting up.
const JOB: &str = "unshare --user --map-root-user --uts --net --ipc sh -c 'hostname attached; echo >ready; exec sleep 60' & job=$!
    while [ ! -e ready ]; do sleep 0.02; done; sleep 0.05\n";

fn what_was_anothers_stays_when_it_ends(room: &Room) {
    room.says(
        &format!(
            "{JOB} insula ns attach web $job 2>/dev/null; echo $?; uts=$(readlink /proc/$job/ns/uts)
             kill -9 $job; wait $job 2>/dev/null; [ \"$uts\" = \"$(inside web uts)\" ] && echo stays
             insula ns exec web -- hostname; grep -c '^part' $STORE/set/web/record; insula ns rm web; echo $?; clean"
        ),
        "0\nstays\nattached\n4\n0\n",
    );
}

fn only_what_differs_is_named_unless_it_is_asked_for(room: &Room) {
    let ended = room.run(&format!(
        "{JOB} insula ns attach --json -u web $job; insula ns attach own $$ 2>&1; echo $?; kill $job; insula ns rm web; clean"
    ));
    let (json, rest) = ended.out.split_once("\n}\n").expect("JSON first");
    let told: serde_json::Value = serde_json::from_str(&format!("{json}\n}}")).expect("one value");
    assert_eq!(told["origin"]["how"], "attached");
    assert_eq!(told["namespaces"].as_array().map(Vec::len), Some(1));
    assert_eq!(told["namespaces"][0]["kind"], "uts");
    assert!(rest.contains("the ones that we are in") && rest.ends_with("125\n"), "{rest}");
}

fn a_process_that_is_not_there_has_nothing_to_name(room: &Room) {
    room.says(
        "for pid in 0 -1 x 4194305 ''; do insula ns attach web $pid 2>/dev/null; echo $?; done; insula ns attach web 2>/dev/null; echo $?; clean",
        "125\n125\n125\n125\n125\n125\n",
    );
}

#[test]
fn the_pid_namespace_of_another_ends_with_its_own_first_process() {
    let room = proof::or_skip!(Room::root());
    let ended = room.says(
        "unshare --pid --fork --kill-child --mount-proc sh -c 'echo >ready; exec sleep 60' & while [ ! -e ready ]; do sleep 0.02; done
         init=$(cat /proc/$!/task/$!/children | tr -d ' '); insula ns attach -p web $init; insula ns exec web -- sh -c 'echo $$' | grep -qv '^1$' && echo entered
         insula ns rm web; [ -d /proc/$init ] && echo it lives; insula ns attach -p web $init; kill -9 $init; sleep 0.1
         insula ns exec web -- echo wrong; echo $?; insula ns gc; clean",
        "entered\nit lives\n1\nremoved web (pid namespace: its first process has ended, and with it all others)\n",
    );
    assert!(ended.err.contains("its first process has ended"), "{}", ended.err);
}

#[test]
fn a_mount_namespace_is_not_kept_within_itself_and_the_cure_helps() {
    let room = proof::or_skip!(Room::root());
    let ended = room.says(
        "insula ns attach -m own $$; echo $?; clean; insula ns attach -m --keeper own $$ 2>/dev/null; echo $?
         [ \"$(inside own mnt)\" = \"$(readlink /proc/self/ns/mnt)\" ] && echo kept; insula ns rm own; clean",
        "125\n0\nkept\n",
    );
    assert!(
        ended.err.contains("cannot be mounted within itself") && ended.err.contains("`--keeper`"),
        "{}",
        ended.err
    );
}

/// Which of two mount namespaces is the younger is a matter of chance from Linux 6.18 on: each CPU numbers them by itself.
#[test]
fn a_younger_mount_namespace_is_kept_and_a_failure_leaves_nothing() {
    let room = proof::or_skip!(Room::root());
    room.says(
        "tries=0; while [ $tries -lt 60 ]; do
            unshare --mount sleep 60 & job=$!; while [ $(readlink /proc/$job/ns/mnt) = $(readlink /proc/$$/ns/mnt) ]; do :; done
            insula ns attach -m web $job 2>/dev/null && break; clean; kill $job; tries=$((tries + 1))
         done; mnt=$(readlink /proc/$job/ns/mnt); kill $job; [ \"$mnt\" = \"$(inside web mnt)\" ] && echo stays; insula ns rm web; clean",
        "stays\n",
    );
}
