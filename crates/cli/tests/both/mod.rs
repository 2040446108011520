//! One command line to the real tool, `crate::TOOL`, and to ours, which is called by a link of that name.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use insula_proof as proof;

use crate::caller::{Caller, Ended, ended};

/// The two tools, for one caller.
pub struct Both<'a> {
    pub caller: &'a Caller,
    link: PathBuf,
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Theirs,
    Ours,
}

pub const TOOLS: [Tool; 2] = [Tool::Theirs, Tool::Ours];

impl<'a> Both<'a> {
    pub fn new(caller: &'a Caller) -> Both<'a> {
        let link = caller.home().join(crate::TOOL);
        if !link.exists() {
            symlink(&caller.words(&[])[0], &link).expect("make a link to insula");
        }
        Both { caller, link }
    }

    /// The words that call a tool.
    pub fn words(&self, tool: Tool, words: &[&str]) -> Vec<String> {
        let name = match tool {
            Tool::Theirs => crate::TOOL,
            Tool::Ours => self.link.to_str().expect("a path in UTF-8"),
        };
        [&[name], words].concat().into_iter().map(str::to_owned).collect()
    }

    /// A command that calls a tool.
    pub fn command(&self, tool: Tool, words: &[&str]) -> Command {
        let words = self.words(tool, words);
        let mut command = self.caller.command(&words[0]);
        command.args(&words[1..]);
        command
    }

    pub fn ours(&self, words: &[&str]) -> Ended {
        ended(&mut self.command(Tool::Ours, words))
    }

    /// Does theirs succeed with these words?
    pub fn they_take(&self, words: &[&str]) -> bool {
        ended(&mut self.command(Tool::Theirs, words)).code() == 0
    }

    /// The same end and output of both; returns ours. What they say of a failure is in other words, but both say something.
    #[track_caller]
    pub fn same(&self, words: &[&str]) -> Ended {
        let [theirs, ours] = TOOLS.map(|tool| ended(&mut self.command(tool, words)));
        compare(words, &theirs, &ours);
        ours
    }

    /// The same through another program, which executes the words behind its own.
    #[track_caller]
    pub fn same_by(&self, by: &[&str], words: &[&str]) -> Ended {
        let [theirs, ours] = TOOLS.map(|tool| {
            let mut command = self.caller.command(by[0]);
            ended(command.args(&by[1..]).args(self.words(tool, words)))
        });
        compare(words, &theirs, &ours);
        ours
    }
}

#[track_caller]
fn compare(words: &[&str], theirs: &Ended, ours: &Ended) {
    let shown = format!("{words:?}:\ntheirs: {}\nours: {}", theirs.err.trim_end(), ours.err.trim_end());
    assert_eq!(theirs.status, ours.status, "{shown}");
    assert_eq!(theirs.err.is_empty(), ours.err.is_empty(), "{shown}");
    let difference = proof::snapshot::difference(&theirs.out, &ours.out);
    assert!(theirs.out == ours.out, "{words:?}: - theirs, + ours\n{difference}");
}

/// Has the installed one this flag?
pub fn they_have(flag: &str) -> bool {
    static HELP: OnceLock<String> = OnceLock::new();
    let help = HELP.get_or_init(|| {
        let output = Command::new(crate::TOOL).arg("--help").output();
        output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    help.contains(flag)
}
