//! The environment of a process, as it was when its program began: proc_pid_environ(5).

use super::target::Target;
use crate::error::Error;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;

/// The target's, in the order that nsenter(1) leaves behind: the last string first. Of two of the same name the later
/// one counts; what has no `=` is no variable.
pub(super) fn of(target: &Target) -> Result<Vec<CString>, Error> {
    let mut bytes = Vec::new();
    let file = target.open_file("environ", OFlags::RDONLY)?;
    File::from(file).read_to_end(&mut bytes).map_err(|error| {
        target.refused("read `environ`".to_owned(), Errno::from_io_error(&error).unwrap_or(Errno::IO))
    })?;
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Vec<CString> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for string in bytes.split(|byte| *byte == 0).rev() {
        let Some(name) = name(string) else { continue };
        if !kept.iter().any(|known| self::name(known) == Some(name)) {
            kept.push(string);
        }
    }
    // Between two NULs there is none.
    kept.into_iter().filter_map(|string| CString::new(string).ok()).collect()
}

fn name(string: &[u8]) -> Option<&[u8]> {
    let at = string.iter().position(|byte| *byte == b'=')?;
    (at > 0).then(|| &string[..at])
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_last_of_two_counts_and_what_is_no_variable_is_left_out() {
        let read = parse(b"A=1\0B=x=y\0A=2\0junk\0=z\0C=\0");
        let read: Vec<&str> = read.iter().filter_map(|string| string.to_str().ok()).collect();
        assert_eq!(read, ["C=", "A=2", "B=x=y"]);
        assert!(parse(b"").is_empty());
    }
}
