//! The freestanding init, as a sealed file in memory, and what it is told.

use crate::kit::Slot;
use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

/// The program, built by this crate's build script from `crates/init`.
const INIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/insula-init"));

/// `MFD_EXEC`, memfd_create(2), Linux 6.3.
const EXEC: MemfdFlags = MemfdFlags::from_bits_retain(0x10);

/// A seccomp filter that the init is to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// Where the file of its instructions is.
    pub slot: Slot,
    /// How many they are.
    pub count: u16,
    /// What they are loaded with, as seccomp(2) takes it.
    pub flags: u32,
    /// Who gets the listener.
    pub agent: Option<Agent>,
}

/// Who decides the calls that the filter leaves to an agent, seccomp_unotify(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// The socket that is connected to it.
    pub socket: Slot,
    /// The file of what it is sent with the listener.
    pub state: Slot,
}

/// Makes a memfd with the init in it, which nobody can write to, grow, shrink or unseal.
pub fn sealed() -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = memfd_create(c"insula-init", flags | EXEC).or_else(|errno| match errno {
        // Before 6.3 every memfd could be executed, and the flag was unknown.
        Errno::INVAL => memfd_create(c"insula-init", flags),
        other => Err(other),
    })?;
    let mut rest = INIT;
    while !rest.is_empty() {
        let written = rustix::io::write(&fd, rest)?;
        rest = &rest[written..];
    }
    fcntl_add_seals(&fd, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(fd)
}
