//! `insula ns diff`: mounts that pass on to the other, and the line of user namespaces.

use std::fs;

use crate::caller::{Caller, ended};
use crate::diff::{diff, row, state};
use crate::holder::Holder;
use insula_proof as proof;
use serde_json::{Value, json};

by_both!(mounts_pass_on_as_they_say, user_namespaces_stand_in_a_line, a_file_system_in_common_is_named);

/// One whose mounts are all shared, in a peer group each.
fn shared(caller: &Caller) -> Result<Holder, String> {
    Holder::unshared(caller, &["--user", "--map-root-user", "--mount", "--propagation", "shared"])
}

/// One in a copy of its mount namespace.
fn copy(caller: &Caller, base: &Holder, propagation: &str) -> Holder {
    let mut command = caller.command("nsenter");
    command.args(["--user", "--preserve-credentials", "--mount", "--target", &base.pid.to_string(), "--"]);
    command.args([
        "unshare",
        "--mount",
        "--propagation",
        propagation,
        "--",
        "sh",
        "-c",
        "echo ready; exec sleep 120",
    ]);
    Holder::of(&mut command).expect("a copy of a mount namespace")
}

/// Is what is mounted at one seen at the other? Tried, with a tmpfs below a place of the caller's.
fn appears(caller: &Caller, from: &Holder, to: &Holder, place: &str) -> bool {
    let mut mount = caller.command("nsenter");
    mount.args(["--user", "--preserve-credentials", "--mount", "--target", &from.pid.to_string(), "--"]);
    ended(mount.args(["mount", "-t", "tmpfs", "tmpfs", place])).said();
    let table = fs::read_to_string(format!("/proc/{}/mountinfo", to.pid)).expect("a table of mounts");
    let seen = table.lines().any(|line| line.split(' ').nth(4) == Some(place));
    let mut unmount = caller.command("nsenter");
    unmount.args(["--user", "--preserve-credentials", "--mount", "--target", &from.pid.to_string(), "--"]);
    ended(unmount.args(["umount", place])).said();
    seen
}

fn mounts_pass_on_as_they_say(caller: &Caller) {
    let base = proof::or_skip!(shared(caller));
    let place = caller.directory("place");
    // Unchanged: a peer. Slave: what happens at the one comes, and nothing goes back.
    for (propagation, to_b, to_a) in
        [("unchanged", true, true), ("slave", true, false), ("private", false, false)]
    {
        let other = copy(caller, &base, propagation);
        let told = diff(caller, &base, &other);
        let any = |direction: &str| !told["mounts"][direction].as_array().expect("a list").is_empty();
        assert_eq!((any("to_b"), any("to_a")), (to_b, to_a), "{propagation}: {}", told["mounts"]);
        assert_eq!(appears(caller, &base, &other, &place), to_b, "{propagation}");
        assert_eq!(appears(caller, &other, &base, &place), to_a, "{propagation}");
        let expected = if to_b { "same" } else { "differs" };
        assert_eq!(state(&told, "mount_propagation"), expected, "{propagation}");
        let verdict = told["verdict"].to_string();
        let sentence = match propagation {
            "unchanged" => ", and back",
            "slave" => "; nothing comes back",
            _ => "what one mounts the other does not get to see",
        };
        assert!(verdict.contains(sentence), "{propagation}: {verdict}");
        // The other way round it is the other way.
        let back = diff(caller, &other, &base);
        assert_eq!(
            (&back["mounts"]["to_a"], &back["mounts"]["to_b"]),
            (&told["mounts"]["to_b"], &told["mounts"]["to_a"])
        );
    }
    // In one mount namespace there is nothing to pass on.
    let told = diff(caller, &base, &base);
    assert_eq!(told["mounts"], json!({ "to_a": [], "to_b": [] }));
    assert!(!told["rows"].to_string().contains("mount_propagation"));
}

fn a_file_system_in_common_is_named(caller: &Caller) {
    let base = proof::or_skip!(shared(caller));
    let other = copy(caller, &base, "private");
    let told = diff(caller, &base, &other);
    let place = row(&told, "file_systems");
    assert_eq!(place["state"], "same");
    assert!(place["note"].as_str().is_some_and(|note| note.starts_with('/')), "{place}");
    assert_eq!(row(&told, "root")["note"], "the same directory, by two mounts");
}

fn user_namespaces_stand_in_a_line(caller: &Caller) {
    let host = Holder::plain(caller);
    let one = proof::or_skip!(Holder::unshared(caller, &["--user", "--map-root-user"]));
    let below = Holder::beside(caller, &one, &["unshare", "--user", "--map-root-user", "--"])
        .expect("a namespace below");
    let beside = proof::or_skip!(Holder::unshared(caller, &["--user", "--map-root-user"]));
    let relation = |a: &Holder, b: &Holder| diff(caller, a, b)["user_namespaces"].clone();
    let said = |name: &str, distance: u32| json!({ "relation": name, "distance": distance });
    assert_eq!(relation(&host, &host), said("same", 0));
    assert_eq!(relation(&host, &one), said("a-above-b", 1));
    assert_eq!(relation(&host, &below), said("a-above-b", 2));
    assert_eq!(relation(&below, &one), said("a-below-b", 1));
    let apart = relation(&below, &beside);
    assert_eq!(apart["relation"], "beside");
    let link = fs::read_link("/proc/self/ns/user").expect("our own");
    assert_eq!(link.to_str(), Some(format!("user:[{}]", apart["nearest_above_both"]).as_str()));
    // Its user has made the namespace, so it has every capability over it; of the one below that, root of this one is.
    let told = diff(caller, &host, &one);
    assert_eq!(told["a"]["owns_user_namespace_of_other"], true);
    assert!(told["a"]["capabilities_over_other"].as_array().is_some_and(|set| set.len() > 30), "{told}");
    assert_eq!(told["b"]["capabilities_over_other"], json!([]));
    assert!(
        told["verdict"]
            .to_string()
            .contains("has every capability over what belongs to the user namespace of")
    );
    let told = diff(caller, &one, &below);
    assert_eq!(
        (&told["a"]["owns_user_namespace_of_other"], &told["b"]["capabilities_over_other"]),
        (&Value::Bool(true), &json!([]))
    );
    let told = diff(caller, &one, &one);
    assert!(!told["verdict"].to_string().contains("over what belongs to"), "{told}");
}
