//! The flags before the verb.

use crate::error::Error;
use crate::flags::{Flag, Given};
use crate::tell::Log;
use insula_runtime::container::StateRoot;

/// The table: runc's, and crun's `--cgroup-manager`.
pub const FLAGS: &[Flag] = &[
    Flag::switch("debug", "Accepted: whatever is told is told anyway"),
    Flag::value("log", "FILE", "Write the log there, not to standard error"),
    Flag::value("log-format", "text|json", "How a line of the log looks"),
    Flag::value("root", "DIR", "Where the containers' state lies"),
    Flag::value("criu", "PATH", "Accepted and ignored, as runc does since 1.1: criu is found in PATH"),
    Flag::switch("systemd-cgroup", "Make control groups by systemd"),
    Flag::value("cgroup-manager", "cgroupfs|systemd|disabled", "Who makes control groups (crun)"),
    Flag::value("rootless", "true|false|auto", "Go on where an ordinary user may make no control group"),
    Flag::switch("version", "Print the version").short('v'),
];

/// What all verbs share.
#[derive(Debug)]
pub struct Global {
    root: String,
    /// Refused where a container is made: by systemd.
    pub by_systemd: bool,
}

impl Global {
    /// Reads them.
    pub fn read(given: &Given) -> Result<(Global, Log), Error> {
        let json = match given.value("log-format") {
            None | Some("text" | "") => false,
            Some("json") => true,
            Some(other) => {
                let reason = format!("unknown log-format `{other}`");
                return Err(Error::Flag { flag: "--log-format".to_owned(), reason });
            }
        };
        let by_systemd = match given.value("cgroup-manager") {
            None | Some("cgroupfs") => given.has("systemd-cgroup"),
            Some("systemd") => true,
            Some(other) => {
                let reason = format!("`{other}` is none of cgroupfs and systemd");
                return Err(Error::Flag { flag: "--cgroup-manager".to_owned(), reason });
            }
        };
        if let Some(word) = given.value("rootless")
            && !matches!(word, "true" | "false" | "auto")
        {
            let reason = format!("`{word}` is none of true, false and auto");
            return Err(Error::Flag { flag: "--rootless".to_owned(), reason });
        }
        let root = given.value("root").map_or_else(StateRoot::default_path, str::to_owned);
        let path = given.value("log").filter(|path| !path.is_empty()).map(str::to_owned);
        Ok((Global { root, by_systemd }, Log { path, json }))
    }

    /// The state root, made if it is missing.
    pub fn make_root(&self) -> Result<StateRoot, Error> {
        StateRoot::make(&self.root).map_err(Error::from)
    }

    /// The state root; where there is none, there is no container.
    pub fn root(&self) -> Result<Option<StateRoot>, Error> {
        StateRoot::open(&self.root).map_err(Error::from)
    }

    /// The directory of a container.
    pub fn find(&self, id: &str) -> Result<insula_runtime::container::Directory, Error> {
        let id = insula_runtime::container::Id::parse(id)?;
        match self.root()? {
            Some(root) => Ok(root.find(&id)?),
            None => Err(insula_runtime::container::Error::NoContainer(id.to_string()).into()),
        }
    }

    /// The same, locked.
    pub fn lock(&self, id: &str) -> Result<insula_runtime::container::Directory, Error> {
        Ok(self.find(id)?.lock()?)
    }
}
