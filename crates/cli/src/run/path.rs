//! Paths as they are written in flags: what a path must look like, without asking the system.

use crate::value::reason::Reason;

/// An absolute path without `..`, with `.`, doubled and trailing slashes taken out.
pub fn absolute(text: &str) -> Result<String, Reason> {
    if text.is_empty() {
        return Err(Reason::new("a path is missing"));
    }
    if !text.starts_with('/') {
        return Err(Reason::of(text, "is no absolute path"));
    }
    let mut clean = String::with_capacity(text.len());
    for component in text.split('/').filter(|component| !matches!(*component, "" | ".")) {
        if component == ".." {
            return Err(Reason::of(text, "leads through `..`"));
        }
        clean.push('/');
        clean.push_str(component);
    }
    Ok(if clean.is_empty() { "/".to_owned() } else { clean })
}

/// Where something can be mounted: an absolute path below `/`.
pub fn destination(text: &str) -> Result<String, Reason> {
    let clean = absolute(text)?;
    if clean == "/" { Err(Reason::new("the root itself cannot be mounted over")) } else { Ok(clean) }
}

/// Whether a word is written as a path: absolute, or relative with a dot in front.
pub fn is_written_as_path(word: &str) -> bool {
    matches!(word, "." | "..") || ["/", "./", "../"].iter().any(|start| word.starts_with(start))
}

/// A path of the caller's, made absolute: a relative one is below `cwd`. Symbolic links and `..` stay, for the kernel.
pub fn from(cwd: &str, path: &str) -> String {
    let relative = path.strip_prefix("./").unwrap_or(path);
    match path {
        _ if path.starts_with('/') => path.to_owned(),
        "." => cwd.to_owned(),
        _ => format!("{}/{relative}", cwd.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::{absolute, destination, from, is_written_as_path};

    #[test]
    fn absolute_paths() {
        let table = [
            ("/", Some("/")),
            ("//a/./b/", Some("/a/b")),
            ("/a", Some("/a")),
            ("", None),
            ("a", None),
            ("./a", None),
            ("/a/../b", None),
        ];
        for (text, clean) in table {
            assert_eq!(absolute(text).ok().as_deref(), clean, "{text}");
        }
        assert!(destination("/.").is_err());
    }

    #[test]
    fn relative_paths() {
        let table = [("/w", "/a", "/a"), ("/w", ".", "/w"), ("/w", "./a", "/w/a"), ("/", "../a", "/../a")];
        for (cwd, path, whole) in table {
            assert_eq!(from(cwd, path), whole);
        }
        assert!(is_written_as_path("./x") && is_written_as_path("..") && !is_written_as_path(".x"));
    }
}
