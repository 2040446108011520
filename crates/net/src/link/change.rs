//! Changes of a device that is there. Each names the device by its index, so that a name that is given away meanwhile
//! harms nobody; `name` is for the message.

use super::{Index, Mac, structure};
use crate::error::{Act, Error};
use crate::message::Request;
use crate::name;
use crate::number::{
    IFF_UP, IFLA_ADDRESS, IFLA_IFNAME, IFLA_MASTER, IFLA_MTU, IFLA_NET_NS_FD, RTM_DELLINK, RTM_NEWLINK,
};
use crate::socket::Socket;
use rustix::fd::{AsRawFd, BorrowedFd};

/// A change of nothing as yet.
fn change(index: Index) -> Request {
    Request::new(RTM_NEWLINK, 0, &structure(index, 0, 0))
}

/// Brings it up.
pub fn set_up(socket: &mut Socket, index: Index, name: &str) -> Result<(), Error> {
    let mut request = Request::new(RTM_NEWLINK, 0, &structure(index, IFF_UP, IFF_UP));
    socket.acknowledged(Act::Change, &format!("bring `{name}` up"), &mut request)
}

/// Takes it down. Its IPv6 addresses and its routes go, as ever.
pub fn set_down(socket: &mut Socket, index: Index, name: &str) -> Result<(), Error> {
    let mut request = Request::new(RTM_NEWLINK, 0, &structure(index, 0, IFF_UP));
    socket.acknowledged(Act::Change, &format!("take `{name}` down"), &mut request)
}

/// Makes it a port of another device; 0: of none.
pub fn set_master(socket: &mut Socket, index: Index, name: &str, master: Index) -> Result<(), Error> {
    let mut request = change(index);
    request.put_u32(IFLA_MASTER, master);
    let what = if master == 0 { format!("take `{name}` out") } else { format!("make `{name}` a port") };
    socket.acknowledged(Act::Enslave, &what, &mut request)
}

/// Gives it another name.
pub fn rename(socket: &mut Socket, index: Index, name: &str, new: &str) -> Result<(), Error> {
    name::check(new)?;
    let mut request = change(index);
    request.put_text(IFLA_IFNAME, new);
    socket.acknowledged(Act::Rename, &format!("rename `{name}` to `{new}`"), &mut request)
}

/// Sets its longest packet, in bytes.
pub fn set_mtu(socket: &mut Socket, index: Index, name: &str, mtu: u32) -> Result<(), Error> {
    let mut request = change(index);
    request.put_u32(IFLA_MTU, mtu);
    socket.acknowledged(Act::Change, &format!("set the mtu of `{name}` to {mtu}"), &mut request)
}

/// Sets its hardware address.
pub fn set_address(socket: &mut Socket, index: Index, name: &str, mac: &Mac) -> Result<(), Error> {
    let mut request = change(index);
    request.put(IFLA_ADDRESS, &mac.0);
    socket.acknowledged(Act::Change, &format!("set the hardware address of `{name}` to {mac}"), &mut request)
}

/// Deletes it. With one end of a veth pair goes the other.
pub fn delete(socket: &mut Socket, index: Index, name: &str) -> Result<(), Error> {
    let mut request = Request::new(RTM_DELLINK, 0, &structure(index, 0, 0));
    socket.acknowledged(Act::Delete, &format!("delete `{name}`"), &mut request)
}

/// Moves it to the network namespace that `target` is a file of, there under the name `new` if one is given.
///
/// The kernel takes it down, and with it go its addresses and routes, and its place in a bridge. The index there may be
/// another. [`moving`](crate::moving) keeps what can be kept.
///
/// Where the kernel moves it and then cannot rename it, it is there under the old name, and this an error.
pub fn move_to(
    socket: &mut Socket,
    index: Index,
    what: &str,
    target: BorrowedFd<'_>,
    new: Option<&str>,
) -> Result<(), Error> {
    let mut request = change(index);
    request.put_i32(IFLA_NET_NS_FD, target.as_raw_fd());
    if let Some(new) = new {
        name::check(new)?;
        request.put_text(IFLA_IFNAME, new);
    }
    socket.acknowledged(Act::Move, what, &mut request)
}
