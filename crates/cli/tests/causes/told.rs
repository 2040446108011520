//! What a refused call tells: the cause and the hint, and nothing of others.

use crate::caller::{Caller, Ended, ended};

/// What one call told.
#[derive(Debug)]
pub struct Told {
    /// The line behind `cause:`.
    pub cause: Option<String>,
    /// The line behind `hint:`.
    pub hint: Option<String>,
    all: String,
}

impl Told {
    /// Of the one refused call in this end.
    #[track_caller]
    pub fn by(end: &Ended) -> Told {
        let line = |word: &str| {
            let prefix = format!("insula: {word}: ");
            let mut lines = end.err.lines().filter_map(|line| line.strip_prefix(&prefix));
            let line = lines.next().map(str::to_owned);
            assert_eq!(lines.next(), None, "two calls were refused: {}", end.err);
            line
        };
        assert!(line("error").is_some(), "nothing was refused: {end:?}");
        Told { cause: line("cause"), hint: line("hint"), all: end.err.clone() }
    }

    /// The cause and the cure hold these words.
    #[track_caller]
    pub fn is(&self, cause: &str, cure: &str) {
        let holds =
            |line: &Option<String>, words: &str| line.as_ref().is_some_and(|line| line.contains(words));
        assert!(holds(&self.cause, cause), "not the cause `{cause}`:\n{}", self.all);
        assert!(holds(&self.hint, cure), "not the cure `{cure}`:\n{}", self.all);
    }
}

/// With the places of administrators' programs, chroot(8) among them, which an ordinary user's may lack.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

/// `insula unshare FLAGS… -- sh -c SCRIPT`, where `$0` is insula.
#[track_caller]
pub fn within(caller: &Caller, flags: &[&str], script: &str) -> Ended {
    let insula = &caller.words(&[])[0];
    let words = [&["unshare"], flags, &["--", "sh", "-c", script, insula]].concat();
    ended(caller.insula(&words).env("PATH", path()))
}

/// The same, where one call in it is refused.
#[track_caller]
pub fn refused(caller: &Caller, flags: &[&str], script: &str) -> Told {
    Told::by(&within(caller, flags, script))
}

/// `sh -c SCRIPT`, where `$0` is insula.
#[track_caller]
pub fn shell(caller: &Caller, script: &str) -> Ended {
    let insula = &caller.words(&[])[0];
    ended(caller.command("sh").args(["-c", script, insula]).env("PATH", path()))
}
