//! A rehearsed plan, told step by step.

use crate::tell;
use insula_launch::plan::Plan;
use insula_launch::rehearse::{Outcome, Rehearsal};
use insula_oci::escaped;
use serde_json::{Value, json};
use std::ffi::OsString;

/// What is told.
pub struct Answer<'a> {
    /// The command line.
    pub words: &'a [OsString],
    /// Its plan.
    pub plan: &'a Plan,
    /// What became of it.
    pub rehearsal: &'a Rehearsal,
    /// What the command does besides its plan, and was not tried.
    pub besides: &'a [String],
}

impl Answer<'_> {
    fn command(&self) -> String {
        self.words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn count(&self, outcome: impl Fn(&Outcome) -> bool) -> usize {
        self.rehearsal.steps.iter().filter(|step| outcome(step)).count()
    }
}

/// The word for an outcome, in text and as a key.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Held => "held",
        Outcome::Refused => "refused",
        Outcome::Untried(_) => "not tried",
        Outcome::NotReached => "not reached",
    }
}

/// For people.
pub fn text(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    let mut line = |line: &str| text.push_str(&format!("{}\n", escaped(line)));
    let name = tell::name();
    let (plan, rehearsal) = (answer.plan, answer.rehearsal);
    let held = answer.count(|step| *step == Outcome::Held);
    let command = answer.command();
    match &rehearsal.failure {
        None => line(&format!(
            "{name}: why: nothing of `{command}` was refused; its program was looked at, and not executed"
        )),
        Some(failure) => {
            let at = match held {
                0 => "at its first step".to_owned(),
                1 => "after one step that held".to_owned(),
                held => format!("after {held} steps that held"),
            };
            line(&format!("{name}: why: `{command}` fails {at}"));
            line(&format!("{name}: refused: {failure}"));
            if let Some(cause) = &failure.found {
                line(&format!("{name}: cause: {cause}"));
            }
            if let Some(hint) = &failure.hint {
                line(&format!("{name}: hint: {hint}"));
            }
        }
    }
    let born = if rehearsal.is_born() { "held" } else { "refused" };
    line(&format!("     {born:<11}  birth: {}", plan.birth));
    for (i, (step, outcome)) in plan.steps.iter().zip(&rehearsal.steps).enumerate() {
        line(&format!("{:>4} {:<11}  {step}", i + 1, word(*outcome)));
        if let Outcome::Untried(why) = outcome {
            line(&format!("                  – {why}"));
        }
    }
    for besides in answer.besides {
        line(&format!("     {:<11}  {besides}", "not tried"));
    }
    for (kind, errno) in skipped(rehearsal) {
        line(&format!(
            "{name}: note: no new {kind} namespace could be had, and the command goes on without: {errno}"
        ));
    }
    text
}

/// As data.
pub fn json(answer: &Answer<'_>) -> String {
    let (plan, rehearsal) = (answer.plan, answer.rehearsal);
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .zip(&rehearsal.steps)
        .enumerate()
        .map(|(i, (step, outcome))| {
            let reason = match outcome {
                Outcome::Untried(why) => Some(*why),
                _ => None,
            };
            json!({
                "number": i + 1,
                "who": step.who().to_string(),
                "step": step.name(),
                "what": step.to_string(),
                "outcome": word(*outcome).replace(' ', "-"),
                "reason": reason,
            })
        })
        .collect();
    let refused = rehearsal.failure.as_ref().map(|failure| {
        json!({
            "error": failure.to_string(),
            "errno": failure.errno().map(insula_namespaces::trace::errno::name),
            "cause": failure.found.as_ref().map(|cause| {
                json!({ "key": cause.key(), "text": cause.to_string(), "cure": cause.cure() })
            }),
            "hint": failure.hint,
        })
    });
    let all = json!({
        "command": answer.words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
        "birth": { "what": plan.birth.to_string(), "outcome": if rehearsal.is_born() { "held" } else { "refused" } },
        "steps": steps,
        "not-tried": answer.besides,
        "skipped": skipped(rehearsal).into_iter().map(|(kind, errno)| (kind.to_owned(), errno.into()))
            .collect::<serde_json::Map<String, Value>>(),
        "refused": refused,
    });
    format!("{all:#}\n")
}

/// The namespaces that were only tried and could not be had, with the reason.
fn skipped(rehearsal: &Rehearsal) -> Vec<(&'static str, String)> {
    insula_launch::plan::Kind::ALL
        .into_iter()
        .filter_map(|kind| {
            let errno = rehearsal.skipped.why(kind.flag())?;
            Some((kind.name(), insula_launch::error::Named(errno).to_string()))
        })
        .collect()
}
