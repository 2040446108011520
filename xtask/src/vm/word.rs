//! The words by which the guest tells xtask where it is, among the lines of the tests.

/// How each of these lines begins.
const MARK: &str = "@insula-vm ";

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// What the machine is: kernel, systemd, tools.
    About(String),
    /// A pass begins: `root`, `user`.
    Begin(String),
    /// A test that was skipped, and why.
    Skip { test: String, reason: String },
    /// The pass is over, with this exit code.
    End(i32),
    /// All is over.
    Done,
}

impl Word {
    /// As a line.
    pub fn line(&self) -> String {
        match self {
            Word::About(text) => format!("{MARK}about {text}"),
            Word::Begin(who) => format!("{MARK}begin {who}"),
            Word::Skip { test, reason } => format!("{MARK}skip {test}\t{reason}"),
            Word::End(code) => format!("{MARK}end {code}"),
            Word::Done => format!("{MARK}done"),
        }
    }

    /// From a line, if it is one.
    pub fn of(line: &str) -> Option<Word> {
        let words = line.strip_prefix(MARK)?;
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        match verb {
            "about" => Some(Word::About(rest.into())),
            "begin" => Some(Word::Begin(rest.into())),
            "skip" => {
                let (test, reason) = rest.split_once('\t')?;
                Some(Word::Skip { test: test.into(), reason: reason.into() })
            }
            "end" => rest.parse().ok().map(Word::End),
            "done" => Some(Word::Done),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let skip = Word::Skip { test: "a::b".into(), reason: "needs root".into() };
        for word in
            [Word::About("Linux 6.1".into()), Word::Begin("user".into()), skip, Word::End(101), Word::Done]
        {
            assert_eq!(Word::of(&word.line()), Some(word));
        }
        assert_eq!(Word::of("test a::b ... ok"), None);
    }
}
