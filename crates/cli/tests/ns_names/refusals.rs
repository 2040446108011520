//! What is refused: with the name or flag, the cause, the cure, and nothing left behind.

use crate::room::Room;

by_everyone!(each_refusal_names_what_is_wrong_and_its_cure, a_store_that_is_not_ours_alone_is_not_used);

/// Words behind `insula ns`, and what is said.
const REFUSED: &[(&str, &str, &str)] = &[
    ("new", "a name is missing", "ns new NAME"),
    ("new a b", "one word too many", "ns new NAME"),
    ("new ../a", "it has another character", "a name is 1 to 128"),
    ("new .a", "it begins with another character", "a name is 1 to 128"),
    ("new 123", "it would be taken for a pid", "a name is 1 to 128"),
    ("new host", "this word means something else", "a name is 1 to 128"),
    ("new -U -u x --monotonic 5", "it is of a time namespace", "add `--time`"),
    ("new -U -n x --hostname y", "it is of a uts namespace", "add `--uts`"),
    ("new -U -n x --rootfs /", "it is of a mnt namespace", "add `--mount`"),
    ("new -U -T x --monotonic soon", "this is no number of seconds", "write a whole number"),
    ("new -U -m x --propagation maybe", "this is no propagation", "`slave`, `private`"),
    ("new -U x --setgroups perhaps", "this is neither", "`allow` or `deny`"),
    ("new -U x --map-users 1:2", "this is no range of ids", "INNER:OUTER:COUNT"),
    ("new -U x --map-users 0:1:0", "a range has at least one id", "user_namespaces(7)"),
    ("new -u x --explain=xml", "this is no form", "--explain=json"),
    ("new --all x --rootfs /no/such", "this is no directory", "name one that is there"),
    ("exec nope true", "nothing has the name `nope`", "`insula ns ls`"),
    ("rm", "a name is missing", "ns rm NAME"),
    ("rm nope", "nothing has the name `nope`", "`insula ns ls`"),
    ("rm --all web", "it stands for every name", "rm --all"),
    ("gc web", "it takes no name", "ns rm NAME"),
    ("attach web", "a name and a pid are needed", "attach NAME PID"),
    ("attach web seven", "this is no pid", "attach NAME PID"),
];

fn each_refusal_names_what_is_wrong_and_its_cure(room: &Room) {
    let calls: String = REFUSED
        .iter()
        .map(|(words, _, _)| format!("insula ns {words} 2>&1; echo code $?; echo --\n"))
        .collect();
    let ended = room.run(&format!("{calls} clean; insula ns gc"));
    let said: Vec<&str> = ended.out.split("--\n").collect();
    assert_eq!(said.len(), REFUSED.len() + 1, "{}", ended.out);
    for ((words, cause, cure), said) in REFUSED.iter().zip(&said) {
        assert!(said.contains(cause) && said.contains(cure), "ns {words}: {said}");
        let code = if words.starts_with("exec") { 1 } else { 125 };
        assert!(said.ends_with(&format!("code {code}\n")), "ns {words}: {said}");
    }
    assert_eq!(said.last(), Some(&""), "something is left");
}

fn a_store_that_is_not_ours_alone_is_not_used(room: &Room) {
    let ended = room.run(
        "insula ns new -a web 2>/dev/null; chmod 777 $STORE; insula ns exec web -- echo wrong; echo $?; insula ns new -a other; echo $?
         chmod 700 $STORE; mv $STORE $STORE.away; ln -s $STORE.away $STORE; insula ns exec web -- echo wrong; echo $?",
    );
    assert_eq!(ended.out, "1\n125\n1\n", "{}", ended.err);
    assert!(ended.err.contains("others may write to it"), "{}", ended.err);
}
