//! Two tools, one line each time: do they give the same verdict?

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::io::{Read, Seek, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use insula_proof::Scratch;

use crate::given::Given;
use crate::line::Grammar;

/// The seed where none is asked for: a check gives the same verdict each time. `INSULA_SEED` asks for another.
const SEED: u64 = 20_150_731;

/// The codes of the programs in the lines, and of the shell that reads what `Verdict::of` gives it.
const RAN: [i32; 5] = [0, 7, 9, 42, 143];

/// So many differences are told; nobody reads more.
pub const ENOUGH: usize = 10;

/// Far more than any line needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a caller learns of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// As a shell has it; none if the call had no end.
    pub code: Option<i32>,
    /// Standard output, to the byte.
    pub out: String,
    /// Whether there is anything on standard error: the words are each tool's own.
    pub complains: bool,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "code {code}")?,
            None => f.write_str("no end")?,
        }
        let out: String = self.out.chars().take(400).collect();
        write!(f, ", {}, stdout: {out:?}", if self.complains { "complains" } else { "silent" })
    }
}

impl Verdict {
    /// Whether the tool did what it was asked for.
    pub fn obeys(&self) -> bool {
        self.code.is_some_and(|code| RAN.contains(&code))
    }

    /// Whether the tool refused, and said so.
    pub fn refuses(&self) -> bool {
        self.code == Some(1) && self.complains
    }

    /// Makes the call, whose standard input is `input`, and waits for its end.
    pub fn of(command: &mut Command, input: &str) -> Verdict {
        // Files, not pipes: what a line leaves running cannot hold up the verdict.
        let desk = Scratch::new();
        let file = |name: &str| {
            let path = desk.join(name);
            std::fs::File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)
                .expect("a file")
        };
        let (mut given, mut out, mut err) = (file("in"), file("out"), file("err"));
        given.write_all(input.as_bytes()).and_then(|()| given.rewind()).expect("write the input");
        command.stdin(given).stdout(out.try_clone().expect("dup")).stderr(err.try_clone().expect("dup"));
        let code = end(command.spawn().expect("start the tool"));
        let mut text = Vec::new();
        out.rewind().and_then(|()| out.read_to_end(&mut text)).expect("read the output");
        let complains = err.seek(std::io::SeekFrom::End(0)).expect("the length of what it said") > 0;
        Verdict { code, out: String::from_utf8_lossy(&text).into_owned(), complains }
    }
}

fn end(mut child: Child) -> Option<i32> {
    let deadline = Instant::now() + insula_proof::patience(PATIENCE);
    loop {
        if let Some(status) = child.try_wait().expect("wait for the tool") {
            return Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()));
        }
        if Instant::now() > deadline {
            drop(child.kill());
            drop(child.wait());
            return None;
        }
        thread::sleep(Duration::from_micros(200));
    }
}

/// A difference that is meant, and why.
pub struct Meant {
    pub why: &'static str,
    /// Whether this one is it: what the line says, the installed tool's verdict, ours.
    pub is: fn(&Given, &Verdict, &Verdict) -> bool,
}

/// For every face.
const HELP: Meant = Meant {
    why: "values are looked at when all flags are read, so help and version are answered in spite of a bad one before",
    is: |given, theirs, ours| {
        given.has_one_of(&["help", "version"]) && theirs.refuses() && ours.code == Some(0) && !ours.complains
    },
};

/// Lines for two tools in the same world.
pub struct Trial<'a> {
    pub grammar: &'a Grammar,
    /// Calls the tool of these words with a line, in a world that is the same each time.
    pub call: &'a dyn Fn(&[String], &[String]) -> Verdict,
    pub meant: &'a [Meant],
    /// After so many differences it ends.
    pub enough: usize,
}

/// What came of a trial.
#[derive(Default)]
pub struct Outcome {
    pub lines: usize,
    /// To how many the installed tool did what it was asked for: its own success, or the code of the program that it
    /// was to start ([`RAN`]).
    pub obeyed: usize,
    /// Lines to which the installed tool itself says now this, now that.
    pub fickle: Vec<String>,
    /// Differences that are meant, by their reasons.
    pub meant: BTreeMap<&'static str, usize>,
    pub differences: Vec<String>,
}

