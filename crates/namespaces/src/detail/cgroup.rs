//! The root of a cgroup namespace, cgroup_namespaces(7), in each hierarchy.
//!
//! The kernel shows no such path. But it shows where a process is, to us and to who is inside: what the second leaves out
//! of the first is the root. That wants a process at or below the root.

use super::ask::{Asked, text};
use super::told::{CgroupRoot, Detail, Hidden, Told};

/// So many processes are tried: mostly the first one is below the root.
const MOST_PROCESSES: usize = 16;

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    let what = "its root";
    let own = std::process::id();
    let pids: Vec<u32> = asked.processes().take(MOST_PROCESSES).chain([own]).collect();
    // One that moves meanwhile would be taken for another: what is seen from outside has to be the same afterwards.
    let outside = |pid: u32| text(pid, "cgroup").unwrap_or_default();
    let before: Vec<String> = pids.iter().map(|pid| outside(*pid)).collect();
    let inside = || {
        let seen: Vec<String> = pids.iter().map(|pid| outside(*pid)).collect();
        Ok((seen.join("\0").into_bytes(), None))
    };
    let visit = match asked.visit(what, inside) {
        Ok(visit) => visit,
        Err(hidden) => return Told { detail: Detail::Cgroup(Vec::new()), hidden: vec![hidden] },
    };
    let inside = String::from_utf8_lossy(&visit.text).into_owned();
    let mut roots: Vec<CgroupRoot> = Vec::new();
    let mut is_untold = false;
    for ((pid, outside_text), inside_text) in pids.iter().zip(&before).zip(inside.split('\0')) {
        if outside(*pid) != *outside_text {
            continue;
        }
        for (hierarchy, path) in lines(outside_text) {
            let within = lines(inside_text).find(|(other, _)| *other == hierarchy).map(|(_, path)| path);
            match within.and_then(|within| root(path, within)) {
                Some(path) if roots.iter().all(|root| root.hierarchy != hierarchy) => {
                    roots.push(CgroupRoot { hierarchy: hierarchy.to_owned(), path });
                }
                Some(_) => {}
                None => is_untold = true,
            }
        }
    }
    let hierarchies = before.iter().map(|text| lines(text).count()).max().unwrap_or(0);
    let mut hidden = Vec::new();
    if roots.len() < hierarchies && is_untold {
        let why =
            "no process that we see is at or below it, and the kernel shows it in no other way".to_owned();
        hidden.push(Hidden {
            what: if roots.is_empty() { what } else { "its root in the other hierarchies" },
            why,
        });
    }
    Told { detail: Detail::Cgroup(roots), hidden }
}

/// Hierarchy and path of each line of /proc/PID/cgroup.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':')
    })
}

/// The root, of a path as seen from outside and from inside.
fn root(outside: &str, inside: &str) -> Option<String> {
    if inside.starts_with("/..") || outside.starts_with("/..") {
        return None;
    }
    let inside = if inside == "/" { "" } else { inside };
    let root = outside.strip_suffix(inside)?;
    Some(if root.is_empty() { "/".to_owned() } else { root.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::root;

    #[test]
    fn the_root_is_what_is_left_out_inside() {
        let table = [
            ("/a/b", "/", Some("/a/b")),
            ("/a/b/c", "/c", Some("/a/b")),
            ("/a", "/a", Some("/")),
            ("/", "/", Some("/")),
            ("/a", "/../a", None),
            ("/a", "/b", None),
            ("/../a", "/", None),
        ];
        for (outside, inside, expected) in table {
            assert_eq!(root(outside, inside).as_deref(), expected, "{outside} {inside}");
        }
    }
}
