//! The rows of a comparison: what of two sides is the same, what differs, and what may not be seen. Pure.

use super::between::{keyrings, mounted, shared, sockets};
use super::facts::{Facts, Hidden, Place, Process, Seen, Together};
use super::rights::{Relation, relation, users};
use super::row::{About, Row, State, Value, known, row, text};
use insula_launch::plan::Kind;

/// All rows.
pub fn all(a: &Facts, b: &Facts, together: Option<&Together>) -> Vec<Row> {
    let mut rows: Vec<Row> = Kind::ALL.iter().map(|kind| namespace(a, b, *kind)).collect();
    let (Some(one), Some(other)) = (&a.process, &b.process) else { return rows };
    places(one, other, &mut rows);
    cgroups(one, other, &mut rows);
    ids(one, other, &mut rows);
    rights(one, other, &mut rows);
    if let Some(together) = together {
        shared(together, &mut rows);
    }
    mounted(a, b, one, other, &mut rows);
    sockets(a, b, one, other, &mut rows);
    keyrings(a, b, one, other, &mut rows);
    rows
}

fn namespace(a: &Facts, b: &Facts, kind: Kind) -> Row {
    let (one, other) = (a.namespace(kind), b.namespace(kind));
    let inodes = [one, other].map(|seen| seen.clone().map(|namespace| namespace.inode));
    let mut row = row(kind.name(), About::View, [&inodes[0], &inodes[1]], |_| Value::Nothing);
    for (value, seen) in [(&mut row.a, one), (&mut row.b, other)] {
        match seen {
            Seen::Is(namespace) => *value = Value::Namespace(*namespace),
            Seen::Hidden(_) => *value = Value::Unseen,
            Seen::Nothing(_) => *value = Value::Nothing,
        }
    }
    if row.state == State::Differs {
        row.note = match kind {
            Kind::User => related(users(a, b)),
            Kind::Pid => related(relation(&a.pids, &b.pids)),
            _ => None,
        };
    }
    row
}

fn related(relation: Relation) -> Option<String> {
    match relation {
        Relation::Above(distance) => Some(format!("A's is {distance} above B's")),
        Relation::Below(distance) => Some(format!("A's is {distance} below B's")),
        Relation::Beside(Some(above)) => {
            Some(format!("neither is above the other; the nearest above both is {above}"))
        }
        Relation::Beside(None) => Some("neither is above the other".to_owned()),
        Relation::Same | Relation::Unknown => None,
    }
}

fn places(one: &Process, other: &Process, rows: &mut Vec<Row>) {
    let pairs = [("root", About::View, &one.root, &other.root), ("cwd", About::Place, &one.cwd, &other.cwd)];
    for (key, about, a, b) in pairs {
        let mut row = row(key, about, [a, b], |place| Value::Text(shown(place)));
        if let (Some(a), Some(b)) = (a.known(), b.known())
            && row.state == State::Differs
        {
            let is_one = (a.device, a.inode) == (b.device, b.inode);
            row.note = is_one.then(|| "the same directory, by two mounts".to_owned());
        }
        if key == "root" {
            let chrooted: Vec<&str> = [("A", a), ("B", b)]
                .into_iter()
                .filter(|(_, place)| place.known().is_some_and(Place::is_inside))
                .map(|(name, _)| name)
                .collect();
            if !chrooted.is_empty() {
                row.note = Some(format!("{}: chroot(2)", chrooted.join(" and ")));
            }
        }
        rows.push(row);
    }
}

impl Place {
    /// As a root: it is not that of its mount namespace.
    pub fn is_inside(&self) -> bool {
        self.path != b"/"
    }
}

/// The path, and which directory it is: mount and inode.
fn shown(place: &Place) -> String {
    let path = String::from_utf8_lossy(&place.path);
    match place.mount {
        Some(mount) => format!("{path} (mount {mount}, inode {})", place.inode),
        None => format!("{path} (inode {})", place.inode),
    }
}

/// A row a hierarchy that one of them has.
fn cgroups(one: &Process, other: &Process, rows: &mut Vec<Row>) {
    let (Some(ours), Some(theirs)) = (one.cgroups.known(), other.cgroups.known()) else {
        rows.push(row("cgroup_path", About::View, [&one.cgroups, &other.cgroups], |_| Value::Nothing));
        return;
    };
    let find =
        |all: &[(String, String)], hierarchy: &str| match all.iter().find(|(name, _)| name == hierarchy) {
            Some((_, path)) => known(path.clone()),
            None => Seen::Nothing("it is not in this hierarchy"),
        };
    for (hierarchy, path) in ours {
        let key = format!("cgroup_path.{hierarchy}");
        rows.push(row(&key, About::View, [&known(path.clone()), &find(theirs, hierarchy)], text));
    }
}

fn ids(one: &Process, other: &Process, rows: &mut Vec<Row>) {
    for (key, a, b) in
        [("uid", one.status.uids, other.status.uids), ("gid", one.status.gids, other.status.gids)]
    {
        rows.push(row(key, About::View, [&known(a), &known(b)], |ids| Value::Ids(*ids)));
    }
    let groups = [known(one.status.groups.clone()), known(other.status.groups.clone())];
    rows.push(row("groups", About::View, [&groups[0], &groups[1]], |groups| Value::Numbers(groups.clone())));
}

fn rights(one: &Process, other: &Process, rows: &mut Vec<Row>) {
    const SETS: [&str; 5] = ["inheritable", "permitted", "effective", "bounding", "ambient"];
    for (at, name) in SETS.iter().enumerate() {
        let sets = [one, other].map(|process| known(process.status.capabilities[at]));
        let key = format!("capabilities.{name}");
        rows.push(row(&key, About::View, [&sets[0], &sets[1]], |set| Value::Capabilities(*set)));
    }
    let old =
        |found: Option<u32>| found.map_or(Seen::Hidden(Hidden::Kernel("the kernel does not tell")), known);
    let no_new_privs = [one, other].map(|process| old(process.status.no_new_privs.map(u32::from)));
    rows.push(row("no_new_privs", About::View, [&no_new_privs[0], &no_new_privs[1]], |on| {
        Value::Text(if *on == 1 { "yes" } else { "no" }.to_owned())
    }));
    let modes = [one, other].map(|process| old(process.status.seccomp));
    rows.push(row("seccomp.mode", About::View, [&modes[0], &modes[1]], |mode| {
        Value::Text(["off", "strict", "filter"].get(*mode as usize).copied().unwrap_or("unknown").to_owned())
    }));
    let counts = [one, other].map(|process| old(process.status.seccomp_filters));
    let mut filters = row("seccomp.filters", About::View, [&counts[0], &counts[1]], text);
    if filters.state == State::Same && one.status.seccomp_filters.is_some_and(|count| count > 0) {
        filters.note = Some("as many; whether they are the same ones the kernel does not tell".to_owned());
    }
    rows.push(filters);
    rows.push(row("security_label", About::View, [&one.label, &other.label], text));
    rows.push(row("dumpable", About::Place, [&one.dumpable, &other.dumpable], |dumpable| {
        Value::Text(format!("{dumpable:?}").to_lowercase())
    }));
    rows.push(row("session", About::Place, [&one.session, &other.session], text));
}
