//! What a line says, read as getopt_long(3) reads it: for the differences that are meant, which depend on it.

use crate::line::{Flag, Grammar, Takes};

/// The flags, each with its value; a line that is wrong is read as far as it goes.
pub struct Given {
    pub flags: Vec<(&'static str, Option<String>)>,
    /// What is no flag, or behind the flags.
    pub words: Vec<String>,
}

impl Given {
    pub fn of(grammar: &Grammar, line: &[String]) -> Given {
        let mut given = Given { flags: Vec::new(), words: Vec::new() };
        let mut rest = line.iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                break;
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                let Some(flag) = named(grammar, name) else { return given };
                let value = value.or_else(|| next(flag.takes, &mut rest));
                given.flags.push((flag.name, value));
            } else if word.len() > 1 && word.starts_with('-') {
                let mut letters = word[1..].chars();
                while let Some(letter) = letters.next() {
                    let of_letter = |flag: &&Flag| flag.letter == Some(letter);
                    let Some(flag) = grammar.flags.iter().find(of_letter) else { return given };
                    let attached = letters.as_str();
                    if matches!(flag.letter_takes, Takes::Nothing) {
                        given.flags.push((flag.name, None));
                        continue;
                    }
                    let attached = (!attached.is_empty()).then(|| attached.to_owned());
                    let value = attached.or_else(|| next(flag.letter_takes, &mut rest));
                    given.flags.push((flag.name, value));
                    break;
                }
            } else {
                given.words.push(word.clone());
                if !grammar.permutes {
                    break;
                }
            }
        }
        given.words.extend(rest.cloned());
        given
    }

    /// How often a flag is given.
    pub fn times(&self, name: &str) -> usize {
        self.flags.iter().filter(|(flag, _)| *flag == name).count()
    }

    pub fn has_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.times(name) > 0)
    }

    /// Whether one of these flags has a value for which it holds.
    pub fn value(&self, names: &[&str], holds: impl Fn(&str) -> bool) -> bool {
        self.flags.iter().any(|(flag, value)| names.contains(flag) && value.as_deref().is_some_and(&holds))
    }
}

fn named(grammar: &Grammar, name: &str) -> Option<&'static Flag> {
    let exact = grammar.flags.iter().find(|flag| flag.name == name);
    exact.or_else(|| grammar.flags.iter().find(|flag| flag.name.starts_with(name)))
}

/// The next word, for a flag that has to have a value.
fn next<'a>(takes: Takes, rest: &mut impl Iterator<Item = &'a String>) -> Option<String> {
    if matches!(takes, Takes::Always(_)) { rest.next().cloned() } else { None }
}
