//! The system call filter: a classic BPF program that the kernel asks at each call from then on, seccomp(2).

use super::agent_state::AgentState as State;
use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::init::{Agent, Filter};
use crate::kit::Slot;
use insula_sys::notify::{NotLoaded, load_for_agent};
use insula_sys::seccomp::{Flags, Instruction, bytes, load};
use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// Who loads the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loader {
    /// We do, where the step stands, while there is CAP_SYS_ADMIN: all that comes after it is filtered.
    Here,
    /// The init does, right before it executes the program, from the file in this slot. It may, for the sake of
    /// `no_new_privs`.
    Init(Slot),
}

/// Puts the program under a filter.
#[derive(Debug)]
pub struct Seccomp {
    /// What the kernel asks.
    pub program: Vec<Instruction>,
    /// What it is loaded with.
    pub flags: Flags,
    /// Who loads it.
    pub loader: Loader,
    /// Who gets the listener, if the filter has calls for one.
    pub agent: Option<Agent>,
}

impl Seccomp {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        match (self.loader, self.agent) {
            (Loader::Here, None) => load(&self.program, self.flags).map(drop).map_err(Call::Seccomp.failed()),
            (Loader::Here, Some(agent)) => self.load_for(agent, at),
            (Loader::Init(slot), agent) => {
                let count = u16::try_from(self.program.len())
                    .map_err(|_| Fault { call: Call::Seccomp, errno: Errno::INVAL })?;
                let flags = match agent {
                    None => self.flags,
                    // The init has one thread, and a helper that must not be filtered.
                    Some(_) => self.flags.and(Flags::NEW_LISTENER).without(Flags::ALL_THREADS),
                };
                at.filter = Some(Filter { slot, count, flags: flags.bits(), agent });
                Ok(())
            }
        }
    }

    fn load_for(&self, agent: Agent, at: &Child<'_>) -> Done {
        let socket = at.kit.get(agent.socket).map_err(Call::Check.failed())?;
        let state = at.kit.get(agent.state).map_err(Call::Check.failed())?;
        let mut text = [0; State::MOST_BYTES];
        let length = rustix::io::pread(state, &mut text[..], 0).map_err(Call::Read.failed())?;
        load_for_agent(&self.program, self.flags, socket, &text[..length]).map_err(|failed| match failed {
            NotLoaded::Filter(errno) => Fault { call: Call::Seccomp, errno },
            NotLoaded::Agent(errno) => Fault { call: Call::Agent, errno },
        })
    }

    /// The file from which the init loads it, to be made before the birth, and its slot. It is sealed.
    pub fn file(&self) -> Result<Option<(Slot, OwnedFd)>, Errno> {
        let Loader::Init(slot) = self.loader else { return Ok(None) };
        let file = memfd_create(c"insula-filter", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let bytes = bytes(&self.program);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let written = rustix::io::write(&file, rest)?;
            rest = &rest[written..];
        }
        fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(Some((slot, file)))
    }
}

impl fmt::Display for Seccomp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter the system calls, by a program of {} instructions", self.program.len())?;
        f.write_str(match self.loader {
            Loader::Here => "",
            Loader::Init(_) => ", which the init loads last",
        })?;
        f.write_str(if self.agent.is_some() { ", and leave some to an agent" } else { "" })
    }
}

impl Describe for Seccomp {
    const NAME: &'static str = "seccomp";

    fn why(&self) -> Cow<'static, str> {
        match self.loader {
            Loader::Here => "without no_new_privs it takes CAP_SYS_ADMIN, so it stands before the capabilities fall; what \
                             comes after it must be among what it allows"
                .into(),
            Loader::Init(_) => {
                "with no_new_privs it takes no rights, so it is the last: of our calls it has to allow execve(2), and what an init in \
                 front does"
                    .into()
            }
        }
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        if fault.call == Call::Agent {
            return Some(
                "the agent at `linux.seccomp.listenerPath` did not take the listener: is it still there, and does it read?"
                    .into(),
            );
        }
        if fault.call != Call::Seccomp {
            return None;
        }
        match fault.errno {
            Errno::ACCESS => Some(
                "a filter takes no_new_privs (`process.noNewPrivileges`, --no-new-privileges), or CAP_SYS_ADMIN in the \
                 container's user namespace"
                    .into(),
            ),
            Errno::INVAL => Some(
                "this kernel does not know one of the flags (`linux.seccomp.flags`), or has no filters (CONFIG_SECCOMP_FILTER)"
                    .into(),
            ),
            Errno::BUSY => Some(
                "a process can have one agent (`SCMP_ACT_NOTIFY`), and a filter around us has one already".into(),
            ),
            Errno::NOMEM => Some(
                "all filters of a process together have 32768 instructions at most, and those around us count: a shorter \
                 profile is needed"
                    .into(),
            ),
            Errno::NOSYS => Some("this kernel, or a filter around us, has no seccomp(2): leave the filter out".into()),
            Errno::PERM => Some("a filter around us denies seccomp(2): leave the filter out, or allow it there".into()),
            _ => None,
        }
    }
}
