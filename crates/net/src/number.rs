//! The numbers of rtnetlink(7), under the names of the kernel's headers, in the types that the messages have.
//!
//! A test compares those that libc knows as well.

// linux/netlink.h: message types, flags, socket options.
pub const NLMSG_NOOP: u16 = 1;
pub const NLMSG_ERROR: u16 = 2;
pub const NLMSG_DONE: u16 = 3;
pub const NLM_F_REQUEST: u16 = 0x1;
pub const NLM_F_ACK: u16 = 0x4;
pub const NLM_F_DUMP_INTR: u16 = 0x10;
pub const NLM_F_EXCL: u16 = 0x200;
pub const NLM_F_DUMP: u16 = 0x300;
pub const NLM_F_CREATE: u16 = 0x400;
/// In an answer of type `NLMSG_ERROR`: the request stands in it without its payload.
pub const NLM_F_CAPPED: u16 = 0x100;
/// In the same: attributes follow it.
pub const NLM_F_ACK_TLVS: u16 = 0x200;
pub const NLMSGERR_ATTR_MSG: u16 = 1;
pub const NETLINK_CAP_ACK: i32 = 10;
pub const NETLINK_EXT_ACK: i32 = 11;
pub const NETLINK_GET_STRICT_CHK: i32 = 12;
/// The bits of an attribute's type that are its number: `NLA_TYPE_MASK`.
pub const NLA_TYPE_MASK: u16 = 0x3fff;
pub const NLA_F_NESTED: u16 = 0x8000;

// linux/rtnetlink.h: message types, groups.
pub const RTM_NEWLINK: u16 = 16;
pub const RTM_DELLINK: u16 = 17;
pub const RTM_GETLINK: u16 = 18;
pub const RTM_NEWADDR: u16 = 20;
pub const RTM_DELADDR: u16 = 21;
pub const RTM_GETADDR: u16 = 22;
pub const RTM_NEWROUTE: u16 = 24;
pub const RTM_DELROUTE: u16 = 25;
pub const RTM_GETROUTE: u16 = 26;
pub const RTM_NEWNEIGH: u16 = 28;
pub const RTM_GETNEIGH: u16 = 30;
pub const RTM_GETNETCONF: u16 = 82;
pub const RTM_NEWNSID: u16 = 88;
pub const RTM_DELNSID: u16 = 89;
pub const RTM_GETNSID: u16 = 90;
pub const RTNLGRP_NSID: u32 = 28;
pub const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

// linux/if_link.h: attributes of a device.
pub const IFLA_ADDRESS: u16 = 1;
pub const IFLA_IFNAME: u16 = 3;
pub const IFLA_MTU: u16 = 4;
pub const IFLA_LINK: u16 = 5;
pub const IFLA_MASTER: u16 = 10;
pub const IFLA_OPERSTATE: u16 = 16;
pub const IFLA_LINKINFO: u16 = 18;
pub const IFLA_NET_NS_FD: u16 = 28;
pub const IFLA_EXT_MASK: u16 = 29;
pub const IFLA_LINK_NETNSID: u16 = 37;
pub const IFLA_TARGET_NETNSID: u16 = 46;
pub const IFLA_NETNS_IMMUTABLE: u16 = 67;
pub const IFLA_INFO_KIND: u16 = 1;
pub const IFLA_INFO_DATA: u16 = 2;
/// linux/veth.h.
pub const VETH_INFO_PEER: u16 = 1;

// linux/if.h and linux/if_arp.h: flags and the type of hardware.
pub const IFF_UP: u32 = 0x1;
pub const IFF_LOOPBACK: u32 = 0x8;
pub const IFF_LOWER_UP: u32 = 0x1_0000;
pub const ARPHRD_LOOPBACK: u16 = 772;

// linux/if_addr.h: attributes and flags of an address.
pub const IFA_ADDRESS: u16 = 1;
pub const IFA_LOCAL: u16 = 2;
pub const IFA_LABEL: u16 = 3;
pub const IFA_BROADCAST: u16 = 4;
pub const IFA_CACHEINFO: u16 = 6;
pub const IFA_FLAGS: u16 = 8;
pub const IFA_RT_PRIORITY: u16 = 9;
pub const IFA_PROTO: u16 = 11;
/// An IPv6 address of privacy extensions; the same bit is `IFA_F_SECONDARY` of IPv4.
pub const IFA_F_TEMPORARY: u32 = 0x01;
pub const IFA_F_NODAD: u32 = 0x02;
pub const IFA_F_HOMEADDRESS: u32 = 0x10;
pub const IFA_F_TENTATIVE: u32 = 0x40;
pub const IFA_F_PERMANENT: u32 = 0x80;
pub const IFA_F_MANAGETEMPADDR: u32 = 0x100;
pub const IFA_F_NOPREFIXROUTE: u32 = 0x200;
pub const IFA_F_MCAUTOJOIN: u32 = 0x400;

