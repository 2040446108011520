//! The flags of `insula ns reach`.

use clap::{Arg, ArgAction, Command};

const WORDS: &str = "\
A, from where, is a name, the pid of a process, the path of a namespace file, or `host`. B, whom, is one of these as well, or an \
IP address, IPv6 in brackets: `blue:80`, `1234:53`, `host:22`, `10.0.0.2:80`, `[fd00::2]:80`. Of a network namespace all \
addresses are tried at once, loopback's where A and B are one.

The connection is tried for real, by a socket that is opened in A's network namespace. By UDP an empty datagram is sent: a \
refusal is told, silence only as far as it can be judged.

Where there is no answer its way is followed through the namespaces that can be seen: A, B, ours, and those with names. At each \
the kernel is asked what it would do with the packet. What is found in the way is told with what to do about it: \
loopback-down, no-address, no-device, device-down, no-route, route-refuses, no-carrier, neighbour-silent, forwarding-off, \
reverse-path, nobody-listens, listens-elsewhere, address-elsewhere, firewall, beyond-sight. The rules of nftables (and so of \
today's iptables) are read where we have CAP_NET_ADMIN; what a rule tests beyond protocol, addresses, ports, devices and the \
state of the connection makes it a maybe.

Exit code: 0 it is reached; 1 it is not; 2 a datagram met silence, and it cannot be told; 125 an error.";

/// The command as clap knows it.
pub fn command() -> Command {
    Command::new("reach")
        .bin_name("insula ns reach")
        .about("Try a connection from one network namespace to another, and say what stands in the way")
        .override_usage("insula ns reach [FLAGS] A B:PORT")
        .after_help(WORDS)
        .arg(Arg::new("A").required(true).help("From where"))
        .arg(Arg::new("B:PORT").required(true).help("Whom"))
        .arg(Arg::new("udp").long("udp").action(ArgAction::SetTrue).help("By UDP (default: TCP)"))
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .default_value("2")
                .help("How long an answer is waited for: seconds, or with units, as 500ms"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
}
