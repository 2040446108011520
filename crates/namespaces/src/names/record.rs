//! What is written down of a name: a small text, a line a thing, words divided by tabs.
//!
//! It is written before anything is made, and read by whoever comes after: so a command that was killed is known by it.
//! Lines are added while the name is made, and a later line of a kind holds.

use super::trouble::Trouble;
use crate::id::Identity;
use insula_launch::host::{boot, process};
use insula_launch::plan::Kind;

/// The first line. Another number is another form, which is not guessed at.
const HEAD: &str = "insula name 1";

/// How far a name has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is being made; or who made it was killed.
    Making,
    /// It is there.
    Made,
    /// It is being removed; or who removed it was killed.
    Removing,
}

/// How the namespaces came to have the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// They were made for it.
    New,
    /// They were those of this process.
    Attached(i32),
}

/// A process that is meant, and no later one of its pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its pid, in the pid namespace of who wrote it down.
    pub pid: i32,
    /// When it started, proc_pid_stat(5).
    pub start: u64,
}

impl Process {
    /// The process that has this pid now.
    pub fn of(pid: i32) -> Option<Process> {
        process::start_time(pid).map(|start| Process { pid, start })
    }

    /// Does it live, under the same boot and in our pid namespace?
    pub fn lives(&self) -> bool {
        process::start_time(self.pid) == Some(self.start)
    }
}

/// The record.
#[derive(Debug, Clone)]
pub struct Record {
    /// How far it has come.
    pub progress: Progress,
    /// The boot under which it was made.
    pub boot: String,
    /// When, in seconds since 1970.
    pub created_s: u64,
    /// How.
    pub origin: Origin,
    /// A process holds the namespaces; else mounts do.
    pub kept: bool,
    /// The kinds, each with what it is once it is there.
    pub parts: Vec<(Kind, Option<Identity>)>,
    /// The cookie of the network namespace, where it has no id.
    pub cookie: Option<u64>,
    /// Who holds them: the keeper, or the first process of the pid namespace that was made.
    pub holder: Option<Process>,
    /// The inode of the pid namespace in which its pid counts.
    pub pids: u64,
}

impl Record {
    /// Of what is about to be made.
    pub fn intent(kinds: &[Kind], origin: Origin, kept: bool) -> Record {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Record {
            progress: Progress::Making,
            boot: boot::id(),
            created_s: now.map_or(0, |now| now.as_secs()),
            origin,
            kept,
            parts: kinds.iter().map(|kind| (*kind, None)).collect(),
            cookie: None,
            holder: None,
            pids: own_pids(),
        }
    }

    /// Of what nothing is written down.
    pub fn none() -> Record {
        Record {
            progress: Progress::Making,
            boot: String::new(),
            created_s: 0,
            origin: Origin::New,
            kept: false,
            parts: Vec::new(),
            cookie: None,
            holder: None,
            pids: 0,
        }
    }

    /// Was it made since the machine last started?
    pub fn is_of_this_boot(&self) -> bool {
        self.boot == boot::id()
    }

    /// The holder, if its pid means something here.
    pub fn holder_here(&self) -> Option<Process> {
        self.holder.filter(|_| self.pids == own_pids())
    }

    /// The text.
    pub fn text(&self) -> String {
        let progress = match self.progress {
            Progress::Making => "making",
            Progress::Made => "made",
            Progress::Removing => "removing",
        };
        let origin = match self.origin {
            Origin::New => "new".to_owned(),
            Origin::Attached(pid) => format!("attached\t{pid}"),
        };
        let held = if self.kept { "kept" } else { "pinned" };
        let mut text = format!(
            "{HEAD}\nboot\t{}\ncreated\t{}\norigin\t{origin}\nhold\t{held}\npids\t{}\n",
            self.boot, self.created_s, self.pids
        );
        for (kind, identity) in &self.parts {
            text.push_str(&part(*kind, identity.as_ref()));
        }
        if let Some(cookie) = self.cookie {
            text.push_str(&format!("cookie\t{cookie}\n"));
        }
        if let Some(holder) = self.holder {
            text.push_str(&format!("holder\t{}\t{}\n", holder.pid, holder.start));
        }
        text.push_str(&format!("progress\t{progress}\n"));
        text
    }

