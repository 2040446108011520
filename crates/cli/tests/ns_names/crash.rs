//! SIGKILL at any moment: what is left is never entered wrongly, and the next command or `gc` clears it away.

use crate::room::Room;
use insula_proof as proof;

by_everyone!(
    commands_that_are_killed_at_any_time_leave_what_is_repaired,
    a_new_that_is_killed_at_each_of_its_calls_is_repaired,
    an_rm_that_is_killed_at_each_of_its_calls_is_repaired,
    an_attach_that_is_killed_at_each_of_its_calls_is_repaired,
    a_fault_at_each_step_leaves_nothing_or_what_is_repaired,
);

/// `check NAME REPAIR`: what is entered is the name's own; after `REPAIR` (new, or gc) it is usable; then all is gone.
const CHECK: &str = r#"
check() {
    said=$(insula ns exec $1 -- cat /proc/sys/kernel/hostname 2>/dev/null); [ -z "$said" ] || [ "$said" = mine ] || echo "wrong: $said"
    if [ $2 = gc ]; then insula ns gc >/dev/null || echo gc failed; fi
    insula ns new -a $1 --hostname mine 2>err || grep -q 'is taken' err || { echo not repaired; cat err; }
    said=$(insula ns exec $1 -- cat /proc/sys/kernel/hostname 2>err); [ "$said" = mine ] || { echo "not usable: $said"; cat err; }
    insula ns rm --force $1 2>err || { echo not removed; cat err; }
    clean
}
# The calls of a command that change anything, each with how often one of its name was made before. To be killed before
# each of them, and after the last, is to be killed anywhere.
calls() {
    strace -qq -o log "$@" >/dev/null 2>&1
    awk '{ name = $0; sub(/\(.*/, "", name); n[name]++ }
        name == "openat" && !/O_CREAT/ { next }
        name ~ /^(openat|mkdir|mkdirat|write|fsync|fdatasync|flock|renameat2?|rename|unlink|unlinkat|rmdir|mount|umount2|move_mount|open_tree|mount_setattr|clone3|clone|vfork|fork|kill|pidfd_send_signal|bind|pipe2|memfd_create|sendmsg|recvmsg|chmod|waitid|exit_group)$/ { print name, n[name] }' log
}
kill_at() { call=$1 when=$2; shift 2; strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$when "$@" >/dev/null 2>&1; }
"#;

/// Linux 6.18 orders mount namespaces by numbers that each CPU gives by itself, and refuses by chance to mount one. insula
/// looks at the number; the filter that plays an old kernel hides it, and the kernel below stays what it is.
fn numbers_can_be_seen() -> Result<(), String> {
    let seen = std::env::var_os("INSULA_OLD_KERNEL").is_none();
    proof::need::that(
        seen,
        "the filter of old kernels hides the number by which this kernel orders mount namespaces",
    )
}

fn commands_that_are_killed_at_any_time_leave_what_is_repaired(room: &Room) {
    proof::or_skip!(numbers_can_be_seen());
    room.says(
        &format!(
            "{CHECK}
            for n in $(seq 16); do
                (exec insula ns new -a k --hostname mine) 2>/dev/null & pid=$!; sleep 0.0$(( n % 3 ))$(( n % 7 )); kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
                (exec insula ns rm --force k) 2>/dev/null & pid=$!; sleep 0.00$(( n % 9 )); kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
                if [ $((n % 2)) = 0 ]; then check k gc; else check k new; fi
            done; echo done"
        ),
        "done\n",
    );
}

fn a_new_that_is_killed_at_each_of_its_calls_is_repaired(room: &Room) {
    proof::need!(slow, program "strace");
    proof::or_skip!(numbers_can_be_seen());
    room.says(
        &format!(
            "{CHECK}
            calls insula ns new -a first --hostname mine >all; insula ns rm first; clean
            [ $(wc -l <all) -gt 25 ] || echo hardly a call; killed=0; how=new
            while read -r call when; do
                kill_at $call $when insula ns new -a k --hostname mine || killed=$((killed + 1))
                check k $how | sed \"s/^/$call $when $how: /\"; if [ $how = new ]; then how=gc; else how=new; fi
            done <all; [ $((killed * 10)) -gt $(($(wc -l <all) * 8)) ] || echo hardly killed: $killed of $(wc -l <all); echo done"
        ),
        "done\n",
    );
}

fn an_rm_that_is_killed_at_each_of_its_calls_is_repaired(room: &Room) {
    proof::need!(slow, program "strace");
    proof::or_skip!(numbers_can_be_seen());
    room.says(
        &format!(
            "{CHECK}
            insula ns new -a first 2>/dev/null; calls insula ns rm first >all; clean; [ $(wc -l <all) -gt 8 ] || echo hardly a call; how=new
            while read -r call when; do
                insula ns new -a k --hostname mine 2>/dev/null || echo not made; kill_at $call $when insula ns rm k
                check k $how | sed \"s/^/$call $when $how: /\"; if [ $how = new ]; then how=gc; else how=new; fi
            done <all; echo done"
        ),
        "done\n",
    );
}

fn an_attach_that_is_killed_at_each_of_its_calls_is_repaired(room: &Room) {
    proof::need!(slow, program "strace");
    proof::or_skip!(numbers_can_be_seen());
    room.says(
        &format!(
            "{CHECK}
            unshare --user --map-root-user --uts --net sh -c 'hostname mine; echo >ready; exec sleep 600' & job=$!; while [ ! -e ready ]; do sleep 0.02; done; sleep 0.05
            calls insula ns attach first $job >all; insula ns rm first; clean; [ $(wc -l <all) -gt 8 ] || echo hardly a call; how=new
            while read -r call when; do
                kill_at $call $when insula ns attach k $job; check k $how | sed \"s/^/$call $when $how: /\"
                if [ $how = new ]; then how=gc; else how=new; fi
            done <all; kill -0 $job && echo done"
        ),
        "done\n",
    );
}

/// Each step of the plan fails, and who performs it is killed: the maker itself, or the newborn.
fn a_fault_at_each_step_leaves_nothing_or_what_is_repaired(room: &Room) {
    let ended = room.run(&format!(
        "{CHECK}
        INSULA_FAULT=1:1 insula ns new -a probe 2>/dev/null && {{ echo no faults; exit; }}
        steps=$(insula ns new -a --explain web | grep -c '^ *[0-9]* [cp][ha]'); [ $steps -gt 8 ] || echo hardly a step: $steps
        for step in $(seq $steps); do
            INSULA_FAULT=$step:1 insula ns new -a k 2>err; [ $? = 125 ] || echo $step: no failure; grep -q \"error: step $step \" err || cat err
            insula ns gc; clean
            INSULA_FAULT=$step:kill insula ns new -a k 2>/dev/null; [ $? -ge 125 ] || echo $step: not killed
            check k gc | sed \"s/^/$step: /\"
        done; echo done"
    ));
    if ended.out == "no faults\n" {
        proof::skip!("this build takes no faults");
    }
    assert_eq!(ended.out, "done\n", "{}", ended.err);
}
