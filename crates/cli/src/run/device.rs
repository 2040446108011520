//! `--device HOST[:CONTAINER[:ACCESS]]`: a device node of the host.

use super::path;
use crate::value::reason::Reason;

/// What can be written.
pub const FORM: &str = "HOST[:CONTAINER][:ACCESS], as /dev/fuse or /dev/sda:/dev/disk:r";

/// A device that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its path on the host.
    pub source: String,
    /// Its path in the container.
    pub destination: String,
    /// Letters out of `rwm`: read, write, mknod.
    pub access: String,
}

/// Reads one device. A second part of nothing but `r`, `w` and `m` is the access, as in Docker.
pub fn parse(text: &str) -> Result<Device, Reason> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, destination, letters) = match parts[..] {
        [source] => (source, source, "rwm"),
        [source, letters] if !letters.starts_with('/') => (source, source, letters),
        [source, destination] => (source, destination, "rwm"),
        [source, destination, letters] => (source, destination, letters),
        _ => return Err(Reason::new("there are more than two `:`")),
    };
    let source = path::absolute(source)?;
    let destination = path::absolute(destination)?;
    access(letters)?;
    Ok(Device { source, destination, access: letters.to_owned() })
}

/// Refuses letters but `r`, `w` and `m`, each once.
fn access(letters: &str) -> Result<(), Reason> {
    let once = |letter: char| letters.matches(letter).count() == 1;
    if letters.is_empty() || !letters.chars().all(|letter| "rwm".contains(letter) && once(letter)) {
        return Err(Reason::of(letters, "is no access: it is made of r, w and m"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn devices() {
        let table = [
            ("/dev/fuse", Some(("/dev/fuse", "/dev/fuse", "rwm"))),
            ("/dev/sda:/dev/xvda", Some(("/dev/sda", "/dev/xvda", "rwm"))),
            ("/dev/sda:r", Some(("/dev/sda", "/dev/sda", "r"))),
            ("/dev/sda:/dev/xvda:rw", Some(("/dev/sda", "/dev/xvda", "rw"))),
            ("", None),
            ("sda", None),
            ("/dev/sda:", None),
            ("/dev/sda:xvda", None),
            ("/dev/sda:rr", None),
            ("/dev/sda:/dev/xvda:", None),
            ("/dev/sda:/dev/xvda:rx", None),
            ("/dev/sda:/a:r:w", None),
            ("/dev/../sda", None),
        ];
        for (text, device) in table {
            let parsed = parse(text).ok();
            let parsed = parsed
                .as_ref()
                .map(|one| (one.source.as_str(), one.destination.as_str(), one.access.as_str()));
            assert_eq!(parsed, device, "{text}");
        }
    }
}