    /// Reads a text; what it says of its last line, if that was cut off, does not count.
    pub fn parse(text: &str) -> Result<Record, Trouble> {
        let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        if lines.next() != Some(HEAD) {
            return Err(Trouble::Unreadable);
        }
        let mut record = Record::none();
        lines.try_for_each(|line| record.line(line).ok_or(Trouble::Unreadable))?;
        Ok(record)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split('\t').collect();
        match words.as_slice() {
            ["boot", boot] => (*boot).clone_into(&mut self.boot),
            ["created", seconds] => self.created_s = seconds.parse().ok()?,
            ["origin", "new"] => self.origin = Origin::New,
            ["origin", "attached", pid] => self.origin = Origin::Attached(pid.parse().ok()?),
            ["hold", "kept"] => self.kept = true,
            ["hold", "pinned"] => self.kept = false,
            ["pids", inode] => self.pids = inode.parse().ok()?,
            ["cookie", cookie] => self.cookie = Some(cookie.parse().ok()?),
            ["holder", pid, start] => {
                self.holder = Some(Process { pid: pid.parse().ok()?, start: start.parse().ok()? });
            }
            ["progress", "making"] => self.progress = Progress::Making,
            ["progress", "made"] => self.progress = Progress::Made,
            ["progress", "removing"] => self.progress = Progress::Removing,
            ["part", kind, rest @ ..] => {
                let kind = Kind::ALL.into_iter().find(|known| known.name() == *kind)?;
                let identity = self.identity(kind, rest)?;
                self.parts.retain(|(known, _)| *known != kind);
                self.parts.push((kind, identity));
                self.parts.sort_by_key(|(kind, _)| *kind);
            }
            _ => return None,
        }
        Some(())
    }

    /// `Some(None)`: it is not there yet.
    fn identity(&self, kind: Kind, words: &[&str]) -> Option<Option<Identity>> {
        match words {
            [] => Some(None),
            [device, inode, id] => Some(Some(Identity {
                kind,
                device: device.parse().ok()?,
                inode: inode.parse().ok()?,
                id: if *id == "-" { None } else { Some(id.parse().ok()?) },
                boot: self.boot.clone(),
            })),
            _ => None,
        }
    }
}

/// The line of a part.
pub fn part(kind: Kind, identity: Option<&Identity>) -> String {
    let numbers = identity.map_or_else(String::new, |identity| {
        let id = identity.id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        format!("\t{}\t{}\t{id}", identity.device, identity.inode)
    });
    format!("part\t{}{numbers}\n", kind.name())
}

/// The inode of our own pid namespace; 0 where /proc does not tell.
fn own_pids() -> u64 {
    rustix::fs::stat("/proc/self/ns/pid").map_or(0, |stat| stat.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let identity = Identity { kind: Kind::Uts, device: 4, inode: 77, id: Some(9), boot: "b".to_owned() };
        Record {
            boot: "b".to_owned(),
            parts: vec![(Kind::Pid, None), (Kind::Uts, Some(identity))],
            holder: Some(Process { pid: 7, start: 8 }),
            ..Record::intent(&[], Origin::Attached(5), true)
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = record().text();
        let read = Record::parse(&text).expect("what was written");
        assert_eq!(read.text(), text);
        assert_eq!((read.progress, read.origin), (Progress::Making, Origin::Attached(5)));
        assert!(read.kept && !read.is_of_this_boot());
    }

    #[test]
    fn a_later_line_holds_and_one_that_is_cut_off_does_not() {
        let text = record().text() + "part\tpid\t4\t78\t-\nprogress\tmade\nprogress\trem";
        let read = Record::parse(&text).expect("what was written");
        assert_eq!(read.progress, Progress::Made);
        let pid = read.parts.iter().find(|(kind, _)| *kind == Kind::Pid).expect("the part");
        assert_eq!(pid.1.as_ref().map(|identity| (identity.inode, identity.id)), Some((78, None)));
    }

    #[test]
    fn what_is_no_record_is_not_guessed_at() {
        for text in
            ["", "insula name 2\n", "insula name 1\nnews\t1\n", "insula name 1\npart\tfoo\n", "insula name 1"]
        {
            let is_empty = Record::parse(text).is_ok_and(|record| record.parts.is_empty());
            assert!(!is_empty, "{text:?}");
        }
    }
}
