//! The rows of what two processes have together: open files, memory, mounts that pass on, abstract sockets, keyrings. Pure.

use super::facts::{Common, Facts, Process, Seen, Together};
use super::mounts;
use super::rights::{Relation, same, users};
use super::row::{About, Row, State, Value, row, text};
use insula_launch::plan::Kind;

pub(super) fn shared(together: &Together, rows: &mut Vec<Row>) {
    let whole = [
        ("open_file_table", &together.files, "one table: what one opens or closes the other has as well"),
        ("file_system_context", &together.file_system, "one root, working directory and umask for both"),
        ("memory", &together.memory, "one memory"),
        ("signal_handlers", &together.signal_handlers, "one table of signal handlers"),
    ];
    for (key, seen, note) in whole {
        let (state, note) = match seen {
            Seen::Is(true) => (State::Same, Some(note.to_owned())),
            Seen::Is(false) => (State::Differs, None),
            Seen::Hidden(why) => (State::Unseen, Some(why.words().to_owned())),
            Seen::Nothing(why) => (State::Nothing, Some((*why).to_owned())),
        };
        rows.push(Row {
            key: key.to_owned(),
            about: About::Shared,
            a: Value::Nothing,
            b: Value::Nothing,
            state,
            note,
        });
    }
    let (state, note, count) = match &together.common {
        Seen::Is(common) if common.is_empty() => (State::Differs, None, 0),
        Seen::Is(common) => (State::Same, Some(files(common)), common.len()),
        Seen::Hidden(why) => (State::Unseen, Some(why.words().to_owned()), 0),
        Seen::Nothing(why) => (State::Nothing, Some((*why).to_owned()), 0),
    };
    let value = if state == State::Unseen { Value::Unseen } else { text(&count) };
    let key = "open_files".to_owned();
    rows.push(Row { key, about: About::Shared, a: value.clone(), b: value, state, note });
}

/// `3 = 3 pipe:[7]`, a few of them.
pub(super) fn files(common: &[Common]) -> String {
    let some: Vec<String> = common
        .iter()
        .take(4)
        .map(|common| {
            let sign = if common.is_one { "=" } else { "-" };
            format!("{} {sign} {} {}", common.a, common.b, String::from_utf8_lossy(&common.link))
        })
        .collect();
    let more = if common.len() > some.len() { ", …" } else { "" };
    format!("{}{more}", some.join(", "))
}

/// What is mounted at one and appears at the other. Within one mount namespace that is everything.
pub(super) fn mounted(a: &Facts, b: &Facts, one: &Process, other: &Process, rows: &mut Vec<Row>) {
    if same(a, b, Kind::Mnt) == Some(true) {
        return;
    }
    let (Some(ours), Some(theirs)) = (one.mounts.known(), other.mounts.known()) else {
        rows.push(row("mount_propagation", About::Shared, [&one.mounts, &other.mounts], |_| Value::Nothing));
        return;
    };
    let (to_b, to_a) = (mounts::passes(ours, theirs), mounts::passes(theirs, ours));
    let none = to_b.is_empty() && to_a.is_empty();
    rows.push(Row {
        key: "mount_propagation".to_owned(),
        about: About::Shared,
        a: Value::Text(format!("{} to B", to_b.len())),
        b: Value::Text(format!("{} to A", to_a.len())),
        state: if none { State::Differs } else { State::Same },
        note: (!none).then(|| points(if to_b.is_empty() { &to_a } else { &to_b })),
    });
    let common = mounts::common(ours, theirs);
    rows.push(Row {
        key: "file_systems".to_owned(),
        about: About::Shared,
        a: text(&common.len()),
        b: text(&common.len()),
        state: if common.is_empty() { State::Differs } else { State::Same },
        note: (!common.is_empty()).then(|| {
            let some: Vec<String> =
                common.iter().take(4).map(|(ours, theirs)| pair(&ours.point, &theirs.point)).collect();
            list(&some, common.len())
        }),
    });
}

pub(super) fn points(passes: &[mounts::Pass]) -> String {
    let some: Vec<String> = passes.iter().take(4).map(|pass| pair(&pass.from, &pass.to)).collect();
    list(&some, passes.len())
}

fn pair(from: &[u8], to: &[u8]) -> String {
    let (from, to) = (String::from_utf8_lossy(from), String::from_utf8_lossy(to));
    if from == to { from.into_owned() } else { format!("{from} → {to}") }
}

fn list(some: &[String], count: usize) -> String {
    format!("{}{}", some.join(", "), if count > some.len() { ", …" } else { "" })
}

/// Abstract names are the network namespace's, unix(7).
pub(super) fn sockets(a: &Facts, b: &Facts, one: &Process, other: &Process, rows: &mut Vec<Row>) {
    let mut found =
        row("abstract_sockets", About::Shared, [&one.abstract_sockets, &other.abstract_sockets], text);
    match same(a, b, Kind::Net) {
        Some(true) => {
            found.state = State::Same;
            found.note = Some("each may connect to the other's".to_owned());
        }
        Some(false) => {
            found.state = State::Differs;
            found.note = None;
        }
        None => {
            found.state = State::Unseen;
            found.note = Some("whether the network namespace is one may not be seen".to_owned());
        }
    }
    rows.push(found);
}

/// keyrings(7): the user keyring is that of the real uid in a user namespace. The session keyring nobody tells of.
pub(super) fn keyrings(a: &Facts, b: &Facts, one: &Process, other: &Process, rows: &mut Vec<Row>) {
    let state = match users(a, b) {
        Relation::Unknown => State::Unseen,
        Relation::Same if one.status.uids[0] == other.status.uids[0] => State::Same,
        _ => State::Differs,
    };
    rows.push(Row {
        key: "user_keyring".to_owned(),
        about: About::Shared,
        a: text(&one.status.uids[0]),
        b: text(&other.status.uids[0]),
        state,
        note: (state == State::Same).then(|| "one user in one user namespace".to_owned()),
    });
    rows.push(Row {
        key: "session_keyring".to_owned(),
        about: About::Shared,
        a: Value::Unseen,
        b: Value::Unseen,
        state: State::Unseen,
        note: Some("no call tells of another process's session keyring".to_owned()),
    });
}
