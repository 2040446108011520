//! `--sysctl KEY=VALUE`: a kernel parameter of the container's namespaces (sysctl(8)).

use crate::value::reason::Reason;

/// What can be written.
pub const FORM: &str = "KEY=VALUE, as net.ipv4.ip_forward=1";

/// Reads one parameter. A key is words with dots or slashes between them; whether it belongs to a namespace is for the
/// runtime to say.
pub fn parse(text: &str) -> Result<(String, String), Reason> {
    let (key, value) = text.split_once('=').ok_or_else(|| Reason::new("there is no `=`"))?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:@".contains(&byte);
    let word = |word: &str| !word.is_empty() && word.bytes().all(fits);
    if !key.contains(['.', '/']) || !key.split(['.', '/']).all(word) {
        return Err(Reason::of(key, "is no kernel parameter"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn parameters() {
        for valid in
            ["net.ipv4.ip_forward=1", "net/ipv4/conf/eth0.1/forwarding=0", "kernel.msgmax=", "a.b=c=d"]
        {
            assert!(parse(valid).is_ok(), "{valid}");
        }
        for refused in
            ["", "net.core.somaxconn", "=1", "net=1", "net..core=1", "/net/core=1", "a.b\n=1", "../x=1"]
        {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }
}
