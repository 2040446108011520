//! A network namespace with a name, as `ip netns` makes it, for one call. Its mount is in a mount namespace of the
//! call's own: no test sees another's.

use std::process::{Command, Stdio};

use insula_proof::scratch::unique;

use crate::caller::Caller;

/// Makes the namespace `$1`, calls, and removes it again. Only the call itself is heard: a shell tells of signals.
const AROUND: &str = r#"name=$1; shift; exec 3>&2 2>/dev/null
ip netns add "$name" || exit 124; (exec "$@" 2>&3 3>&-); code=$?; ip netns delete "$name"; exit "$code""#;

/// A name of a network namespace.
pub struct Netns(String);

impl Netns {
    /// A name that no other test has; or why such namespaces cannot be made here.
    pub fn new(caller: &Caller) -> Result<Netns, String> {
        let netns = Netns(format!("proof-{}", unique()));
        let made = netns.around(caller, vec!["true".to_owned()]).stderr(Stdio::null()).status();
        match made {
            Ok(status) if status.success() => Ok(netns),
            _ => Err("ip netns makes no network namespace here".into()),
        }
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// A call while there is a network namespace of the name.
    pub fn around(&self, caller: &Caller, words: Vec<String>) -> Command {
        let mut command = caller.command("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", AROUND, "sh", &self.0]).args(words);
        command
    }
}
