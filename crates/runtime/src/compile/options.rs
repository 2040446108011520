//! The options of a mount: flags, propagation, and what is the file system's own (config.md, "Linux mount options").

use insula_sys::mount::{MountAttr, attr};
use std::ffi::CString;

/// What a list of options means.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// Attributes of the mount itself, and its propagation.
    pub(super) attrs: MountAttr,
    /// They hold for the mounts below (`rro`, `rbind` with `ro`).
    pub(super) recursive: bool,
    /// `bind` or `rbind`.
    pub(super) bind: bool,
    /// `rbind`.
    pub(super) rbind: bool,
    /// The ids are translated.
    pub(super) idmap: Idmap,
    /// `tmpcopyup`: a tmpfs begins with what is at its place.
    pub(super) copy_up: bool,
    /// The file system's own.
    pub(super) data: Vec<(CString, Option<CString>)>,
}

/// The translation of ids that the options speak of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Idmap {
    /// None of them does.
    #[default]
    Unsaid,
    /// `noidmap`.
    No,
    /// `idmap`: of the mount itself.
    Top,
    /// `ridmap`: of the mounts below it too.
    All,
}

const MS_PRIVATE: u64 = 1 << 18;
const MS_SLAVE: u64 = 1 << 19;
const MS_SHARED: u64 = 1 << 20;
const MS_UNBINDABLE: u64 = 1 << 17;

/// (option, bits to set, bits to clear).
const FLAGS: &[(&str, u64, u64)] = &[
    ("ro", attr::RDONLY, 0),
    ("rw", 0, attr::RDONLY),
    ("nosuid", attr::NOSUID, 0),
    ("suid", 0, attr::NOSUID),
    ("nodev", attr::NODEV, 0),
    ("dev", 0, attr::NODEV),
    ("noexec", attr::NOEXEC, 0),
    ("exec", 0, attr::NOEXEC),
    ("noatime", attr::NOATIME, attr::ATIME),
    ("relatime", 0, attr::ATIME),
    ("strictatime", attr::STRICTATIME, attr::ATIME),
    ("atime", 0, attr::ATIME),
    ("norelatime", 0, attr::ATIME),
    ("nodiratime", attr::NODIRATIME, 0),
    ("diratime", 0, attr::NODIRATIME),
    ("nosymfollow", attr::NOSYMFOLLOW, 0),
    ("symfollow", 0, attr::NOSYMFOLLOW),
];

/// (option, propagation).
const PROPAGATION: &[(&str, u64)] = &[
    ("private", MS_PRIVATE),
    ("slave", MS_SLAVE),
    ("shared", MS_SHARED),
    ("unbindable", MS_UNBINDABLE),
    ("rprivate", MS_PRIVATE),
    ("rslave", MS_SLAVE),
    ("rshared", MS_SHARED),
    ("runbindable", MS_UNBINDABLE),
];

/// Every option that is not a file system's own, sorted: for `features`.
pub fn names() -> Vec<&'static str> {
    let own = ["bind", "rbind", "idmap", "ridmap", "noidmap", "tmpcopyup"];
    let flags = FLAGS.iter().map(|(name, ..)| *name).chain(PROPAGATION.iter().map(|(name, _)| *name));
    let mut names: Vec<&str> = flags.chain(IDLE.iter().copied()).chain(own).collect();
    names.sort_unstable();
    names
}

/// Options that say what is so anyway, or what the new mount interface has no word for and nobody misses.
const IDLE: &[&str] = &[
    "defaults",
    "async",
    "auto",
    "noauto",
    "user",
    "nouser",
    "users",
    "group",
    "owner",
    "_netdev",
    "nofail",
    "newinstance",
    "silent",
    "loud",
    "nomand",
];

/// Options that are refused, with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("remount", "nothing is mounted there yet; write the flags themselves"),
    ("mand", "mandatory locks are gone from the kernel (5.15)"),
];

/// Reads the options of one mount. `Err`: what is wrong with which option.
pub(super) fn parse(list: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    for option in list {
        one(option, &mut options)?;
    }
    if options.rbind && options.attrs.set != 0 {
        options.recursive = true;
    }
    Ok(options)
}

fn one(option: &str, options: &mut Options) -> Result<(), String> {
    if let Some((_, reason)) = REFUSED.iter().find(|(name, _)| *name == option) {
        return Err(format!("option `{option}`: {reason}"));
    }
    if let Some((_, set, clear)) = FLAGS.iter().find(|(name, ..)| *name == option) {
        apply(options, *set, *clear);
    } else if let Some((_, kind)) = PROPAGATION.iter().find(|(name, _)| *name == option) {
        options.attrs.propagation = *kind;
        options.recursive |= option.starts_with('r');
    } else if let Some((_, set, clear)) =
        option.strip_prefix('r').and_then(|rest| FLAGS.iter().find(|(name, ..)| *name == rest))
    {
        apply(options, *set, *clear);
        options.recursive = true;
    } else {
        match option {
            "bind" => options.bind = true,
            "rbind" => (options.bind, options.rbind) = (true, true),
            "idmap" => options.idmap = Idmap::Top,
            "ridmap" => options.idmap = Idmap::All,
            "noidmap" => options.idmap = Idmap::No,
            "tmpcopyup" => options.copy_up = true,
            "" => return Err("an option is empty".to_owned()),
            idle if IDLE.contains(&idle) => {}
            data => {
                let (key, value) = match data.split_once('=') {
                    Some((key, value)) => (key, Some(value)),
                    None => (data, None),
                };
                let nul = |_| format!("option `{}`: it holds a NUL byte", insula_oci::escaped(data));
                let value = value.map(CString::new).transpose().map_err(nul)?;
                options.data.push((CString::new(key).map_err(nul)?, value));
            }
        }
    }
    Ok(())
}

/// The last word wins, as with mount(8).
fn apply(options: &mut Options, set: u64, clear: u64) {
    options.attrs.set = (options.attrs.set & !clear) | set;
    options.attrs.clear = (options.attrs.clear & !set) | clear;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Options {
        parse(&words.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_last_word_wins() {
        let options = of("ro,nosuid,rw");
        assert_eq!((options.attrs.set, options.attrs.clear), (attr::NOSUID, attr::RDONLY));
    }

    #[test]
    fn a_recursive_bind_carries_its_flags_down() {
        assert!(of("rbind,ro").recursive);
        assert!(!of("bind,ro").recursive);
        assert!(of("bind,rro").recursive);
        assert_eq!(of("bind,rslave").attrs.propagation, MS_SLAVE);
    }

    #[test]
    fn what_is_no_flag_is_the_file_systems() {
        let options = of("size=64m,newinstance,noswap");
        assert_eq!(options.data.len(), 2);
        assert_eq!(options.data[0], (c"size".into(), Some(c"64m".into())));
    }

    #[test]
    fn a_remount_is_refused() {
        assert!(parse(&["remount".to_owned()]).is_err());
    }
}
