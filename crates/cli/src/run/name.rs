//! Names of containers and of hosts.

use crate::value::reason::Reason;

/// What can be written for a container.
pub const FORM: &str = "letters, digits, `_`, `.` and `-`, at most 128, a letter or digit first";

/// What can be written for a host.
pub const HOST_FORM: &str = "letters, digits, `_`, `.` and `-`, at most 64, a letter or digit first";

/// The longest host name (`__NEW_UTS_LEN`, sethostname(2)).
pub const MAX_HOST: usize = 64;

/// Reads a container's name: `[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}`.
pub fn parse(text: &str) -> Result<String, Reason> {
    bounded(text, 128)
}

/// Reads a host or domain name.
pub fn host(text: &str) -> Result<String, Reason> {
    bounded(text, MAX_HOST)
}

/// Reads a name of at most `most` bytes.
fn bounded(text: &str, most: usize) -> Result<String, Reason> {
    if text.len() > most {
        return Err(Reason::new(format!("the name has {} characters", text.len())));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !first || !text.bytes().all(fits) {
        return Err(Reason::of(text, "is no name"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{host, parse};

    #[test]
    fn names() {
        for valid in ["a", "0", "web-1.a_b", &"x".repeat(128)] {
            assert_eq!(parse(valid).ok().as_deref(), Some(valid));
        }
        for refused in ["", "-a", ".a", "_a", "a/b", "a b", "é", "a\n", &"x".repeat(129)] {
            assert!(parse(refused).is_err(), "{refused}");
        }
        assert!(host(&"x".repeat(64)).is_ok() && host(&"x".repeat(65)).is_err());
    }
}
