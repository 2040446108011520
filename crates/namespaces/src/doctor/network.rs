//! The network, in network namespaces that are thrown away.

use super::answer::{Answer, Check, Group, Weight};
use super::ground::{self, Refused, no_ground};
use super::room::apart;
use insula_launch::plan::Kind;
use insula_net::link::{self, End};
use insula_net::socket::Socket;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, netlink, socket_with};
use std::fs;

const fn check(key: &'static str, what: &'static str, loss: &'static str, probe: fn() -> Answer) -> Check {
    Check { key, group: Group::Network, what, loss, weight: Weight::Feature, probe }
}

/// The checks.
pub(super) const CHECKS: &[Check] = &[
    check("netlink", "netlink, rtnetlink(7)", "`link`, `netns list-id`, `netns set`", route_socket),
    check("veth", "pairs of virtual devices", "`link pair`: namespaces that talk to each other", veth),
    check("bridge", "bridges", "`link bridge`: more than two namespaces on one network", bridge),
    Check {
        weight: Weight::Comfort,
        ..check("nftables", "nftables", "nothing today: no command writes rules", nftables)
    },
    check(
        "tun",
        "/dev/net/tun",
        "networks of an ordinary user by pasta or slirp4netns, VPNs in namespaces (`run --device /dev/net/tun`)",
        tun,
    ),
    check("ping", "ping without rights", "ping(8) in namespaces", ping),
];

fn route_socket() -> Answer {
    apart(|| match Socket::open().and_then(|mut socket| link::list(&mut socket)) {
        Ok(links) => Answer::works(format!("{} devices here", links.len())),
        Err(error) => {
            Answer::missing(error.to_string()).or_fix(error.hint().unwrap_or("a kernel with CONFIG_NET"))
        }
    })
}

/// In a new network namespace.
fn network(probe: fn(&mut Socket) -> Result<(), insula_net::error::Error>) -> Answer {
    apart(|| {
        if let Err(refused) = ground::rights().and_then(|()| ground::new(Kind::Net)) {
            return no_ground(&refused);
        }
        match Socket::open().and_then(|mut socket| probe(&mut socket)) {
            Ok(()) => Answer::works("made"),
            Err(error) => {
                let answer = Answer::missing(error.to_string());
                match error.hint() {
                    Some(hint) => answer.fix(hint),
                    None => answer,
                }
            }
        }
    })
}

fn veth() -> Answer {
    network(|socket| {
        let end = |name| End { name, ..End::default() };
        link::veth(socket, &end("doctor0"), &end("doctor1"), None)
    })
}

fn bridge() -> Answer {
    network(|socket| link::bridge(socket, "doctor0"))
}

/// Asks for the number of the rules' generation, which needs the subsystem (NFT_MSG_GETGEN).
fn nftables() -> Answer {
    apart(|| {
        if let Err(refused) = ground::rights().and_then(|()| ground::new(Kind::Net)) {
            return no_ground(&refused);
        }
        match generation() {
            Ok(()) => Answer::works("it answers"),
            Err(Refused { errno: Errno::INVAL | Errno::PROTONOSUPPORT | Errno::OPNOTSUPP, .. }) => {
                Answer::missing("this kernel has no nftables")
                    .fix("as root: `modprobe nf_tables`; or a kernel with CONFIG_NF_TABLES")
            }
            Err(refused) => refused.answer(),
        }
    })
}

fn generation() -> Result<(), Refused> {
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::NETFILTER))
            .map_err(Refused::at("open a netlink socket"))?;
    // struct nlmsghdr: length, type NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, NLM_F_REQUEST, sequence, port;
    // struct nfgenmsg: family, version, resource.
    let mut message = Vec::new();
    message.extend_from_slice(&20_u32.to_ne_bytes());
    message.extend_from_slice(&(10_u16 << 8 | 16).to_ne_bytes());
    message.extend_from_slice(&1_u16.to_ne_bytes());
    message.extend_from_slice(&1_u32.to_ne_bytes());
    message.extend_from_slice(&[0; 8]);
    rustix::net::send(&socket, &message, rustix::net::SendFlags::empty())
        .map_err(Refused::at("ask nftables"))?;
    let mut answer = [0; 256];
    let (length, _) = rustix::net::recv(&socket, &mut answer, rustix::net::RecvFlags::empty())
        .map_err(Refused::at("ask nftables"))?;
    // NLMSG_ERROR is 2, and its errno stands behind the header, negative.
    if length >= 20 && answer[4..6] == 2_u16.to_ne_bytes() {
        let errno = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
        return Err(Refused::at("ask nftables")(Errno::from_raw_os_error(-errno)));
    }
    Ok(())
}

fn tun() -> Answer {
    match open(c"/dev/net/tun", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        Ok(_) => Answer::works("it is open to us"),
        Err(Errno::NOENT) => Answer::missing("there is no /dev/net/tun")
            .fix("as root: `modprobe tun`, or `mknod /dev/net/tun c 10 200`"),
        Err(Errno::NODEV | Errno::NXIO) => {
            Answer::missing("/dev/net/tun has no driver").fix("as root: `modprobe tun`")
        }
        Err(Errno::ACCESS) => Answer::missing("/dev/net/tun is closed to us")
            .fix("as root: `chmod 0666 /dev/net/tun`, as most distributions have it"),
        Err(errno) => Answer::refused("open `/dev/net/tun`", errno),
    }
}

/// Sockets for ping are for the groups of net.ipv4.ping_group_range, icmp(7): those of a new network namespace are none.
fn ping() -> Answer {
    apart(|| {
        match socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(ipproto::ICMP)) {
            Ok(_) => Answer::works("a socket for it was opened"),
            Err(Errno::ACCESS) => {
                let range = fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default();
                let range = range.split_whitespace().collect::<Vec<_>>().join(" ");
                Answer::limited(format!("net.ipv4.ping_group_range is {range}: our group is not in it"))
                .fix("as root: `sysctl net.ipv4.ping_group_range='0 2147483647'`; in a container `run --sysctl net.ipv4.ping_group_range='0 0'`")
            }
            Err(errno) => Answer::refused("open a socket for ping", errno),
        }
    })
}
