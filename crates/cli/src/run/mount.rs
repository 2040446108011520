//! `--mount type=bind|tmpfs,KEY=VALUE,…`: a mount in Docker's long form.

use super::tmpfs::Tmpfs;
use super::volume::Volume;
use crate::value::reason::Reason;

/// What can be written.
pub const FORM: &str =
    "type=bind,source=PATH,target=PATH[,readonly] or type=tmpfs,target=PATH[,tmpfs-size=64m]";

/// A mount that is asked for, by `-v`, `--tmpfs` or `--mount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A file or directory of the host.
    Bind(Volume),
    /// An empty file system in memory.
    Tmpfs(Tmpfs),
}

impl Mount {
    /// Where in the container.
    pub fn destination(&self) -> &str {
        match self {
            Self::Bind(volume) => &volume.destination,
            Self::Tmpfs(tmpfs) => &tmpfs.destination,
        }
    }
}

/// Reads one mount.
pub fn parse(text: &str) -> Result<Mount, Reason> {
    let fields = fields(text)?;
    let pairs: Vec<(&str, Option<&str>)> = fields
        .iter()
        .map(|field| match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field.as_str(), None),
        })
        .collect();
    let target = one(&pairs, &["target", "destination", "dst"])?;
    let target = target.ok_or_else(|| Reason::new("the target is missing"))?;
    let source = one(&pairs, &["source", "src"])?;
    match (one(&pairs, &["type"])?, source) {
        (Some("bind"), source) => bind(&pairs, source.unwrap_or(""), target).map(Mount::Bind),
        (Some("tmpfs"), None) => tmpfs(&pairs, target).map(Mount::Tmpfs),
        (Some("tmpfs"), Some(_)) => Err(Reason::new("a tmpfs has no source")),
        (Some("volume"), _) => Err(Reason::new("there are no named volumes")),
        (Some(kind), _) => Err(Reason::of(kind, "is no type of mount")),
        (None, _) => Err(Reason::new("the type is missing")),
    }
}

/// The keys that [`parse`] itself reads.
const COMMON: [&str; 6] = ["type", "source", "src", "target", "destination", "dst"];

/// A bind mount out of the remaining keys.
fn bind(pairs: &[(&str, Option<&str>)], source: &str, target: &str) -> Result<Volume, Reason> {
    let mut volume = Volume::new(source, target)?;
    for &(key, value) in pairs.iter().filter(|(key, _)| !COMMON.contains(key)) {
        match key {
            "readonly" | "ro" => volume.add(if switch(value)? { "ro" } else { "rw" })?,
            "bind-propagation" => match value.unwrap_or("") {
                kind @ ("shared" | "rshared" | "slave" | "rslave" | "private" | "rprivate") => {
                    volume.add(kind)?
                }
                kind => return Err(Reason::of(kind, "is no propagation")),
            },
            "bind-nonrecursive" => volume.add(if switch(value)? { "bind" } else { "rbind" })?,
            "bind-recursive" => match value {
                Some("enabled") => volume.add("rbind")?,
                Some("disabled") => volume.add("bind")?,
                _ => return Err(Reason::of(value.unwrap_or(""), "is neither enabled nor disabled")),
            },
            "idmap" => volume.add(if switch(value)? { "idmap" } else { "noidmap" })?,
            _ => return Err(Reason::of(key, "is no key of a bind mount")),
        }
    }
    Ok(volume)
}

/// A tmpfs out of the remaining keys.
fn tmpfs(pairs: &[(&str, Option<&str>)], target: &str) -> Result<Tmpfs, Reason> {
    let mut tmpfs = Tmpfs::new(target)?;
    for &(key, value) in pairs.iter().filter(|(key, _)| !COMMON.contains(key)) {
        match key {
            "readonly" | "ro" => tmpfs.add(if switch(value)? { "ro" } else { "rw" })?,
            "tmpfs-size" => tmpfs.add(&format!("size={}", value.unwrap_or("")))?,
            "tmpfs-mode" => tmpfs.add(&format!("mode={}", value.unwrap_or("")))?,
            "tmpfs-options" => value.unwrap_or("").split(',').try_for_each(|option| tmpfs.add(option))?,
            _ => return Err(Reason::of(key, "is no key of a tmpfs")),
        }
    }
    Ok(tmpfs)
}

