//! One look at `/proc`, for the census.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The variable that a [`Mark`](crate::census::Mark) sets.
pub const MARK: &str = "INSULA_PROOF";

/// What `/proc/<pid>` says of one process.
pub struct Process {
    pub pid: u32,
    pub parent: u32,
    pub start_time: u64,
    pub name: String,
    pub zombie: bool,
    /// The value of [`MARK`] in its environment, as it was at its execve.
    pub mark: Option<String>,
    /// As `net:[4026531840]`.
    pub namespaces: BTreeSet<String>,
}

/// All processes that this `/proc` shows. One that ends while it is read is left out.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("list `/proc`");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(read).collect()
}

fn read(pid: u32) -> Option<Process> {
    let directory = Path::new("/proc").join(pid.to_string());
    let stat = fs::read_to_string(directory.join("stat")).ok()?;
    // The name stands in brackets and may hold any of them: proc_pid_stat(5).
    let (front, back) = stat.rsplit_once(')')?;
    let name = front.split_once('(')?.1.to_string();
    let fields: Vec<&str> = back.split_whitespace().collect();
    let environ = fs::read(directory.join("environ")).unwrap_or_default();
    let mark = environ.split(|byte| *byte == 0).find_map(|line| {
        let value = line.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    });
    let namespaces = fs::read_dir(directory.join("ns")).ok().into_iter().flatten().filter_map(|entry| {
        let link = fs::read_link(entry.ok()?.path()).ok()?;
        Some(link.to_str()?.to_string())
    });
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
        name,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        mark,
        namespaces: namespaces.collect(),
    })
}
