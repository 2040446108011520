//! getopt_long(3): letters in clusters, long names abbreviated, values behind `=` or as the next word.

use super::given::Given;
use super::table::{Flag, HELP, Order, Table, VERSION, Value};
use insula_oci::escaped;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What can be wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No flag has this letter.
    UnknownLetter(char),
    /// No flag has this long name, as it was written.
    Unknown(String),
    /// Several long names begin so.
    Ambiguous(String, Vec<&'static str>),
    /// The flag, as it was written, wants a value.
    NeedsValue(String),
    /// The flag takes none.
    TakesNoValue(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownLetter(letter) => write!(f, "invalid option `-{}`", escaped(&letter.to_string())),
            Error::Unknown(name) => write!(f, "unrecognized option `--{}`", escaped(name)),
            Error::Ambiguous(name, candidates) => {
                write!(f, "option `--{}` is ambiguous:", escaped(name))?;
                candidates.iter().try_for_each(|candidate| write!(f, " --{candidate}"))
            }
            Error::NeedsValue(flag) => write!(f, "option `{}` requires an argument", escaped(flag)),
            Error::TakesNoValue(long) => write!(f, "option `--{long}` takes no argument"),
        }
    }
}

impl std::error::Error for Error {}

/// Parses what follows the command's name.
pub fn parse(table: &Table, arguments: Vec<OsString>) -> Result<Given, Error> {
    let mut given = Given::default();
    // getopt(3): with POSIXLY_CORRECT in the environment the first word ends the flags of every tool.
    let stop = table.order == Order::Stop || std::env::var_os("POSIXLY_CORRECT").is_some();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let bytes = argument.as_bytes();
        if bytes == b"--" {
            break;
        }
        if let Some(long) = bytes.strip_prefix(b"--") {
            given.flags.push(long_flag(table, long, &mut arguments)?);
        } else if bytes.len() > 1 && bytes[0] == b'-' {
            letters(table, &bytes[1..], &mut arguments, &mut given.flags)?;
        } else {
            given.words.push(argument);
            if stop {
                break;
            }
        }
        if given.flags.last().is_some_and(|(long, _)| ends(long)) {
            return Ok(given);
        }
    }
    given.words.extend(arguments);
    Ok(given)
}

/// The tools answer help and version when they read them, and do not look at what follows.
fn ends(long: &str) -> bool {
    long == HELP || long == VERSION
}

fn long_flag(
    table: &Table,
    text: &[u8],
    rest: &mut impl Iterator<Item = OsString>,
) -> Result<(&'static str, Option<OsString>), Error> {
    let (name, value) = match text.iter().position(|byte| *byte == b'=') {
        Some(at) => (&text[..at], Some(OsStr::from_bytes(&text[at + 1..]).to_owned())),
        None => (text, None),
    };
    let flag = named(table, name)?;
    let value = match (flag.value, value) {
        (Value::None, Some(_)) => return Err(Error::TakesNoValue(flag.long)),
        (Value::Required(_), None) => {
            Some(rest.next().ok_or_else(|| Error::NeedsValue(format!("--{}", flag.long)))?)
        }
        (_, value) => value,
    };
    Ok((flag.long, value))
}

/// The flag whose long name this is, or the only one whose long name begins so.
fn named(table: &Table, name: &[u8]) -> Result<&'static Flag, Error> {
    let begin = table.flags().filter(|flag| flag.long.as_bytes().starts_with(name));
    if let Some(exact) = begin.clone().find(|flag| flag.long.len() == name.len()) {
        return Ok(exact);
    }
    // Abbreviations mean what they mean to the tool itself; those of our own flags come after.
    let (ours, tools): (Vec<&'static Flag>, Vec<&'static Flag>) = begin.partition(|flag| flag.extra);
    let candidates = if tools.is_empty() { ours } else { tools };
    let written = || String::from_utf8_lossy(name).into_owned();
    match candidates[..] {
        [] => Err(Error::Unknown(written())),
        [one] => Ok(one),
        _ => Err(Error::Ambiguous(written(), candidates.iter().map(|flag| flag.long).collect())),
    }
}

