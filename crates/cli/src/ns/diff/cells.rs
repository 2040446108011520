//! A row of the comparison as cells of a table.

use insula_namespaces::compare::{Row, State, Value};
use insula_oci::Capability;

/// What it is about, how the sides are, A, B, and the note.
pub fn cells(row: &Row) -> [String; 5] {
    let note = match (&row.note, &row.a, &row.b) {
        (None, Value::Capabilities(a), Value::Capabilities(b)) if row.state == State::Differs => only(*a, *b),
        (note, ..) => note.clone().unwrap_or_default(),
    };
    [row.key.clone(), row.state.word().to_owned(), cell(&row.a), cell(&row.b), note]
}

fn cell(value: &Value) -> String {
    match value {
        Value::Namespace(namespace) => namespace.inode.to_string(),
        Value::Capabilities(set) => capabilities(*set),
        Value::Ids(ids) if ids.iter().all(|id| *id == ids[0]) => ids[0].to_string(),
        Value::Ids([real, effective, saved, fs]) => {
            format!("{real} effective {effective} saved {saved} fs {fs}")
        }
        Value::Numbers(numbers) => numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        Value::Text(text) => text.clone(),
        Value::Unseen => "?".to_owned(),
        Value::Nothing => String::new(),
    }
}

/// How many: which they are stands in the note, and in JSON.
fn capabilities(set: u64) -> String {
    match names(set)[..] {
        [] => "none".to_owned(),
        [one] => one.to_owned(),
        ref names => names.len().to_string(),
    }
}

/// What only one of them has.
fn only(a: u64, b: u64) -> String {
    let part = |name: &str, set: u64| {
        let names = names(set);
        match names.len() {
            0 => None,
            1..=4 => Some(format!("{name} alone has {}", names.join(", "))),
            count => Some(format!("{name} alone has {}, … ({count})", names[..3].join(", "))),
        }
    };
    [part("A", a & !b), part("B", b & !a)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The names in capabilities(7); one that is newer than we are has none.
pub fn names(set: u64) -> Vec<&'static str> {
    Capability::ALL
        .iter()
        .filter(|capability| set & capability.bit() != 0)
        .map(|capability| capability.name())
        .collect()
}
