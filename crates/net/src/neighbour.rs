//! Whom the kernel has asked for on a network, and whether they have answered: ip-neighbour(8).

use crate::error::Error;
use crate::link::Index;
use crate::message::{Malformed, Request, attributes, i32_at, u8_at, u16_at};
use crate::number::{NDA_DST, RTM_GETNEIGH, RTM_NEWNEIGH};
use crate::prefix;
use crate::socket::Socket;
use std::net::IpAddr;

/// `NUD_INCOMPLETE | NUD_FAILED` of linux/neighbour.h.
const SILENT: u16 = 0x01 | 0x20;

/// Has a neighbour been asked for (ARP, or neighbour discovery), and not answered? False: it has, or nobody asked.
pub fn is_silent(socket: &mut Socket, index: Index, address: IpAddr) -> Result<bool, Error> {
    // struct ndmsg: family, then the index after three bytes.
    let mut structure = [0; 12];
    structure[0] = prefix::family(&address);
    let mut request = Request::new(RTM_GETNEIGH, 0, &structure);
    let found = socket.list("list the neighbours", &mut request, |answer| {
        if answer.kind != RTM_NEWNEIGH || i32_at(answer.payload, 4)? != i32::try_from(index).unwrap_or(-1) {
            return Ok(None);
        }
        let family = u8_at(answer.payload, 0)?;
        for attribute in attributes(answer.payload, 12) {
            let (kind, value) = attribute?;
            if kind == NDA_DST && prefix::address(family, value)? == address {
                return Ok::<_, Malformed>(Some(u16_at(answer.payload, 8)?));
            }
        }
        Ok(None)
    })?;
    Ok(found.iter().any(|state| state & SILENT != 0))
}
