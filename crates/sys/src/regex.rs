//! regex(3): POSIX extended regular expressions, those of the C library, as the tools that we stand for have them.

use std::ffi::CString;
use std::mem::MaybeUninit;

/// A compiled expression, regcomp(3).
pub struct Regex {
    /// In a box: the C library may keep pointers into it.
    compiled: Box<libc::regex_t>,
}

impl std::fmt::Debug for Regex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Regex")
    }
}

impl Regex {
    /// regcomp(3) with `REG_EXTENDED | REG_NOSUB`. The error is the C library's words, regerror(3).
    ///
    /// What the expression may cost is the caller's to bound: some short ones take gigabytes to compile.
    pub fn new(pattern: &str) -> Result<Regex, String> {
        let pattern = CString::new(pattern).map_err(|_| "a NUL byte in the expression".to_owned())?;
        let mut compiled: Box<MaybeUninit<libc::regex_t>> = Box::new(MaybeUninit::zeroed());
        let flags = libc::REG_EXTENDED | libc::REG_NOSUB;
        // SAFETY: regcomp writes the regex_t that the box holds, and reads the pattern up to its NUL.
        let code = unsafe { libc::regcomp(compiled.as_mut_ptr(), pattern.as_ptr(), flags) };
        if code != 0 {
            return Err(words(code, compiled.as_ptr()));
        }
        // SAFETY: all-zero bytes are a valid regex_t (integers and pointers), and regcomp has filled it.
        Ok(Regex { compiled: unsafe { compiled.assume_init() } })
    }

    /// regexec(3): does the expression match somewhere in `text`? A text with a NUL byte is read up to it.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.split('\0').next().unwrap_or_default();
        let Ok(text) = CString::new(text) else { return false };
        // SAFETY: the regex_t was compiled by `new`; with no room for submatches, none are written.
        unsafe { libc::regexec(&raw const *self.compiled, text.as_ptr(), 0, std::ptr::null_mut(), 0) == 0 }
    }
}

impl Drop for Regex {
    fn drop(&mut self) {
        // SAFETY: compiled by `new`, and freed only here.
        unsafe { libc::regfree(&raw mut *self.compiled) };
    }
}

/// regerror(3).
fn words(code: libc::c_int, compiled: *const libc::regex_t) -> String {
    let mut text = [0u8; 128];
    // SAFETY: regerror writes at most the given number of bytes, with a NUL at the end, and only looks at the code where
    // the expression was not compiled.
    unsafe { libc::regerror(code, compiled, text.as_mut_ptr().cast(), text.len()) };
    String::from_utf8_lossy(text.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Regex;

    #[test]
    fn an_expression_matches_anywhere_in_a_text() {
        let table = [
            ("^net|uts$", "net", true),
            ("a{2,3}b", "xaabx", true),
            ("^a.c$", "abcd", false),
            ("", "", true),
        ];
        for (pattern, text, matches) in table {
            assert_eq!(Regex::new(pattern).unwrap().matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn a_broken_expression_is_told_in_the_words_of_the_library() {
        assert!(!Regex::new("(").unwrap_err().is_empty());
        assert!(Regex::new("a\0b").is_err());
    }
}
