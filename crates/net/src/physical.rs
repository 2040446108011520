//! Which devices must not go down with a network namespace.
//!
//! When a network namespace dies the kernel deletes the virtual devices in it and moves the others to the initial
//! namespace (`default_device_exit_net()`), where nobody waits for them; a namespace that is only unreachable, since
//! processes are left in it, keeps them. ip-netns(8) warns of both.

use crate::error::Error;
use crate::link::{self, Link};
use crate::socket::Socket;

/// What becomes of a device when its network namespace dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes with the namespace: loopback, and what cannot leave.
    Bound,
    /// It is deleted: it is virtual, and can be made again.
    Deleted,
    /// It turns up in the initial namespace: it is hardware.
    Returned,
}

/// The kinds that belong to hardware all the same: their drivers ask for the return (`rtnl_link_ops.netns_refund`).
const REFUNDED: &[&str] = &["can"];

/// What becomes of a device when its network namespace dies.
pub fn fate(link: &Link) -> Fate {
    match &link.kind {
        _ if link.is_loopback() => Fate::Bound,
        None => Fate::Returned,
        Some(kind) if REFUNDED.contains(&kind.as_str()) => Fate::Returned,
        Some(_) => Fate::Deleted,
    }
}

/// The devices of hardware in the socket's network namespace: those that nobody can make again.
pub fn list(socket: &mut Socket) -> Result<Vec<Link>, Error> {
    let mut links = link::list(socket)?;
    links.retain(|link| fate(link) == Fate::Returned);
    Ok(links)
}

#[cfg(test)]
mod tests {
    use super::{Fate, fate};
    use crate::link::{Link, Mac, State};

    fn device(hardware: u16, kind: Option<&str>) -> Link {
        Link {
            index: 2,
            name: "x0".to_owned(),
            flags: 0,
            hardware,
            kind: kind.map(str::to_owned),
            mtu: 1500,
            mac: Mac::default(),
            state: State::Down,
            master: None,
            peer: None,
            peer_nsid: None,
            immutable: false,
        }
    }

    #[test]
    fn hardware_has_no_kind() {
        let table = [
            (772, None, Fate::Bound),
            (1, None, Fate::Returned),
            (1, Some("veth"), Fate::Deleted),
            (1, Some("bridge"), Fate::Deleted),
            (280, Some("can"), Fate::Returned),
            (280, Some("vcan"), Fate::Deleted),
            (776, Some("sit"), Fate::Deleted),
        ];
        for (hardware, kind, expected) in table {
            assert_eq!(fate(&device(hardware, kind)), expected, "{hardware} {kind:?}");
        }
    }

    #[test]
    fn loopback_is_known_by_its_flag_as_well() {
        assert_eq!(fate(&Link { flags: 0x9, ..device(1, None) }), Fate::Bound);
    }
}
