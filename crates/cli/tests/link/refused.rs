//! Bad words, each refused in a line that names it, before anything is made.

use crate::caller::{Caller, ended};
use crate::pairs::room;
use crate::room::Room;
use insula_proof as proof;

by_everyone!(bad_words_are_refused, what_is_no_namespace_is_refused);

fn bad_words_are_refused(caller: &Caller) {
    let room = room!(caller);
    let table: &[(&str, &[&str])] = &[
        ("pair", &["required"]),
        ("pair x", &["required"]),
        ("pair 1234567890123456 y", &["`1234567890123456`", "longer than 15 bytes"]),
        ("pair a/b y", &["`a/b`"]),
        ("pair . y", &["`.`"]),
        ("pair x ..", &["`..`"]),
        ("pair x%d y", &["`x%d`"]),
        ("pair x y=10.0.0.1", &["`10.0.0.1`", "the prefix is missing"]),
        ("pair x y=10.0.0.1/33", &["`10.0.0.1/33`", "0 to 32"]),
        ("pair x y=fd00::1/129", &["0 to 128"]),
        ("pair x y=", &["the prefix is missing"]),
        ("pair x :y", &["nothing is in front of the colon"]),
        ("pair x y --mtu many", &["`--mtu many`", "no number"]),
        ("pair x y --mtu 4294967295", &["make the veth pair `x`, `y`"]),
        ("pair a:x --netns b y", &["`a:x` contradicts `--netns b`"]),
        ("pair x x", &["File exists"]),
        ("pair nope:x y", &["no network namespace `nope`", "`a`, `b`"]),
        ("move x", &["required"]),
        ("move x a", &["no device `x`"]),
        ("move x=10.0.0.1/24 a", &["addresses are given by"]),
        ("move lo nope", &["no network namespace `nope`"]),
        ("move lo a --name a/b", &["`a/b`"]),
        ("addr lo", &["required"]),
        ("addr lo 10.0.0.1/24 --peer fd00::1", &["contradicts"]),
        ("addr lo fd00::1/64 --broadcast 10.0.0.1", &["contradicts"]),
        ("addr lo fd00::1/64 --broadcast fd00::2", &["no such address"]),
        ("addr nope 10.0.0.1/24", &["no device `nope`"]),
        ("route add 10.0.0.1/8 dev lo", &["bits behind the prefix are set"]),
        ("route add 10.0.0.0/8", &["neither a gateway nor a device"]),
        ("route add default via fd00::1 src 10.0.0.1", &["another family"]),
        ("route add default via", &["its value is missing"]),
        ("route add default by lo", &["no such word"]),
        ("route replace default dev lo", &["replace"]),
        ("up", &["required"]),
        ("del lo", &["Operation not supported", "cannot be deleted"]),
        ("bridge br/0", &["`br/0`"]),
        ("bridge br0 nope", &["no device `nope`"]),
        ("show --in 4194305", &["no such process"]),
        ("flush", &["flush"]),
    ];
    for (words, names) in table {
        room.refuses(words, names);
    }
    assert_eq!(room.devices("host"), [""; 0], "nothing was made");
    let words = ["link", "pair", "x\x1b[31m", "y z"];
    let end = ended(&mut caller.insula(&words));
    assert!(end.code() == 125 && !end.err.contains('\x1b'), "{:?}", end.err);
}

fn what_is_no_namespace_is_refused(caller: &Caller) {
    let room = room!(caller);
    // ip(8) leaves an empty file where it is interrupted.
    assert_eq!(room.run(&["sh", "-c", "> /run/netns/empty; mkfifo /run/netns/fifo"]).code(), 0);
    for (word, name) in [
        ("empty", "the name `empty` was left half made"),
        ("fifo", "the name `fifo` was left half made"),
        ("/proc/self/ns/uts", "`/proc/self/ns/uts` is no network namespace"),
        ("/dev/null", "`/dev/null` is no network namespace"),
        ("/none", "`/none`: No such file"),
    ] {
        room.refuses(&format!("show --in {word}"), &[name]);
    }
}
