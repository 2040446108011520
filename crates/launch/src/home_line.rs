//! `HOME=…`, found by the child in the container: kept without allocation until the exec.

use std::ffi::CStr;
use std::fmt;

/// The longest value.
pub(crate) const LINE_BYTES: usize = 4096;

/// A variable of the environment that is known only in the container.
pub struct HomeLine([u8; LINE_BYTES + 6]);

impl fmt::Debug for HomeLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_c_str().fmt(f)
    }
}

impl HomeLine {
    /// `HOME=…`.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"HOME=/")
    }

    /// With this value, of at most [`LINE_BYTES`].
    pub(crate) fn new(home: &[u8]) -> HomeLine {
        let mut line = [0; LINE_BYTES + 6];
        line[..5].copy_from_slice(b"HOME=");
        line[5..5 + home.len()].copy_from_slice(home);
        HomeLine(line)
    }
}

#[cfg(test)]
mod tests {
    use super::HomeLine;

    #[test]
    fn a_line_is_a_c_string() {
        assert_eq!(HomeLine::new(b"/x").as_c_str(), c"HOME=/x");
        assert_eq!(
            HomeLine::new(&[b'/'; super::LINE_BYTES]).as_c_str().to_bytes().len(),
            super::LINE_BYTES + 5
        );
    }
}
