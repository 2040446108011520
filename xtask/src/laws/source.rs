//! A Rust file as the laws see it: which crate, which module, tests apart.

use super::token::{Token, test_ranges, tokens};
use crate::tree::File;

/// One Rust file of a crate.
pub struct Source {
    pub path: String,
    /// The directory of its crate: `crates/launch`, `xtask`.
    pub package: String,
    /// The path below the crate's directory: `src/step/mount.rs`.
    pub inside: String,
    /// All tokens.
    pub tokens: Vec<Token>,
    /// The tokens that are not for tests alone; empty for a file of tests.
    pub code: Vec<Token>,
    /// How many lines are for tests alone.
    pub test_lines: usize,
    pub lines: usize,
}

impl Source {
    /// Whether the compiler starts a crate of the library or program here.
    pub fn is_root(&self) -> bool {
        matches!(self.inside.as_str(), "src/lib.rs" | "src/main.rs")
            || self
                .inside
                .strip_prefix("src/bin/")
                .is_some_and(|rest| !rest.contains('/') || rest.ends_with("/main.rs"))
    }
}

/// The Rust files of the crates and of xtask.
pub fn sources(files: &[File]) -> Vec<Source> {
    files.iter().filter_map(source).collect()
}

fn source(file: &File) -> Option<Source> {
    let parts: Vec<&str> = file.path.split('/').collect();
    let depth = match parts.as_slice() {
        ["crates", _, _, ..] => 2,
        ["xtask", _, ..] => 1,
        _ => return None,
    };
    if !file.path.ends_with(".rs") {
        return None;
    }
    let inside = parts[depth..].join("/");
    let tokens = tokens(&file.text);
    let lines = file.text.lines().count();
    let (code, test_lines) = if is_test_file(&inside) {
        (Vec::new(), lines)
    } else {
        let ranges = test_ranges(&tokens);
        let is_code = |index: usize| !ranges.iter().any(|range| range.contains(&index));
        let code =
            tokens.iter().enumerate().filter(|(index, _)| is_code(*index)).map(|(_, token)| token.clone());
        let span = |range: &std::ops::Range<usize>| {
            let last = tokens.get(range.end.saturating_sub(1)).map_or(lines, |token| token.line);
            last + 1 - tokens[range.start].line
        };
        (code.collect(), ranges.iter().map(span).sum())
    };
    Some(Source {
        path: file.path.clone(),
        package: parts[..depth].join("/"),
        inside,
        tokens,
        code,
        test_lines,
        lines,
    })
}

/// Integration tests, benches, examples, build scripts, and `tests.rs` below `src`.
fn is_test_file(inside: &str) -> bool {
    inside == "build.rs"
        || inside.split('/').any(|part| matches!(part, "tests" | "benches" | "examples" | "fuzz"))
        || inside.ends_with("/tests.rs")
}