/// The value of a key with several names, which may stand once.
fn one<'a>(pairs: &[(&str, Option<&'a str>)], names: &[&str]) -> Result<Option<&'a str>, Reason> {
    let mut values = pairs.iter().filter(|(key, _)| names.contains(key));
    match (values.next(), values.next()) {
        (Some((key, _)), Some(_)) => Err(Reason::of(key, "stands twice")),
        (Some((key, None | Some(""))), None) => Err(Reason::of(key, "has no value")),
        (first, _) => Ok(first.and_then(|&(_, value)| value)),
    }
}

/// A switch: alone it is on.
fn switch(value: Option<&str>) -> Result<bool, Reason> {
    match value {
        None | Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(other) => Err(Reason::of(other, "is neither true nor false")),
    }
}

/// Splits at commas as CSV does (RFC 4180), as Docker reads it: a field that begins with `"` runs to the next single `"`.
fn fields(text: &str) -> Result<Vec<String>, Reason> {
    let mut fields = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        let mut field = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next() {
                    Some('"') if rest.next_if_eq(&'"').is_some() => field.push('"'),
                    Some('"') => break,
                    Some(character) => field.push(character),
                    None => return Err(Reason::new("a quotation mark is not closed")),
                }
            }
        } else {
            while let Some(character) = rest.next_if(|&character| character != ',') {
                field.push(character);
            }
        }
        fields.push(field);
        match rest.next() {
            None => return Ok(fields),
            Some(',') => {}
            Some(_) => return Err(Reason::new("something stands behind a closing quotation mark")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mount, parse};

    #[test]
    fn mounts() {
        let table = [
            ("type=bind,source=/a,target=/b", Some(("/b", ""))),
            ("type=bind,src=./a,dst=/b,readonly", Some(("/b", "ro"))),
            (
                "type=bind,src=/a,dst=/b,ro=false,bind-propagation=rshared,idmap",
                Some(("/b", "rw,rshared,idmap")),
            ),
            ("type=bind,\"src=/a,b\",dst=/b", Some(("/b", ""))),
            (
                "type=tmpfs,dst=/b,tmpfs-size=1k,tmpfs-mode=700",
                Some(("/b", "noexec,nosuid,nodev,size=1024,mode=700")),
            ),
            ("type=tmpfs,dst=/b,\"tmpfs-options=exec,uid=1\"", Some(("/b", "nosuid,nodev,exec,uid=1"))),
            ("", None),
            ("source=/a,target=/b", None),
            ("type=volume,source=a,target=/b", None),
            ("type=npipe,source=a,target=/b", None),
            ("type=bind,target=/b", None),
            ("type=bind,source=/a", None),
            ("type=bind,source=/a,target=/b,dst=/c", None),
            ("type=bind,source=/a,target=/b,readonly=perhaps", None),
            ("type=bind,source=/a,target=/b,readonly,readonly", None),
            ("type=bind,source=/a,target=/b,tmpfs-size=1", None),
            ("type=tmpfs,source=/a,target=/b", None),
            ("type=tmpfs,target=/b,\"x", None),
            ("type=tmpfs,\"target=/b\"x", None),
            ("type=tmpfs,target=/b,", None),
        ];
        for (text, mount) in table {
            let parsed = parse(text).ok();
            let parsed = parsed.as_ref().map(|mount| match mount {
                Mount::Bind(volume) => (mount.destination(), volume.options.join(",")),
                Mount::Tmpfs(tmpfs) => (mount.destination(), tmpfs.options.join(",")),
            });
            assert_eq!(parsed, mount.map(|(at, options)| (at, options.to_owned())), "{text}");
        }
    }
}
