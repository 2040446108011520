//! `--tmpfs DESTINATION[:OPTIONS]`: an empty file system in memory (tmpfs(5)).

use super::path;
use crate::value::reason::Reason;
use crate::value::size;

/// What can be written.
pub const FORM: &str = "DESTINATION[:OPTIONS], as /tmp:size=64m,mode=1777,exec";

/// A tmpfs that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmpfs {
    /// In the container: absolute, below `/`.
    pub destination: String,
    /// The options of the mount as `config.json` has them.
    pub options: Vec<String>,
}

impl Tmpfs {
    /// A tmpfs with Docker's options: `noexec,nosuid,nodev`.
    pub fn new(destination: &str) -> Result<Self, Reason> {
        let options = ["noexec", "nosuid", "nodev"].map(str::to_owned).to_vec();
        Ok(Self { destination: path::destination(destination)?, options })
    }

    /// Adds an option, in the place of a default or an earlier one that it contradicts.
    pub fn add(&mut self, option: &str) -> Result<(), Reason> {
        match option.split_once('=') {
            Some((key, value)) => {
                let value = checked(key, value)?;
                self.options.retain(|old| old.split_once('=').is_none_or(|(old, _)| old != key));
                self.options.push(format!("{key}={value}"));
            }
            None => {
                let pair = PAIRS.iter().find(|pair| pair.contains(&option));
                let pair = pair.ok_or_else(|| Reason::of(option, "is no option of a tmpfs"))?;
                self.options.retain(|old| !pair.contains(&old.as_str()));
                self.options.push(option.to_owned());
            }
        }
        Ok(())
    }
}

/// Options of which the later one holds.
const PAIRS: [[&str; 2]; 4] = [["noexec", "exec"], ["nosuid", "suid"], ["nodev", "dev"], ["ro", "rw"]];

/// Checks the value of an option, and gives it as the kernel reads it: sizes in bytes.
fn checked(key: &str, value: &str) -> Result<String, Reason> {
    let number = |most: u64| {
        let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let fits = plain && value.parse().is_ok_and(|number: u64| number <= most);
        if fits { Ok(value.to_owned()) } else { Err(Reason::of(value, "is no number, or too large")) }
    };
    match key {
        "size" => match value.strip_suffix('%') {
            Some(share) if share.parse().is_ok_and(|share: u8| share <= 100) => Ok(value.to_owned()),
            Some(_) => Err(Reason::of(value, "is no share of the memory")),
            None => size::parse(value).map(|bytes| bytes.to_string()),
        },
        "mode" => match u32::from_str_radix(value, 8) {
            Ok(mode) if mode <= 0o7777 && !value.starts_with('+') => Ok(value.to_owned()),
            _ => Err(Reason::of(value, "is no octal mode")),
        },
        "uid" | "gid" => number(u64::from(u32::MAX) - 1),
        "nr_inodes" => size::parse(value).map(|inodes| inodes.to_string()),
        _ => Err(Reason::of(key, "is no option of a tmpfs")),
    }
}

/// Reads one tmpfs.
pub fn parse(text: &str) -> Result<Tmpfs, Reason> {
    let (destination, options) = match text.split_once(':') {
        Some((destination, options)) => (destination, Some(options)),
        None => (text, None),
    };
    let mut tmpfs = Tmpfs::new(destination)?;
    if let Some(options) = options {
        options.split(',').try_for_each(|option| tmpfs.add(option))?;
    }
    Ok(tmpfs)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn file_systems() {
        let table = [
            ("/tmp", Some("noexec,nosuid,nodev")),
            ("/tmp:exec", Some("nosuid,nodev,exec")),
            ("/tmp:size=64m,mode=1777", Some("noexec,nosuid,nodev,size=67108864,mode=1777")),
            ("/tmp:size=1k,size=50%", Some("noexec,nosuid,nodev,size=50%")),
            ("/tmp:uid=1000,nr_inodes=1k,ro", Some("noexec,nosuid,nodev,uid=1000,nr_inodes=1024,ro")),
            ("tmp", None),
            ("/", None),
            ("/tmp:", None),
            ("/tmp:size=", None),
            ("/tmp:size=101%", None),
            ("/tmp:mode=9", None),
            ("/tmp:mode=77777", None),
            ("/tmp:uid=4294967295", None),
            ("/tmp:bind", None),
            ("/tmp:huge=always", None),
        ];
        for (text, options) in table {
            let parsed = parse(text).ok().map(|tmpfs| tmpfs.options.join(","));
            assert_eq!(parsed.as_deref(), options, "{text}");
        }
    }
}
