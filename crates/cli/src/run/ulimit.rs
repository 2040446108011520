//! `--ulimit NAME=SOFT[:HARD]`: a resource limit (getrlimit(2)).

use crate::value::reason::Reason;
use insula_oci::{Rlimit, RlimitKind, rlimit::UNLIMITED};

/// What can be written.
pub const FORM: &str = "NAME=SOFT[:HARD], as nofile=1024:4096 or core=unlimited";

/// Reads one limit. The name is that of getrlimit(2) without `RLIMIT_`, in either case; a value is a number in the unit of
/// the limit, `unlimited` or -1; without HARD both are SOFT.
pub fn parse(text: &str) -> Result<Rlimit, Reason> {
    let (name, values) = text.split_once('=').ok_or_else(|| Reason::new("there is no `=`"))?;
    let kind: RlimitKind = format!("RLIMIT_{}", name.to_ascii_uppercase())
        .parse()
        .map_err(|_| Reason::of(name, "is no resource limit"))?;
    let (soft, hard) = match values.split_once(':') {
        Some((soft, hard)) => (value(soft)?, value(hard)?),
        None => (value(values)?, value(values)?),
    };
    if soft > hard {
        return Err(Reason::new("the soft limit is above the hard one"));
    }
    Ok(Rlimit { kind, soft, hard })
}

/// A number, `unlimited` or -1.
fn value(text: &str) -> Result<u64, Reason> {
    if matches!(text, "unlimited" | "-1") {
        return Ok(UNLIMITED);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::of(text, "is no number"));
    }
    text.parse().map_err(|_| Reason::of(text, "is too large"))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use insula_oci::{RlimitKind, rlimit::UNLIMITED};

    #[test]
    fn limits() {
        let table = [
            ("nofile=1024", Some((RlimitKind::Nofile, 1024, 1024))),
            ("nofile=1024:4096", Some((RlimitKind::Nofile, 1024, 4096))),
            ("CORE=0:unlimited", Some((RlimitKind::Core, 0, UNLIMITED))),
            ("core=-1", Some((RlimitKind::Core, UNLIMITED, UNLIMITED))),
            ("as=18446744073709551615", Some((RlimitKind::As, UNLIMITED, UNLIMITED))),
            ("nofile", None),
            ("nofile=", None),
            ("nofile=abc", None),
            ("nofile=+1", None),
            ("nofile=2:1", None),
            ("nofile=-1:1", None),
            ("nofile=1:", None),
            ("nofile=1:2:3", None),
            ("files=1", None),
            ("rlimit_nofile=1", None),
            ("as=18446744073709551616", None),
        ];
        for (text, limit) in table {
            assert_eq!(parse(text).ok().map(|limit| (limit.kind, limit.soft, limit.hard)), limit, "{text}");
        }
    }
}
