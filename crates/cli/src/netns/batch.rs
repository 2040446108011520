//! `-batch`: commands from a file, one a line, in the words and with the line numbers of ip(8).

use super::fault::{Fault, code};
use super::options::Options;
use super::{object, verbs};
use crate::tell;
use insula_oci::escaped;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStringExt;

/// Where in the file we are.
struct Lines<R> {
    from: R,
    number: usize,
}

/// Does what the file says; the first failure ends it, unless `-force` is given.
pub fn run(file: &OsStr, options: &Options) -> Result<(), Fault> {
    let shown = file.to_string_lossy();
    if file == "-" {
        return all(&shown, std::io::stdin().lock(), options);
    }
    let opened = File::open(file).map_err(|error| {
        let error = insula_launch::error::Named(
            rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO),
        )
        .to_string();
        Fault::bare(format!("open `{shown}`: {error}"), code::FAILED)
    })?;
    all(&shown, BufReader::new(opened), options)
}

fn all(shown: &str, from: impl BufRead, options: &Options) -> Result<(), Fault> {
    let mut lines = Lines { from, number: 0 };
    let mut worst = Ok(());
    while let Some(line) = lines.next()? {
        let words = words(&line)?;
        let [object, rest @ ..] = &words[..] else { continue };
        let Err(fault) = object::check(object).and_then(|()| verbs::run(rest, options, true)) else {
            continue;
        };
        fault.tell();
        tell::aside(&format!("Command failed {}:{}\n", escaped(shown), lines.number));
        // A line that is wrong in itself ends all, as with `ip`.
        if fault.code == code::WRONG || !options.force {
            let code = if fault.code == code::WRONG { code::WRONG } else { code::FAILED };
            return Err(Fault::quiet(code));
        }
        worst = Err(Fault::quiet(code::FAILED));
    }
    worst
}

impl<R: BufRead> Lines<R> {
    /// The next line without what stands behind a `#`, and with the next one where it ends in a backslash.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let Some(mut line) = self.one()? else { return Ok(None) };
        while line.ends_with(b"\\\n") {
            line.truncate(line.len() - 2);
            let next = self.one()?.ok_or_else(|| {
                Fault::bare(format!("line {}: a line that goes on is the last", self.number), code::FAILED)
            })?;
            line.extend(next);
        }
        Ok(Some(line))
    }

    fn one(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let mut line = Vec::new();
        let read = self
            .from
            .read_until(b'\n', &mut line)
            .map_err(|error| Fault::bare(format!("read line {}: {error}", self.number + 1), code::FAILED))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if let Some(comment) = line.iter().position(|byte| *byte == b'#') {
            line.truncate(comment);
        }
        Ok(Some(line))
    }
}

/// Splits a line: at white space, but not in quotes that begin a word.
fn words(line: &[u8]) -> Result<Vec<OsString>, Fault> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let Some(begin) = rest.iter().position(|byte| !is_space(byte)) else { return Ok(words) };
        rest = &rest[begin..];
        let (word, behind) = match rest[0] {
            quote @ (b'\'' | b'"') => {
                let end = rest[1..].iter().position(|byte| *byte == quote);
                let end = end.ok_or_else(|| Fault::bare("a quotation is not closed", code::FAILED))?;
                (&rest[1..=end], &rest[end + 2..])
            }
            _ => rest.split_at(rest.iter().position(is_space).unwrap_or(rest.len())),
        };
        words.push(OsString::from_vec(word.to_vec()));
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        let words = words(line.as_bytes()).expect("words");
        words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn words_are_split_at_white_space_outside_of_quotes() {
        assert_eq!(split(" netns  add\ta\r\n"), ["netns", "add", "a"]);
        assert_eq!(split("exec 'a b' \"c 'd\" e"), ["exec", "a b", "c 'd", "e"]);
        // Only at the beginning of a word; and behind the closing one the next begins.
        assert_eq!(split("a'b c' 'd'e ''"), ["a'b", "c'", "d", "e", ""]);
        assert_eq!(split(" \n"), Vec::<String>::new());
        assert!(words(b"a 'b").is_err());
    }

    #[test]
    fn lines_go_on_behind_a_backslash_and_have_comments() {
        let text = b"a # b\\\nc\\\nd\n\n# x\ne".as_slice();
        let mut lines = Lines { from: text, number: 0 };
        let mut all = Vec::new();
        while let Some(line) = lines.next().expect("read") {
            all.push((lines.number, String::from_utf8(line).expect("text")));
        }
        let expected = [(1, "a "), (3, "cd\n"), (4, "\n"), (5, ""), (6, "e")];
        assert_eq!(all, expected.map(|(number, line)| (number, line.to_owned())));
        assert!(Lines { from: b"a\\\n".as_slice(), number: 0 }.next().is_err());
    }
}
