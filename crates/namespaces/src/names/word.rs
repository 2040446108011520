//! What can be the name of a set.

use super::trouble::Trouble;

/// Longer names serve nobody.
const MOST_BYTES: usize = 128;
/// What other words of a command line mean already.
const RESERVED: [&str; 3] = ["host", "none", "private"];

/// Can this be the name of a set?
pub fn check(name: &str) -> Result<(), Trouble> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > MOST_BYTES {
        "it is too long"
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte)) {
        "it has another character"
    } else if !name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_') {
        "it begins with another character"
    } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
        "it would be taken for a pid"
    } else if RESERVED.contains(&name) {
        "this word means something else"
    } else {
        return Ok(());
    };
    Err(Trouble::Unspeakable(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_word_that_means_nothing_else() {
        for name in ["web", "web-1.2_x+y", "_", "1a", "A", &"x".repeat(128)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["", "-x", ".x", "..", "a/b", "a b", "é", "a\n", "7", "host", "none", &"x".repeat(129)] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
