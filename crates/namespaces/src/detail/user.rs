//! The id maps of a user namespace, user_namespaces(7), as seen from our own.

use super::ask::{Asked, text};
use super::level;
use super::told::{Detail, Hidden, Level, Range, Told, User};
use super::visit::Visit;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    let level = asked.file.map_or_else(Level::default, level::of);
    let read = |pid: u32| read(pid, level);
    let own = asked.is_own().then(std::process::id);
    let of_process = own.into_iter().chain(asked.processes()).find_map(read);
    let seen = of_process.map_or_else(
        || {
            let visit = asked.visit("its id maps", || Ok((Vec::new(), None)))?;
            let why = || Hidden { what: "its id maps", why: "/proc does not show them".to_owned() };
            read(visit.pid).ok_or_else(why)
        },
        Ok,
    );
    match seen {
        Ok(user) => Told { detail: Detail::User(user), hidden: Vec::new() },
        Err(hidden) => Told { detail: Detail::User(User { level, ..User::default() }), hidden: vec![hidden] },
    }
}

/// The same of a user namespace that is open, which may have no process. This process has to have one thread.
pub(super) fn of_file(file: BorrowedFd<'_>) -> Result<User, Errno> {
    let visit = Visit::to(file, || Ok((Vec::new(), None)))?;
    read(visit.pid, level::of(file)).ok_or(Errno::SRCH)
}

/// What /proc shows of the user namespace of a process.
fn read(pid: u32, level: Level) -> Option<User> {
    let setgroups = text(pid, "setgroups").map(|word| word.trim() == "allow");
    Some(User {
        uid_map: map(&text(pid, "uid_map")?),
        gid_map: map(&text(pid, "gid_map")?),
        setgroups,
        level,
    })
}

/// Lines of three numbers.
fn map(text: &str) -> Vec<Range> {
    let line = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Range { inside: next()?, outside: next()?, length: next()? })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_lines_of_three_numbers() {
        let text = "         0          0 4294967295\n         1     100000      65536\nx\n";
        let whole = Range { inside: 0, outside: 0, length: u32::MAX };
        assert_eq!(map(text), [whole, Range { inside: 1, outside: 100_000, length: 65_536 }]);
    }
}
