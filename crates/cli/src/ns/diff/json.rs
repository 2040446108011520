//! The comparison for programs. Keys are stable: more may come, none changes its meaning.

use super::cells::names;
use insula_namespaces::compare::{Acts, Comparison, Facts, May, Outcome, Pass, Relation, Row, Value as Side};
use serde_json::{Value, json};

/// The whole document.
pub fn document(comparison: &Comparison) -> String {
    let [to_b, to_a] = comparison.propagation();
    let [a, b] = comparison.acts();
    let common = comparison.together.as_ref().and_then(|together| together.common.known());
    let document = json!({
        "a": side(&comparison.a, &a),
        "b": side(&comparison.b, &b),
        "outcome": match comparison.outcome() {
            Outcome::Same => "same",
            Outcome::Differs => "differs",
            Outcome::Untold => "untold",
        },
        "verdict": comparison.verdict,
        "user_namespaces": relation(comparison.users()),
        "rows": comparison.rows.iter().map(row).collect::<Vec<_>>(),
        "mounts": { "to_b": passes(&to_b), "to_a": passes(&to_a) },
        "open_files": common.map(|common| common.iter().map(|common| json!({
            "a": common.a,
            "b": common.b,
            "what": String::from_utf8_lossy(&common.link),
            "one_description": common.is_one,
        })).collect::<Vec<_>>()),
    });
    format!("{document:#}\n")
}

/// Who it is, and what it may do to the other.
fn side(facts: &Facts, acts: &Acts) -> Value {
    let process = facts.process.as_ref();
    let has_process = process.is_some();
    json!({
        "name": facts.name,
        "pid": process.map(|process| process.pid),
        "capabilities_over_other": acts.over.map(|over| names(over.set)),
        "owns_user_namespace_of_other": acts.over.map(|over| over.is_owner),
        "may_trace_other": if has_process { may(&acts.trace) } else { Value::Null },
        "may_signal_other": if has_process { may(&acts.signal) } else { Value::Null },
    })
}

fn may(may: &May) -> Value {
    match may {
        May::Yes(why) => json!({ "may": true, "why": why }),
        May::No(why) => json!({ "may": false, "why": why }),
        May::Unknown(why) => json!({ "may": null, "why": why }),
    }
}

/// `distance` is how many levels lie between them.
fn relation(relation: Relation) -> Value {
    match relation {
        Relation::Same => json!({ "relation": "same", "distance": 0 }),
        Relation::Above(distance) => json!({ "relation": "a-above-b", "distance": distance }),
        Relation::Below(distance) => json!({ "relation": "a-below-b", "distance": distance }),
        Relation::Beside(above) => json!({ "relation": "beside", "nearest_above_both": above }),
        Relation::Unknown => json!({ "relation": null }),
    }
}

fn row(row: &Row) -> Value {
    json!({
        "key": row.key,
        "state": row.state.word(),
        "a": value(&row.a),
        "b": value(&row.b),
        "note": row.note,
    })
}

fn value(side: &Side) -> Value {
    match side {
        Side::Namespace(namespace) => json!({ "inode": namespace.inode, "id": namespace.id }),
        Side::Capabilities(set) => json!(names(*set)),
        Side::Ids([real, effective, saved, fs]) => {
            json!({ "real": real, "effective": effective, "saved": saved, "fs": fs })
        }
        Side::Numbers(numbers) => json!(numbers),
        Side::Text(text) => json!(text),
        Side::Unseen | Side::Nothing => Value::Null,
    }
}

fn passes(passes: &[Pass]) -> Vec<Value> {
    passes
        .iter()
        .map(|pass| {
            json!({
                "from": String::from_utf8_lossy(&pass.from),
                "to": String::from_utf8_lossy(&pass.to),
                "peer": pass.is_peer,
            })
        })
        .collect()
}
