//! The job: what the machine has to do, in a file that xtask writes here and reads there. One thing a line.

use std::fmt::Write as _;
use std::path::PathBuf;

/// One test binary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// Its file in `tests` on the disk.
    pub name: String,
    /// Where cargo would start it: the directory of its package.
    pub directory: PathBuf,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// A file or directory on the disk, and the path where it has to appear.
    pub binds: Vec<(PathBuf, PathBuf)>,
    /// `root`, `user`: a pass each.
    pub who: Vec<String>,
    /// The words for each test binary.
    pub words: Vec<String>,
    /// In place of the tests.
    pub script: Option<String>,
    pub tests: Vec<Test>,
}

impl Job {
    /// As the file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| escaped(word)).collect();
            writeln!(text, "{}", words.join("\t")).expect("a string takes all that is written");
        };
        for (from, to) in &self.binds {
            line(&["bind", &from.to_string_lossy(), &to.to_string_lossy()]);
        }
        self.who.iter().for_each(|who| line(&["as", who]));
        self.words.iter().for_each(|word| line(&["word", word]));
        self.script.iter().for_each(|script| line(&["sh", script]));
        for test in &self.tests {
            line(&["test", &test.name, &test.directory.to_string_lossy()]);
        }
        text
    }

    /// From the file; nothing where a line is none of the job's.
    pub fn read(text: &str) -> Option<Job> {
        let mut job = Job::default();
        for line in text.lines() {
            let words: Vec<String> = line.split('\t').map(plain).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words[..] {
                ["bind", from, to] => job.binds.push((from.into(), to.into())),
                ["as", who] => job.who.push(who.into()),
                ["word", word] => job.words.push(word.into()),
                ["sh", script] => job.script = Some(script.into()),
                ["test", name, directory] => {
                    job.tests.push(Test { name: name.into(), directory: directory.into() });
                }
                _ => return None,
            }
        }
        Some(job)
    }
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t")
}

fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let job = Job {
            binds: vec![("tree".into(), "/home/a b/insula".into())],
            who: vec!["root".into(), "user".into()],
            words: vec!["--exact".into(), "a\\n".into()],
            script: Some("echo 1\n\tprintf '\\\\n'".into()),
            tests: vec![Test { name: "insula-run".into(), directory: "/t".into() }],
        };
        assert_eq!(Job::read(&job.text()), Some(job));
        assert_eq!(Job::read("what\tis this"), None);
    }
}
