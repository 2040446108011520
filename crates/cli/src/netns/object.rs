//! The objects of ip(8): a link of its name has one of them, `netns`, and says of the others where insula has the like.

use super::abbreviation::abbreviates;
use super::fault::{Fault, code};
use std::ffi::OsStr;

/// The objects in the order in which `ip` tries abbreviations, and what insula has for each.
const TABLE: &[(&str, Option<&str>)] = &[
    ("address", Some("`insula link addr` gives addresses, `insula link show` lists them")),
    ("addrlabel", None),
    ("maddress", None),
    ("route", Some("`insula link route` makes routes, `insula link show` lists them")),
    ("rule", None),
    ("neighbor", None),
    ("neighbour", None),
    ("ntable", None),
    ("ntbl", None),
    ("link", Some("`insula link` makes, moves, changes and shows devices")),
    ("l2tp", None),
    ("fou", None),
    ("ila", None),
    ("macsec", None),
    ("tunnel", None),
    ("tunl", None),
    ("tuntap", None),
    ("tap", None),
    ("token", None),
    ("tcpmetrics", None),
    ("tcp_metrics", None),
    ("monitor", None),
    ("xfrm", None),
    ("mroute", None),
    ("mrule", None),
    (NETNS, None),
    ("netconf", None),
    ("vrf", None),
    ("sr", None),
    ("nexthop", None),
    ("mptcp", None),
    ("ioam", None),
    (HELP, None),
    ("stats", None),
];

const NETNS: &str = "netns";
const HELP: &str = "help";

/// Refuses an object that is not `netns`.
pub fn check(word: &OsStr) -> Result<(), Fault> {
    let word = word.to_string_lossy();
    let refused = |message: String, hint: &str| Err(Fault::failed(message, hint));
    match TABLE.iter().find(|(name, _)| abbreviates(&word, name)) {
        Some((NETNS, _)) => Ok(()),
        Some((HELP, _)) => Err(Fault::help(super::flags::IP_USAGE)),
        Some((name, here)) => {
            let hint = here.unwrap_or("only `netns` is answered here; iproute2's own ip(8) has the others");
            refused(format!("`ip {name}` is not insula's"), hint)
        }
        None => Err(Fault::bare(format!("no object `{word}`"), code::FAILED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abbreviation_means_the_first_that_begins_so() {
        for word in ["netns", "netn", "net"] {
            assert!(check(OsStr::new(word)).is_ok(), "{word}");
        }
        // `n` and `ne` are neighbor, `netc` is netconf.
        for word in ["n", "ne", "netc", "netnsx", "l", "a", "x", ""] {
            assert!(check(OsStr::new(word)).is_err(), "{word}");
        }
    }
}
