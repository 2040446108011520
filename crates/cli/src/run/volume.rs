//! `-v SOURCE:DESTINATION[:OPTIONS]`: a file or directory of the host in the container.

use super::path;
use crate::value::reason::Reason;

/// What can be written.
pub const FORM: &str = "SOURCE:DESTINATION[:OPTIONS], as ./data:/data:ro,idmap";

/// A bind mount that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// On the host: absolute, or relative to the caller's working directory.
    pub source: String,
    /// In the container: absolute, below `/`.
    pub destination: String,
    /// The options of the mount as `config.json` has them, without `bind` or `rbind`.
    pub options: Vec<String>,
    /// Whether the mounts below the source come along: they do unless `bind` is written.
    pub recursive: bool,
    /// Whether `z` or `Z` was written: on a system without SELinux it asks for nothing.
    pub relabel: bool,
}

impl Volume {
    /// A mount of `source` at `destination` without options.
    pub fn new(source: &str, destination: &str) -> Result<Self, Reason> {
        if source.is_empty() {
            return Err(Reason::new("the source is missing"));
        }
        if !path::is_written_as_path(source) {
            return Err(Reason::of(source, "is no path, and there are no named volumes"));
        }
        let destination = path::destination(destination)?;
        Ok(Self {
            source: source.to_owned(),
            destination,
            options: Vec::new(),
            recursive: true,
            relabel: false,
        })
    }

    /// Adds an option; one that contradicts or repeats another is refused.
    pub fn add(&mut self, option: &str) -> Result<(), Reason> {
        match option {
            "z" | "Z" => self.relabel = true,
            // Docker fills a new named volume from the image; a bind mount never is.
            "nocopy" => {}
            "rbind" => self.recursive = true,
            "bind" => self.recursive = false,
            _ => {
                let group = GROUPS.iter().find(|group| group.contains(&option));
                let group = group.ok_or_else(|| Reason::of(option, "is no option"))?;
                if let Some(other) = self.options.iter().find(|other| group.contains(&other.as_str())) {
                    return Err(Reason::new(format!("`{option}` does not go with `{other}`")));
                }
                self.options.push(option.to_owned());
            }
        }
        Ok(())
    }
}

/// Options of which one at most can be written.
const GROUPS: [&[&str]; 6] = [
    &["ro", "rw"],
    &["shared", "rshared", "slave", "rslave", "private", "rprivate"],
    &["idmap", "noidmap"],
    &["nosuid", "suid"],
    &["nodev", "dev"],
    &["noexec", "exec"],
];

/// Reads one volume.
pub fn parse(text: &str) -> Result<Volume, Reason> {
    let mut parts = text.split(':');
    let (source, destination) = (parts.next().unwrap_or(""), parts.next());
    let destination = destination.ok_or_else(|| Reason::new("there is no `:`"))?;
    let mut volume = Volume::new(source, destination)?;
    if let Some(options) = parts.next() {
        options.split(',').try_for_each(|option| volume.add(option))?;
    }
    if parts.next().is_some() {
        return Err(Reason::new("there are more than two `:`"));
    }
    Ok(volume)
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// Source, destination and options.
    type Parsed<'a> = (&'a str, &'a str, &'a [&'a str]);

    #[test]
    fn volumes() {
        let table: [(&str, Option<Parsed<'_>>); 18] = [
            ("/a:/b", Some(("/a", "/b", &[]))),
            ("/a:/b:ro", Some(("/a", "/b", &["ro"]))),
            ("./a:/b/", Some(("./a", "/b", &[]))),
            (".:/b:rw,rshared,idmap", Some((".", "/b", &["rw", "rshared", "idmap"]))),
            ("/a:/b:z,nocopy", Some(("/a", "/b", &[]))),
            ("/a:/b:noidmap", Some(("/a", "/b", &["noidmap"]))),
            ("/b", None),
            ("data:/b", None),
            (":/b", None),
            ("/a:", None),
            ("/a:b", None),
            ("/a:/", None),
            ("/a:/b/../c", None),
            ("/a:/b:ro,rw", None),
            ("/a:/b:idmap,noidmap", None),
            ("/a:/b:", None),
            ("/a:/b:fast", None),
            ("/a:/b:ro:rw", None),
        ];
        for (text, volume) in table {
            let parsed = parse(text).ok();
            let parsed = parsed.as_ref().map(|one| {
                let options: Vec<&str> = one.options.iter().map(String::as_str).collect();
                (one.source.as_str(), one.destination.as_str(), options)
            });
            assert_eq!(parsed, volume.map(|(a, b, options)| (a, b, options.to_vec())), "{text}");
        }
    }
}
