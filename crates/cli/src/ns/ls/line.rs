//! A line of the list: a name with its namespaces, or a namespace without a name; and who is in it.

use super::columns::Column;
use crate::ns::asked::is_own;
use insula_launch::plan::Kind;
use insula_namespaces::scan::{Snapshot, process};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A line.
#[derive(Debug, Default)]
pub struct Line {
    /// `None`: it has no name.
    pub name: Option<String>,
    pub parts: Vec<Part>,
    pub hold: String,
    pub state: &'static str,
    /// Why it is not ok.
    pub why: Option<String>,
    pub created: Option<SystemTime>,
    /// How many processes are in it; the lowest pid of them.
    pub processes: usize,
    pub pid: Option<u32>,
    /// The user namespace that owns it, and those above that, as far as they are ours to see.
    pub owners: Vec<u64>,
    /// The parent of its pid namespace, or of its user namespace, and those above.
    pub parents: Vec<u64>,
    /// The line above it in the tree.
    pub above: Option<usize>,
}

/// A namespace of a line.
#[derive(Debug)]
pub struct Part {
    pub kind: Kind,
    pub inode: u64,
    pub id: Option<u64>,
}

impl Line {
    /// The content of a cell; `None`: there is none.
    pub fn value(&self, column: Column) -> Option<Vec<u8>> {
        let join = |words: Vec<String>| (!words.is_empty()).then(|| words.join(","));
        let text = match column {
            Column::Name => self.name.clone()?,
            Column::Kinds => join(self.parts.iter().map(|part| part.kind.name().to_owned()).collect())?,
            Column::Hold => self.hold.clone(),
            Column::Processes => self.processes.to_string(),
            Column::State => self.state.to_owned(),
            Column::Age => age(SystemTime::now().duration_since(self.created?).ok()?),
            Column::Why => self.why.clone()?,
            Column::Created => self.created?.duration_since(UNIX_EPOCH).ok()?.as_secs().to_string(),
            Column::Pid => self.pid?.to_string(),
            Column::Command => return process::command(self.pid?),
            Column::Ns => join(
                self.parts.iter().map(|part| format!("{}:[{}]", part.kind.name(), part.inode)).collect(),
            )?,
            Column::Id => {
                let id = |part: &Part| part.id.map(|id| format!("{}:{id}", part.kind.name()));
                join(self.parts.iter().filter_map(id).collect())?
            }
            Column::Owner => self.owners.first()?.to_string(),
            Column::Parent => self.parents.first()?.to_string(),
        };
        Some(text.into_bytes())
    }

    /// Its namespace of a kind.
    pub fn part(&self, kind: Kind) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind)
    }
}

/// Counts the processes of each line, in one walk over all of them.
pub fn count(lines: &mut [Line], snapshot: &Snapshot) {
    let mut of: HashMap<(Kind, u64), Vec<usize>> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        let is_foreign = |part: &&Part| !is_own(part.kind, part.inode);
        let foreign: Vec<&Part> = line.parts.iter().filter(is_foreign).collect();
        // One that is ours as a whole has all who are in it.
        let counting = if foreign.is_empty() { line.parts.iter().collect() } else { foreign };
        for part in counting {
            of.entry((part.kind, part.inode)).or_default().push(at);
        }
    }
    let mut seen: Vec<usize> = Vec::new();
    for process in &snapshot.processes {
        seen.clear();
        for kind in Kind::ALL {
            let Some(inode) = process.namespace(kind) else { continue };
            for at in of.get(&(kind, inode)).into_iter().flatten() {
                if !seen.contains(at) {
                    seen.push(*at);
                    lines[*at].processes += 1;
                    lines[*at].pid.get_or_insert(process.pid);
                }
            }
        }
    }
}

/// How long, in one unit: `42s`, `7m`, `3h`, `12d`.
fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        let table = [(0, "0s"), (119, "119s"), (120, "2m"), (7_199, "119m"), (7_200, "2h"), (172_800, "2d")];
        for (seconds, text) in table {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }
}
