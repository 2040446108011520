//! Where a group is in a hierarchy: a path from the hierarchy's root, and the name that a caller gives.

use crate::error::Error;
use std::fmt;

/// The longest name of a directory (`NAME_MAX`).
const MAX_BYTES: usize = 255;

/// A path from the root of a hierarchy's mount: `/` and names, without `.` and `..`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<String>);

impl Path {
    /// The root itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads `/a/b` or `a/b`; empty parts and `.` are left out.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::new();
        for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
            check(text, part)?;
            parts.push(part.to_owned());
        }
        Ok(Self(parts))
    }

    /// Its names, from the root down.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Is it the hierarchy's root?
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of the group above; the root is above itself.
    pub fn parent(&self) -> Self {
        let names = self.0.split_last().map_or(&[][..], |(_, above)| above);
        Self(names.to_vec())
    }

    /// The path `below`, from here.
    pub fn join(&self, below: &Path) -> Self {
        Self([self.0.as_slice(), &below.0].concat())
    }

    /// Whether this is `above`, or a group below it.
    pub fn is_within(&self, above: &Path) -> bool {
        self.0.starts_with(&above.0)
    }

    /// The path from `above`, if it is below it.
    pub fn below(&self, above: &Path) -> Option<Self> {
        self.0.strip_prefix(above.0.as_slice()).map(|rest| Self(rest.to_vec()))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("/");
        }
        self.0.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

/// A group's name as a caller writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// `/a/b`: literally, from the root of each hierarchy.
    Absolute(Path),
    /// `a/b`: below a directory of insula's, where the caller may make groups.
    Relative(Path),
}

impl Name {
    /// Reads a name; the root itself is none, for it can be neither limited nor removed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let path = Path::parse(text)?;
        if path.is_root() {
            return Err(Error::invalid("the group", text, "is no name of a group"));
        }
        Ok(if text.starts_with('/') { Self::Absolute(path) } else { Self::Relative(path) })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(path) => path.fmt(f),
            Self::Relative(path) => f.write_str(&path.0.join("/")),
        }
    }
}

/// What the kernel refuses as a cgroup's name, or what would name another one than it says.
fn check(text: &str, part: &str) -> Result<(), Error> {
    let refuse = |reason| Err(Error::invalid("the group", text, reason));
    if part == ".." {
        return refuse("leads upwards");
    }
    if part.contains(['\0', '\n']) {
        return refuse("has a character that no cgroup's name can have");
    }
    // The files of a cgroup are named so, and a directory of that name could never be told from one.
    if part.starts_with("cgroup.") {
        return refuse("looks like a control file");
    }
    if part.len() > MAX_BYTES { refuse("is too long: 255 bytes are the most") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_shown() {
        for (text, shown) in [("/", "/"), ("", "/"), ("a/b", "/a/b"), ("//a/./b/", "/a/b")] {
            assert_eq!(Path::parse(text).unwrap().to_string(), shown);
        }
        for text in ["..", "/a/../b", "a\nb", "a\0", "/cgroup.procs", &"x".repeat(256)] {
            assert!(Path::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn paths_know_what_is_above_them() {
        let path = |text| Path::parse(text).unwrap();
        assert_eq!(path("/a/b").parent(), path("/a"));
        assert_eq!(Path::root().parent(), Path::root());
        assert_eq!(path("/a/b/c").below(&path("/a")), Some(path("/b/c")));
        assert_eq!(path("/ab").below(&path("/a")), None, "a name is not a prefix of another");
        assert!(path("/a").is_within(&path("/a")) && !path("/a").is_within(&path("/a/b")));
        assert_eq!(path("/a").join(&path("b")), path("/a/b"));
    }

    #[test]
    fn names_are_absolute_or_not_and_never_the_root() {
        assert_eq!(Name::parse("a/b").unwrap().to_string(), "a/b");
        assert_eq!(Name::parse("/a/b/").unwrap().to_string(), "/a/b");
        assert!(matches!(Name::parse("/a"), Ok(Name::Absolute(_))));
        assert!(matches!(Name::parse("a"), Ok(Name::Relative(_))));
        for text in ["", "/", ".", "//"] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
    }
}
