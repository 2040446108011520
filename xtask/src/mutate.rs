//! `cargo xtask mutate`: does each test of `tests/conformance.txt` miss the step that it is to show?
//!
//! The test runs once as it is, and must pass; then once in a debug build that leaves the step out in silence
//! (`INSULA_FAULT=skip:STEP`, `crates/launch/src/injected.rs`), and must fail. The table names every clause that
//! `docs/spec-conformance.md` calls done, and no other.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::{self, Command, Stdio};

use crate::build::cargo;
use crate::stop::Stop;
use crate::suite::{self, Ask};
use crate::{room, tell, tree};

const TABLE: &str = "tests/conformance.txt";
const DOCUMENT: &str = "docs/spec-conformance.md";
/// Where the tests of the table are.
const WHERE: &[&str] = &["-p", "insula-oci-runtime", "--test", "life"];

/// How long a test may wait for what never comes. What waits longer has missed the step too.
const PATIENCE: &str = "20";

/// A line of the table.
#[derive(Debug, PartialEq, Eq)]
struct Clause {
    /// A word of the document.
    word: String,
    shown: Shown,
}

#[derive(Debug, PartialEq, Eq)]
enum Shown {
    /// By this test, which misses this step.
    By { step: String, test: String },
    /// Not by leaving a step out.
    Not,
}

/// `mutate [WORD]`: those lines alone that hold the word.
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let read = |path: &str| {
        let whole = tree::root().join(path);
        fs::read_to_string(&whole).map_err(|error| Stop::Failed(format!("read `{path}`: {error}")))
    };
    let (table, document) = (parse(&read(TABLE)?).map_err(Stop::Failed)?, read(DOCUMENT)?);
    let gaps = gaps(&table, &document);
    if !gaps.is_empty() {
        return Err(Stop::Failed(format!("{TABLE} and {DOCUMENT} do not agree:\n  {}", gaps.join("\n  "))));
    }
    let wanted = arguments.first().map_or("", String::as_str);
    let lines: Vec<(&str, &str)> = table
        .iter()
        .filter(|clause| clause.word.contains(wanted))
        .filter_map(|clause| match &clause.shown {
            Shown::By { step, test } => Some((step.as_str(), test.as_str())),
            Shown::Not => None,
        })
        .collect();
    suite::compile(&Ask { rest: WHERE.iter().map(|word| (*word).to_owned()).collect(), ..Ask::default() })?;
    let pairs: BTreeSet<(&str, &str)> = lines.into_iter().collect();
    let tests: BTreeSet<&str> = pairs.iter().map(|(_, test)| *test).collect();
    let mut wrong = Vec::new();
    for test in tests {
        match run(test, None)? {
            Ended::Passed => {}
            Ended::Failed => wrong.push(format!("`{test}` fails as it is")),
            Ended::Skipped(why) => wrong.push(format!("`{test}` shows nothing here: {why}")),
        }
    }
    for (step, test) in &pairs {
        let said = match run(test, Some(step))? {
            Ended::Failed => "missed",
            Ended::Passed | Ended::Skipped(_) => {
                wrong.push(format!("`{test}` passes without the step `{step}`"));
                "NOT MISSED"
            }
        };
        tell::say(&format!("{step:<18} {said:<11} {test}\n"));
    }
    if wrong.is_empty() {
        tell::say(&format!("{} steps are missed where they are left out\n", pairs.len()));
        return Ok(());
    }
    Err(Stop::Failed(wrong.join("\n  ")))
}

/// How a test ended.
enum Ended {
    Passed,
    Failed,
    /// With its reason.
    Skipped(String),
}

/// Runs one test in a room, without this step.
fn run(test: &str, without: Option<&str>) -> Result<Ended, Stop> {
    let failed = |what: &str, error: std::io::Error| Stop::Failed(format!("{what}: {error}"));
    let skips = env::temp_dir().join(format!("insula-mutate-{}", process::id()));
    fs::write(&skips, "").map_err(|error| failed("make a file for what is skipped", error))?;
    // Whatever it has started ends with the room.
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", PATIENCE]).arg(cargo().get_program());
    command.args(["test", "--quiet"]).args(WHERE).args(["--", "--exact", test]).current_dir(tree::root());
    command.env("INSULA_SKIPS", &skips).env_remove("INSULA_FAULT");
    if let Some(step) = without {
        command.env("INSULA_FAULT", format!("skip:{step}"));
    }
    let mut command = room::command(&command)?;
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed("start the test", error))?;
    let skipped = fs::read_to_string(&skips).unwrap_or_default();
    drop(fs::remove_file(&skips));
    let count = suite::count(&String::from_utf8_lossy(&output.stdout), "", output.status.success());
    if let Some((_, why)) = skipped.lines().find_map(|line| line.split_once('\t')) {
        return Ok(Ended::Skipped(why.to_owned()));
    }
    match (count.passed, count.failed) {
        (1, 0) => Ok(Ended::Passed),
        (0, 0) => Err(Stop::Failed(format!("there is no test `{test}` ({TABLE})"))),
        _ => Ok(Ended::Failed),
    }
}

/// Reads the table.
fn parse(text: &str) -> Result<Vec<Clause>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.splitn(3, " | ").collect();
            let [word, step, test] = parts[..] else {
                return Err(format!("{TABLE}: no three parts: {line}"));
            };
            let shown = match step {
                "-" => Shown::Not,
                step => Shown::By { step: step.to_owned(), test: test.to_owned() },
            };
            Ok(Clause { word: word.to_owned(), shown })
        })
        .collect()
}

/// What one of both says and the other does not.
fn gaps(table: &[Clause], document: &str) -> Vec<String> {
    let rows = document.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        cells.get(1).is_some_and(|done| done.starts_with("yes")).then(|| cells[0])
    });
    let rows: Vec<&str> = rows.collect();
    let mut gaps = Vec::new();
    for row in &rows {
        for word in row.split('`').skip(1).step_by(2) {
            let quoted = format!("`{word}`");
            if !table.iter().any(|clause| clause.word == quoted) {
                gaps.push(format!("{quoted} is done, and has no line in the table"));
            }
        }
    }
    for clause in table {
        if !rows.iter().any(|row| row.contains(&clause.word)) {
            gaps.push(format!("{} is in the table, and not among what is done", clause.word));
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT_SAMPLE: &str = "| field | done | test |\n|---|---|---|\n| `a`, `b` and more | yes | x |\n\
                                   | `c` | **no** | x |\n";

    #[test]
    fn a_clause_that_is_done_has_a_line_and_no_other_has() {
        let table = parse("# a comment\n\n`a` | step | clauses::a\nmore | - | why not\n`c` | step | x::y\n");
        let table = table.expect("it is a table");
        assert_eq!(table[0].shown, Shown::By { step: "step".into(), test: "clauses::a".into() });
        assert_eq!(table[1].shown, Shown::Not);
        let gaps = gaps(&table, DOCUMENT_SAMPLE);
        assert_eq!(
            gaps,
            ["`b` is done, and has no line in the table", "`c` is in the table, and not among what is done"]
        );
        assert!(parse("`a` | step").is_err());
    }

    #[test]
    fn the_table_and_the_document_agree() {
        let read = |path| fs::read_to_string(tree::root().join(path)).expect("read");
        let table = parse(&read(TABLE)).expect("it is a table");
        assert_eq!(gaps(&table, &read(DOCUMENT)), [""; 0]);
    }
}
