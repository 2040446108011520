//! The laws of words: where `unsafe` may stand, who prints, no `.unwrap()`, no drawers of odds and ends.

use super::breach::Breach;
use super::source::Source;
use super::token::Token;
use crate::tree::File;

/// Words that may stand nowhere in the tree, in any case. None now.
pub const FORBIDDEN: &[&str] = &[];

/// The crates with a fence round `unsafe`.
const UNSAFE: &[&str] = &["crates/sys", "crates/init"];

/// The crate of tests: a skipped test says so where libtest shows it.
const PROOF: &str = "crates/proof";

/// Names that say nothing of what is in the file.
const DRAWERS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

/// All breaches of these laws.
pub fn breaches(files: &[File], sources: &[Source], forbidden: &[&str]) -> Vec<Breach> {
    let mut found = Vec::new();
    for source in sources {
        fence(source, &mut found);
        printing(source, sources, &mut found);
        unwraps(source, &mut found);
    }
    for file in files {
        drawers(file, &mut found);
        // The list itself names the words.
        if file.path != "xtask/src/laws/words.rs" {
            forbidden_words(file, forbidden, &mut found);
        }
    }
    found
}

fn at(source: &Source, token: &Token) -> String {
    format!("{}:{}", source.path, token.line)
}

fn fence(source: &Source, found: &mut Vec<Breach>) {
    if UNSAFE.contains(&source.package.as_str()) {
        return;
    }
    if let Some(token) = source.tokens.iter().find(|token| token.is("unsafe")) {
        found.push(Breach::new(at(source, token), "`unsafe` stands only in crates/sys and crates/init"));
    }
    let forbids = ["#", "!", "[", "forbid", "(", "unsafe_code", ")", "]"];
    let has = source
        .tokens
        .windows(forbids.len())
        .any(|window| window.iter().zip(forbids).all(|(t, word)| t.is(word)));
    if source.is_root() && !has {
        found.push(Breach::new(&source.path, "the root of a crate says #![forbid(unsafe_code)]"));
    }
}

fn printing(source: &Source, sources: &[Source], found: &mut Vec<Breach>) {
    let is_program =
        sources.iter().any(|other| other.package == source.package && other.inside == "src/main.rs");
    if source.package == PROOF || (is_program && source.inside == "src/tell.rs") {
        return;
    }
    for (index, token) in source.code.iter().enumerate() {
        let next =
            |ahead: usize, text: &str| source.code.get(index + ahead).is_some_and(|next| next.is(text));
        let before = |back: usize, text: &str| index >= back && source.code[index - back].is(text);
        let prints = ["print", "println", "eprint", "eprintln", "dbg"].iter().any(|name| token.is(name))
            && next(1, "!");
        let stream = ["stdout", "stderr", "Stdout", "Stderr"].iter().any(|name| token.is(name));
        let opens = stream && (before(1, "::") && before(2, "io"));
        let imports = stream && before(1, "{") && before(2, "::") && before(3, "io");
        if prints || opens || imports {
            let words = format!("`{}`: only src/tell.rs of a program prints", token.text);
            found.push(Breach::new(at(source, token), words));
        }
    }
}

fn unwraps(source: &Source, found: &mut Vec<Breach>) {
    for window in source.code.windows(3) {
        if window[0].is(".") && window[1].is("unwrap") && window[2].is("(") {
            let words =
                "`.unwrap()` outside tests: return the error, or `expect` with the reason why it cannot be";
            found.push(Breach::new(at(source, &window[1]), words));
        }
    }
}

fn drawers(file: &File, found: &mut Vec<Breach>) {
    for part in file.path.split('/') {
        let stem = part.strip_suffix(".rs").unwrap_or(part);
        let is_code = file.path.ends_with(".rs");
        if is_code && DRAWERS.contains(&stem) {
            found
                .push(Breach::new(&file.path, format!("`{stem}` says nothing: a thing lives with its noun")));
        }
    }
}

