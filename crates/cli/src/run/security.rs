//! `--security-opt`: what a program may not do, in Docker's words.

use crate::value::reason::Reason;

/// What is expected of an option.
pub const FORM: &str =
    "no-new-privileges[:true|:false], or seccomp=FILE, seccomp=builtin or seccomp=unconfined";

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Option {
    /// `no-new-privileges`.
    NoNewPrivileges(bool),
    /// `seccomp`.
    Seccomp(Seccomp),
}

/// Which system calls the program may make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Seccomp {
    /// All of them.
    #[default]
    Unconfined,
    /// Those of the profile of our own.
    Builtin,
    /// Those of the profile in this file, in Docker's format or that of the OCI.
    File(String),
}

/// Reads one option; Docker takes `:` in the place of `=` as well.
pub fn parse(text: &str) -> Result<Option, Reason> {
    let (name, value) = match text.find(['=', ':']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    match (name, value) {
        ("no-new-privileges", None) => Ok(Option::NoNewPrivileges(true)),
        ("no-new-privileges", Some(value)) => boolean(value).map(Option::NoNewPrivileges),
        ("seccomp", None | Some("")) => Err(Reason::new("a profile is missing")),
        ("seccomp", Some("unconfined")) => Ok(Option::Seccomp(Seccomp::Unconfined)),
        ("seccomp", Some("builtin")) => Ok(Option::Seccomp(Seccomp::Builtin)),
        ("seccomp", Some(file)) => Ok(Option::Seccomp(Seccomp::File(file.to_owned()))),
        _ => Err(Reason::new("there is no such option")),
    }
}

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Reason> {
    text.parse().map_err(|_| Reason::of(text, "is neither true nor false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_words_are_understood() {
        let seccomp = |to| Ok(Option::Seccomp(to));
        assert_eq!(parse("no-new-privileges"), Ok(Option::NoNewPrivileges(true)));
        assert_eq!(parse("no-new-privileges:false"), Ok(Option::NoNewPrivileges(false)));
        assert_eq!(parse("no-new-privileges=true"), Ok(Option::NoNewPrivileges(true)));
        assert_eq!(parse("seccomp=unconfined"), seccomp(Seccomp::Unconfined));
        assert_eq!(parse("seccomp:builtin"), seccomp(Seccomp::Builtin));
        assert_eq!(parse("seccomp=./a:b=c.json"), seccomp(Seccomp::File("./a:b=c.json".to_owned())));
        for wrong in [
            "",
            "seccomp",
            "seccomp=",
            "no-new-privileges:perhaps",
            "apparmor=unconfined",
            "no-new-privilegesx",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
