//! `/proc/PID/status`, proc_pid_status(5): who a process is, by numbers. Every user may read it of every process that
//! /proc shows.

/// What it says. A line that an old kernel lacks is `None`, or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The process; of a thread, that which it belongs to.
    pub tgid: i32,
    /// Its parent; 0: in another pid namespace, or none.
    pub ppid: i32,
    /// Who traces it, ptrace(2); 0: nobody.
    pub tracer: i32,
    /// It has memory of its own: neither a zombie nor a thread of the kernel.
    pub has_memory: bool,
    /// It has ended, and waits for its parent.
    pub zombie: bool,
    /// Real, effective, saved and file system uid, as we see them.
    pub uids: [u32; 4],
    /// The same of the gids.
    pub gids: [u32; 4],
    /// The supplementary groups, in order.
    pub groups: Vec<u32>,
    /// Its pids, from the pid namespace of /proc down to its own.
    pub pids: Vec<i32>,
    /// Inheritable, permitted, effective, bounding, ambient: a bit a capability, capabilities(7).
    pub capabilities: [u64; 5],
    /// `no_new_privs`, prctl(2).
    pub no_new_privs: Option<bool>,
    /// 0: off, 1: strict, 2: filter; seccomp(2).
    pub seccomp: Option<u32>,
    /// How many filters are in force (Linux 5.10).
    pub seccomp_filters: Option<u32>,
}

/// The lines of the five sets, in the order of [`Status::capabilities`].
const SETS: [&str; 5] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

/// Reads it.
pub fn parse(text: &str) -> Status {
    let mut status = Status::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match name {
            "Tgid" => status.tgid = value.parse().unwrap_or_default(),
            "PPid" => status.ppid = value.parse().unwrap_or_default(),
            "TracerPid" => status.tracer = value.parse().unwrap_or_default(),
            "VmSize" => status.has_memory = true,
            "State" => status.zombie = value.starts_with(['Z', 'X']),
            "Uid" => status.uids = four(value),
            "Gid" => status.gids = four(value),
            "Groups" => status.groups = numbers(value),
            "NSpid" => status.pids = numbers(value),
            "NoNewPrivs" => status.no_new_privs = Some(value == "1"),
            "Seccomp" => status.seccomp = value.parse().ok(),
            "Seccomp_filters" => status.seccomp_filters = value.parse().ok(),
            _ => {
                if let Some(at) = SETS.iter().position(|set| *set == name) {
                    status.capabilities[at] = u64::from_str_radix(value, 16).unwrap_or_default();
                }
            }
        }
    }
    status.groups.sort_unstable();
    status
}

fn numbers<T: std::str::FromStr>(value: &str) -> Vec<T> {
    value.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn four(value: &str) -> [u32; 4] {
    numbers(value).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Name:\tsh: x\nState:\tS (sleeping)\nTgid:\t70\nPPid:\t1\nTracerPid:\t5\nVmSize:\t8 kB\nUid:\t1000\t0\t0\t1000\n\
        Gid:\t1\t2\t3\t4\nGroups:\t27 4 \nNStgid:\t70\t1\nNSpid:\t70\t1\nCapInh:\t0000000000000000\n\
        CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000003\nCapBnd:\tff\nCapAmb:\t0\nNoNewPrivs:\t1\n\
        Seccomp:\t2\nSeccomp_filters:\t3\nSpeculation_Store_Bypass:\tvulnerable\n";

    #[test]
    fn a_status_is_read_line_by_line() {
        let status = parse(TEXT);
        assert_eq!((status.tgid, status.ppid, status.zombie), (70, 1, false));
        assert_eq!((status.tracer, status.has_memory), (5, true));
        assert_eq!((status.uids, status.gids), ([1000, 0, 0, 1000], [1, 2, 3, 4]));
        assert_eq!((status.groups, status.pids), (vec![4, 27], vec![70, 1]));
        assert_eq!(status.capabilities, [0, 0x1ff_ffff_ffff, 3, 0xff, 0]);
        assert_eq!(
            (status.no_new_privs, status.seccomp, status.seccomp_filters),
            (Some(true), Some(2), Some(3))
        );
    }

    #[test]
    fn what_an_old_kernel_lacks_is_unknown() {
        assert_eq!(parse("Pid:\t3\nState:\tZ (zombie)\n"), Status { zombie: true, ..Status::default() });
    }
}
