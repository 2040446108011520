//! What the documents show is what happens: the `console` blocks of the tour and the README, run one after another.
//!
//! A line `$ WORDS` is a command for sh(1), with lines `> TEXT` for its here-document; what follows is its output and its
//! errors. In it a line `...` stands for
//! any number of lines, and `[..]` for anything in a line. A block marked `console root` or `console user` is run only
//! by that caller, the others by both.
#![forbid(unsafe_code)]

use insula_proof::{self as proof, Ordinary, Scratch};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// One command of a document.
struct Call {
    line: usize,
    script: String,
    expected: Vec<String>,
}

/// The commands of a document that `who` runs, in order.
fn calls(text: &str, who: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut inside: Option<bool> = None;
    for (index, line) in text.lines().enumerate() {
        if let Some(words) = line.strip_prefix("```") {
            inside = match (inside, words.split_once(' ').unwrap_or((words, ""))) {
                (None, ("console", reader)) => Some(reader.is_empty() || reader == who),
                (None, _) => Some(false),
                (Some(_), _) => None,
            };
        } else if inside == Some(true) {
            let open = calls.last_mut().filter(|call| call.expected.is_empty() && call.script.contains("<<"));
            if let (Some(more), Some(call)) = (line.strip_prefix("> "), open) {
                call.script.push_str(&format!("\n{more}"));
            } else if let Some(script) = line.strip_prefix("$ ") {
                calls.push(Call { line: index + 1, script: script.to_owned(), expected: Vec::new() });
            } else {
                let call =
                    calls.last_mut().unwrap_or_else(|| panic!("line {}: output of no command", index + 1));
                call.expected.push(line.to_owned());
            }
        }
    }
    calls
}

/// Whether a line is what `[..]` in the expected one leaves open.
fn line_matches(expected: &str, line: &str) -> bool {
    let Some((front, rest)) = expected.split_once("[..]") else { return expected == line };
    let Some(tail) = line.strip_prefix(front) else { return false };
    let mut starts = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
    starts.any(|at| line_matches(rest, &tail[at..]))
}

/// Whether the lines are what `...` among the expected ones leaves open.
fn matches(expected: &[String], lines: &[&str]) -> bool {
    match (expected.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((dots, rest)), _) if dots == "..." => (0..=lines.len()).any(|at| matches(rest, &lines[at..])),
        (Some((first, rest)), Some((line, others))) => line_matches(first, line) && matches(rest, others),
        _ => false,
    }
}

/// Runs a document from the root of the tree. `command` makes a command of the caller, in a directory of its own.
fn walk(document: &str, who: &str, insula: &Path, command: &dyn Fn(&str) -> Command) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("read `{document}`: {error}"));
    let path = std::env::var("PATH").unwrap_or_default();
    let calls = calls(&text, who);
    assert!(!calls.is_empty(), "`{document}` shows no command");
    let mut wrong = Vec::new();
    for call in calls {
        let mut sh = command("timeout");
        let seconds = proof::patience(Duration::from_secs(20)).as_secs().to_string();
        sh.args(["-k", "1", &seconds, "sh", "-c", &format!("exec 2>&1\n{}", call.script)]);
        sh.env("PATH", format!("{}:{path}", insula.display())).env("LC_ALL", "C").stdin(Stdio::null());
        let output = sh.output().expect("start timeout(1)");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !matches(&call.expected, &said.lines().collect::<Vec<_>>()) {
            wrong.push(format!("{document}:{}: $ {}\nit says:\n{said}", call.line, call.script));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const DOCUMENTS: [&str; 2] = ["README.md", "docs/tour.md"];

#[test]
fn root_walks_the_tour() {
    proof::need!(root, program "timeout", program "ping");
    let insula = proof::binary::path();
    for document in DOCUMENTS {
        let directory = Scratch::new();
        walk(document, "root", insula.parent().expect("its directory"), &|program| {
            let mut command = Command::new(program);
            command.current_dir(&directory);
            command
        });
    }
}

#[test]
fn a_user_walks_the_tour() {
    proof::need!(user_namespaces, program "timeout", program "ping");
    for document in DOCUMENTS {
        let user = proof::or_skip!(Ordinary::with_subuids());
        let insula = user.insula_path();
        walk(document, "user", insula.parent().expect("its directory"), &|program| user.command(program));
    }
}

#[test]
fn wildcards_stand_for_what_varies() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (expected, said, right) in [
        ("a", "a", true),
        ("a", "b", false),
        ("", "a", false),
        ("a [..] c", "a b c", true),
        ("[..]", "", false),
        ("x[..]", "x", true),
        ("[..]a[..]", "bab", true),
        ("a[..]é", "a – é", true),
        ("...", "", true),
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("a\n...", "a", true),
        ("a\n...\nd", "a\nb", false),
    ] {
        assert_eq!(
            matches(&lines(expected), &said.lines().collect::<Vec<_>>()),
            right,
            "{expected:?}, {said:?}"
        );
    }
}

#[test]
fn a_block_is_for_its_reader() {
    let text = "```console\n$ a\n1\n\n2\n```\n```sh\n$ no\n```\n```console root\n$ b\n```\n```console user\n$ c\n```\n";
    let scripts = |who| calls(text, who).into_iter().map(|call| call.script).collect::<Vec<_>>();
    assert_eq!(scripts("root"), ["a", "b"]);
    assert_eq!(scripts("user"), ["a", "c"]);
    assert_eq!(calls(text, "root")[0].expected, ["1", "", "2"]);
    let text = "```console\n$ cat > x <<END\n> one\n> END\n> said\n```\n";
    assert_eq!(calls(text, "root")[0].script, "cat > x <<END\none\nEND\nsaid");
}
