//! The answer for people: the conclusion first, then the refused calls in their order.

use super::answer::Answer;
use crate::tell;
use insula_launch::error::Named;
use insula_namespaces::trace::{Refused, errno};
use insula_oci::escaped;

/// How many refused calls are listed.
const SHOWN: usize = 30;
/// How much of what a process said is shown.
const SAID_CHARS: usize = 160;

/// All of it.
pub fn answer(answer: &Answer<'_>) -> String {
    let mut text = Text::new();
    let command = answer.words.join(" ");
    match answer.fatal() {
        Some((refused, certainty)) => {
            let not_executed = answer.record.not_executed.is_some();
            let because = answer.because(refused, certainty);
            text.line(
                "why",
                &match not_executed {
                    true => format!("`{command}` {}", answer.ended()),
                    false => {
                        format!(
                            "`{command}` {}, most likely because of a refused call, {because}",
                            answer.ended()
                        )
                    }
                },
            );
            text.line("refused", &sentence(refused));
            if let Some(said) = said(refused) {
                text.line("said", &said);
            }
            match &refused.found {
                Some(found) => {
                    text.line("cause", &found.cause);
                    text.line("hint", &found.cure);
                }
                None if not_executed => {}
                None => text.line("note", "no cause of it could be seen at the process"),
            }
        }
        None => text.line("why", &without(answer, &command)),
    }
    list(answer, &mut text);
    answer.notes.iter().for_each(|note| text.line("note", note));
    text.0
}

/// Where no refused call stands for the end.
fn without(answer: &Answer<'_>, command: &str) -> String {
    let ended = answer.ended();
    if answer.record.untraced.is_some() {
        return format!("`{command}` {ended}; its calls were not seen");
    }
    if answer.record.processes.iter().any(|process| process.let_go) && answer.failed() {
        return format!("`{command}` {ended}; no call that explains it was seen, but not all of it was seen");
    }
    match (answer.record.refused.len(), answer.record.end) {
        (0, _) => format!(
            "`{command}` {ended}, and no call of it was refused (`--all` tells every call that failed)"
        ),
        (_, Some(end)) if end.is_success() => {
            format!("`{command}` {ended}, and got over all that was refused")
        }
        _ => format!("`{command}` {ended}; what was refused does not explain it"),
    }
}

/// The refused calls, but for one that is all there is and was told already.
fn list(answer: &Answer<'_>, text: &mut Text) {
    let refused = &answer.record.refused;
    if refused.is_empty() || (refused.len() == 1 && answer.verdict.is_some()) {
        return;
    }
    let count = refused.len();
    let calls = if count == 1 {
        "one refused call".to_owned()
    } else {
        format!("{count} refused calls in their order")
    };
    text.line("all", &calls);
    let shown = |i: usize| i < SHOWN || answer.verdict.is_some_and(|(fatal, _)| fatal == i);
    for (i, refused) in refused.iter().enumerate().filter(|(i, _)| shown(*i)) {
        let mark = match answer.outcome(i, refused) {
            "fatal" => "most likely fatal",
            "got-over" => "got over",
            _ => "open",
        };
        text.row(&format!("{:>4}  {}  [{mark}]", i + 1, sentence(refused)));
        if let Some(found) = &refused.found {
            text.row(&format!("      cause: {}", found.cause));
        }
    }
    if refused.len() > SHOWN {
        text.row("      … (`--json` has all of them)");
    }
}

/// `unshare(CLONE_NEWNET) of \`sh\` (pid 7): operation not permitted (EPERM)`.
fn sentence(refused: &Refused) -> String {
    let times = match (refused.times, refused.places.len()) {
        (1, _) => String::new(),
        (_, places @ 2..) => format!(", and so in {} other places", places - 1),
        (times, _) => format!(", {times} times"),
    };
    format!(
        "{} of `{}` (pid {}): {} ({}){times}",
        refused.text,
        refused.program,
        refused.pid,
        Named(refused.errno),
        errno::name(refused.errno)
    )
}

fn said(refused: &Refused) -> Option<String> {
    let said = refused.said.as_deref()?.trim();
    let first: String =
        said.lines().map(str::trim).collect::<Vec<_>>().join("; ").chars().take(SAID_CHARS).collect();
    (!first.is_empty()).then_some(first)
}

/// Lines that begin with our name.
struct Text(String);

impl Text {
    fn new() -> Text {
        Text(String::new())
    }

    fn line(&mut self, word: &str, text: &str) {
        self.0.push_str(&format!("{}: {word}: {}\n", tell::name(), escaped(text)));
    }

    fn row(&mut self, text: &str) {
        self.0.push_str(&format!("{}\n", escaped(text)));
    }
}
