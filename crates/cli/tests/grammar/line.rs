//! Random command lines from a table of flags: letters alone and in clusters, long names whole and cut short, values in
//! all three places, good and bad, words in front, behind and missing.

use std::collections::BTreeSet;

use crate::random::Random;

/// Values to try: those that the tool may take, and once in a while one that is no good. `{NAME}` in one is a place of
/// the tool's world.
#[derive(Clone, Copy)]
pub struct Values {
    pub good: &'static [&'static str],
    pub bad: &'static [&'static str],
}

impl Values {
    fn one(self, random: &mut Random) -> &'static str {
        let values = if random.once_in(10) { self.bad } else { self.good };
        values[random.below(values.len())]
    }
}

/// What a flag takes.
#[derive(Clone, Copy)]
pub enum Takes {
    Nothing,
    Maybe(Values),
    Always(Values),
}

/// A value that may be left out.
pub const fn maybe(good: &'static [&'static str], bad: &'static [&'static str]) -> Takes {
    Takes::Maybe(Values { good, bad })
}

/// A value that may not.
pub const fn always(good: &'static [&'static str], bad: &'static [&'static str]) -> Takes {
    Takes::Always(Values { good, bad })
}

/// One flag, as the man page has it.
pub struct Flag {
    pub letter: Option<char>,
    pub name: &'static str,
    pub takes: Takes,
    /// For some flags only the long name takes what it takes.
    pub letter_takes: Takes,
}

/// A switch.
pub const fn switch(letter: char, name: &'static str) -> Flag {
    flag(letter, name, Takes::Nothing)
}

/// A flag with a value, or with one if it likes.
pub const fn flag(letter: char, name: &'static str, takes: Takes) -> Flag {
    Flag { letter: Some(letter), name, takes, letter_takes: takes }
}

/// A flag without a letter.
pub const fn long(name: &'static str, takes: Takes) -> Flag {
    Flag { letter: None, name, takes, letter_takes: takes }
}

/// A flag whose long name takes something, while its letter is a switch.
pub const fn plain(letter: char, name: &'static str, takes: Takes) -> Flag {
    Flag { letter: Some(letter), name, takes, letter_takes: Takes::Nothing }
}

