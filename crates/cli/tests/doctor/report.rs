//! What the doctor says, read from its JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `works`, `limited`, `missing`, `unknown`.
    pub state: String,
    /// What was found.
    pub found: String,
    /// What it costs.
    pub costs: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

/// All of it.
#[derive(Debug)]
pub struct Report {
    /// By their keys.
    pub lines: BTreeMap<String, Line>,
    /// The exit code.
    pub code: i32,
    /// `works`, `lacks`, `nothing-runs`.
    pub verdict: String,
}

impl Report {
    /// Asks for it.
    pub fn of(command: &mut Command) -> Report {
        let output = command.output().expect("start insula");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        // A test's own program says something before it becomes insula.
        let start = text.find('{').unwrap_or_else(|| panic!("no JSON: {text}{errors}"));
        let json: serde_json::Value =
            serde_json::from_str(&text[start..]).unwrap_or_else(|error| panic!("{error}: {text}{errors}"));
        let word = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let lines = json["checks"].as_array().expect("checks").iter().map(|check| {
            let line = Line {
                state: word(&check["state"]).expect("a state"),
                found: word(&check["found"]).expect("what was found"),
                costs: word(&check["costs"]),
                fix: word(&check["fix"]),
            };
            (word(&check["key"]).expect("a key"), line)
        });
        Report {
            lines: lines.collect(),
            code: output.status.code().expect("an exit code"),
            verdict: word(&json["verdict"]).expect("a verdict"),
        }
    }

    /// A line.
    pub fn line(&self, key: &str) -> &Line {
        self.lines.get(key).unwrap_or_else(|| panic!("no line `{key}`: {self:?}"))
    }

    /// The keys whose states are others in `other`.
    pub fn changed(&self, other: &Report) -> BTreeSet<&str> {
        let is_other = |key: &&str| self.line(key).state != other.line(key).state;
        self.lines.keys().map(String::as_str).filter(is_other).collect()
    }

    /// A line has this state, these words are in what was found, and those in the fix.
    pub fn has(&self, key: &str, state: &str, found: &str, fix: &str) {
        let line = self.line(key);
        assert_eq!(line.state, state, "{key}: {line:?}");
        assert!(line.found.contains(found), "{key}: no `{found}` in {line:?}");
        assert!(
            line.fix.as_deref().unwrap_or_default().contains(fix),
            "{key}: no `{fix}` in the fix of {line:?}"
        );
    }
}
