//! A face's table of flags, and what is made of it besides parsing: help, and the definition for manuals.

use crate::tell;

/// The flags that every face has.
pub const HELP: &str = "help";
/// As [`HELP`].
pub const VERSION: &str = "version";

/// What follows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    None,
    /// A value behind `=`, or none; its name in the help.
    Optional(&'static str),
    /// A value behind `=` or as the next word; its name in the help.
    Required(&'static str),
}

/// One flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Its letter, if it has one.
    pub short: Option<char>,
    /// The letter takes the flag's value too; with [`Value::Optional`] it stands right behind the letter.
    pub short_takes_value: bool,
    /// Its long name, without the dashes.
    pub long: &'static str,
    /// What follows.
    pub value: Value,
    /// What it does, for the help.
    pub help: &'static str,
    /// The tool that the face stands in for has it not. An abbreviation that means a flag of the tool there means it here.
    pub extra: bool,
}

impl Flag {
    /// A switch with a letter.
    pub const fn switch(short: char, long: &'static str, help: &'static str) -> Flag {
        Flag { short: Some(short), short_takes_value: false, long, value: Value::None, help, extra: false }
    }

    /// A switch with a long name only.
    pub const fn switch_long(long: &'static str, help: &'static str) -> Flag {
        Flag::long(long, Value::None, help)
    }

    /// A flag with a long name only.
    pub const fn long(long: &'static str, value: Value, help: &'static str) -> Flag {
        Flag { short: None, short_takes_value: false, long, value, help, extra: false }
    }

    /// A flag whose letter takes its value.
    pub const fn value(short: char, long: &'static str, value: Value, help: &'static str) -> Flag {
        Flag { short: Some(short), short_takes_value: true, long, value, help, extra: false }
    }

    /// A flag whose long name takes a value behind `=`; its letter never takes one.
    pub const fn optional(short: char, long: &'static str, value: &'static str, help: &'static str) -> Flag {
        let value = Value::Optional(value);
        Flag { short: Some(short), short_takes_value: false, long, value, help, extra: false }
    }

    /// A flag that the tool has not, with a long name only.
    pub const fn extra(long: &'static str, value: Value, help: &'static str) -> Flag {
        Flag { extra: true, ..Flag::long(long, value, help) }
    }
}

/// Where words that are no flags may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The first of them ends the flags: what follows belongs to a program.
    Stop,
    /// Anywhere.
    Permute,
}

/// A face.
#[derive(Debug)]
pub struct Table {
    /// The tool's name.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What follows the name in the usage line.
    pub usage: &'static str,
    /// The flags under their headings.
    pub groups: &'static [(&'static str, &'static [Flag])],
    /// Where words may stand.
    pub order: Order,
    /// What stands below the flags.
    pub after_help: &'static str,
}

const COMMON: &[Flag] =
    &[Flag::switch('h', HELP, "Print this help"), Flag::switch('V', VERSION, "Print the version")];

impl Table {
    /// All flags, those that every face has last.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag> + Clone + use<> {
        let groups: &'static [(&'static str, &'static [Flag])] = self.groups;
        groups.iter().flat_map(|(_, flags)| flags.iter()).chain(COMMON)
    }

    /// How it was called: by its own name, or as a word of insula.
    pub fn called(&self) -> String {
        if tell::name() == self.name { self.name.to_owned() } else { format!("insula {}", self.name) }
    }

    /// The text of `--help`.
    pub fn help(&self) -> String {
        let called = self.called();
        let mut command = self.command().override_usage(format!("{called} {}", self.usage));
        command.render_help().to_string()
    }

    /// The definition for help, manual page, completions and reference. Parsing does not use it.
    pub fn command(&self) -> clap::Command {
        let mut command = clap::Command::new(self.name)
            .about(self.about)
            .override_usage(format!("insula {} {}", self.name, self.usage))
            .after_help(self.after_help)
            .disable_help_flag(true)
            .disable_version_flag(true);
        for (heading, flags) in self.groups.iter().copied().chain([("Help", COMMON)]) {
            command = command.next_help_heading(heading);
            for flag in flags {
                command = command.arg(argument(flag));
            }
        }
        command.arg(clap::Arg::new("words").num_args(0..).trailing_var_arg(true).hide(true))
    }
}

fn argument(flag: &Flag) -> clap::Arg {
    let mut arg = clap::Arg::new(flag.long).long(flag.long).help(flag.help);
    if let Some(short) = flag.short {
        arg = arg.short(short);
    }
    match flag.value {
        Value::None => arg.action(clap::ArgAction::SetTrue),
        Value::Optional(name) => arg.value_name(name).num_args(0..=1).require_equals(true),
        Value::Required(name) => arg.value_name(name),
    }
}