fn forbidden_words(file: &File, forbidden: &[&str], found: &mut Vec<Breach>) {
    for (index, line) in file.text.lines().enumerate() {
        let lower = line.to_lowercase();
        for word in forbidden {
            let is_word = |at: usize| {
                let before = lower[..at].chars().next_back();
                let after = lower[at + word.len()..].chars().next();
                !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
            };
            if lower.match_indices(&word.to_lowercase()).any(|(at, _)| is_word(at)) {
                found.push(Breach::new(
                    format!("{}:{}", file.path, index + 1),
                    format!("`{word}` stands nowhere here"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::sources;
    use super::*;
    use crate::tree::made_up;

    fn said(tree: &[(&str, &str)]) -> Vec<String> {
        let files = made_up(tree);
        breaches(&files, &sources(&files), &["chaff"]).iter().map(Breach::to_string).collect()
    }

    #[test]
    fn unsafe_outside_the_fence() {
        let text = "#![forbid(unsafe_code)]\nfn f() {\n    unsafe { g() }\n}";
        assert_eq!(
            said(&[("crates/launch/src/lib.rs", text)]),
            ["crates/launch/src/lib.rs:3: `unsafe` stands only in crates/sys and crates/init"]
        );
        assert_eq!(
            said(&[("crates/sys/src/a.rs", text), ("crates/launch/src/a.rs", "// unsafe\n\"unsafe\"")]),
            [""; 0]
        );
        assert_eq!(said(&[("crates/launch/tests/a.rs", "fn f() { unsafe {} }")]).len(), 1);
    }

    #[test]
    fn a_root_forbids_unsafe() {
        for root in [
            "crates/launch/src/lib.rs",
            "crates/cli/src/main.rs",
            "crates/cli/src/bin/x.rs",
            "xtask/src/main.rs",
        ] {
            assert_eq!(
                said(&[(root, "// #![forbid(unsafe_code)]\n")]),
                [format!("{root}: the root of a crate says #![forbid(unsafe_code)]")]
            );
        }
        assert_eq!(said(&[("crates/launch/src/a.rs", ""), ("crates/sys/src/lib.rs", "")]), [""; 0]);
    }

    #[test]
    fn printing_outside_tell() {
        let prints = "fn f() { println!(\"x\") }";
        let main = ("crates/cli/src/main.rs", "#![forbid(unsafe_code)]");
        assert_eq!(
            said(&[main, ("crates/cli/src/tell.rs", prints), ("crates/cli/tests/a.rs", prints)]),
            [""; 0]
        );
        assert_eq!(
            said(&[("crates/launch/src/tell.rs", prints)]),
            ["crates/launch/src/tell.rs:1: `println`: only src/tell.rs of a program prints"]
        );
        for text in
            ["use std::io; fn f() { io::stderr() }", "use std::io::stdout;", "use std::io::{stdout, Write};"]
        {
            assert_eq!(said(&[main, ("crates/cli/src/a.rs", text)]).len(), 1, "{text}");
        }
        let fine =
            "fn f() { command.stdout(x); output.stderr; #[cfg(test)] mod tests { fn g() { println!() } } }";
        assert_eq!(said(&[main, ("crates/cli/src/a.rs", fine)]), [""; 0]);
    }

    #[test]
    fn unwrap_outside_tests() {
        let text = "fn f() { a().unwrap_or(b); a()\n.unwrap(); }\n#[cfg(test)]\nmod tests { fn g() { a().unwrap() } }";
        let found =
            said(&[("crates/launch/src/a.rs", text), ("crates/launch/tests/b.rs", "fn f() { a.unwrap() }")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/launch/src/a.rs:2: `.unwrap()` outside tests"), "{found:?}");
    }

    #[test]
    fn drawers_of_odds_and_ends() {
        let found = said(&[
            ("crates/a/src/utils.rs", ""),
            ("crates/a/tests/common/mod.rs", ""),
            ("docs/misc.md", ""),
        ]);
        assert_eq!(
            found,
            [
                "crates/a/src/utils.rs: `utils` says nothing: a thing lives with its noun",
                "crates/a/tests/common/mod.rs: `common` says nothing: a thing lives with its noun",
            ]
        );
    }

    #[test]
    fn forbidden_words_as_whole_words() {
        assert_eq!(
            said(&[("docs/a.md", "wheat\nthe Chaff.\nchaffinch")]),
            ["docs/a.md:2: `chaff` stands nowhere here"]
        );
    }
}