/// What a tool takes.
pub struct Grammar {
    pub flags: &'static [Flag],
    /// Long names that newer versions of the tool, or we, have beside these. What is cut short must not mean one of
    /// them, or it could be one flag for the installed tool and two for ours.
    pub beside: &'static [&'static str],
    /// What may stand behind the flags, and what should not.
    pub words: &'static [&'static [&'static str]],
    pub bad_words: &'static [&'static [&'static str]],
    /// How many flags at most.
    pub most: usize,
    /// One line in so many has none.
    pub bare: usize,
    /// Whether `--` ends the flags.
    pub dashes: bool,
    /// Whether flags may follow the first word; else they are the program's.
    pub permutes: bool,
}

impl Grammar {
    /// The line of this seed.
    pub fn line(&self, seed: u64) -> Vec<String> {
        let random = &mut Random::new(seed);
        let mut line = Vec::new();
        let flags = if random.once_in(self.bare) { 0 } else { 1 + random.below(self.most) };
        for _ in 0..flags {
            if random.once_in(40) {
                line.push((*random.one_of(&["--nonesuch", "-Y", "-", "--nonesuch=1", "---"])).to_owned());
            } else {
                self.flag(random, &mut line);
            }
        }
        let words = if random.once_in(8) { self.bad_words } else { self.words };
        let words = random.one_of(words);
        if self.dashes && random.once_in(5) {
            line.push("--".into());
        }
        line.extend(words.iter().map(|word| (*word).to_owned()));
        if random.once_in(12) {
            // Behind the first word: the program's own for some tools, flags like any for the others.
            self.flag(random, &mut line);
        }
        line
    }

    fn flag(&self, random: &mut Random, line: &mut Vec<String>) {
        let flag = random.one_of(self.flags);
        match flag.letter {
            Some(letter) if random.below(3) > 0 => letters(random, flag, letter, line),
            _ => self.long(random, flag, line),
        }
    }

    fn long(&self, random: &mut Random, flag: &Flag, line: &mut Vec<String>) {
        let name = if random.once_in(4) { self.cut(random, flag.name) } else { flag.name };
        match flag.takes {
            // A switch takes no value; `=` says so.
            Takes::Nothing if random.once_in(20) => line.push(format!("--{name}=x")),
            Takes::Nothing => line.push(format!("--{name}")),
            Takes::Maybe(values) => match random.below(8) {
                0..4 => line.push(format!("--{name}")),
                // Not its value: the next word.
                4 => line.extend([format!("--{name}"), values.one(random).to_owned()]),
                _ => line.push(format!("--{name}={}", values.one(random))),
            },
            Takes::Always(_) if random.once_in(20) => line.push(format!("--{name}")),
            Takes::Always(values) if random.below(2) == 0 => {
                line.extend([format!("--{name}"), values.one(random).to_owned()]);
            }
            Takes::Always(values) => line.push(format!("--{name}={}", values.one(random))),
        }
    }

    /// A beginning of the name: of this name alone, or one of several.
    fn cut(&self, random: &mut Random, name: &'static str) -> &'static str {
        let begins = |begin: &str| {
            // A flag that is to come often stands there more than once.
            let own: BTreeSet<&str> =
                self.flags.iter().map(|flag| flag.name).filter(|other| other.starts_with(begin)).collect();
            (own.len(), self.beside.iter().any(|other| other.starts_with(begin)))
        };
        // One that is ambiguous for both, or means this flag for both.
        let fair = |end: &usize| matches!(begins(&name[..*end]), (1, false) | (2.., _));
        let ends: Vec<usize> = (1..name.len()).filter(fair).collect();
        if ends.is_empty() { name } else { &name[..*random.one_of(&ends)] }
    }
}

/// A letter: alone, or behind a cluster of letters that take nothing.
fn letters(random: &mut Random, flag: &Flag, letter: char, line: &mut Vec<String>) {
    let joins = line.last().is_some_and(|last| {
        last.len() > 1
            && last.len() < 6
            && last.starts_with('-')
            && last[1..].chars().all(char::is_alphabetic)
    });
    let mut word = if joins && random.below(2) == 0 { line.pop().unwrap_or_default() } else { "-".into() };
    word.push(letter);
    match flag.letter_takes {
        Takes::Nothing => line.push(word),
        Takes::Maybe(_) if random.below(3) > 0 => line.push(word),
        Takes::Maybe(values) => line.push(word + values.one(random)),
        Takes::Always(_) if random.once_in(20) => line.push(word),
        Takes::Always(values) if random.below(2) == 0 => line.push(word + values.one(random)),
        Takes::Always(values) => line.extend([word, values.one(random).to_owned()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAMMAR: Grammar = Grammar {
        flags: &[
            switch('f', "fork"),
            switch('f', "fork"),
            flag('S', "setuid", always(&["0"], &["0"])),
            long("mount", maybe(&["x"], &["x"])),
            long("mount-proc", maybe(&["x"], &["x"])),
        ],
        beside: &["forward-signals"],
        words: &[&["true"]],
        bad_words: &[&[]],
        most: 3,
        bare: 12,
        dashes: true,
        permutes: false,
    };

    fn words() -> Vec<String> {
        (0..5_000).flat_map(|seed| GRAMMAR.line(seed)).collect()
    }

    #[test]
    fn lines_come_in_all_forms() {
        let words = words();
        for form in
            ["-f", "-S", "-S0", "-fS0", "--setuid", "--setuid=0", "--mount=x", "--", "--se", "--fork=x"]
        {
            assert!(words.iter().any(|word| word == form), "{form}");
        }
    }

    #[test]
    fn what_is_cut_short_means_the_same_with_the_newer_flags() {
        let words = words();
        assert!(!words.iter().any(|word| word == "--fo" || word == "--f"), "a newer flag begins so");
        assert!(words.iter().any(|word| word == "--for" || word == "--fork"));
        assert!(words.iter().any(|word| word == "--mo"), "two of its own begin so");
    }
}
