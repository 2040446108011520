//! `ns exec`: exit codes, ids, directories, environment; beside nsenter(1) by the paths of the same namespaces.

use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    the_exit_code_is_the_programs,
    directories_and_variables_are_what_is_asked_for,
    a_name_is_taken_where_a_file_of_a_kind_is,
    a_running_program_keeps_rm_away_unless_it_is_forced,
);

fn the_exit_code_is_the_programs(room: &Room) {
    room.says(
        "insula ns new -a web 2>/dev/null
         insula ns exec web -- sh -c 'exit 7'; echo $?; insula ns exec web -- /no/such 2>/dev/null; echo $?
         insula ns exec web -- /etc/passwd 2>/dev/null; echo $?; insula ns exec web --nonsense true 2>/dev/null; echo $?
         insula ns exec 2>/dev/null; echo $?; (insula ns exec web -- sh -c 'kill -TERM $$'; echo $?)
         echo 'echo read' | insula ns exec web sh; insula ns exec -u -U web echo before; insula ns exec web -u -U echo behind
         insula ns rm web; clean",
        "7\n127\n126\n1\n1\n143\nread\nbefore\nbehind\n",
    );
}

fn directories_and_variables_are_what_is_asked_for(room: &Room) {
    room.says(
        "insula ns new -a web 2>/dev/null; mkdir here; export A=a
         insula ns exec web --wdns /proc/sys -- pwd; insula ns exec web -w here -- sh -c 'pwd -P' | grep -q '/here$' && echo here
         insula ns exec web -e A=b --env C= -- sh -c 'echo $A,${C-none}'; insula ns exec web --clear-env -e X=y -- env
         insula ns exec web --wd / --wdns / true 2>/dev/null; echo $?; insula ns exec web --env =x true 2>/dev/null; echo $?
         insula ns rm web; clean",
        "/proc/sys\nhere\nb,\nX=y\n1\n1\n",
    );
}

fn a_name_is_taken_where_a_file_of_a_kind_is(room: &Room) {
    let user = if room.pins() { "" } else { "--user=web --preserve-credentials" };
    room.says(
        &format!(
            "insula ns new -a web 2>/dev/null; there=$(inside web uts)
             [ \"$there\" = \"$(insula nsenter {user} --uts=web readlink /proc/self/ns/uts)\" ] && echo the same
             [ \"$(inside web ipc)\" = \"$(insula nsenter {user} --ipc=web readlink /proc/self/ns/ipc)\" ] && echo the same
             insula nsenter --ipc=nope true 2>/dev/null; echo $?; insula ns rm web; clean"
        ),
        "the same\nthe same\n1\n",
    );
}

fn a_running_program_keeps_rm_away_unless_it_is_forced(room: &Room) {
    let ended = room.says(
        "insula ns new -a web 2>/dev/null; insula ns exec web -- sh -c 'touch /tmp/r$$; exec sleep 60' & job=$!
         while [ $(ls /proc | grep -c '^[0-9]') -lt 5 ]; do sleep 0.02; done; sleep 0.2
         insula ns rm web; echo $?; inside web uts | grep -c uts; insula ns rm --force web; echo $?; wait $job; echo $?
         insula ns rm web 2>/dev/null; echo $?; insula ns rm --force web; echo $?; clean",
        "125\n1\n0\n137\n125\n0\n",
    );
    assert!(ended.err.contains("in its pid namespace: "), "{}", ended.err);
}

#[test]
fn nsenter_by_the_paths_of_the_same_namespaces_sees_the_same() {
    let room = proof::or_skip!(Room::root());
    proof::need!(program "nsenter");
    room.says(
        "insula ns new web --hostname blue
         probe='readlink /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/cgroup; pwd; id -u; hostname; cat /proc/1/comm'
         ours=$(insula ns exec web -- sh -c \"$probe\")
         theirs=$(nsenter --uts=$STORE/pin/web/uts --ipc=$STORE/pin/web/ipc --cgroup=$STORE/pin/web/cgroup --net=/run/netns/web \
            --pid=$STORE/pin/web/pid --mount=$STORE/mnt/web sh -c \"$probe\")
         [ \"$ours\" = \"$theirs\" ] && echo alike || { echo \"$ours\"; echo \"$theirs\"; }
         insula ns exec web -S 7 -G 8 -- id -u -n >/dev/null; insula ns exec web -S 7 -G 8 -- sh -c 'id -u; id -G'
         insula ns rm web; clean",
        "alike\n7\n8\n",
    );
}

/// The descriptors, the terminal and the ignored signals of who called the maker are not the holder's.
#[test]
fn the_holder_has_nothing_of_who_made_it() {
    for room in [Room::root(), Room::user()] {
        let room = proof::or_skip!(room);
        let kept = if room.pins() { 0 } else { 9 };
        room.says(
            "trap '' HUP; exec 7</dev/null 8>/dev/null; insula ns new -a web 2>/dev/null; pid=$(holder web); sleep 0.1
             ls -l /proc/$pid/fd | grep -v signalfd | grep -c -e '->'; readlink /proc/$pid/cwd; cut -d ' ' -f 7 /proc/$pid/stat
             [ $(cut -d ' ' -f 6 /proc/$pid/stat) = $pid ] && echo own session
             dirty=$(sed -n 's/^Private_Dirty: *\\([0-9]*\\) kB/\\1/p' /proc/$pid/smaps_rollup); [ $dirty -le 100 ] || echo $dirty kB
             insula ns rm web; clean",
            &format!("{kept}\n/\n0\nown session\n"),
        );
    }
}

/// As pid 1 it reaps what its namespace leaves behind, without end.
#[test]
fn the_holder_reaps_and_does_not_end_by_a_signal_from_inside() {
    for room in [Room::root(), Room::user()] {
        let room = proof::or_skip!(room);
        room.says(
            "insula ns new -a web 2>/dev/null; pid=$(holder web)
             insula ns exec web -- sh -c 'i=0; while [ $i -lt 200 ]; do (sleep 0.01 & ) ; i=$((i + 1)); done; sleep 0.5; kill -TERM 1; kill -INT 1; kill -KILL 1; ps ax -o stat= | grep -c Z'
             insula ns exec web -- echo alive; kill -TERM $pid; i=0; while [ -d /proc/$pid ] && ! grep -q '^State:.Z' /proc/$pid/status && [ $i -lt 100 ]; do sleep 0.02; i=$((i + 1)); done
             insula ns exec web -- true 2>/dev/null; echo $?; insula ns gc >/dev/null; clean",
            "0\nalive\n1\n",
        );
    }
}
