//! `[ROOT] [--] CMD [ARG…]`: which word is the root, and where the command begins.
//!
//! - A `--` in front of all words: there is no ROOT, all is CMD.
//! - A `--` behind the first word: that word is ROOT, what follows is CMD.
//! - Else the first word is ROOT if it is `host`, or if it is written as a path (`/…`, `./…`, `../…`, `.` or `..`) and is a
//!   directory.
//! - A later `--` belongs to CMD.

use super::error::Error;
use super::path;
use crate::value::reason::Reason;

/// The root of the container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Root {
    /// A copy-on-write view of the machine's own.
    #[default]
    Host,
    /// A directory, as it was written.
    Directory(String),
}

/// The word for [`Root::Host`].
const HOST: &str = "host";

/// Divides the words. `dashed` says whether a `--` stood in front of them; `is_directory` asks the system.
pub fn divide(
    words: &[String],
    dashed: bool,
    is_directory: impl Fn(&str) -> bool,
) -> Result<(Root, &[String]), Error> {
    let root = |word: &str| if word == HOST { Root::Host } else { Root::Directory(word.to_owned()) };
    match words {
        [word, dashes, command @ ..] if !dashed && dashes == "--" => {
            if word == HOST || is_directory(word) {
                return Ok((root(word), command));
            }
            let reason = Reason::new("stands before `--` as the root, but is no directory");
            Err(Error::Root {
                word: word.clone(),
                reason,
                cure: format!("write -- {word} -- if it is the command"),
            })
        }
        [word, command @ ..]
            if !dashed && (word == HOST || (path::is_written_as_path(word) && is_directory(word))) =>
        {
            Ok((root(word), command))
        }
        command => Ok((Root::Host, command)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Root, divide};

    #[test]
    fn words() {
        let table = [
            ("", false, Some(("", ""))),
            ("host", false, Some(("", ""))),
            ("host sh", false, Some(("", "sh"))),
            ("host host", false, Some(("", "host"))),
            ("host -- sh -c x", false, Some(("", "sh -c x"))),
            ("host -- -- x", false, Some(("", "-- x"))),
            ("host x.org", true, Some(("", "host x.org"))),
            ("sh -c x", false, Some(("", "sh -c x"))),
            ("/dir sh", false, Some(("/dir", "sh"))),
            ("/dir", false, Some(("/dir", ""))),
            ("./dir sh", false, Some(("./dir", "sh"))),
            ("dir sh", false, Some(("", "dir sh"))),
            ("dir -- sh", false, Some(("dir", "sh"))),
            ("/bin/ls /dir", false, Some(("", "/bin/ls /dir"))),
            ("/dir sh", true, Some(("", "/dir sh"))),
            ("grep -- x", false, None),
            ("grep -- x", true, Some(("", "grep -- x"))),
            ("grep -e -- x", false, Some(("", "grep -e -- x"))),
            ("/bin/ls -- x", false, None),
        ];
        for (text, dashed, expected) in table {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let divided = divide(&words, dashed, |path| path.ends_with("dir")).ok();
            let divided = divided.map(|(root, command)| (root, command.join(" ")));
            let expected = expected.map(|(root, command)| {
                let directory = Root::Directory(str::to_owned(root));
                (if root.is_empty() { Root::Host } else { directory }, str::to_owned(command))
            });
            assert_eq!(divided, expected, "{dashed} {text}");
        }
    }
}
