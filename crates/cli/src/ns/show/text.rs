//! For people: a block for each namespace, a line for each thing.

use super::shown::{Owner, Shown};
use crate::ns::ls::state;
use insula_namespaces::detail::{Detail, Level, Mounts, Net, Offsets, Pid, Range, User};
use insula_namespaces::names::{Hold, Named};
use insula_namespaces::scan::process;
use insula_namespaces::subject::{Of, Subject};
use insula_net::address::Address;
use insula_net::link::Link;
use insula_oci::escaped;

/// So many members are shown with their commands, of one namespace; of each of several.
const MOST_MEMBERS: [usize; 2] = [8, 2];
/// A longer command is cut.
const MOST_LETTERS: usize = 60;
/// So many lines of an id map are shown.
const MOST_RANGES: usize = 8;

/// A word and what it is.
type Lines = Vec<(&'static str, String)>;

/// The text.
pub fn of(subject: &Subject, all: &[Shown<'_>]) -> String {
    let mut text = String::new();
    match &subject.of {
        Of::Process(pid) => text.push_str(&format!("process {pid}{}\n\n", command(*pid))),
        Of::Name(named) => {
            let lines = name(named);
            lines.lines().for_each(|line| text.push_str(&format!("{}\n", escaped(line))));
            text.push('\n');
        }
        Of::Namespace => {}
    }
    let most = MOST_MEMBERS[usize::from(all.len() > 1)];
    let there = all.iter().filter(|shown| shown.fault.is_none());
    let mut blocks: Vec<String> = there.map(|shown| block(shown, most)).collect();
    blocks.extend(faults(all));
    text.push_str(&blocks.join("\n"));
    text
}

/// What is not there, or not ours to open: those of one fault together.
fn faults(all: &[Shown<'_>]) -> Vec<String> {
    let mut faults: Vec<(&str, Option<&str>, Vec<&str>)> = Vec::new();
    for shown in all {
        let Some(fault) = shown.fault.as_deref() else { continue };
        match faults.iter_mut().find(|(known, ..)| *known == fault) {
            Some((_, _, kinds)) => kinds.push(shown.kind.name()),
            None => faults.push((fault, shown.cure.as_deref(), vec![shown.kind.name()])),
        }
    }
    let block = |(fault, cure, kinds): (&str, Option<&str>, Vec<&str>)| {
        let cure = cure.map(|cure| format!("  {:<12} {}\n", "cure", escaped(cure))).unwrap_or_default();
        format!("{}\n  {:<12} {}\n{cure}", kinds.join(", "), "state", escaped(fault))
    };
    faults.into_iter().map(block).collect()
}

/// A name, what holds it, and since when.
fn name(named: &Named) -> String {
    let hold = match named.hold {
        Hold::Pinned => "pinned: it stays without a process, until the machine starts anew".to_owned(),
        Hold::Kept { pid } => format!("kept by process {pid}: it ends with that"),
        Hold::Netns => "pinned in /run/netns, as ip netns does".to_owned(),
    };
    let (state, why) = state(named);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    // Of what is stale each namespace is told below.
    let state = if matches!(state, "ok" | "stale") { String::new() } else { format!("\n  {state}{why}") };
    format!("name {}, {hold}{state}", named.shown())
}

fn command(pid: u32) -> String {
    let Some(bytes) = process::command(pid) else { return String::new() };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut shown: String = text.chars().take(MOST_LETTERS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!(": {}", escaped(&shown))
}

/// A head and lines below it.
fn block(shown: &Shown<'_>, most: usize) -> String {
    let mut lines: Lines = Vec::new();
    if shown.is_own {
        lines.push(("", "the one that insula is called in".to_owned()));
    }
    lines.extend(shown.id.map(|id| ("id", id.to_string())));
    lines.extend(shown.owner.as_ref().map(|owner| ("owner", whose(owner))));
    lines.extend(shown.creator.map(|uid| ("creator", format!("uid {uid}"))));
    lines.extend(shown.parent.map(|parent| ("parent", format!("{}:[{parent}]", shown.kind.name()))));
    lines.extend(shown.names.iter().map(|name| ("name", name.clone())));
    let point = |point: &Vec<u8>| ("mounted on", String::from_utf8_lossy(point).into_owned());
    lines.extend(shown.mount_points.iter().map(point));
    if shown.mounts_elsewhere > 0 {
        lines.push(("", format!("and in other mount namespaces, {} times", shown.mounts_elsewhere)));
    }
    if let Some(told) = &shown.told {
        detail(&told.detail, &mut lines);
        lines.extend(
            told.hidden.iter().map(|hidden| ("not seen", format!("{}: {}", hidden.what, hidden.why))),
        );
    }
    members(shown, most, &mut lines);
    let inode = shown.inode.map_or_else(|| "?".to_owned(), |inode| inode.to_string());
    let mut text = format!("{}:[{inode}]\n", shown.kind.name());
    let mut before = "";
    for (key, value) in &lines {
        // A key that repeats stands once.
        let key = if *key == before { "" } else { key };
        text.push_str(&format!("  {key:<12} {}\n", escaped(value)));
        before = if key.is_empty() { before } else { key };
    }
    text
}

fn whose(owner: &Owner) -> String {
    let uid = owner.uid.map(|uid| format!(", made by uid {uid}")).unwrap_or_default();
    format!("user:[{}]{uid}", owner.inode)
}

fn members(shown: &Shown<'_>, most: usize, lines: &mut Lines) {
    let count = shown.members.len();
    // Of our own namespace there are many, and no news.
    let most = if shown.is_own && count > most { 0 } else { most };
    for pid in shown.members.iter().take(most) {
        lines.push(("processes", format!("{pid}{}", command(*pid))));
    }
    if count > most {
        let more = if most == 0 { count.to_string() } else { format!("and {} more", count - most) };
        lines.push(("processes", format!("{more}: `insula ns pids` lists them")));
    }
    let held = &shown.holders;
    let others = [
        (held.threads, "thread", "threads"),
        (held.for_children, "process's future children", "processes' future children"),
        (held.fds, "open file", "open files"),
        (held.sockets, "socket", "sockets"),
        (held.children, "namespace below", "namespaces below"),
    ];
    let words: Vec<String> = others
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    if !words.is_empty() {
        lines.push(("also held by", words.join(", ")));
    }
    if shown.members.is_empty() {
        let unseen = if shown.snapshot.unseen > 0 { " that we may look at" } else { "" };
        lines.push(("processes", format!("none{unseen}")));
    }
}

fn detail(detail: &Detail, lines: &mut Lines) {
    match detail {
        Detail::Uts(names) => {
            let Some(names) = names else { return };
            lines.push(("hostname", names.hostname.clone()));
            lines.extend(names.domainname.clone().map(|name| ("domainname", name)));
        }
        Detail::User(user) => self::user(user, lines),
        Detail::Pid(Pid { init, level }) => {
            lines.push(("level", in_words(level)));
            lines.extend(init.map(|pid| ("init", format!("{pid}{}", command(pid)))));
        }
        Detail::Time(offsets) => {
            let Some(Offsets { monotonic_ns, boottime_ns }) = offsets else { return };
            lines.push(("monotonic", format!("{} s", seconds(*monotonic_ns))));
            lines.push(("boottime", format!("{} s", seconds(*boottime_ns))));
        }
        Detail::Net(net) => self::net(net, lines),
        Detail::Mnt(mounts) => lines.extend(mounts.iter().flat_map(self::mounts)),
        Detail::Ipc(ipc) => {
            let Some(ipc) = ipc else { return };
            lines.push(("queues", ipc.queues.to_string()));
            lines.push(("semaphores", format!("{} sets", ipc.semaphores)));
            lines.push(("shared memory", format!("{} segments", ipc.segments)));
        }
        Detail::Cgroup(roots) => {
            // One path for many hierarchies is said once.
            let mut paths: Vec<(&str, Vec<&str>)> = Vec::new();
            for root in roots {
                let hierarchy = if root.hierarchy.is_empty() { "v2" } else { &root.hierarchy };
                match paths.iter_mut().find(|(path, _)| *path == root.path) {
                    Some((_, hierarchies)) => hierarchies.push(hierarchy),
                    None => paths.push((&root.path, vec![hierarchy])),
                }
            }
            let many = paths.len() > 1;
            lines.extend(paths.into_iter().map(|(path, hierarchies)| {
                let of = if many { format!(" ({})", hierarchies.join(", ")) } else { String::new() };
                ("root", format!("{path}{of}"))
            }));
        }
    }
}

fn user(user: &User, lines: &mut Lines) {
    lines.push(("level", in_words(&user.level)));
    for (key, map) in [("uid_map", &user.uid_map), ("gid_map", &user.gid_map)] {
        lines.extend(map.iter().take(MOST_RANGES).map(|range| (key, ids(range))));
        if map.len() > MOST_RANGES {
            lines.push((key, format!("and {} more lines", map.len() - MOST_RANGES)));
        }
    }
    if user.setgroups.is_some() && user.uid_map.is_empty() {
        lines.push(("uid_map", "empty: every id in it is the overflow id".to_owned()));
    }
    lines.extend(
        user.setgroups.map(|allowed| ("setgroups", if allowed { "allow" } else { "deny" }.to_owned())),
    );
}

fn ids(range: &Range) -> String {
    let Range { inside, outside, length } = *range;
    if length == 1 {
        return format!("{inside} is {outside} here");
    }
    let last = |first: u32| u64::from(first) + u64::from(length) - 1;
    format!("{inside} to {} are {outside} to {} here", last(inside), last(outside))
}

fn in_words(level: &Level) -> String {
    match (level.depth, level.from_initial) {
        (0, true) => "0: the initial one".to_owned(),
        (depth, true) => depth.to_string(),
        (0, false) => "the topmost that we may see".to_owned(),
        (depth, false) => format!("{depth} below the topmost that we may see"),
    }
}

/// Seconds with as many digits as there are.
fn seconds(nanoseconds: i128) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (whole, part) = (nanoseconds.abs() / 1_000_000_000, nanoseconds.abs() % 1_000_000_000);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{part:09}").trim_end_matches('0'))
}

fn net(net: &Net, lines: &mut Lines) {
    if let Some(nsid) = net.nsid {
        lines.push(("nsid", format!("{nsid} in our network namespace")));
    }
    let Some(devices) = &net.devices else { return };
    if devices.is_empty() {
        lines.push(("devices", "none".to_owned()));
    }
    lines.extend(devices.iter().map(|(link, addresses)| ("devices", device(link, addresses))));
}

fn device(link: &Link, addresses: &[Address]) -> String {
    let kind = match &link.kind {
        Some(kind) => kind.as_str(),
        None if link.is_loopback() => "loopback",
        None => "hardware",
    };
    let state = if link.is_up() { "up" } else { "down" };
    let addresses: String = addresses.iter().map(|address| format!(", {}", address.local)).collect();
    format!("{} ({kind}): {state}{addresses}", link.name)
}

fn mounts(mounts: &Mounts) -> Vec<(&'static str, String)> {
    let directory = match mounts.root_directory.as_str() {
        "/" => String::new(),
        directory => format!(", its directory {directory}"),
    };
    let through = mounts.through.map(|pid| format!(" below the root of process {pid}")).unwrap_or_default();
    let (shared, slaves, private) = (mounts.shared, mounts.slaves, mounts.private);
    vec![
        ("root", format!("{} ({}){directory}", mounts.root_source, mounts.root_type)),
        ("propagation", format!("{} at /", mounts.root_propagation)),
        ("mounts", format!("{}{through}: {shared} shared, {slaves} slaves, {private} private", mounts.count)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_words() {
        assert_eq!(seconds(-1_500_000_000), "-1.5");
        assert_eq!(seconds(7_000_000_000), "7");
        assert_eq!(seconds(0), "0");
        assert_eq!(ids(&Range { inside: 0, outside: 1000, length: 1 }), "0 is 1000 here");
        let many = Range { inside: 1, outside: 100_000, length: 65_536 };
        assert_eq!(ids(&many), "1 to 65536 are 100000 to 165535 here");
        assert_eq!(in_words(&Level { depth: 2, from_initial: true }), "2");
    }
}
