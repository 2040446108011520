//! `HOME`, where the configuration has none: what the container's passwd(5) says of its user, else `/`.

use super::{Child, Describe};
use crate::fault::Done;
use crate::home_line::{HomeLine, LINE_BYTES};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use std::borrow::Cow;
use std::fmt;

/// How much of the file is read.
const MOST_BYTES: usize = 1024 * 1024;

/// The step.
#[derive(Debug)]
pub struct FindHome {
    /// Whose.
    pub uid: u32,
}

impl FindHome {
    #[expect(clippy::unnecessary_wraps, reason = "every step returns Done")]
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        // What cannot be read, or says nothing of the user, is no failure: then it is `/`.
        at.home = self.look();
        Ok(())
    }

    /// Reads the file piece by piece: it is the image's, so it may be anything.
    fn look(&self) -> Option<HomeLine> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open(c"/etc/passwd", flags, Mode::empty()).ok()?;
        if FileType::from_raw_mode(fstat(&file).ok()?.st_mode) != FileType::RegularFile {
            return None;
        }
        let mut bytes = [0u8; LINE_BYTES];
        let (mut length, mut total, mut skipping) = (0, 0, false);
        loop {
            let read = rustix::io::read(&file, &mut bytes[length..]).ok()?;
            total += read;
            length += read;
            let mut start = 0;
            while let Some(end) = bytes[start..length].iter().position(|byte| *byte == b'\n') {
                let line = &bytes[start..start + end];
                if !std::mem::take(&mut skipping)
                    && let Some(home) = home_of(line, self.uid)
                {
                    return Some(HomeLine::new(home));
                }
                start += end + 1;
            }
            if read == 0 || total > MOST_BYTES {
                let last = (!skipping && read == 0).then(|| home_of(&bytes[start..length], self.uid));
                return last.flatten().map(HomeLine::new);
            }
            bytes.copy_within(start..length, 0);
            length -= start;
            if length == bytes.len() {
                (length, skipping) = (0, true);
            }
        }
    }
}

/// The home directory in a line, if it is that of this user.
fn home_of(line: &[u8], uid: u32) -> Option<&[u8]> {
    let mut fields = line.split(|byte| *byte == b':');
    let number = fields.nth(2)?;
    let home = fields.nth(2)?;
    let is_his = std::str::from_utf8(number).ok()?.parse() == Ok(uid);
    (is_his && home.starts_with(b"/") && !home.contains(&0)).then_some(home)
}

impl fmt::Display for FindHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "look for the home of user {} in /etc/passwd", self.uid)
    }
}

impl Describe for FindHome {
    const NAME: &'static str = "find-home";

    fn why(&self) -> Cow<'static, str> {
        "`process.env` has no HOME, and programs want one; in the container, whose file may be mounted over the image's".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_that_of_the_number_and_a_path() {
        assert_eq!(home_of(b"ada:x:7:7:Ada:/home/ada:/bin/sh", 7), Some(&b"/home/ada"[..]));
        assert_eq!(home_of(b"ada:x:7:7:Ada:/home/ada", 7), Some(&b"/home/ada"[..]));
        for line in [
            &b"7:x:8:8::/eight:"[..],
            b"a:x:7:7::relative:",
            b"a:x:7",
            b"",
            b"a:x:7x:7::/x:",
            b"a:x:7:7::/\0:",
        ] {
            assert_eq!(home_of(line, 7), None);
        }
    }
}
