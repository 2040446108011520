//! What can go wrong between us and the kernel's network, and what to do about it.

use insula_launch::why::rights::{self, Right};
use insula_launch::why::{Cause, Subject};
use rustix::io::Errno;
use std::fmt;

/// What was tried, for the hint: one errno means different things to different acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// A netlink socket is opened, or spoken through.
    Socket,
    /// A network namespace is entered, to open a socket in it.
    Enter,
    /// Devices, addresses, routes or ids are listed.
    List,
    /// A device is made.
    Make,
    /// A device is renamed.
    Rename,
    /// A device is changed otherwise.
    Change,
    /// A device becomes the port of another.
    Enslave,
    /// A device is moved to another network namespace.
    Move,
    /// A device is deleted.
    Delete,
    /// An address is added.
    AddAddress,
    /// An address is deleted.
    DeleteAddress,
    /// A route is added.
    AddRoute,
    /// A route is deleted.
    DeleteRoute,
    /// A network namespace gets an id in another.
    Identify,
}

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The kernel refused.
    Refused {
        /// What was tried.
        act: Act,
        /// The same in words, with the names of what it was tried on.
        what: String,
        /// The kernel's number for it.
        errno: Errno,
        /// What the kernel said about it, netlink's "extended acknowledgement".
        said: Option<String>,
    },
    /// The kernel's answer cannot be read.
    Malformed {
        /// What was tried.
        what: String,
        /// What of the answer is wrong.
        part: &'static str,
    },
    /// A list changed under our eyes, again and again.
    Restless {
        /// What was tried.
        what: String,
    },
    /// No device has this name.
    NoDevice {
        /// The name.
        name: String,
        /// The network namespace, in words.
        network: String,
    },
    /// No device can have this name.
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// This can be no address, prefix or the like.
    Value {
        /// What was written.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// A device was moved, but what it had could not be given back to it, and it could not be brought back either.
    Stranded {
        /// The device's name where it is now.
        name: String,
        /// Where it is now, in words.
        network: String,
        /// What failed first.
        first: Box<Error>,
        /// Why it could not be undone.
        undo: Box<Error>,
    },
    /// What was tried failed, and all of it was undone.
    Undone(Box<Error>),
}

impl Error {
    /// The errno behind it, where there is one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::Refused { errno, .. } => Some(*errno),
            Error::NoDevice { .. } => Some(Errno::NODEV),
            Error::Stranded { first, .. } | Error::Undone(first) => first.errno(),
            Error::Malformed { .. } | Error::Restless { .. } | Error::Name { .. } | Error::Value { .. } => {
                None
            }
        }
    }

    /// The cause, if looking at this process shows it: a right that it lacks, and where.
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Error::Refused { act, errno: Errno::PERM, .. } => lacking(*act).map(Cause::from),
            Error::Stranded { first, .. } | Error::Undone(first) => first.cause(),
            _ => None,
        }
    }

    /// What to do about it: of the errno alone. The cure of a [`cause`](Error::cause) is better, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Refused { act, errno, .. } => hint(*act, *errno),
            Error::Name { .. } => Some("a name is 1 to 15 bytes, without `/`, `:` and white space"),
            Error::Stranded { first, .. } | Error::Undone(first) => first.hint(),
            Error::Malformed { .. }
            | Error::Restless { .. }
            | Error::NoDevice { .. }
            | Error::Value { .. } => None,
        }
    }
}

/// The right that an act wants and we lack. Who has it over his own network namespace may lack it over the other one that
/// an act is about: then nothing is said.
fn lacking(act: Act) -> Option<Right> {
    let (number, capability, matter) = match act {
        Act::Enter => (21, "CAP_SYS_ADMIN", "to enter a network namespace"),
        _ => (12, "CAP_NET_ADMIN", "a change of the network"),
    };
    let kind = if act == Act::Enter { None } else { Some("net") };
    rights::capable(number, capability, kind, matter, &Subject::ourselves())
}

