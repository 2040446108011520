//! What a seccomp agent is told: the container process state, in a file in memory.

use super::{Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// Writes it down, when the process has its id.
#[derive(Debug)]
pub struct AgentState {
    /// Where the file goes.
    pub slot: Slot,
    /// The socket that is connected to the agent. Ours is closed: the end of what it reads is the child's to say.
    pub socket: Slot,
    /// The JSON, in parts between which the process's id stands.
    pub parts: Vec<String>,
}

impl AgentState {
    /// It may not be longer: a child's stack has to hold it.
    pub const MOST_BYTES: usize = 64 * 1024;

    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        drop(at.kit.take(self.socket));
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create(c"agent-state", flags).map_err(Call::MemfdCreate.failed())?;
        let text = self.parts.join(&at.pid.to_string());
        if text.len() > Self::MOST_BYTES {
            return Err(Fault { call: Call::Check, errno: Errno::FBIG });
        }
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let written = rustix::io::write(&file, rest).map_err(Call::Write.failed())?;
            rest = &rest[written..];
        }
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        fcntl_add_seals(&file, seals).map_err(Call::Fcntl.failed())?;
        at.kit.put(self.slot, file).map_err(Call::Check.failed())
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write the container process state into a file for the seccomp agent")
    }
}

impl Describe for AgentState {
    const NAME: &'static str = "agent-state";

    fn why(&self) -> Cow<'static, str> {
        "the process has its id now; sealed in memory, as a helper sends it from there when the filter is in force".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.errno == Errno::FBIG)
            .then(|| "`annotations` and `linux.seccomp.listenerMetadata` together are above 64 KiB".into())
    }

    fn hands_over(&self) -> Option<Slot> {
        Some(self.slot)
    }
}
