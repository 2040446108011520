//! New devices: veth(4) pairs and bridges.

use super::{Mac, STRUCTURE, structure};
use crate::error::{Act, Error};
use crate::message::Request;
use crate::name;
use crate::number::{
    IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MTU, IFLA_NET_NS_FD,
    NLM_F_CREATE, NLM_F_EXCL, RTM_NEWLINK, VETH_INFO_PEER,
};
use crate::socket::Socket;
use rustix::fd::{AsRawFd, BorrowedFd};

/// One end of a pair that is to be made.
#[derive(Debug, Clone, Default)]
pub struct End<'a> {
    /// Its name.
    pub name: &'a str,
    /// The longest packet, in bytes; 1500 if it is not given.
    pub mtu: Option<u32>,
    /// Its hardware address; random if it is not given.
    pub mac: Option<Mac>,
}

impl End<'_> {
    fn put(&self, request: &mut Request) {
        request.put_text(IFLA_IFNAME, self.name);
        if let Some(mtu) = self.mtu {
            request.put_u32(IFLA_MTU, mtu);
        }
        if let Some(mac) = &self.mac {
            request.put(IFLA_ADDRESS, &mac.0);
        }
    }
}

/// Makes a veth pair: `first` in the socket's network namespace, `second` in the one that `target` is a file of, or beside
/// it. It is one request: there are both or none, each at once where it belongs and under its name.
pub fn veth(
    socket: &mut Socket,
    first: &End<'_>,
    second: &End<'_>,
    target: Option<BorrowedFd<'_>>,
) -> Result<(), Error> {
    name::check(first.name)?;
    name::check(second.name)?;
    let mut request = new();
    first.put(&mut request);
    request.nest(IFLA_LINKINFO, |info| {
        info.put(IFLA_INFO_KIND, b"veth");
        info.nest(IFLA_INFO_DATA, |data| {
            data.nest(VETH_INFO_PEER, |peer| {
                peer.structure(&[0; STRUCTURE]);
                second.put(peer);
                if let Some(target) = target {
                    peer.put_i32(IFLA_NET_NS_FD, target.as_raw_fd());
                }
            });
        });
    });
    let what = format!("make the veth pair `{}`, `{}`", first.name, second.name);
    socket.acknowledged(Act::Make, &what, &mut request)
}

/// Makes a bridge.
pub fn bridge(socket: &mut Socket, name: &str) -> Result<(), Error> {
    name::check(name)?;
    let mut request = new();
    request.put_text(IFLA_IFNAME, name);
    request.nest(IFLA_LINKINFO, |info| info.put(IFLA_INFO_KIND, b"bridge"));
    socket.acknowledged(Act::Make, &format!("make the bridge `{name}`"), &mut request)
}

/// A device that must not be there yet.
fn new() -> Request {
    Request::new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &structure(0, 0, 0))
}
