//! Hooks in the middle of a launch: the caller's in its own namespaces, the container's in the newborn's.

use super::{Child, Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::hook::{Hook, Said};
use crate::kit::Slot;
use rustix::fd::AsFd;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// Puts the container's state into a file in memory, from which every hook of the plan reads it.
#[derive(Debug)]
pub struct HookState {
    /// Where the file goes.
    pub slot: Slot,
    /// The JSON up to the process's id.
    pub before: String,
    /// The JSON behind it.
    pub after: String,
}

impl HookState {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let file = memfd_create(c"state", MemfdFlags::CLOEXEC).map_err(Call::MemfdCreate.failed())?;
        let text = format!("{}{}{}", self.before, at.pid, self.after);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let written = rustix::io::write(&file, rest).map_err(Call::Write.failed())?;
            rest = &rest[written..];
        }
        at.kit.put(self.slot, file).map_err(Call::Check.failed())
    }
}

impl fmt::Display for HookState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write the container's state into a file for the hooks")
    }
}

impl Describe for HookState {
    const NAME: &'static str = "hook-state";

    fn why(&self) -> Cow<'static, str> {
        "the process has its id now; in memory, so that a hook that does not read it keeps nobody waiting"
            .into()
    }

    fn hands_over(&self) -> Option<Slot> {
        Some(self.slot)
    }
}

/// A hook of the caller's.
#[derive(Debug)]
pub struct HookOutside {
    /// The hook.
    pub hook: Hook,
    /// Its name in the configuration: `createRuntime #0`.
    pub name: String,
    /// The state.
    pub state: Slot,
}

impl HookOutside {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let state = at.kit.get(self.state).map_err(Call::Check.failed())?;
        let mut said = Said::default();
        self.hook.run(state, &mut said).inspect_err(|_| {
            let said = String::from_utf8_lossy(said.as_bytes()).trim().to_owned();
            at.said = (!said.is_empty()).then_some(said);
        })
    }
}

impl fmt::Display for HookOutside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, &self.hook, &self.name)
    }
}

impl Describe for HookOutside {
    const NAME: &'static str = "hook-outside";

    fn why(&self) -> Cow<'static, str> {
        "in the caller's namespaces, when the container's are made and its root is not yet entered".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        hint(fault)
    }
}

/// A hook of the container's.
#[derive(Debug)]
pub struct HookInside {
    /// The hook.
    pub hook: Hook,
    /// Its name in the configuration: `startContainer #0`.
    pub name: String,
    /// The state.
    pub state: Slot,
}

impl HookInside {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let state = at.kit.get(self.state).map_err(Call::Check.failed())?;
        let mut said = Said::default();
        self.hook.run(state.as_fd(), &mut said).inspect_err(|_| at.slate.note(said.as_bytes()))
    }
}

impl fmt::Display for HookInside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown(f, &self.hook, &self.name)
    }
}

impl Describe for HookInside {
    const NAME: &'static str = "hook-inside";

    fn why(&self) -> Cow<'static, str> {
        match self.name.starts_with("startContainer") {
            true => "in the container, just before its program: the path is the container's".into(),
            false => {
                "in the container's namespaces, before its root is entered: the path is the host's".into()
            }
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        hint(fault)
    }
}

fn shown(f: &mut fmt::Formatter<'_>, hook: &Hook, name: &str) -> fmt::Result {
    write!(f, "run hook {name}, `{}`", hook.path.to_string_lossy())
}

fn hint(fault: &Fault) -> Option<Cow<'static, str>> {
    (fault.call == Call::Hook && fault.errno == Errno::TIMEDOUT)
        .then(|| "its `timeout` in config.json, in seconds, is how long it may take".into())
}
