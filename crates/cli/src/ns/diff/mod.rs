//! `insula ns diff A B`: what two processes share, and what they do not. The comparing is
//! [`insula_namespaces::compare`]; here is what people and programs get to read of it.

mod cells;
mod flags;
mod json;

pub use flags::command;

use super::say;
use crate::link::table::table;
use crate::parse::parse;
use crate::tell;
use insula_namespaces::compare::{self, Comparison, Outcome};
use insula_namespaces::error::Error;
use insula_namespaces::party::Party;
use insula_oci::escaped;
use std::ffi::OsString;
use std::process::ExitCode;

/// `insula ns diff WORDS…`.
pub fn go(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(command(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let word = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let comparison = match compared(word("A"), word("B")) {
        Ok(comparison) => comparison,
        Err(error) => return say::refused(&error, tell::FAILED),
    };
    let text = if matches.get_flag("json") {
        json::document(&comparison)
    } else {
        shown(&comparison, matches.get_flag("all"))
    };
    let _ = tell::out(&text);
    ExitCode::from(match comparison.outcome() {
        Outcome::Same => 0,
        Outcome::Differs => tell::NOT_SO,
        Outcome::Untold => tell::UNTOLD,
    })
}

fn compared(a: &str, b: &str) -> Result<Comparison, Error> {
    let (one, other) = (Party::find(a)?, Party::find(b)?);
    say::notes(&[&one, &other]);
    Ok(compare::compare(compare::facts(&one)?, compare::facts(&other)?))
}

/// The verdict, then the rows that are news, or all.
fn shown(comparison: &Comparison, all: bool) -> String {
    let mut text = String::new();
    for sentence in &comparison.verdict {
        text.push_str(&format!("{}\n", escaped(sentence)));
    }
    let rows: Vec<[String; 5]> =
        comparison.rows.iter().filter(|row| all || row.is_news()).map(cells::cells).collect();
    if !rows.is_empty() {
        text.push_str(&format!("\n{}", table(["WHAT", "IS", "A", "B", "NOTE"], &rows)));
    }
    text
}
