//! Names of devices, as the kernel takes them (`dev_valid_name()`).

use crate::error::Error;

/// The longest name, in bytes: `IFNAMSIZ` (netdevice(7)) without its NUL.
pub const MOST_BYTES: usize = 15;

/// Can a device have this name? The kernel refuses `:` as well, which once divided a device from an alias of it.
pub fn check(name: &str) -> Result<(), Error> {
    let space = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
    let reason = match name {
        "" => "it is empty",
        "." | ".." => "a directory has that name",
        _ if name.len() > MOST_BYTES => "it is longer than 15 bytes",
        _ if name.bytes().any(|byte| byte == b'/' || byte == b':') => "`/` or `:` is in it",
        _ if name.bytes().any(space) => "white space is in it",
        // 0xa0 is white space to the kernel, whose ctype is Latin-1, also inside of a character of UTF-8.
        _ if name.bytes().any(|byte| byte == 0 || byte == 0xa0) => "a byte that cannot be in one is in it",
        _ if name.contains('%') => "`%` stands for a number to the kernel",
        _ => return Ok(()),
    };
    Err(Error::Name { name: name.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_name_fits_where_the_kernel_keeps_it() {
        for name in ["a", "eth0", "a.b", "...", "é", "-x", "123456789012345", "a@b", "a=b"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a:1",
            "a b",
            "a\tb",
            "a\n",
            "a\x0bb",
            "a\0",
            "à",
            "eth%d",
            "1234567890123456",
        ] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
