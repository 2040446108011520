//! `-e` and `--env-file`: variables, in Docker's grammar.

use crate::value::reason::Reason;
use std::cell::OnceCell;

/// What can be written.
pub const FORM: &str = "KEY=VALUE, or KEY for the value that it has here";

/// A variable that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// `KEY=VALUE`.
    Set(String, String),
    /// `KEY`: the caller's value, or no such variable if the caller has none.
    Pass(String),
}

/// A file of variables. It may be a pipe, which can be read only once, and a run may be tried a second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFile {
    /// As it was written.
    pub path: String,
    /// What is in it, once it was read.
    pub text: OnceCell<String>,
}

impl EnvFile {
    /// One that was not read yet.
    pub fn new(path: &str) -> EnvFile {
        EnvFile { path: path.to_owned(), text: OnceCell::new() }
    }
}

/// Reads what stands behind `-e`.
pub fn parse(text: &str) -> Result<Entry, Reason> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (text, None),
    };
    if key.is_empty() {
        return Err(Reason::new("the name of the variable is empty"));
    }
    Ok(match value {
        Some(value) => Entry::Set(key.to_owned(), value.to_owned()),
        None => Entry::Pass(key.to_owned()),
    })
}

/// Reads a file of variables: one a line, blanks in front ignored, `#` begins a comment line, values are verbatim
/// (quotes are part of them), names hold no blanks. An error comes with its line, from 1.
pub fn parse_file(text: &str) -> Result<Vec<Entry>, (usize, Reason)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = line.split('=').next().unwrap_or(line);
        if key.contains(char::is_whitespace) {
            return Err((number, Reason::of(key, "is no name: it holds blanks")));
        }
        if line.contains('\0') {
            return Err((number, Reason::new("it holds a NUL character")));
        }
        entries.push(parse(line).map_err(|reason| (number, reason))?);
    }
    Ok(entries)
}

/// Puts `KEY=VALUE` into an environment, in the place of an older value.
pub fn set(environment: &mut Vec<String>, key: &str, value: &str) {
    let pair = format!("{key}={value}");
    match position(environment, key) {
        Some(at) => environment[at] = pair,
        None => environment.push(pair),
    }
}

/// Takes a variable out of an environment.
pub fn unset(environment: &mut Vec<String>, key: &str) {
    if let Some(at) = position(environment, key) {
        environment.remove(at);
    }
}

/// Where a variable stands.
fn position(environment: &[String], key: &str) -> Option<usize> {
    environment.iter().position(|pair| pair.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')))
}

#[cfg(test)]
mod tests {
    use super::{Entry, parse, parse_file, set, unset};

    fn pair(key: &str, value: &str) -> Entry {
        Entry::Set(key.to_owned(), value.to_owned())
    }

    #[test]
    fn variables() {
        let table = [
            ("A=b", Some(pair("A", "b"))),
            ("A=", Some(pair("A", ""))),
            ("A=b=c", Some(pair("A", "b=c"))),
            ("A", Some(Entry::Pass("A".to_owned()))),
            ("=b", None),
            ("", None),
        ];
        for (text, entry) in table {
            assert_eq!(parse(text).ok(), entry, "{text}");
        }
    }

    #[test]
    fn files() {
        let text = "\u{feff}A=1\n\n  # no\n\tB = x\n";
        assert_eq!(parse_file(text).map_err(|(line, _)| line), Err(4));
        let text = "A=\"q\" # kept \r\n#c\nB\n  C=\n";
        let expected = vec![pair("A", "\"q\" # kept "), Entry::Pass("B".to_owned()), pair("C", "")];
        assert_eq!(parse_file(text), Ok(expected));
        assert_eq!(parse_file("A=1\n=x").map_err(|(line, _)| line), Err(2));
        assert_eq!(parse_file("A=1\0").map_err(|(line, _)| line), Err(1));
    }

    #[test]
    fn a_later_value_takes_the_place_of_an_earlier_one() {
        let mut environment = vec!["A=1".to_owned(), "AB=2".to_owned()];
        set(&mut environment, "A", "3");
        set(&mut environment, "C", "4");
        unset(&mut environment, "AB");
        assert_eq!(environment, ["A=3", "C=4"]);
    }
}
