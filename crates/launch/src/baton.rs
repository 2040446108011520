//! The baton: one byte over a socket pair says "your turn", and carries what was opened for the other side.
//!
//! Both sides walk the same list, so the byte needs no meaning beyond its kind, and the descriptors no names: they
//! arrive in the order of the slots that the steps since the last handover made. The end of the file means that the
//! other side is gone, or that the child has executed its program.

use crate::fault::{Call, Fault};
use crate::kit::{Kit, Slot};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

/// The kinds of byte.
const TURN: u8 = b'B';
const MORE: u8 = b'M';
const FAILED: u8 = b'F';
const EXEC_FAILED: u8 = b'E';
const FILTER_FAILED: u8 = b'S';
const AGENT_FAILED: u8 = b'N';
const LABEL_FAILED: u8 = b'L';
/// Descriptors that one message carries; the kernel's SCM_MAX_FD is 253.
const BATCH: usize = 64;

/// One end of the pair.
#[derive(Debug)]
pub struct Baton(OwnedFd);

/// What came over the baton.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is our turn; the slots are filled.
    Turn,
    /// The other side failed; the Slate says how.
    Failed,
    /// The program could not be executed (the init's report).
    ExecFailed(Errno),
    /// The seccomp filter could not be loaded (the init's report).
    FilterFailed(Errno),
    /// The seccomp agent could not be sent the listener (the init's report).
    AgentFailed(Errno),
    /// The program's label could not be set (the init's report).
    LabelFailed(Errno),
    /// The other side is gone, or has executed.
    End,
}

impl Baton {
    /// A pair of ends, close-on-exec.
    pub fn pair() -> Result<(Baton, Baton), Errno> {
        let (a, b) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        Ok((Baton(a), Baton(b)))
    }

    /// The descriptor, for the init that reports an exec's failure on it.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Passes the turn, with the descriptors of `slots`. Allocates nothing.
    pub fn pass(&self, kit: &Kit, slots: impl Iterator<Item = Slot>) -> Result<(), Fault> {
        let mut slots = slots.peekable();
        loop {
            // Places that stay unfilled hold our own end, and are not sent.
            let mut fds: [BorrowedFd<'_>; BATCH] = [self.0.as_fd(); BATCH];
            let mut count = 0;
            while count < BATCH {
                let Some(slot) = slots.next() else { break };
                fds[count] = kit.get(slot).map_err(Call::Sendmsg.failed())?;
                count += 1;
            }
            let last = slots.peek().is_none();
            self.send(if last { TURN } else { MORE }, &fds[..count]).map_err(Call::Sendmsg.failed())?;
            if last {
                return Ok(());
            }
        }
    }

    fn send(&self, byte: u8, fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(Errno::NOBUFS);
        }
        loop {
            match sendmsg(&self.0, &[IoSlice::new(&[byte])], &mut ancillary, SendFlags::NOSIGNAL) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// "I failed", to one who does not wait for us any longer than that.
    pub fn fail(&self) {
        // One that is gone needs no word.
        let _ = self.send(FAILED, &[]);
    }

    /// Child: "I failed"; then waits until the parent has looked at the living process and closes its end.
    pub fn fail_and_wait(&self) {
        if self.send(FAILED, &[]).is_ok() {
            let mut byte = [0];
            while matches!(rustix::io::read(&self.0, &mut byte), Ok(1..) | Err(Errno::INTR)) {}
        }
    }

    /// Waits for the other side, and fills `slots` in order with what it hands over. Allocates nothing.
    pub fn wait(&self, kit: &mut Kit, mut slots: impl Iterator<Item = Slot>) -> Result<Word, Fault> {
        loop {
            let mut byte = [0u8; 1];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let mut io = [IoSliceMut::new(&mut byte)];
            let got = match recvmsg(&self.0, &mut io, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Ok(got) => got,
                Err(Errno::INTR) => continue,
                Err(Errno::CONNRESET) => return Ok(Word::End),
                Err(errno) => return Err(Fault { call: Call::Recvmsg, errno }),
            };
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(fds) = message {
                    for fd in fds {
                        let slot = slots.next().ok_or(Fault { call: Call::Recvmsg, errno: Errno::PROTO })?;
                        kit.put(slot, fd).map_err(Call::Recvmsg.failed())?;
                    }
                }
            }
            if got.bytes == 0 {
                return Ok(Word::End);
            }
            match byte[0] {
                MORE => {}
                TURN => return Ok(Word::Turn),
                FAILED => return Ok(Word::Failed),
                EXEC_FAILED => return Ok(Word::ExecFailed(self.read_errno())),
                FILTER_FAILED => return Ok(Word::FilterFailed(self.read_errno())),
                LABEL_FAILED => return Ok(Word::LabelFailed(self.read_errno())),
                AGENT_FAILED => return Ok(Word::AgentFailed(self.read_errno())),
                _ => return Err(Fault { call: Call::Recvmsg, errno: Errno::PROTO }),
            }
        }
    }

    /// The errno that follows an exec report: four bytes, little endian.
    fn read_errno(&self) -> Errno {
        let mut bytes = [0u8; 4];
        let mut at = 0;
        while at < bytes.len() {
            match rustix::io::read(&self.0, &mut bytes[at..]) {
                Ok(0) => return Errno::IO,
                Ok(n) => at += n,
                Err(Errno::INTR) => {}
                Err(errno) => return errno,
            }
        }
        let raw = i32::from_le_bytes(bytes);
        if (1..4096).contains(&raw) { Errno::from_raw_os_error(raw) } else { Errno::IO }
    }
}
