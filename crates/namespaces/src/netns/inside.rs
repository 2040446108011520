//! A look into another network namespace, and the making of a new one, both by a thread that ends with it: setns(2) and
//! unshare(2) move one thread only, so that this process never leaves the namespace that it is in.

use crate::error::Error;
use insula_launch::plan::Kind;
use insula_net::link::{self, Index};
use insula_net::network::Network;
use insula_sys::birth::unshare;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use std::thread;

/// The number of the device `lo` in every network namespace, `LOOPBACK_IFINDEX`.
const LOOPBACK: Index = 1;

/// Calls `look` with a network namespace that is entered for it; `name` is what it is called in messages. The value that
/// it returns may hold sockets: they stay where they were opened.
pub fn look<T: Send>(
    file: OwnedFd,
    name: String,
    look: impl FnOnce(Network) -> Result<T, insula_net::error::Error> + Send,
) -> Result<T, Error> {
    let entered = thread::scope(|scope| {
        let looking =
            thread::Builder::new().spawn_scoped(scope, || Network::enter(file, name).and_then(look));
        looking.map_err(|error| Errno::from_io_error(&error)).map(thread::ScopedJoinHandle::join)
    });
    match entered {
        Ok(Ok(done)) => done.map_err(Error::Net),
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(errno) => Err(Error::File(
            "start a thread for",
            "a network namespace".into(),
            errno.unwrap_or(Errno::AGAIN),
        )),
    }
}

/// Brings loopback up in a network namespace; a new one has it down (network_namespaces(7)).
pub fn loopback_up(file: &OwnedFd, name: String) -> Result<(), Error> {
    let again =
        fcntl_dupfd_cloexec(file, 0).map_err(|errno| Error::File("keep open", name.clone(), errno))?;
    look(again, name, |mut there| link::set_up(&mut there.socket, LOOPBACK, "lo"))
}

/// A file of a new network namespace. Nothing but the file holds it.
pub fn fresh() -> Result<OwnedFd, Error> {
    let made = thread::Builder::new().spawn(|| {
        unshare(Kind::Net.flag())?;
        open("/proc/thread-self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    });
    let made = match made.map(thread::JoinHandle::join) {
        Ok(Ok(made)) => made,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN)),
    };
    made.map_err(|errno| Error::fresh(Kind::Net, errno))
}
