//! For programs.

use super::shown::Shown;
use crate::ns::asked::lossy;
use crate::ns::ls::state;
use insula_namespaces::detail::{Detail, Level, Range, Told};
use insula_namespaces::names::{Hold, Named};
use insula_namespaces::scan::process;
use insula_namespaces::subject::{Of, Subject};
use insula_net::address::Address;
use insula_net::link::Link;
use serde_json::{Value, json};

/// The whole answer. `unseen`: how many processes could not be looked at, and of how many.
pub fn of(subject: &Subject, all: &[Shown<'_>], unseen: (usize, usize)) -> Value {
    let (pid, named) = match &subject.of {
        Of::Process(pid) => (Some(*pid), None),
        Of::Name(named) => (None, Some(named)),
        Of::Namespace => (None, None),
    };
    json!({
        "name": named.map(|named| named.shown()),
        "hold": named.map(|named| hold(named)),
        "state": named.map(|named| state(named).0),
        "created_s": named.and_then(|named| named.created_s),
        "pid": pid,
        "command": pid.and_then(process::command).map(|command| lossy(&command)),
        "namespaces": all.iter().map(namespace).collect::<Vec<_>>(),
        "unseen": { "processes": unseen.0, "of": unseen.1 },
    })
}

/// What holds a name.
fn hold(named: &Named) -> Value {
    match named.hold {
        Hold::Pinned => json!({ "by": "pinned" }),
        Hold::Kept { pid } => json!({ "by": "kept", "pid": pid }),
        Hold::Netns => json!({ "by": "netns" }),
    }
}

fn namespace(shown: &Shown<'_>) -> Value {
    let held = &shown.holders;
    let mut value = json!({
        "kind": shown.kind.name(),
        "inode": shown.inode,
        "id": shown.id,
        "own": shown.is_own,
        "fault": shown.fault,
        "cure": shown.cure,
        "owner": shown.owner.as_ref().map(|owner| json!({ "inode": owner.inode, "uid": owner.uid })),
        "parent": shown.parent,
        "names": shown.names,
        "mount_points": shown.mount_points.iter().map(|point| lossy(point)).collect::<Vec<_>>(),
        "pids": shown.members,
        "holders": {
            "processes": held.processes,
            "threads": held.threads,
            "for_children": held.for_children,
            "fds": held.fds,
            "sockets": held.sockets,
            "mounts": held.mounts,
            "children": held.children,
        },
        "hidden": shown.told.as_ref().map_or_else(Vec::new, hidden),
    });
    if let Some(told) = &shown.told {
        value[shown.kind.name()] = detail(&told.detail, shown.creator);
    }
    value
}

fn hidden(told: &Told) -> Vec<Value> {
    told.hidden.iter().map(|hidden| json!({ "what": hidden.what, "why": hidden.why })).collect()
}

fn detail(detail: &Detail, creator: Option<u32>) -> Value {
    match detail {
        Detail::Uts(names) => names.as_ref().map_or(
            Value::Null,
            |names| json!({ "hostname": names.hostname, "domainname": names.domainname }),
        ),
        Detail::User(user) => json!({
            "creator": creator,
            "uid_map": user.uid_map.iter().map(range).collect::<Vec<_>>(),
            "gid_map": user.gid_map.iter().map(range).collect::<Vec<_>>(),
            "setgroups": user.setgroups.map(|allowed| if allowed { "allow" } else { "deny" }),
            "level": level(&user.level),
        }),
        Detail::Pid(pid) => json!({ "init": pid.init, "level": level(&pid.level) }),
        Detail::Time(offsets) => offsets.map_or(Value::Null, |offsets| {
            json!({
                "monotonic_ns": i64::try_from(offsets.monotonic_ns).ok(),
                "boottime_ns": i64::try_from(offsets.boottime_ns).ok(),
            })
        }),
        Detail::Net(net) => json!({
            "nsid": net.nsid,
            "devices": net.devices.as_ref().map(|devices| devices.iter().map(device).collect::<Vec<_>>()),
        }),
        Detail::Mnt(mounts) => mounts.as_ref().map_or(Value::Null, |mounts| {
            json!({
                "root": {
                    "type": mounts.root_type,
                    "source": mounts.root_source,
                    "directory": mounts.root_directory,
                    "propagation": mounts.root_propagation,
                },
                "mounts": mounts.count,
                "shared": mounts.shared,
                "slaves": mounts.slaves,
                "private": mounts.private,
                "through": mounts.through,
            })
        }),
        Detail::Ipc(ipc) => ipc.map_or(
            Value::Null,
            |ipc| json!({ "queues": ipc.queues, "semaphores": ipc.semaphores, "segments": ipc.segments }),
        ),
        Detail::Cgroup(roots) => {
            let root = |root: &insula_namespaces::detail::CgroupRoot| json!({ "hierarchy": root.hierarchy, "path": root.path });
            json!({ "roots": roots.iter().map(root).collect::<Vec<_>>() })
        }
    }
}

fn range(range: &Range) -> Value {
    json!({ "inside": range.inside, "outside": range.outside, "length": range.length })
}

fn level(level: &Level) -> Value {
    json!({ "depth": level.depth, "from_initial": level.from_initial })
}

fn device((link, addresses): &(Link, Vec<Address>)) -> Value {
    let addresses: Vec<Value> = addresses
        .iter()
        .map(
            |address| json!({ "address": address.local.address.to_string(), "prefix": address.local.length }),
        )
        .collect();
    json!({
        "name": link.name,
        "index": link.index,
        "kind": link.kind,
        "loopback": link.is_loopback(),
        "up": link.is_up(),
        "state": link.state.name(),
        "mtu": link.mtu,
        "mac": if link.mac.0.is_empty() { None } else { Some(link.mac.to_string()) },
        "addresses": addresses,
    })
}
