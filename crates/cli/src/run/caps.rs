//! `--cap-add` and `--cap-drop`: changes to the default capabilities, by Docker's rules.

use crate::value::reason::Reason;
use insula_oci::{Capability, CapabilitySet};
use insula_runtime::defaults;

/// What can be written.
pub const FORM: &str = "the name of a capability as in capabilities(7), with or without CAP_, or ALL";

/// One word of either flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// `ALL`.
    All,
    /// One capability.
    One(Capability),
}

/// Reads a word, in either case, with or without `CAP_`.
pub fn parse(text: &str) -> Result<Word, Reason> {
    let name = text.to_ascii_uppercase();
    if name == "ALL" {
        return Ok(Word::All);
    }
    let name = if name.starts_with("CAP_") { name } else { format!("CAP_{name}") };
    name.parse().map(Word::One).map_err(|_| Reason::of(text, "is no capability"))
}

/// What results: with `ALL` added everything but what is dropped; with `ALL` dropped what is added; else the default set
/// without what is dropped and with what is added. What is both dropped and added by name is added.
pub fn resolve(add: &[Word], drop: &[Word]) -> CapabilitySet {
    let added = |capability: Capability| add.contains(&Word::One(capability));
    let dropped = |capability: Capability| drop.contains(&Word::One(capability));
    let (add_all, drop_all) = (add.contains(&Word::All), drop.contains(&Word::All));
    let holds = |capability: Capability| match (add_all, drop_all) {
        (true, _) => !dropped(capability),
        (false, true) => added(capability),
        (false, false) => {
            added(capability) || (defaults::CAPABILITIES.contains(&capability) && !dropped(capability))
        }
    };
    Capability::ALL.into_iter().filter(|&capability| holds(capability)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Word, parse, resolve};
    use insula_oci::Capability;

    fn words(text: &str) -> Vec<Word> {
        text.split_whitespace().map(|word| parse(word).expect("a capability")).collect()
    }

    #[test]
    fn names() {
        for text in ["SYS_ADMIN", "sys_admin", "CAP_SYS_ADMIN", "cap_Sys_Admin"] {
            assert_eq!(parse(text), Ok(Word::One(Capability::SysAdmin)), "{text}");
        }
        assert_eq!(parse("all"), Ok(Word::All));
        for text in ["", "CAP_", "ADMIN", "CAP_CAP_CHOWN", "CAP_ALL", "21"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sets() {
        let table = [
            ("", "", 0xa804_25fb),
            ("", "all", 0),
            ("chown kill", "all", 0x21),
            ("all", "", 0x1ff_ffff_ffff),
            ("all", "chown", 0x1ff_ffff_fffe),
            ("sys_admin", "", 0xa824_25fb),
            ("", "net_raw", 0xa804_05fb),
            ("net_raw", "net_raw", 0xa804_25fb),
        ];
        for (add, drop, mask) in table {
            assert_eq!(resolve(&words(add), &words(drop)).mask(), mask, "+{add} -{drop}");
        }
    }
}
