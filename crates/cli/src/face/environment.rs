//! The program's environment, and the shell that it names.

use crate::accounts::passwd;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where `SHELL` and passwd(5) name none, as in paths.h.
const SHELL: &str = "/bin/sh";

/// Variables in their order.
#[derive(Debug)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// All of our own.
    pub fn own() -> Environment {
        Environment(std::env::vars_os().collect())
    }

    /// None.
    pub fn empty() -> Environment {
        Environment(Vec::new())
    }

    /// Those of our own that the lists name, the last that was named first.
    pub fn only(lists: &[OsString]) -> Environment {
        let mut kept: Vec<(OsString, OsString)> = Vec::new();
        for list in lists.iter().rev() {
            for name in list.as_bytes().split(|byte| *byte == b',').rev() {
                let name = OsStr::from_bytes(name);
                // An empty name, or one with `=` in it, is none; std's var_os answers so.
                if let Some(value) =
                    std::env::var_os(name).filter(|_| kept.iter().all(|(known, _)| known != name))
                {
                    kept.push((name.to_owned(), value));
                }
            }
        }
        Environment(kept)
    }

    fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// `SHELL`, else the shell of the account `uid`, else `/bin/sh`.
    pub fn shell(&self, uid: u32) -> CString {
        if let Some(shell) = self.get("SHELL").filter(|shell| !shell.is_empty())
            && let Ok(shell) = CString::new(shell.as_bytes())
        {
            return shell;
        }
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let of_account = passwd(&accounts).find(|line| line.uid == uid).map(|line| line.shell);
        let shell = of_account.filter(|shell| !shell.is_empty()).unwrap_or(SHELL);
        CString::new(shell).unwrap_or_else(|_| c"/bin/sh".to_owned())
    }

    /// `NAME=value` each.
    pub fn lines(self) -> Vec<CString> {
        let line = |(name, value): (OsString, OsString)| {
            let mut line = name.into_vec();
            line.push(b'=');
            line.extend_from_slice(value.as_bytes());
            CString::new(line).ok()
        };
        self.0.into_iter().filter_map(line).collect()
    }
}
