//! Which process it is: a pid is given again, a pid with its start time is not.

use super::proc_file;

/// When a process was started, in clock ticks since the machine was (proc_pid_stat(5)); `None`: there is none, or only what
/// is left of it until its parent has waited.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = proc_file::read(&format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold any byte.
    let behind = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let mut fields = std::str::from_utf8(&stat[behind..]).ok()?.split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_keeps_its_start_time_and_none_has_none() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(start_time(own).is_some());
        assert_eq!(start_time(own), start_time(own));
        assert_eq!(start_time(0), None);
    }
}
