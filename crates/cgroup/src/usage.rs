//! What a group uses and what it may use, read from the control files of either version into one form.

use crate::directory::Directory;
use crate::group::{Group, Place};
use crate::mounts::Version;

/// What version 1 shows for no limit, at most: `LONG_MAX` in whole pages, of up to 64 KiB.
const UNLIMITED: u64 = 0x7fff_ffff_ffff_0000;

/// The group's use, each part where its controller counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory.
    pub memory: Option<Memory>,
    /// Time on CPUs.
    pub cpu: Option<Cpu>,
    /// Tasks.
    pub pids: Option<Pids>,
    /// Block devices, by number.
    pub io: Vec<Io>,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// In use now.
    pub current_bytes: u64,
    /// The most that was (version 2: Linux 5.19).
    pub peak_bytes: Option<u64>,
    /// Swap in use now.
    pub swap_bytes: Option<u64>,
    /// How often the limit was met.
    pub limit_hits: u64,
    /// How many processes the kernel has killed for want of memory.
    pub oom_kills: Option<u64>,
}

/// Time on CPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Microseconds, in programs and in the kernel.
    pub usage_us: u64,
    /// Periods in which the group ran under a quota.
    pub periods: Option<u64>,
    /// Those in which it used the quota up.
    pub throttled: Option<u64>,
    /// Microseconds that it waited for that.
    pub throttled_us: Option<u64>,
}

/// Tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pids {
    /// Now.
    pub current: u64,
    /// How often a fork was refused.
    pub refused: Option<u64>,
}

/// One block device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Io {
    /// `major:minor`.
    pub device: String,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
}

/// What the group may use; `None` is no limit, or no controller that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// Bytes of memory and swap together.
    pub memory_swap_bytes: Option<u64>,
    /// Bytes that are spared under pressure.
    pub reservation_bytes: Option<u64>,
    /// Microseconds of a period.
    pub cpu_quota_us: Option<u64>,
    /// The period in microseconds, with a quota.
    pub cpu_period_us: Option<u64>,
    /// `cpu.weight`, in version 2.
    pub cpu_weight: Option<u64>,
    /// `cpu.shares`, in version 1.
    pub cpu_shares: Option<u64>,
    /// The CPUs that it may run on.
    pub cpus: Option<String>,
    /// The memory nodes that it may use.
    pub mems: Option<String>,
    /// Tasks.
    pub pids: Option<u64>,
    /// Rates of block devices, each line as version 2 writes it: `254:0 rbps=1048576`.
    pub io: Vec<String>,
}

/// Reads the group's use.
pub fn usage(group: &Group) -> Usage {
    let io = group.place("io").map(io_v2).or_else(|| group.place("blkio").map(io_v1));
    Usage { memory: memory(group), cpu: cpu(group), pids: pids(group), io: io.unwrap_or_default() }
}

/// Reads the group's limits.
pub fn limits(group: &Group) -> Limits {
    let mut limits = Limits::default();
    if let Some(place) = group.place("memory") {
        memory_limits(place, &mut limits);
    }
    if let Some(place) = group.place("cpu") {
        cpu_limits(place, &mut limits);
    }
    if let Some(Place { directory, version, .. }) = group.place("cpuset") {
        let effective = match version {
            Version::V1 => ["cpuset.effective_cpus", "cpuset.effective_mems"],
            Version::V2 => ["cpuset.cpus.effective", "cpuset.mems.effective"],
        };
        [limits.cpus, limits.mems] = effective.map(|file| directory.look(file));
    }
    limits.pids = group.place("pids").and_then(|place| number(&place.directory, "pids.max"));
    if let Some(place) = group.place("io") {
        limits.io = place.directory.look("io.max").unwrap_or_default().lines().map(str::to_owned).collect();
    } else if let Some(place) = group.place("blkio") {
        limits.io = throttles_v1(&place.directory);
    }
    limits
}

fn memory(group: &Group) -> Option<Memory> {
    let Place { directory, version, .. } = group.place("memory")?;
    let number = |file| number(directory, file);
    Some(match version {
        Version::V1 => {
            let current_bytes = number("memory.usage_in_bytes")?;
            let both = number("memory.memsw.usage_in_bytes");
            Memory {
                current_bytes,
                peak_bytes: number("memory.max_usage_in_bytes"),
                swap_bytes: both.map(|both| both.saturating_sub(current_bytes)),
                // Where both limits are the same, it is that of both together that is met.
                limit_hits: ["memory.failcnt", "memory.memsw.failcnt"].into_iter().filter_map(number).sum(),
                // Linux 4.13.
                oom_kills: keyed(directory, "memory.oom_control", "oom_kill"),
            }
        }
        Version::V2 => Memory {
            current_bytes: number("memory.current")?,
            peak_bytes: number("memory.peak"),
            swap_bytes: number("memory.swap.current"),
            limit_hits: keyed(directory, "memory.events", "max").unwrap_or(0),
            oom_kills: keyed(directory, "memory.events", "oom_kill"),
        },
    })
}

