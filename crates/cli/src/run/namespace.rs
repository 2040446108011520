//! `--net`, `--pid`, `--ipc`, `--uts`, `--cgroupns` and `--userns`: which namespaces are new, the host's, or joined.

use super::name;
use crate::value::reason::Reason;
use insula_namespaces::names;

/// What can be written for the network namespace.
pub const NET_FORM: &str = "none, host, a name of `insula ns` or `ip netns`, or a path, as /run/netns/blue";

/// What can be written for the other kinds.
pub const FORM: &str =
    "private, host, the name of a container or of `insula ns`, or a path, as /proc/1234/ns/pid";

/// What can be written for the user namespace.
pub const USER_FORM: &str = "auto, host, identity or keep-id";

/// Which namespace of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// A new one.
    #[default]
    New,
    /// That of the caller.
    Host,
    /// A named one: of `insula ns` or `ip netns`, else a container's.
    Named(String),
    /// The namespace file at an absolute path.
    Path(String),
}

/// Reads a choice. `private` and `none` are a new namespace (a new network namespace has a loopback device and no more).
pub fn parse(text: &str) -> Result<Choice, Reason> {
    match text {
        "private" | "none" => Ok(Choice::New),
        "host" => Ok(Choice::Host),
        _ if text.starts_with('/') => Ok(Choice::Path(text.to_owned())),
        _ if names::check(text).is_ok() => Ok(Choice::Named(text.to_owned())),
        _ => name::parse(text).map(Choice::Named),
    }
}

/// How ids are mapped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserNs {
    /// As suits the caller.
    #[default]
    Auto,
    /// No user namespace.
    Host,
    /// A user namespace in which every id is itself.
    Identity,
    /// A user namespace in which the caller keeps its ids.
    KeepId,
}

impl UserNs {
    /// Reads a mode.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        match text {
            "auto" => Ok(Self::Auto),
            "host" => Ok(Self::Host),
            "identity" => Ok(Self::Identity),
            "keep-id" => Ok(Self::KeepId),
            _ => Err(Reason::of(text, "is no mode")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, UserNs, parse};

    #[test]
    fn choices() {
        let table = [
            ("none", Some(Choice::New)),
            ("private", Some(Choice::New)),
            ("host", Some(Choice::Host)),
            ("blue", Some(Choice::Named("blue".to_owned()))),
            ("_a+b", Some(Choice::Named("_a+b".to_owned()))),
            ("/run/netns/blue", Some(Choice::Path("/run/netns/blue".to_owned()))),
            ("", None),
            ("container:web", None),
            ("../x", None),
        ];
        for (text, choice) in table {
            assert_eq!(parse(text).ok(), choice, "{text}");
        }
        assert_eq!(UserNs::parse("keep-id"), Ok(UserNs::KeepId));
        assert!(UserNs::parse("nomap").is_err());
    }
}
