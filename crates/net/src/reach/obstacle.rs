//! What stands between two network namespaces, as a sentence with what was found, and what to do about it.

use crate::firewall::Blocked;
use crate::listener::Protocol;
use std::fmt;
use std::net::IpAddr;

/// What stands in the way. Networks are named as they stand in a sentence: "`a`", "the host's network".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The device `lo` is down, and what is for the namespace itself goes by it.
    LoopbackDown {
        /// The network.
        network: String,
    },
    /// Whoever is to be reached has no address but those of loopback.
    NoAddress {
        /// The network.
        network: String,
    },
    /// There is no device but loopback.
    NoDevice {
        /// The network.
        network: String,
    },
    /// Devices are there, and none that would do is up.
    DeviceDown {
        /// The network.
        network: String,
        /// The devices that are down.
        devices: Vec<String>,
    },
    /// No route leads there.
    NoRoute {
        /// The network.
        network: String,
        /// Where to.
        destination: IpAddr,
        /// The networks that its devices are in, `10.0.0.0/24 by eth0`.
        networks: Vec<String>,
    },
    /// A route says that there is no way: `unreachable`, `prohibit` or `blackhole`.
    RouteRefuses {
        /// The network.
        network: String,
        /// Where to.
        destination: IpAddr,
        /// The kind of the route.
        kind: &'static str,
    },
    /// A device is up, and its other end is not.
    NoCarrier {
        /// The network.
        network: String,
        /// The device.
        device: String,
        /// The other end, as far as it is known: its network and its name.
        other: Option<(String, String)>,
    },
    /// Nobody on a network answers for an address: ARP, or neighbour discovery.
    NobodyHas {
        /// The network that asks.
        network: String,
        /// The device that it asks by.
        device: String,
        /// The address.
        address: IpAddr,
        /// It is the gateway's.
        is_gateway: bool,
        /// Who is on that network, as far as it is known, with their addresses.
        there: Vec<String>,
    },
    /// A packet that comes in would have to be sent on, and that is off.
    ForwardingOff {
        /// The network.
        network: String,
        /// The device that it comes in by.
        device: String,
        /// The sysctl that is 0.
        switch: String,
    },
    /// The source of a packet is not where it comes from: `rp_filter`, RFC 3704.
    ReversePath {
        /// The network.
        network: String,
        /// The device that it comes in by.
        device: String,
        /// The source.
        source: IpAddr,
        /// 1: the route back leaves by another device; 2: there is none.
        filter: i32,
    },
    /// Nobody listens on the port.
    NobodyListens {
        /// The network.
        network: String,
        /// The protocol.
        protocol: Protocol,
        /// The port.
        port: u16,
    },
    /// Somebody listens on the port, at another address.
    ListensElsewhere {
        /// The network.
        network: String,
        /// The protocol.
        protocol: Protocol,
        /// The port.
        port: u16,
        /// Where it listens.
        addresses: Vec<IpAddr>,
        /// Where it was asked for.
        wanted: IpAddr,
    },
    /// The address is another network's.
    AddressElsewhere {
        /// The address.
        address: IpAddr,
        /// Whose it is.
        network: String,
    },
    /// A rule of a firewall.
    Firewall {
        /// The network that has it.
        network: String,
        /// Where, and whether it is sure.
        blocked: Blocked,
    },
    /// The packet leaves what can be seen from here.
    Beyond {
        /// The last network.
        network: String,
        /// The device that it leaves by.
        device: String,
        /// The gateway that it is given to.
        gateway: Option<IpAddr>,
    },
}

