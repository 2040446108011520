//! How much System V IPC an ipc namespace has: /proc/sysvipc shows that of whoever reads it, so a visitor does.

use super::ask::Asked;
use super::told::{Detail, Ipc, Told};
use rustix::io::Errno;

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    let count = |file: &str| {
        let table = std::fs::read_to_string(format!("/proc/sysvipc/{file}"));
        // The first line is a head.
        table.map(|text| text.lines().count().saturating_sub(1))
    };
    let look = || {
        let counts = ["msg", "sem", "shm"].map(count);
        let counts: Result<Vec<usize>, _> = counts.into_iter().collect();
        let counts = counts.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        Ok((counts.iter().map(|count| format!("{count} ")).collect::<String>().into_bytes(), None))
    };
    match asked.visit("its queues, semaphores and segments", look) {
        Ok(visit) => Told { detail: Detail::Ipc(read(&visit.text)), hidden: Vec::new() },
        Err(hidden) => Told { detail: Detail::Ipc(None), hidden: vec![hidden] },
    }
}

fn read(text: &[u8]) -> Option<Ipc> {
    let mut numbers = std::str::from_utf8(text).ok()?.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Ipc { queues: next()?, semaphores: next()?, segments: next()? })
}