fn cpu(group: &Group) -> Option<Cpu> {
    let place = group.place("cpu").or_else(|| group.place("cpuacct")).or_else(|| group.unified())?;
    let count = |key| keyed(&place.directory, "cpu.stat", key);
    // Version 1 counts in nanoseconds.
    if place.version == Version::V1 {
        let accounting = group.place("cpuacct")?;
        return Some(Cpu {
            usage_us: number(&accounting.directory, "cpuacct.usage")? / 1000,
            periods: count("nr_periods"),
            throttled: count("nr_throttled"),
            throttled_us: count("throttled_time").map(|ns| ns / 1000),
        });
    }
    Some(Cpu {
        usage_us: count("usage_usec")?,
        periods: count("nr_periods"),
        throttled: count("nr_throttled"),
        throttled_us: count("throttled_usec"),
    })
}

fn pids(group: &Group) -> Option<Pids> {
    let Place { directory, .. } = group.place("pids")?;
    // Linux 4.8.
    let refused = keyed(directory, "pids.events", "max");
    Some(Pids { current: number(directory, "pids.current")?, refused })
}

fn io_v2(place: &Place) -> Vec<Io> {
    let line = |line: &str| {
        let (device, rest) = line.split_once(' ')?;
        let value = |key: &str| {
            rest.split(' ')
                .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
                .unwrap_or(0)
        };
        Some(Io { device: device.to_owned(), read_bytes: value("rbytes"), written_bytes: value("wbytes") })
    };
    place.directory.look("io.stat").unwrap_or_default().lines().filter_map(line).collect()
}

/// Lines `254:0 Read 4096` and a sum.
fn io_v1(place: &Place) -> Vec<Io> {
    let mut all: Vec<Io> = Vec::new();
    for line in place.directory.look("blkio.throttle.io_service_bytes").unwrap_or_default().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [device, what, bytes] = words[..] else { continue };
        let bytes = bytes.parse().unwrap_or(0);
        if all.last().is_none_or(|last| last.device != device) {
            all.push(Io { device: device.to_owned(), ..Io::default() });
        }
        match (what, all.last_mut()) {
            ("Read", Some(last)) => last.read_bytes = bytes,
            ("Write", Some(last)) => last.written_bytes = bytes,
            _ => {}
        }
    }
    all
}

fn memory_limits(Place { directory, version, .. }: &Place, limits: &mut Limits) {
    let number = |file: &str| number(directory, file);
    match version {
        Version::V1 => {
            limits.memory_bytes = number("memory.limit_in_bytes");
            limits.memory_swap_bytes = number("memory.memsw.limit_in_bytes");
            limits.reservation_bytes = number("memory.soft_limit_in_bytes");
        }
        Version::V2 => {
            limits.memory_bytes = number("memory.max");
            let swap = number("memory.swap.max");
            limits.memory_swap_bytes = limits.memory_bytes.zip(swap).map(|(memory, swap)| memory + swap);
            limits.reservation_bytes = number("memory.low").filter(|bytes| *bytes != 0);
        }
    }
}

fn cpu_limits(Place { directory, version, .. }: &Place, limits: &mut Limits) {
    let number = |file: &str| number(directory, file);
    match version {
        Version::V1 => {
            limits.cpu_quota_us = number("cpu.cfs_quota_us");
            limits.cpu_period_us = number("cpu.cfs_period_us").filter(|_| limits.cpu_quota_us.is_some());
            limits.cpu_shares = number("cpu.shares");
        }
        Version::V2 => {
            let max = directory.look("cpu.max").unwrap_or_default();
            let (quota, period) = max.split_once(' ').unwrap_or_default();
            limits.cpu_quota_us = quota.parse().ok();
            limits.cpu_period_us = period.parse().ok().filter(|_| limits.cpu_quota_us.is_some());
            limits.cpu_weight = number("cpu.weight");
        }
    }
}

/// The rates of version 1 as lines of version 2.
fn throttles_v1(directory: &Directory) -> Vec<String> {
    let mut lines = Vec::new();
    for (file, key) in [
        ("blkio.throttle.read_bps_device", "rbps"),
        ("blkio.throttle.write_bps_device", "wbps"),
        ("blkio.throttle.read_iops_device", "riops"),
        ("blkio.throttle.write_iops_device", "wiops"),
    ] {
        let text = directory.look(file).unwrap_or_default();
        lines.extend(
            text.lines()
                .filter_map(|line| line.split_once(' '))
                .map(|(device, rate)| format!("{device} {key}={rate}")),
        );
    }
    lines
}

/// A number; `max`, -1, and what version 1 has in their place, is none.
fn number(directory: &Directory, file: &str) -> Option<u64> {
    directory.look(file)?.parse().ok().filter(|number| *number < UNLIMITED)
}

/// The number behind a word, in a file of such lines.
fn keyed(directory: &Directory, file: &str, key: &str) -> Option<u64> {
    let text = directory.look(file)?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// How much of the last ten seconds some process of the group waited for a resource, in percent, as the kernel writes it
/// (accounting/psi.rst): `("memory", "0.00")`. The files are version 2's.
pub fn pressure(group: &Group) -> Vec<(&'static str, String)> {
    let Some(place) = group.unified() else { return Vec::new() };
    let files = [("cpu", "cpu.pressure"), ("memory", "memory.pressure"), ("io", "io.pressure")];
    let some = |text: &str| Some(text.lines().next()?.split(' ').nth(1)?.strip_prefix("avg10=")?.to_owned());
    files.into_iter().filter_map(|(what, file)| Some((what, some(&place.directory.look(file)?)?))).collect()
}
