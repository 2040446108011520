//! The first process of a pid namespace, and how deep it lies.

use super::ask::{Asked, text};
use super::level;
use super::told::{Detail, Hidden, Level, Pid, Told};

pub(super) fn ask(asked: &Asked<'_>) -> Told {
    let level = asked.file.map_or_else(Level::default, level::of);
    let is_one = |pid: &u32| text(*pid, "status").is_some_and(|status| is_init(&status));
    // That of our own is process 1, also where it is not ours to look at, if /proc shows our own.
    let own = asked.is_own().then_some(1).filter(is_one);
    let init = own.or_else(|| asked.processes().find(is_one));
    let mut hidden = Vec::new();
    if init.is_none() {
        let why = if asked.snapshot.unseen > 0 {
            "it is not among the processes that we may look at (ptrace(2))".to_owned()
        } else {
            "it is not in the pid namespace that /proc shows, or has ended: then no process can be born in it"
                .to_owned()
        };
        hidden.push(Hidden { what: "its init", why });
    }
    Told { detail: Detail::Pid(Pid { init, level }), hidden }
}

/// Is it number 1 in the pid namespace that it is in? `NSpid` of proc_pid_status(5), the innermost last.
fn is_init(status: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.is_some_and(|numbers| numbers.split_whitespace().next_back() == Some("1"))
}

#[cfg(test)]
mod tests {
    use super::is_init;

    #[test]
    fn an_init_is_number_one_inside() {
        assert!(is_init("Name:\ta\nNSpid:\t77\t1\n"));
        assert!(is_init("NSpid:\t1\n"));
        assert!(!is_init("NSpid:\t1\t12\n"));
        assert!(!is_init("Name:\tNSpid:\t1\n"));
    }
}