impl Obstacle {
    /// A stable word for programs.
    pub fn key(&self) -> &'static str {
        match self {
            Obstacle::LoopbackDown { .. } => "loopback-down",
            Obstacle::NoAddress { .. } => "no-address",
            Obstacle::NoDevice { .. } => "no-device",
            Obstacle::DeviceDown { .. } => "device-down",
            Obstacle::NoRoute { .. } => "no-route",
            Obstacle::RouteRefuses { .. } => "route-refuses",
            Obstacle::NoCarrier { .. } => "no-carrier",
            Obstacle::NobodyHas { .. } => "neighbour-silent",
            Obstacle::ForwardingOff { .. } => "forwarding-off",
            Obstacle::ReversePath { .. } => "reverse-path",
            Obstacle::NobodyListens { .. } => "nobody-listens",
            Obstacle::ListensElsewhere { .. } => "listens-elsewhere",
            Obstacle::AddressElsewhere { .. } => "address-elsewhere",
            Obstacle::Firewall { .. } => "firewall",
            Obstacle::Beyond { .. } => "beyond-sight",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Obstacle::LoopbackDown { .. } => "in that network namespace: `ip link set lo up`".to_owned(),
            Obstacle::NoAddress { .. } => {
                "give a device of it an address (`insula link addr DEV ADDRESS`), or connect it (`insula link pair`)".to_owned()
            }
            Obstacle::NoDevice { .. } => "connect it: `insula link pair`, `insula link bridge`".to_owned(),
            Obstacle::DeviceDown { .. } => "bring it up: `insula link up DEV --in NS`".to_owned(),
            Obstacle::NoRoute { destination, networks, .. } if networks.is_empty() => {
                format!("give a device an address in the network of {destination}, or add a route")
            }
            Obstacle::NoRoute { destination, .. } => format!(
                "add a route by a neighbour that knows the way, as `insula link route add {destination} via GATEWAY`, or give \
                 both an address of one network"
            ),
            Obstacle::RouteRefuses { destination, kind, .. } => {
                format!("`ip route get {destination}` finds it; delete that route of type {kind}, or add a longer one")
            }
            Obstacle::NoCarrier { other: Some((_, device)), .. } => format!("bring `{device}` up there"),
            Obstacle::NoCarrier { other: None, .. } => "bring the other end up, or plug it in".to_owned(),
            Obstacle::NobodyHas { is_gateway: true, .. } => {
                "let the route name a gateway that is on that network, or give that one its address".to_owned()
            }
            Obstacle::NobodyHas { .. } => {
                "who is to be reached needs this address, on a device that is on that network; or a route by a gateway is \
                 missing"
                    .to_owned()
            }
            Obstacle::ForwardingOff { switch, .. } => format!("in that network namespace: `sysctl {switch}=1`"),
            Obstacle::ReversePath { source, filter: 2, .. } => format!("add a route to {source} there"),
            Obstacle::ReversePath { device, source, .. } => format!(
                "let the route to {source} leave by `{device}`, or loosen `sysctl net.ipv4.conf.{device}.rp_filter=2` (the \
                 higher of that and of `conf.all` counts)"
            ),
            Obstacle::NobodyListens { .. } => {
                "start the server there, or ask for the port that it listens on".to_owned()
            }
            Obstacle::ListensElsewhere { .. } => {
                "let the server listen on that address, or on every one (0.0.0.0 or ::)".to_owned()
            }
            Obstacle::AddressElsewhere { .. } => "two networks have one address: take it from one of them".to_owned(),
            Obstacle::Firewall { .. } => "`nft -a list ruleset` there shows it; change or delete it".to_owned(),
            Obstacle::Beyond { .. } => {
                "what is behind it has to be looked at there; `traceroute` tells how far packets get".to_owned()
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::LoopbackDown { network } => write!(f, "the device lo of {network} is down"),
            Obstacle::NoAddress { network } => {
                write!(f, "{network} has no address but those of loopback, which reach nobody else")
            }
            Obstacle::NoDevice { network } => write!(f, "{network} has no device but loopback"),
            Obstacle::DeviceDown { network, devices } => {
                let devices: Vec<String> = devices.iter().map(|device| format!("`{device}`")).collect();
                let verb = if devices.len() == 1 { "is" } else { "are" };
                write!(f, "{} of {network} {verb} down", devices.join(", "))
            }
            Obstacle::NoRoute { network, destination, networks } => {
                write!(f, "{network} has no route to {destination}")?;
                if networks.is_empty() { Ok(()) } else { write!(f, "; it is in {}", networks.join(", ")) }
            }
            Obstacle::RouteRefuses { network, destination, kind } => {
                write!(f, "{network} has a route of type {kind} to {destination}")
            }
            Obstacle::NoCarrier { network, device, other: Some((there, end)) } => {
                write!(f, "`{device}` of {network} is up, and its other end, `{end}` of {there}, is down")
            }
            Obstacle::NoCarrier { network, device, other: None } => {
                write!(
                    f,
                    "`{device}` of {network} is up, and has no carrier: its other end is down or not there"
                )
            }
            Obstacle::NobodyHas { network, device, address, is_gateway, there } => {
                let what = if *is_gateway { "the gateway " } else { "" };
                write!(f, "nobody at the other end of `{device}` of {network} has {what}{address}")?;
                if there.is_empty() { Ok(()) } else { write!(f, "; there is {}", there.join(", ")) }
            }
            Obstacle::ForwardingOff { network, device, switch } => {
                write!(f, "{network} does not send on what comes in by `{device}`: {switch} is 0")
            }
            Obstacle::ReversePath { network, device, source, filter } => {
                let why = if *filter == 1 { "leaves by another device" } else { "is missing" };
                write!(
                    f,
                    "{network} drops what comes from {source} by `{device}`: rp_filter is {filter}, and the route back {why}"
                )
            }
            Obstacle::NobodyListens { network, protocol, port } => {
                write!(f, "nobody listens on {} port {port} in {network}", protocol.name())
            }
            Obstacle::ListensElsewhere { network, protocol, port, addresses, wanted } => {
                let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                let name = protocol.name();
                write!(
                    f,
                    "in {network} {name} port {port} is listened on at {} only, not at {wanted}",
                    addresses.join(", ")
                )
            }
            Obstacle::AddressElsewhere { address, network } => {
                write!(f, "{address} leads to {network}, which has the address as well")
            }
            Obstacle::Firewall { network, blocked } => {
                let does = if blocked.rejects { "refuses" } else { "drops" };
                let may = if blocked.is_certain { does } else { "may stop" };
                write!(f, "{} of {network}, at the hook {}, {may} it", blocked.place, blocked.hook.name())?;
                blocked.counted.map_or(Ok(()), |count| write!(f, "; it has counted {count}"))
            }
            Obstacle::Beyond { network, device, gateway: Some(gateway) } => {
                write!(
                    f,
                    "it leaves {network} by `{device}` to {gateway}; what is behind that cannot be seen from here"
                )
            }
            Obstacle::Beyond { network, device, gateway: None } => {
                write!(f, "it leaves {network} by `{device}`; what is behind that cannot be seen from here")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::Hook;

    /// One of each, and each of its forms.
    fn all() -> Vec<Obstacle> {
        let network = || "`a`".to_owned();
        let device = || "eth0".to_owned();
        let destination: IpAddr = "10.0.0.2".parse().unwrap();
        let gateway: IpAddr = "10.0.0.254".parse().unwrap();
        let (protocol, port) = (Protocol::Tcp, 80);
        let rule = |rejects, counted, is_certain| Obstacle::Firewall {
            network: network(),
            blocked: Blocked {
                place: "the rule 7 of the chain `in` in the table `inet filter`".to_owned(),
                hook: Hook::Input,
                rejects,
                counted,
                is_certain,
            },
        };
        vec![
            Obstacle::LoopbackDown { network: network() },
            Obstacle::NoAddress { network: network() },
            Obstacle::NoDevice { network: network() },
            Obstacle::DeviceDown { network: network(), devices: vec![device()] },
            Obstacle::DeviceDown { network: network(), devices: vec![device(), "eth1".to_owned()] },
            Obstacle::NoRoute { network: network(), destination, networks: Vec::new() },
            Obstacle::NoRoute {
                network: network(),
                destination,
                networks: vec!["10.1.0.0/24 by `eth0`".to_owned()],
            },
            Obstacle::RouteRefuses { network: network(), destination, kind: "prohibit" },
            Obstacle::NoCarrier { network: network(), device: device(), other: None },
            Obstacle::NoCarrier {
                network: network(),
                device: device(),
                other: Some(("`b`".to_owned(), "eth9".to_owned())),
            },
            Obstacle::NobodyHas {
                network: network(),
                device: device(),
                address: destination,
                is_gateway: false,
                there: vec!["`eth0` of `b` with 10.0.0.3/24".to_owned()],
            },
            Obstacle::NobodyHas {
                network: network(),
                device: device(),
                address: gateway,
                is_gateway: true,
                there: Vec::new(),
            },
            Obstacle::ForwardingOff {
                network: network(),
                device: device(),
                switch: "net.ipv4.ip_forward".to_owned(),
            },
            Obstacle::ReversePath { network: network(), device: device(), source: destination, filter: 1 },
            Obstacle::ReversePath { network: network(), device: device(), source: destination, filter: 2 },
            Obstacle::NobodyListens { network: network(), protocol, port },
            Obstacle::ListensElsewhere {
                network: network(),
                protocol,
                port,
                addresses: vec!["127.0.0.1".parse().unwrap()],
                wanted: destination,
            },
            Obstacle::AddressElsewhere { address: destination, network: network() },
            rule(false, None, true),
            rule(true, Some(3), true),
            rule(false, None, false),
            Obstacle::Beyond { network: network(), device: device(), gateway: None },
            Obstacle::Beyond { network: network(), device: device(), gateway: Some(gateway) },
        ]
    }

    #[test]
    fn the_causes_and_cures_are_those_that_a_person_has_read() {
        let line = |obstacle: &Obstacle| {
            format!("{}\n  cause: {obstacle}\n  hint: {}\n", obstacle.key(), obstacle.cure())
        };
        let text: String = all().iter().map(line).collect();
        insula_proof::snapshot::assert("tests/compare/obstacles.txt", &text);
    }
}