impl Trial<'_> {
    /// As many lines as `INSULA_ROUNDS` says, else `rounds`, from the seed `INSULA_SEED`, else the usual one.
    pub fn run(&self, theirs: &[String], ours: &[String], rounds: u64) -> Outcome {
        let number = |name: &str| env::var(name).ok().map(|text| text.parse().expect("a number in INSULA_*"));
        let first: u64 = number("INSULA_SEED").unwrap_or(SEED);
        let mut outcome = Outcome::default();
        for seed in
            (first..).take(usize::try_from(number("INSULA_ROUNDS").unwrap_or(rounds)).expect("a count"))
        {
            if outcome.differences.len() == self.enough {
                break;
            }
            outcome.lines += 1;
            let line = self.grammar.line(seed);
            let verdict = (self.call)(theirs, &line);
            outcome.obeyed += usize::from(verdict.obeys());
            let our = (self.call)(ours, &line);
            if alike(&verdict, &our) {
                continue;
            }
            if (self.call)(theirs, &line) != verdict || (self.call)(ours, &line) != our {
                outcome.fickle.push(format!("{line:?}"));
            } else if let Some(why) = self.why(&line, &verdict, &our) {
                *outcome.meant.entry(why).or_default() += 1;
            } else {
                outcome.differences.push(self.told(theirs, ours, &line, seed));
            }
        }
        outcome
    }

    /// Why this difference is meant, if it is.
    fn why(&self, line: &[String], theirs: &Verdict, ours: &Verdict) -> Option<&'static str> {
        let given = Given::of(self.grammar, line);
        let meant = self.meant.iter().chain([&HELP]).find(|meant| (meant.is)(&given, theirs, ours));
        meant.map(|meant| meant.why)
    }

    /// The difference on the shortest line that still shows one.
    fn told(&self, theirs: &[String], ours: &[String], line: &[String], seed: u64) -> String {
        let mut short = line.to_vec();
        let mut at = 0;
        while at < short.len() {
            let mut shorter = short.clone();
            shorter.remove(at);
            let (one, other) = ((self.call)(theirs, &shorter), (self.call)(ours, &shorter));
            if alike(&one, &other) || self.why(&shorter, &one, &other).is_some() {
                at += 1;
            } else {
                short = shorter;
            }
        }
        let (one, other) = ((self.call)(theirs, &short), (self.call)(ours, &short));
        format!(
            "{short:?}\n    of {line:?} (INSULA_SEED={seed} INSULA_ROUNDS=1)\n    {}: {one}\n    {}: {other}",
            theirs.join(" "),
            ours.join(" ")
        )
    }
}

/// Whether a caller could tell them apart. A text of help or version is each tool's own.
fn alike(one: &Verdict, other: &Verdict) -> bool {
    let own_text = |verdict: &Verdict| {
        verdict.code == Some(0)
            && ["Usage:", "from util-linux", "insula "].iter().any(|word| verdict.out.contains(word))
    };
    let out = one.out == other.out || own_text(one) && own_text(other);
    one.code == other.code && one.complains == other.complains && out
}

impl Outcome {
    /// Fails where a difference is not meant, or where the lines say nothing.
    #[track_caller]
    pub fn assert_none(&self) {
        assert!(
            self.differences.is_empty(),
            "{} of {} lines differ, and as meant {:?}:\n{}",
            self.differences.len(),
            self.lines,
            self.meant,
            self.differences.join("\n")
        );
        assert!(
            self.fickle.len() * 20 <= self.lines,
            "{} of {} lines have no one verdict: {}",
            self.fickle.len(),
            self.lines,
            self.fickle.join(" ")
        );
        assert!(
            self.lines < 50 || self.obeyed * 5 >= self.lines,
            "{} of {} lines were obeyed: the grammar is too wild to say much",
            self.obeyed,
            self.lines
        );
    }
}

/// Words as a tool's name or a line have them.
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// `insula FACE`, if it has that face; else why not.
pub fn face(binary: &str, name: &str) -> Result<Vec<String>, String> {
    let help =
        Command::new(binary).args([name, "--help"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match help {
        Ok(status) if status.success() => Ok(words(&[binary, name])),
        _ => Err(format!("this insula has no `{name}`")),
    }
}
