//! Namespaces that are kept at files, in a mount namespace of the test's own.

use crate::both::{Both, TOOLS, Tool};
use crate::caller::{Caller, Ended, ended};
use insula_proof as proof;

by_everyone!(each_kind_is_kept_and_can_be_entered, several_at_once_are_kept, what_fails_later_leaves_nothing,);

/// Flag, name in /proc/PID/ns of the namespace that is kept, and what else the tool needs.
const KINDS: &[(&str, &str, &[&str])] = &[
    ("mount", "mnt", &[]),
    ("uts", "uts", &[]),
    ("ipc", "ipc", &[]),
    ("net", "net", &[]),
    ("cgroup", "cgroup", &[]),
    ("pid", "pid", &["--fork"]),
    ("time", "time", &["--fork"]),
    ("user", "user", &[]),
    ("user", "user", &["--map-root-user"]),
    ("user", "user", &["--map-current-user", "--fork"]),
];

/// A script with the tool's words as `"$@"`, where mounts are seen by nobody else.
fn in_a_room(both: &Both, tool: Tool, script: &str) -> Ended {
    let mut room = both.caller.command("sh");
    room.args(["-c", proof::ON_ONE_CPU, "sh", "unshare"]);
    if !both.caller.is_root() {
        room.args(["--user", "--map-root-user"]);
    }
    let room = room.args(["--mount", "--propagation", "private", "sh", "-euc", script, "sh"]);
    ended(room.args(both.words(tool, &[])))
}

fn each_kind_is_kept_and_can_be_entered(caller: &Caller) {
    let both = Both::new(caller);
    for (flag, name, more) in KINDS {
        let script = format!(
            "mount -t tmpfs none {home} && cd {home} && touch file\n\
             inside=$(\"$@\" --{flag}=file {more} readlink /proc/self/ns/{name})\n\
             [ \"$inside\" = \"{name}:[$(stat -c %i file)]\" ] && stat -fc %T file\n\
             [ $inside != $(readlink /proc/self/ns/{name}) ] && echo another than ours\n\
             umount file && stat -c '%s %F' file",
            home = caller.home().join("room").display(),
            more = more.join(" "),
        );
        caller.directory("room");
        let [theirs, ours] = TOOLS.map(|tool| in_a_room(&both, tool, &script));
        // Before util-linux 2.42 theirs mounts with rights over the new user namespace alone, which do not suffice.
        if *flag != "user" || theirs.code() == 0 {
            assert_eq!((ours.status, &ours.out), (theirs.status, &theirs.out), "{flag}: {}", theirs.err);
        }
        assert_eq!(ours.said(), "nsfs\nanother than ours\n0 regular empty file", "{flag}");
    }
}

fn several_at_once_are_kept(caller: &Caller) {
    let both = Both::new(caller);
    caller.directory("room");
    let script = format!(
        "mount -t tmpfs none {home} && cd {home} && touch m u n p i C\n\
         \"$@\" --mount=m -uu --uts=u --net=n --ipc=i --cgroup=C --pid=p --fork sh -c 'exit 7' || echo code $?\n\
         stat -fc '%n %T' m u n p i C; nsenter --uts=u --net=n --ipc=i --cgroup=C --mount=m echo entered",
        home = caller.home().join("room").display(),
    );
    let ours = in_a_room(&both, Tool::Ours, &script).said();
    assert_eq!(ours, "code 7\nm nsfs\nu nsfs\nn nsfs\np nsfs\ni nsfs\nC nsfs\nentered");
    assert_eq!(in_a_room(&both, Tool::Theirs, &script).said(), ours);
}

/// Theirs leaves the mounts; ours takes them back.
fn what_fails_later_leaves_nothing(caller: &Caller) {
    let both = Both::new(caller);
    caller.directory("room");
    let script = format!(
        "mount -t tmpfs none {home} && cd {home} && touch u n\n\
         for more in '--net=missing true' '/no/such' '-f /no/such' '-w/no/such true' '-f -R/no/such true'; do\n\
             \"$@\" --uts=u --net=n $more 2>/dev/null && exit 9 || echo code $?; stat -fc %T u n\n\
         done",
        home = caller.home().join("room").display(),
    );
    let ours = in_a_room(&both, Tool::Ours, &script).said();
    let expected = [1, 127, 127, 1, 1].map(|code| format!("code {code}\ntmpfs\ntmpfs")).join("\n");
    assert_eq!(ours, expected);
}

#[test]
fn a_shared_mount_keeps_no_mount_namespace_and_the_cure_is_told() {
    let caller = proof::or_skip!(Caller::root());
    let both = Both::new(&caller);
    let directory = caller.directory("room");
    let script = format!(
        "mount -t tmpfs none {directory} && mount --make-shared {directory} && touch {directory}/file\n\
         \"$@\" --propagation unchanged --mount={directory}/file true 2>&1 && exit 9; echo code $?"
    );
    for tool in TOOLS {
        let said = in_a_room(&both, tool, &script).said();
        assert!(said.ends_with("code 1"), "{tool:?}: {said}");
        let cure = format!("mount --bind {directory} {directory} && mount --make-private {directory}");
        assert!(tool == Tool::Theirs || said.contains(&cure), "{said}");
    }
}
