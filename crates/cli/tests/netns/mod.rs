//! A network namespace with a name, as `ip netns` makes it. Its mount is the host's: make it under `proof::alone`.

use std::process::{Command, Stdio};

use insula_proof::scratch::unique;

pub struct Netns(String);

impl Netns {
    /// Makes one that no other test has.
    pub fn new() -> Result<Netns, String> {
        let name = format!("proof-{}", unique());
        let made = Command::new("ip").args(["netns", "add", &name]).stderr(Stdio::null()).status();
        match made {
            Ok(status) if status.success() => Ok(Netns(name)),
            _ => Err("ip netns makes no network namespace here".into()),
        }
    }

    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        // What is left of it is the census's to report.
        drop(Command::new("ip").args(["netns", "delete", &self.0]).status());
    }
}
