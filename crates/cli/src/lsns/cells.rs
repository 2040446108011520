//! What stands in the cells.

use super::columns::Column;
use super::rows::Line;
use insula_launch::plan::Kind;
use insula_namespaces::names::{self, State};
use insula_namespaces::scan::{Holders, Netnsid, Snapshot, process};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

/// Fills cells. What it looks up, it looks up once.
pub struct Cells<'s> {
    snapshot: &'s Snapshot,
    /// Between the mount points in NSFS.
    separator: &'static [u8],
    users: RefCell<HashMap<u32, String>>,
    /// The names of each namespace, where they are asked for.
    names: OnceCell<HashMap<(Kind, u64), Vec<String>>>,
}

impl<'s> Cells<'s> {
    pub fn new(snapshot: &'s Snapshot, wrap: bool) -> Cells<'s> {
        let separator: &[u8] = if wrap { b"\n" } else { b"," };
        Cells { snapshot, separator, users: RefCell::new(HashMap::new()), names: OnceCell::new() }
    }

    /// The content of one cell; `None` where there is none.
    pub fn value(&self, column: Column, line: &Line<'_>) -> Option<Vec<u8>> {
        let namespace = line.namespace;
        let text = match column {
            Column::Ns => namespace.inode.to_string(),
            Column::Type => namespace.kind.name().to_owned(),
            Column::Path => format!("/proc/{}/ns/{}", line.pid?, namespace.kind.name()),
            Column::Nprocs => namespace.processes.to_string(),
            Column::Pid => line.pid?.to_string(),
            Column::Ppid => {
                let pid = line.pid?;
                line.ppid.or_else(|| process::parent(pid)).unwrap_or(0).to_string()
            }
            Column::Command => return process::command(line.pid?),
            Column::Uid => uid(line)?.to_string(),
            Column::User => self.user(uid(line)?),
            Column::Netnsid => match namespace.netnsid {
                Netnsid::Unknown => return None,
                Netnsid::Unassigned => "unassigned".to_owned(),
                Netnsid::Id(id) => id.to_string(),
            },
            Column::Nsfs => return self.mount_points(namespace.inode),
            // 0, as lsns(8) has it: none, or not ours to know.
            Column::Pns => namespace.parent.unwrap_or(0).to_string(),
            Column::Ons => namespace.owner.unwrap_or(0).to_string(),
            Column::Name => return self.names(line),
            Column::Holders => in_words(&self.snapshot.holders(namespace)),
            Column::Id => namespace.id?.to_string(),
        };
        Some(text.into_bytes())
    }

    /// The content of one cell for JSON, where that is not a word or a number: see [`crate::table::Json::Ready`].
    pub fn json(&self, column: Column, line: &Line<'_>) -> Option<Vec<u8>> {
        match column {
            Column::Holders => Some(as_object(&self.snapshot.holders(line.namespace)).into_bytes()),
            _ => self.value(column, line),
        }
    }

    fn mount_points(&self, inode: u64) -> Option<Vec<u8>> {
        join(
            self.snapshot.mount_points(inode).into_iter().map(|point| point.as_os_str().as_bytes()),
            self.separator,
        )
    }

    /// The names that the namespace has, alone or in a set.
    fn names(&self, line: &Line<'_>) -> Option<Vec<u8>> {
        let names = self.names.get_or_init(by_namespace);
        let names = names.get(&(line.namespace.kind, line.namespace.inode))?;
        join(names.iter().map(String::as_bytes), b",")
    }

    fn user(&self, uid: u32) -> String {
        let mut users = self.users.borrow_mut();
        users.entry(uid).or_insert_with(|| user_name(uid).unwrap_or_else(|| uid.to_string())).clone()
    }
}

/// Which names each namespace has. A store that is not ours to read has none to tell.
fn by_namespace() -> HashMap<(Kind, u64), Vec<String>> {
    let mut names: HashMap<(Kind, u64), Vec<String>> = HashMap::new();
    for named in names::all().unwrap_or_default() {
        for part in named.parts.iter().filter(|part| !matches!(part.state, State::Stale(_))) {
            names.entry((part.kind, part.identity.inode)).or_default().push(named.shown());
        }
    }
    names
}

fn join<'p>(parts: impl Iterator<Item = &'p [u8]>, separator: &[u8]) -> Option<Vec<u8>> {
    let parts: Vec<&[u8]> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(separator))
}

/// That of the process, unless it is gone by now; else of who made the user namespace; else 0, as lsns(8) has it.
fn uid(line: &Line<'_>) -> Option<u32> {
    match line.pid {
        Some(pid) => process::uid(pid),
        None => Some(line.namespace.owner_uid.unwrap_or(0)),
    }
}

/// The name of a user, passwd(5).
fn user_name(uid: u32) -> Option<String> {
    let passwd = std::fs::read("/etc/passwd").ok()?;
    String::from_utf8_lossy(&passwd).lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Many, one, and how many there are, of what can hold a namespace.
fn counts(holders: &Holders) -> [(&'static str, &'static str, usize); 7] {
    [
        ("processes", "process", holders.processes),
        ("threads", "thread", holders.threads),
        ("processes' future children", "process's future children", holders.for_children),
        ("fds", "fd", holders.fds),
        ("sockets", "socket", holders.sockets),
        ("mounts", "mount", holders.mounts),
        ("children", "child", holders.children),
    ]
}

/// What holds a namespace, for people.
fn in_words(holders: &Holders) -> String {
    let words = counts(holders).into_iter().filter(|(.., count)| *count > 0);
    let words = words.map(|(many, one, count)| format!("{count} {}", if count == 1 { one } else { many }));
    words.collect::<Vec<_>>().join(", ")
}

/// What holds a namespace, for programs: all of it, in JSON.
fn as_object(holders: &Holders) -> String {
    let fields = counts(holders).map(|(many, _, count)| {
        let key = if many.contains(' ') { "for_children" } else { many };
        format!("\"{key}\": {count}")
    });
    format!("{{{}}}", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_words_or_an_object() {
        let some = Holders { processes: 1, fds: 2, for_children: 1, children: 3, ..Holders::default() };
        assert_eq!(in_words(&some), "1 process, 1 process's future children, 2 fds, 3 children");
        assert_eq!(in_words(&Holders::default()), "");
        let object: serde_json::Value = serde_json::from_str(&as_object(&some)).expect("JSON");
        assert_eq!(object["for_children"], 1);
        assert_eq!(object["fds"], 2);
        assert_eq!(object["threads"], 0);
    }

    #[test]
    fn root_has_a_name() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(user_name(4_294_967_294), None);
    }
}