// linux/rtnetlink.h: attributes, tables, kinds, scopes and origins of a route.
pub const RTA_DST: u16 = 1;
pub const RTA_SRC: u16 = 2;
pub const RTA_IIF: u16 = 3;
pub const RTA_OIF: u16 = 4;
pub const RTA_GATEWAY: u16 = 5;
pub const RTA_PRIORITY: u16 = 6;
pub const RTA_PREFSRC: u16 = 7;
pub const RTA_MULTIPATH: u16 = 9;
pub const RTA_CACHEINFO: u16 = 12;
pub const RTA_TABLE: u16 = 15;
pub const RTA_EXPIRES: u16 = 23;
pub const RTA_NH_ID: u16 = 30;
pub const RT_TABLE_MAIN: u8 = 254;
pub const RT_TABLE_LOCAL: u32 = 255;
pub const RTN_UNICAST: u8 = 1;
pub const RTPROT_REDIRECT: u8 = 1;
pub const RTPROT_KERNEL: u8 = 2;
pub const RTPROT_STATIC: u8 = 4;
pub const RTPROT_RA: u8 = 9;
pub const RT_SCOPE_UNIVERSE: u8 = 0;
pub const RT_SCOPE_LINK: u8 = 253;
/// The gateway is beside us, whatever the addresses say.
pub const RTNH_F_ONLINK: u32 = 0x4;
pub const RTM_F_CLONED: u32 = 0x200;

// linux/neighbour.h and linux/netconf.h.
pub const NDA_DST: u16 = 1;
pub const NETCONFA_IFINDEX: u16 = 1;
pub const NETCONFA_FORWARDING: u16 = 2;
pub const NETCONFA_RP_FILTER: u16 = 3;

// linux/sock_diag.h.
pub const SOCK_DIAG_BY_FAMILY: u16 = 20;

// linux/net_namespace.h.
pub const NETNSA_NSID: u16 = 1;
pub const NETNSA_FD: u16 = 3;
pub const NETNSA_TARGET_NSID: u16 = 4;
pub const NETNSA_CURRENT_NSID: u16 = 5;

// sys/socket.h: address families.
pub const AF_UNSPEC: u8 = 0;
pub const AF_INET: u8 = 2;
pub const AF_INET6: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_libc() {
        let table = [
            (i64::from(NLM_F_DUMP), i64::from(libc::NLM_F_DUMP)),
            (i64::from(NLM_F_DUMP_INTR), i64::from(libc::NLM_F_DUMP_INTR)),
            (i64::from(RTM_NEWLINK), i64::from(libc::RTM_NEWLINK)),
            (i64::from(RTM_GETADDR), i64::from(libc::RTM_GETADDR)),
            (i64::from(RTM_DELROUTE), i64::from(libc::RTM_DELROUTE)),
            (i64::from(RTM_GETNSID), i64::from(libc::RTM_GETNSID)),
            (i64::from(RTNLGRP_NSID), i64::from(libc::RTNLGRP_NSID)),
            (i64::from(IFLA_LINKINFO), i64::from(libc::IFLA_LINKINFO)),
            (i64::from(IFLA_NET_NS_FD), i64::from(libc::IFLA_NET_NS_FD)),
            (i64::from(IFLA_OPERSTATE), i64::from(libc::IFLA_OPERSTATE)),
            (i64::from(IFLA_LINK_NETNSID), i64::from(libc::IFLA_LINK_NETNSID)),
            (i64::from(IFA_CACHEINFO), i64::from(libc::IFA_CACHEINFO)),
            (i64::from(IFA_F_NOPREFIXROUTE), i64::from(libc::IFA_F_NOPREFIXROUTE)),
            (i64::from(RTA_TABLE), i64::from(libc::RTA_TABLE)),
            (i64::from(RTA_PREFSRC), i64::from(libc::RTA_PREFSRC)),
            (i64::from(ARPHRD_LOOPBACK), i64::from(libc::ARPHRD_LOOPBACK)),
            (i64::from(AF_INET6), i64::from(libc::AF_INET6)),
        ];
        for (at, (ours, libcs)) in table.into_iter().enumerate() {
            assert_eq!(ours, libcs, "row {at}");
        }
    }
}
