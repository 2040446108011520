//! The options of ip(8), which stand before the object or the verb: abbreviated as it abbreviates them.

use super::abbreviation::abbreviates;
use super::fault::Fault;
use super::number::integer;
use std::ffi::OsString;

/// What was given.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// For each name.
    pub all: bool,
    /// Read commands from this file; `-` is standard input.
    pub batch: Option<OsString>,
    /// Go on after a command of a batch has failed; delete with hardware inside.
    pub force: bool,
    /// Machine-readable.
    pub json: bool,
    /// JSON on many lines.
    pub pretty: bool,
    /// Do it in these named network namespaces, one entered after the other.
    pub netns: Vec<OsString>,
    /// Print what `exec` would do: for people, or as JSON.
    pub explain: Option<Explain>,
    /// `delete` moves hardware here.
    pub move_devices_back: bool,
    /// `add` brings loopback up.
    pub up: bool,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain {
    /// For people.
    Text,
    /// As JSON.
    Json,
}

/// Why it goes no further than the options.
#[derive(Debug)]
pub enum Stop {
    /// Help is asked.
    Help,
    /// The version is asked.
    Version,
    /// Something is wrong.
    Wrong(Fault),
}

/// What an option of ip(8) is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Batch,
    Family,
    Force,
    Help,
    Json,
    Netns,
    Pretty,
    Version,
    /// It takes a number, and changes nothing of what a network namespace is.
    Number,
    /// It changes nothing of what a network namespace is.
    Nothing,
}

/// In the order in which `ip` tries them; the last part is whether it may be abbreviated.
const TABLE: &[(&str, Kind, bool)] = &[
    ("-loops", Kind::Number, true),
    ("-family", Kind::Family, true),
    ("-4", Kind::Nothing, false),
    ("-6", Kind::Nothing, false),
    ("-0", Kind::Nothing, false),
    ("-M", Kind::Nothing, false),
    ("-B", Kind::Nothing, false),
    ("-human-readable", Kind::Nothing, true),
    ("-iec", Kind::Nothing, true),
    ("-stats", Kind::Nothing, true),
    ("-statistics", Kind::Nothing, true),
    ("-details", Kind::Nothing, true),
    ("-resolve", Kind::Nothing, true),
    ("-oneline", Kind::Nothing, true),
    ("-timestamp", Kind::Nothing, true),
    ("-tshort", Kind::Nothing, true),
    ("-Version", Kind::Version, true),
    ("-force", Kind::Force, true),
    ("-batch", Kind::Batch, true),
    ("-brief", Kind::Nothing, true),
    ("-json", Kind::Json, true),
    ("-pretty", Kind::Pretty, true),
    ("-rcvbuf", Kind::Number, true),
    ("-color", Kind::Nothing, true),
    ("-help", Kind::Help, true),
    ("-netns", Kind::Netns, true),
    ("-Numeric", Kind::Nothing, true),
    ("-all", Kind::All, true),
    ("-echo", Kind::Nothing, false),
];

const FAMILIES: &[&str] = &["inet", "inet6", "link", "mpls", "bridge"];

/// Reads the options; what stands behind them is returned as it is.
pub fn parse(arguments: Vec<OsString>) -> Result<(Options, Vec<OsString>), Stop> {
    let mut options = Options::default();
    let mut words = arguments.into_iter().peekable();
    while let Some(word) = words.next_if(|word| word.as_encoded_bytes().first() == Some(&b'-')) {
        if word == "--" {
            break;
        }
        let written = word.to_string_lossy();
        if options.own(&written) {
            continue;
        }
        // As in `ip`, two dashes are as good as one.
        let option = if written.starts_with("--") { &written[1..] } else { &written };
        let kind = find(option).ok_or_else(|| {
            let message = format!("no option `{written}`");
            Stop::Wrong(Fault::wrong(message, format!("`{} --help` lists them", crate::tell::name())))
        })?;
        let value = if kind.takes_value() {
            Some(words.next().ok_or_else(|| wrong(&written, "a value is missing behind it"))?)
        } else {
            None
        };
        options.take(kind, &written, value)?;
    }
    Ok((options, words.collect()))
}

