//! The process that keeps the namespaces of a user: who gets them, and that it cannot make anybody wait.

use crate::room::Room;
use insula_proof as proof;

/// Asks a keeper as anyone could, and prints how many descriptors it gave.
const ASK: &str = r#"
import array, os, socket, sys
fd = os.open(sys.argv[1], os.O_PATH)
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect('/proc/self/fd/%d/socket' % fd)
try:
    data, control, _, _ = s.recvmsg(1, 1024)
except ConnectionResetError:
    data, control = b'', []
print(len(data), sum(len(c[2]) // 4 for c in control))
"#;

#[test]
fn nobody_else_gets_anything() {
    let room = proof::or_skip!(Room::root());
    proof::need!(program "python3", program "setpriv");
    // The same without what keeps others out before: the directories are opened to all.
    room.says(
        &format!(
            "cat >ask.py <<'E'\n{ASK}\nE
             chmod 755 .; insula ns new -u -n --keeper web 2>/dev/null; python3 ask.py $STORE/set/web
             setpriv --reuid 1234 --regid 1234 --clear-groups python3 ask.py $STORE/set/web 2>/dev/null; echo $?
             chmod 755 ${{STORE%/names}} $STORE $STORE/set $STORE/set/web; chmod 777 $STORE/set/web/socket
             setpriv --reuid 1234 --regid 1234 --clear-groups python3 ask.py $STORE/set/web
             python3 ask.py $STORE/set/web; insula ns rm web; clean"
        ),
        "1 2\n1\n0 0\n1 2\n",
    );
}

#[test]
fn an_id_that_is_nobodys_inside_is_not_taken_for_our_own() {
    let room = proof::or_skip!(Room::root());
    proof::need!(program "python3", program "setpriv");
    // In the keeper's user namespace both 1234 and any other unmapped user read as nobody.
    room.says(
        &format!(
            "cat >ask.py <<'E'\n{ASK}\nE
             chmod 755 .; insula ns new -U -u --keeper web 2>/dev/null; insula ns exec web echo ours
             chmod 755 ${{STORE%/names}} $STORE $STORE/set $STORE/set/web; chmod 777 $STORE/set/web/socket
             for uid in 1 1234 65534; do setpriv --reuid $uid --regid $uid --clear-groups python3 ask.py $STORE/set/web; done
             insula ns rm web; clean"
        ),
        "ours\n0 0\n0 0\n0 0\n",
    );
}

#[test]
fn a_client_that_does_not_read_keeps_nobody_waiting() {
    let room = proof::or_skip!(Room::user());
    proof::need!(program "python3");
    room.says(
        "insula ns new -a web 2>/dev/null
         python3 -c \"
import os, socket, sys, time
fd = os.open(sys.argv[1], os.O_PATH)
all = []
for i in range(300):
    s = socket.socket(socket.AF_UNIX)
    s.connect('/proc/self/fd/%d/socket' % fd)
    all.append(s)
open('connected', 'w')
time.sleep(60)\" $STORE/set/web & while [ ! -e connected ]; do sleep 0.02; done
         insula ns exec web -- echo served; insula ns exec web -- echo served; kill -9 $!; insula ns rm --force web; clean",
        "served\nserved\n",
    );
}

#[test]
fn a_keeper_that_is_stopped_or_another_in_its_place_is_not_waited_for() {
    let room = proof::or_skip!(Room::user());
    proof::need!(program "python3");
    let ended = room.says(
        "insula ns new -a web 2>/dev/null; pid=$(holder web); kill -STOP $pid
         timeout 20 insula ns exec web -- echo wrong; echo $?; kill -CONT $pid; insula ns exec web -- echo right
         rm $STORE/set/web/socket; python3 -c \"
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(9)
open('up', 'w')
while True:
    c, _ = s.accept()
    fds = [os.open('/proc/self/ns/' + k, os.O_RDONLY) for k in ('user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'time')]
    c.sendmsg([b'N'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))])\" $STORE/set/web/socket &
         while [ ! -e up ]; do sleep 0.02; done; insula ns exec web -- echo wrong; echo $?; kill -9 $! $pid; sleep 0.3; insula ns gc >/dev/null; clean",
        "1\nright\n1\n",
    );
    assert!(
        ended.err.contains("it took too long") && ended.err.contains("another process listens there"),
        "{}",
        ended.err
    );
}