/// A cluster: switches, and at its end one flag whose value is the rest, or the next word.
fn letters(
    table: &Table,
    cluster: &[u8],
    rest: &mut impl Iterator<Item = OsString>,
    flags: &mut Vec<(&'static str, Option<OsString>)>,
) -> Result<(), Error> {
    for (at, letter) in cluster.iter().enumerate() {
        let letter = char::from(*letter);
        let flag = table.flags().find(|flag| flag.short == Some(letter));
        let flag = flag.ok_or(Error::UnknownLetter(letter))?;
        if !flag.short_takes_value {
            flags.push((flag.long, None));
            if ends(flag.long) {
                break;
            }
            continue;
        }
        let behind = &cluster[at + 1..];
        let attached = (!behind.is_empty()).then(|| OsString::from_vec(behind.to_vec()));
        let value = match flag.value {
            Value::Required(_) => {
                let value = attached.or_else(|| rest.next());
                Some(value.ok_or_else(|| Error::NeedsValue(format!("-{letter}")))?)
            }
            Value::Optional(_) | Value::None => attached,
        };
        flags.push((flag.long, value));
        return Ok(());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table {
        name: "tool",
        about: "",
        usage: "",
        groups: &[(
            "",
            &[
                Flag::switch('a', "all", ""),
                Flag::value('t', "target", Value::Required("PID"), ""),
                Flag::value('m', "mount", Value::Optional("FILE"), ""),
                Flag::optional('u', "uts", "FILE", ""),
                Flag::long("mount-proc", Value::Optional("DIR"), ""),
                Flag::long("map-user", Value::Required("ID"), ""),
                Flag::extra("map-more", Value::None, ""),
                Flag::extra("extra", Value::None, ""),
            ],
        )],
        order: Order::Stop,
        after_help: "",
    };

    fn read(words: &[&str]) -> Result<(Vec<String>, Vec<String>), Error> {
        let given = parse(&TABLE, words.iter().map(OsString::from).collect())?;
        let text = |text: &OsString| text.to_string_lossy().into_owned();
        let flags = given.flags.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={}", text(value)),
            None => (*name).to_owned(),
        });
        Ok((flags.collect(), given.words.iter().map(text).collect()))
    }

    #[track_caller]
    fn reads(words: &[&str], flags: &[&str], rest: &[&str]) {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(words), Ok((owned(flags), owned(rest))));
    }

    #[test]
    fn letters_stand_in_clusters_and_the_last_takes_the_rest() {
        reads(&["-at", "7", "x"], &["all", "target=7"], &["x"]);
        reads(&["-at7"], &["all", "target=7"], &[]);
        reads(&["-am/x", "-m"], &["all", "mount=/x", "mount"], &[]);
        reads(&["-ua"], &["uts", "all"], &[]);
        assert_eq!(read(&["-x"]), Err(Error::UnknownLetter('x')));
        assert_eq!(read(&["-at"]), Err(Error::NeedsValue("-t".to_owned())));
    }

    #[test]
    fn long_names_may_be_abbreviated_where_one_flag_is_meant() {
        reads(&["--ta", "7", "--target=8"], &["target=7", "target=8"], &[]);
        reads(&["--mount", "--mount=/x", "--mount-"], &["mount", "mount=/x", "mount-proc"], &[]);
        reads(&["--uts="], &["uts="], &[]);
        reads(&["--map=7", "--map-m", "--ex"], &["map-user=7", "map-more", "extra"], &[]);
        assert_eq!(read(&["--mou"]), Err(Error::Ambiguous("mou".to_owned(), vec!["mount", "mount-proc"])));
        assert_eq!(read(&["--nothing"]), Err(Error::Unknown("nothing".to_owned())));
        assert_eq!(read(&["--all=1"]), Err(Error::TakesNoValue("all")));
        assert_eq!(read(&["--map-user"]), Err(Error::NeedsValue("--map-user".to_owned())));
    }

    #[test]
    fn the_first_word_ends_the_flags() {
        reads(&["-a", "sh", "-a"], &["all"], &["sh", "-a"]);
        reads(&["-a", "--", "-a"], &["all"], &["-a"]);
        reads(&["-", "-a"], &[], &["-", "-a"]);
        reads(&["--target", "--", "x"], &["target=--"], &["x"]);
    }

    #[test]
    fn help_and_version_are_the_last_thing_that_is_read() {
        reads(&["-a", "--help", "--nothing", "-x"], &["all", "help"], &[]);
        reads(&["-aVx"], &["all", "version"], &[]);
        assert_eq!(read(&["-xh"]), Err(Error::UnknownLetter('x')));
    }

    #[test]
    fn or_words_stand_anywhere() {
        let table = Table { order: Order::Permute, ..TABLE };
        let given =
            parse(&table, ["x", "-a", "--", "-a"].iter().map(OsString::from).collect()).expect("parsed");
        assert_eq!((given.flags.len(), given.words), (1, vec!["x".into(), "-a".into()]));
    }
}