/// The option that is meant.
fn find(option: &str) -> Option<Kind> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    if option.contains('=') {
        // Of all only the colours take a value so.
        let is_color = abbreviates(name, "-color") && matches!(value, "" | "always" | "auto" | "never");
        return is_color.then_some(Kind::Nothing);
    }
    let meant =
        |full: &str, may_abbreviate| if may_abbreviate { abbreviates(option, full) } else { option == full };
    TABLE.iter().find(|(full, _, short)| meant(full, *short)).map(|(_, kind, _)| *kind)
}

impl Kind {
    fn takes_value(self) -> bool {
        matches!(self, Kind::Batch | Kind::Family | Kind::Netns | Kind::Number)
    }
}

impl Options {
    /// Those that `ip` has not, in full only. `false`: it is none of them.
    pub fn own(&mut self, word: &str) -> bool {
        match word {
            "--explain" => self.explain = Some(Explain::Text),
            "--explain=json" => self.explain = Some(Explain::Json),
            "--move-devices-back" => self.move_devices_back = true,
            "--up" => self.up = true,
            _ => return false,
        }
        true
    }

    fn take(&mut self, kind: Kind, written: &str, value: Option<OsString>) -> Result<(), Stop> {
        let text = value.as_ref().map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
        match kind {
            Kind::All => self.all = true,
            Kind::Batch => self.batch = value,
            Kind::Force => self.force = true,
            Kind::Json => self.json = true,
            Kind::Pretty => self.pretty = true,
            Kind::Netns => self.netns.extend(value),
            Kind::Help => return Err(Stop::Help),
            Kind::Version => return Err(Stop::Version),
            Kind::Family if FAMILIES.contains(&text.as_str()) => {}
            Kind::Family => {
                return Err(wrong(&format!("{written} {text}"), "this is no family of addresses"));
            }
            Kind::Number if integer(&text).is_some_and(|number| number >= 0) => {}
            Kind::Number => return Err(wrong(&format!("{written} {text}"), "this is no number")),
            Kind::Nothing => {}
        }
        Ok(())
    }
}

fn wrong(what: &str, reason: &str) -> Stop {
    Stop::Wrong(Fault::wrong(
        format!("`{what}`: {reason}"),
        format!("`{} --help` lists the options", crate::tell::name()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<(Options, Vec<OsString>), Stop> {
        parse(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn an_abbreviation_means_the_first_that_begins_so() {
        let table = [
            ("-a", Kind::All),
            ("-b", Kind::Batch),
            ("-br", Kind::Nothing),
            ("-c", Kind::Nothing),
            ("-color=never", Kind::Nothing),
            ("-d", Kind::Nothing),
            ("-f", Kind::Family),
            ("-fo", Kind::Force),
            ("-h", Kind::Nothing),
            ("-he", Kind::Help),
            ("-j", Kind::Json),
            ("-l", Kind::Number),
            ("-n", Kind::Netns),
            ("-net", Kind::Netns),
            ("-N", Kind::Nothing),
            ("-o", Kind::Nothing),
            ("-p", Kind::Pretty),
            ("-r", Kind::Nothing),
            ("-rc", Kind::Number),
            ("-s", Kind::Nothing),
            ("-ts", Kind::Nothing),
            ("-V", Kind::Version),
        ];
        for (option, kind) in table {
            assert_eq!(find(option), Some(kind), "{option}");
        }
        for option in ["-x", "-e", "-ech", "-44", "-jsonx", "-color=blue", "-json=1"] {
            assert_eq!(find(option), None, "{option}");
        }
    }

    #[test]
    fn options_end_at_the_first_word_or_two_dashes() {
        let (options, rest) = read(&["-all", "--json", "netns", "-pretty"]).expect("read");
        assert!(options.all && options.json && !options.pretty);
        assert_eq!(rest, ["netns", "-pretty"]);
        let (options, rest) = read(&["-j", "--", "-p"]).expect("read");
        assert!(options.json && !options.pretty);
        assert_eq!(rest, ["-p"]);
    }

    #[test]
    fn a_value_is_the_next_word() {
        let (options, _) = read(&["-n", "a", "-net", "b", "-b", "-", "-f", "inet", "-l", "3"]).expect("read");
        assert_eq!(options.netns, ["a", "b"]);
        assert_eq!(options.batch.as_deref(), Some("-".as_ref()));
        for words in [&["-n"][..], &["-b"], &["-f", "x"], &["-l", "x"], &["-rc", "-1"], &["-q"]] {
            assert!(matches!(read(words), Err(Stop::Wrong(_))), "{words:?}");
        }
    }
}
