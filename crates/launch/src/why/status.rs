//! What /proc/PID/status tells of a process, proc_pid_status(5).

/// The lines that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Real, effective, saved and file system user id, as the reader's user namespace has them.
    pub uid: [u32; 4],
    /// The same of the group.
    pub gid: [u32; 4],
    /// Capabilities, bit N for capability N.
    pub effective: u64,
    /// Those that it may make effective.
    pub permitted: u64,
    /// Those that it may ever have.
    pub bounding: u64,
    /// `PR_SET_NO_NEW_PRIVS` holds.
    pub no_new_privs: bool,
    /// It is under a filter of system calls (`Seccomp: 2`).
    pub filtered: bool,
    /// How many threads it has.
    pub threads: u32,
    /// In how many pid namespaces it has a number, counted from that of the procfs downwards.
    pub pid_levels: usize,
}

impl Status {
    /// Reads the text. A line that is not there leaves its field at 0.
    pub fn parse(text: &str) -> Status {
        let mut status = Status::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name {
                "Uid" => status.uid = four(value),
                "Gid" => status.gid = four(value),
                "CapEff" => status.effective = hex(value),
                "CapPrm" => status.permitted = hex(value),
                "CapBnd" => status.bounding = hex(value),
                "NoNewPrivs" => status.no_new_privs = value == "1",
                "Seccomp" => status.filtered = value == "2",
                "Threads" => status.threads = value.parse().unwrap_or(0),
                "NSpid" => status.pid_levels = value.split_ascii_whitespace().count(),
                _ => {}
            }
        }
        status
    }

    /// Is the capability with this number effective?
    pub fn has(&self, capability: u32) -> bool {
        self.effective & (1 << capability) != 0
    }
}

fn four(value: &str) -> [u32; 4] {
    let mut ids = value.split_ascii_whitespace().map(|id| id.parse().unwrap_or(u32::MAX));
    std::array::from_fn(|_| ids.next().unwrap_or(u32::MAX))
}

fn hex(value: &str) -> u64 {
    u64::from_str_radix(value, 16).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read() {
        let text = "Name:\tsh: x\nUid:\t1000\t1001\t1002\t1003\nGid:\t7\t8\t9\t10\nNSpid:\t400\t7\t1\nThreads:\t3\n\
                    CapPrm:\t0000000000000003\nCapEff:\t0000000000200001\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\n";
        let status = Status::parse(text);
        assert_eq!((status.uid, status.gid), ([1000, 1001, 1002, 1003], [7, 8, 9, 10]));
        assert_eq!((status.threads, status.pid_levels), (3, 3));
        assert!(status.has(21) && status.has(0) && !status.has(1));
        assert_eq!((status.permitted, status.bounding), (3, 0x1ff_ffff_ffff));
        assert!(status.no_new_privs && status.filtered);
        assert_eq!(Status::parse("rubbish\n\n"), Status::default());
    }
}
