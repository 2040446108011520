//! Brings the loopback device up: a new network namespace has one, and it is down (network_namespaces(7)).

use super::{Child, Describe};
use crate::fault::{Call, Done};
use insula_sys::net::loopback_up;
use rustix::fd::AsFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Loopback;

impl Loopback {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
            .map_err(Call::Socket.failed())?;
        loopback_up(socket.as_fd()).map_err(Call::Ioctl.failed())
    }
}

impl fmt::Display for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bring the loopback device up")
    }
}

impl Describe for Loopback {
    const NAME: &'static str = "loopback";

    fn why(&self) -> Cow<'static, str> {
        "a new network namespace has one device, and it is down".into()
    }
}
