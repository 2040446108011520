//! Flags as runc's users write them: `--flag VALUE`, `--flag=VALUE`, `-f VALUE`, and switches that take `=false`.

use crate::error::Error;
use std::ffi::OsString;

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or `=true`, `=false`.
    Switch,
    /// A value; its name in the help.
    Of(&'static str),
    /// Nothing, or `=` and a value; its name in the help.
    Maybe(&'static str),
}

/// One flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Its letter, if it has one.
    pub short: Option<char>,
    /// Its name, without the dashes.
    pub long: &'static str,
    /// What follows.
    pub value: Value,
    /// What it does.
    pub help: &'static str,
}

impl Flag {
    /// A switch.
    pub const fn switch(long: &'static str, help: &'static str) -> Flag {
        Flag { short: None, long, value: Value::Switch, help }
    }

    /// A flag with a value.
    pub const fn value(long: &'static str, name: &'static str, help: &'static str) -> Flag {
        Flag { short: None, long, value: Value::Of(name), help }
    }

    /// A flag that a value may follow, by `=`.
    pub const fn maybe(long: &'static str, name: &'static str, help: &'static str) -> Flag {
        Flag { short: None, long, value: Value::Maybe(name), help }
    }

    /// The same flag with a letter.
    pub const fn short(self, short: char) -> Flag {
        Flag { short: Some(short), ..self }
    }
}

/// Where words that are no flags end the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Flags may stand behind words too.
    Anywhere,
    /// Behind this many words everything is a word: a program's.
    StopAfter(usize),
}

/// What was given.
#[derive(Debug, Default)]
pub struct Given {
    flags: Vec<(&'static str, String)>,
    /// What is no flag.
    pub words: Vec<String>,
}

impl Given {
    /// Is this switch on?
    pub fn has(&self, long: &str) -> bool {
        self.value(long) == Some("true")
    }

    /// The last value of a flag.
    pub fn value(&self, long: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(name, _)| *name == long).map(|(_, value)| value.as_str())
    }

    /// All values of a flag, in order.
    pub fn values<'a>(&'a self, long: &'a str) -> impl Iterator<Item = &'a str> {
        self.flags.iter().filter(move |(name, _)| *name == long).map(|(_, value)| value.as_str())
    }

    /// The value of a flag as a number.
    pub fn number<T: std::str::FromStr>(&self, long: &'static str) -> Result<Option<T>, Error> {
        let read = |text: &str| {
            text.parse().map_err(|_| Error::Flag {
                flag: format!("--{long}"),
                reason: format!("`{text}` is no number that it takes"),
            })
        };
        self.value(long).map(read).transpose()
    }

    /// The one word: an id.
    pub fn only(&self, verb: &str) -> Result<&str, Error> {
        match self.words.as_slice() {
            [word] => Ok(word),
            words => {
                Err(Error::Words { verb: verb.to_owned(), wanted: "exactly 1 argument(s)", got: words.len() })
            }
        }
    }
}

/// Parses the words of a table of flags. `--help` is among what is given if it is there.
pub fn parse(table: &[&[Flag]], words: Vec<OsString>, order: Order) -> Result<Given, Error> {
    let mut given = Given::default();
    let mut parser = lexopt::Parser::from_args(words);
    loop {
        if let Order::StopAfter(most) = order
            && given.words.len() >= most
        {
            for word in parser.raw_args().map_err(Error::Parse)? {
                given.words.push(text(word)?);
            }
            return Ok(given);
        }
        let Some(argument) = parser.next().map_err(Error::Parse)? else { return Ok(given) };
        let flag = match argument {
            lexopt::Arg::Value(word) => {
                given.words.push(text(word)?);
                continue;
            }
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                given.flags.push(("help", "true".to_owned()));
                continue;
            }
            lexopt::Arg::Long(name) => {
                find(table, |flag| flag.long == name).ok_or_else(|| unknown(&format!("--{name}")))?
            }
            lexopt::Arg::Short(letter) => find(table, |flag| flag.short == Some(letter))
                .ok_or_else(|| unknown(&format!("-{letter}")))?,
        };
        let value = match flag.value {
            Value::Of(_) => text(parser.value().map_err(Error::Parse)?)?,
            Value::Maybe(_) => parser.optional_value().map(text).transpose()?.unwrap_or_default(),
            Value::Switch => match parser.optional_value() {
                None => "true".to_owned(),
                Some(word) => switch(flag, &text(word)?)?,
            },
        };
        given.flags.push((flag.long, value));
    }
}

fn find<'a>(table: &[&'a [Flag]], is: impl Fn(&Flag) -> bool) -> Option<&'a Flag> {
    table.iter().flat_map(|flags| flags.iter()).find(|flag| is(flag))
}

fn unknown(flag: &str) -> Error {
    Error::Flag { flag: flag.to_owned(), reason: "flag provided but not defined".to_owned() }
}

/// What Go's flag package takes for a switch.
fn switch(flag: &Flag, word: &str) -> Result<String, Error> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".to_owned()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".to_owned()),
        word => Err(Error::Flag {
            flag: format!("--{}", flag.long),
            reason: format!("`{word}` is neither true nor false"),
        }),
    }
}

fn text(word: OsString) -> Result<String, Error> {
    word.into_string().map_err(|word| Error::Flag {
        flag: word.to_string_lossy().into_owned(),
        reason: "it is not UTF-8".to_owned(),
    })
}

/// The lines of a table in a help text.
pub fn help(table: &[Flag]) -> String {
    let mut lines = String::new();
    for flag in table {
        let short = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
        let value = match flag.value {
            Value::Switch => String::new(),
            Value::Of(name) => format!(" {name}"),
            Value::Maybe(name) => format!("[={name}]"),
        };
        let left = format!("{short}--{}{value}", flag.long);
        lines.push_str(&format!("  {left:<34} {}\n", flag.help));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Flag] = &[
        Flag::switch("force", "").short('f'),
        Flag::value("bundle", "DIR", "").short('b'),
        Flag::maybe("explain", "json", ""),
    ];

    fn read(words: &[&str], order: Order) -> Result<Given, Error> {
        parse(&[TABLE], words.iter().map(OsString::from).collect(), order)
    }

    #[test]
    fn flags_stand_anywhere_or_before_a_program() {
        let given = read(&["id", "--bundle=x", "-f"], Order::Anywhere).unwrap();
        assert_eq!((given.value("bundle"), given.has("force")), (Some("x"), true));
        let given = read(&["-b", "x", "id", "sh", "-f"], Order::StopAfter(1)).unwrap();
        assert_eq!(given.words, ["id", "sh", "-f"]);
        assert!(!given.has("force"));
    }

    #[test]
    fn a_flag_may_have_a_value_by_an_equals_sign_alone() {
        let given = read(&["--explain", "json", "--bundle", "x"], Order::Anywhere).unwrap();
        assert_eq!((given.value("explain"), given.words.as_slice()), (Some(""), &["json".to_owned()][..]));
        assert_eq!(read(&["--explain=json"], Order::Anywhere).unwrap().value("explain"), Some("json"));
        assert_eq!(read(&[], Order::Anywhere).unwrap().value("explain"), None);
    }

    #[test]
    fn a_switch_can_be_said_to_be_off() {
        assert!(!read(&["--force=false"], Order::Anywhere).unwrap().has("force"));
        assert!(read(&["--force=no"], Order::Anywhere).is_err());
        assert!(read(&["--nothing"], Order::Anywhere).is_err());
        assert!(read(&["-b"], Order::Anywhere).is_err());
    }
}
