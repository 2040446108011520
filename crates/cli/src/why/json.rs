//! The answer as data.

use super::answer::Answer;
use insula_launch::error::Named;
use insula_namespaces::trace::{End, errno};
use serde_json::{Value, json};

/// The whole answer: one object.
pub fn answer(answer: &Answer<'_>) -> String {
    let record = answer.record;
    let refused: Vec<Value> = record
        .refused
        .iter()
        .enumerate()
        .map(|(i, refused)| {
            let found = refused.found.as_ref();
            json!({
                "pid": refused.pid,
                "tid": refused.tid,
                "program": refused.program,
                "call": refused.call,
                "family": refused.family.key(),
                "text": refused.text,
                "errno": errno::name(refused.errno),
                "error": Named(refused.errno).to_string(),
                "times": refused.times,
                "places": refused.places,
                "outcome": answer.outcome(i, refused),
                "said": refused.said.as_deref().map(str::trim),
                "cause": found.map(|found| json!({ "key": found.key, "text": found.cause, "cure": found.cure })),
            })
        })
        .collect();
    let processes: Vec<Value> = record
        .processes
        .iter()
        .map(|process| {
            json!({
                "pid": process.pid,
                "parent": process.parent,
                "program": process.program,
                "end": process.end.map(end),
                "untraced": process.let_go,
            })
        })
        .collect();
    let all = json!({
        "command": answer.words,
        "end": record.end.map(end),
        "not-executed": record.not_executed.map(errno::name),
        "traced": record.untraced.is_none(),
        "verdict": answer.verdict.map(|(i, certainty)| json!({ "refused": i, "certainty": certainty.key() })),
        "refused": refused,
        "processes": processes,
        "survivors": record.survivors,
        "notes": answer.notes,
    });
    format!("{all:#}\n")
}

fn end(end: End) -> Value {
    match end {
        End::Exited(code) => json!({ "code": code }),
        End::Killed(signal) => json!({ "signal": signal }),
    }
}