/// What to do about an errno.
fn hint(act: Act, errno: Errno) -> Option<&'static str> {
    const ADMIN: &str = "this wants CAP_NET_ADMIN in the user namespace that owns the network namespace: be root, or \
                         work in namespaces of your own (`unshare -Urn`)";
    Some(match (act, errno) {
        (Act::Enter, Errno::PERM) => {
            "this wants CAP_SYS_ADMIN in the user namespace that owns the network namespace: be root, or the owner of it"
        }
        (Act::Enter, Errno::INVAL) => {
            "it is no network namespace, or its user namespace cannot be entered from a process with threads"
        }
        (Act::Move, Errno::PERM) => {
            "this wants CAP_NET_ADMIN over both network namespaces, the one that the device leaves and the one that it \
             enters"
        }
        (Act::Socket | Act::List, Errno::PERM) | (_, Errno::PERM) => ADMIN,
        (Act::Socket, Errno::AFNOSUPPORT | Errno::PROTONOSUPPORT) => "the kernel has no netlink here",
        (Act::Make | Act::Rename, Errno::EXIST) => "choose another name, or delete the device that has it",
        (Act::Make, Errno::OPNOTSUPP) => {
            "the kernel has no devices of this kind, or their module is not loaded (modprobe(8) as root)"
        }
        (Act::Move, Errno::EXIST) => "a device there has the name already: give another one with the move",
        (Act::Move, Errno::INVAL | Errno::OPNOTSUPP) => {
            "the device is bound to its network namespace, as loopback, bridges and wireless devices are"
        }
        (Act::Enslave, Errno::INVAL | Errno::OPNOTSUPP) => "the device cannot be a port of that one",
        (Act::Enslave, Errno::BUSY) => "the device is a port already: take it out of the other one first",
        (Act::Enslave, Errno::LOOP) => "a bridge cannot be a port of a bridge",
        (Act::Rename, Errno::BUSY) => "before Linux 6.2 a device is renamed while it is down only",
        (Act::Delete, Errno::OPNOTSUPP) => "a device of hardware, or loopback, cannot be deleted",
        (Act::Change | Act::Delete, Errno::BUSY) => "something uses the device",
        (Act::AddAddress, Errno::EXIST) => "the device has this address already",
        (Act::AddAddress, Errno::ACCESS | Errno::AFNOSUPPORT | Errno::OPNOTSUPP) => {
            "this kind of address is switched off, for the device (sysctl `net.ipv6.conf.DEV.disable_ipv6`) or the kernel"
        }
        (Act::DeleteAddress, Errno::ADDRNOTAVAIL) => {
            "the device has no such address; the prefix counts as well"
        }
        (Act::AddRoute, Errno::NETUNREACH | Errno::HOSTUNREACH) => {
            "the gateway is in no network of the device: give the device an address beside it first"
        }
        (Act::AddRoute, Errno::NETDOWN) => "bring the device up first",
        (Act::AddRoute, Errno::EXIST) => "there is such a route already",
        (Act::DeleteRoute, Errno::SRCH) => "there is no such route",
        (Act::Identify, Errno::EXIST) => {
            "the namespace has an id here already, which cannot be changed, or the id is another's"
        }
        _ => return None,
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused { what, errno, said, .. } => {
                write!(f, "{what}: {}", Named(*errno))?;
                said.as_ref().map_or(Ok(()), |said| write!(f, " ({said})"))
            }
            Error::Malformed { what, part } => {
                write!(f, "{what}: the kernel's answer cannot be read: {part}")
            }
            Error::Restless { what } => write!(f, "{what}: the list changes faster than it is read"),
            Error::NoDevice { name, network } => write!(f, "there is no device `{name}` in {network}"),
            Error::Name { name, reason } => write!(f, "`{name}` is no name of a device: {reason}"),
            Error::Value { text, reason } => write!(f, "`{text}`: {reason}"),
            Error::Stranded { name, network, first, undo } => {
                write!(f, "{first}; `{name}` is in {network} now, and could not be brought back: {undo}")
            }
            Error::Undone(first) => write!(f, "{first}; what was done before is undone"),
        }
    }
}

impl std::error::Error for Error {}

/// An errno in words; std's text has the number behind it, which nobody looks up.
struct Named(Errno);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = std::io::Error::from(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}
