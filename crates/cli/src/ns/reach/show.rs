//! What came of it, for people and for programs.

use insula_launch::error::Named;
use insula_net::listener::Protocol;
use insula_net::reach::{Found, Obstacle, Report, Tried};
use insula_oci::escaped;
use rustix::io::Errno;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// The words of the question.
pub struct Words {
    /// From where, as it stands in a sentence.
    pub from: String,
    /// Whom, as it was written.
    pub to: String,
    /// The protocol.
    pub protocol: Protocol,
}

/// Silence that says nothing: a datagram, and nothing was found in the way that could be followed to its end.
pub fn is_untold(words: &Words, report: &Report) -> bool {
    let is_beyond = |found: &Found| matches!(found.obstacle, Obstacle::Beyond { .. });
    words.protocol == Protocol::Udp
        && report.tried == Tried::Silent
        && !report.is_taken
        && report.found.iter().all(is_beyond)
}

/// For people.
pub fn text(words: &Words, report: &Report) -> String {
    let mut text = String::new();
    let to = report.destination.map_or_else(|| words.to.clone(), |to| to.to_string());
    let what = format!("{} ({})", to, words.protocol.name());
    let mut by = String::new();
    if let Some(device) = &report.device {
        let _ = write!(by, " by `{device}`");
    }
    if let Some(source) = report.source {
        let _ = write!(by, " from {source}");
    }
    if let Some(gateway) = report.gateway {
        let _ = write!(by, " via {gateway}");
    }
    let first = match report.tried {
        Tried::Answered { after, .. } if report.is_answered() => {
            format!("{} reaches {what}{by}, in {}", words.from, milliseconds(after))
        }
        Tried::Answered { .. } => {
            format!("{} does not reach {what}{by}: somebody answers, who is not {}", words.from, words.to)
        }
        _ if report.is_taken => format!(
            "{} reaches {what}{by}, as far as UDP tells: somebody takes what comes, nothing stands in the way, and nobody refused",
            words.from
        ),
        Tried::Silent if is_untold(words, report) => {
            format!("{} sent to {what}{by}: nobody answered, and nobody refused", words.from)
        }
        Tried::Silent => format!("{} does not reach {what}{by}: nobody answered in time", words.from),
        Tried::Failed(Errno::ADDRNOTAVAIL) if report.destination.is_none() => {
            format!("{} does not reach {what}: there is no address to try", words.from)
        }
        Tried::Failed(errno) => format!("{} does not reach {what}{by}: {}", words.from, Named(errno)),
    };
    let _ = writeln!(text, "{}", escaped(&first));
    for found in &report.found {
        let back = if found.is_on_the_way_back { "on the way back " } else { "" };
        let _ = writeln!(text, "cause: {back}{}", escaped(&found.obstacle.to_string()));
        let _ = writeln!(text, "hint: {}", escaped(&found.obstacle.cure()));
    }
    let answered = report.is_answered() || report.is_taken;
    if !answered && report.found.is_empty() && !is_untold(words, report) {
        let _ = writeln!(text, "no cause was found in {}", escaped(&report.way.join(" → ")));
    }
    text
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

/// For programs. Keys are stable: more may come, none changes its meaning.
pub fn json(words: &Words, report: &Report) -> String {
    let reached = match report {
        report if report.is_answered() || report.is_taken => json!(true),
        _ if is_untold(words, report) => Value::Null,
        _ => json!(false),
    };
    let document = json!({
        "from": words.from,
        "to": words.to,
        "protocol": words.protocol.name(),
        "reached": reached,
        "attempt": tried(report.tried),
        "address": report.destination.map(|to| to.ip().to_string()),
        "port": report.destination.map(|to| to.port()),
        "device": report.device,
        "source": report.source.map(|source| source.to_string()),
        "gateway": report.gateway.map(|gateway| gateway.to_string()),
        "way": report.way,
        "obstacles": report.found.iter().map(obstacle).collect::<Vec<_>>(),
        "other_addresses": report.others.iter().map(|(to, what)| json!({
            "address": to.ip().to_string(),
            "attempt": tried(*what),
        })).collect::<Vec<_>>(),
        "notes": report.notes,
    });
    format!("{document:#}\n")
}

fn tried(tried: Tried) -> Value {
    match tried {
        Tried::Answered { after, .. } => {
            json!({ "outcome": "answered", "microseconds": u64::try_from(after.as_micros()).ok() })
        }
        Tried::Failed(errno) => {
            json!({ "outcome": "refused", "errno": errno.raw_os_error(), "error": Named(errno).to_string() })
        }
        Tried::Silent => json!({ "outcome": "silent" }),
    }
}

fn obstacle(found: &Found) -> Value {
    let is_certain = match &found.obstacle {
        Obstacle::Firewall { blocked, .. } => blocked.is_certain,
        _ => true,
    };
    json!({
        "key": found.obstacle.key(),
        "cause": found.obstacle.to_string(),
        "cure": found.obstacle.cure(),
        "certain": is_certain,
        "on_the_way_back": found.is_on_the_way_back,
    })
}
