//! The limits of a command line, as the `linux.resources` of the OCI specification.

use super::error::Error;
use crate::value::reason::Reason;
use crate::value::size;
use clap::ArgMatches;
use insula_cgroup::limits::shares_of_weight;
use insula_cgroup::{Hierarchies, Version};
use insula_oci::Resources;
use insula_oci::resources::{BlockIo, Cpu, Memory, Pids, ThrottleDevice};
use std::os::linux::fs::MetadataExt as _;
use std::os::unix::fs::FileTypeExt as _;

/// The period where neither the command line nor the group has one.
const PERIOD_US: u64 = 100_000;

const SIZE_FORM: &str = "a size in bytes, or with k, m, g or t behind it, as 64m; -1 or max is no limit";
const CPUS_FORM: &str = "a number of CPUs, 0.01 or more, as 1.5; -1 or max is no limit";
const COUNT_FORM: &str = "a number, as 20; -1 or max is no limit";
const RATE_FORM: &str = "DEVICE:RATE, with a block device or its numbers, as /dev/sda:1m or 8:0:1m";
const CONF_FORM: &str = "FILE=VALUE, as memory.high=50331648";
const LIST_FORM: &str = "a list, as 0-2,4";

/// Reads what clap parsed. The hierarchies say whether a weight of CPU time is written as weight or as shares.
pub fn resources(matches: &ArgMatches, hierarchies: &Hierarchies) -> Result<Resources, Error> {
    let given = Given(matches);
    let mut resources = Resources {
        memory: some(memory(given)?),
        cpu: some(cpu(given)?),
        pids: some(Pids { limit: given.one("--pids-limit", COUNT_FORM, count)? }),
        block_io: some(block_io(given)?),
        ..Resources::default()
    };
    for (file, value) in given.many("--cgroup-conf", CONF_FORM, conf)? {
        resources.unified.insert(file, value);
    }
    if let Some(weight) = given.one("--cpu-weight", "a number from 1 to 10000", weight)? {
        if resources.cpu.as_ref().is_some_and(|cpu| cpu.shares.is_some()) {
            return Err(Error::Conflict("--cpu-shares", "--cpu-weight"));
        }
        if hierarchies.of("cpu").is_some_and(|hierarchy| hierarchy.version == Version::V1) {
            resources.cpu.get_or_insert_default().shares = Some(shares_of_weight(weight));
        } else {
            resources.unified.insert("cpu.weight".to_owned(), weight.to_string());
        }
    }
    Ok(resources)
}

/// The limits, if there is one.
fn some<T: Default + PartialEq>(limits: T) -> Option<T> {
    (limits != T::default()).then_some(limits)
}

fn memory(given: Given<'_>) -> Result<Memory, Error> {
    Ok(Memory {
        limit: given.one("--memory", SIZE_FORM, bytes)?,
        swap: given.one("--memory-swap", SIZE_FORM, bytes)?,
        reservation: given.one("--memory-reservation", SIZE_FORM, bytes)?,
        swappiness: given.one("--memory-swappiness", "a percentage, 0 to 100", number)?,
        disable_oom_killer: given.0.get_flag("oom-kill-disable").then_some(true),
        ..Memory::default()
    })
}

fn cpu(given: Given<'_>) -> Result<Cpu, Error> {
    let mut cpu = Cpu {
        shares: given.one("--cpu-shares", "a number from 2 to 262144", number)?,
        quota: given.one("--cpu-quota", COUNT_FORM, count)?,
        period: given.one("--cpu-period", "microseconds, 1000 to 1000000", number)?,
        burst: given.one("--cpu-burst", "microseconds", number)?,
        cpus: given.one("--cpuset-cpus", LIST_FORM, numbers)?,
        mems: given.one("--cpuset-mems", LIST_FORM, numbers)?,
        ..Cpu::default()
    };
    if let Some(millionths) = given.one("--cpus", CPUS_FORM, cpus)? {
        if cpu.quota.is_some() {
            return Err(Error::Conflict("--cpus", "--cpu-quota"));
        }
        cpu.quota = Some(-1);
        if let Some(millionths) = millionths {
            let period = *cpu.period.get_or_insert(PERIOD_US);
            let quota = u128::from(millionths) * u128::from(period) / 1_000_000;
            cpu.quota = Some(i64::try_from(quota).unwrap_or(i64::MAX));
        }
    }
    Ok(cpu)
}

fn block_io(given: Given<'_>) -> Result<BlockIo, Error> {
    let form = "a number from 10 to 1000";
    let weight = given.one("--io-weight", form, |text| {
        text.parse()
            .ok()
            .filter(|weight| (10..=1000).contains(weight))
            .ok_or_else(|| Reason::of(text, "is no weight"))
    })?;
    Ok(BlockIo {
        weight,
        throttle_read_bps_device: given
            .many("--io-read-bps", RATE_FORM, |text| throttle(text, size::parse))?,
        throttle_write_bps_device: given
            .many("--io-write-bps", RATE_FORM, |text| throttle(text, size::parse))?,
        throttle_read_iops_device: given.many("--io-read-iops", RATE_FORM, |text| throttle(text, number))?,
        throttle_write_iops_device: given
            .many("--io-write-iops", RATE_FORM, |text| throttle(text, number))?,
        ..BlockIo::default()
    })
}

/// The flags' values, read with their small languages.
#[derive(Clone, Copy)]
struct Given<'a>(&'a ArgMatches);

impl<'a> Given<'a> {
    fn texts(self, flag: &'static str) -> impl Iterator<Item = &'a String> {
        self.0.get_many(flag.trim_start_matches('-')).into_iter().flatten()
    }

    fn many<T>(
        self,
        flag: &'static str,
        form: &'static str,
        read: impl Fn(&str) -> Result<T, Reason>,
    ) -> Result<Vec<T>, Error> {
        self.texts(flag)
            .map(|value| {
                read(value).map_err(|reason| Error::Value { flag, value: value.clone(), reason, form })
            })
            .collect()
    }

    fn one<T>(
        self,
        flag: &'static str,
        form: &'static str,
        read: impl Fn(&str) -> Result<T, Reason>,
    ) -> Result<Option<T>, Error> {
        self.many(flag, form, read).map(|values| values.into_iter().next_back())
    }
}

fn is_no_limit(text: &str) -> bool {
    matches!(text, "-1" | "max")
}

/// A limit of 0 would be left as it is by the specification, which nobody who writes 0 means.
fn not_zero<T: PartialEq + From<u8>>(text: &str, value: T) -> Result<T, Reason> {
    if value == T::from(0) { Err(Reason::of(text, "would let nothing run")) } else { Ok(value) }
}

fn bytes(text: &str) -> Result<i64, Reason> {
    if is_no_limit(text) {
        return Ok(-1);
    }
    let bytes = not_zero(text, size::parse(text)?)?;
    i64::try_from(bytes).map_err(|_| Reason::of(text, "is too large"))
}

fn count(text: &str) -> Result<i64, Reason> {
    if is_no_limit(text) {
        return Ok(-1);
    }
    let value =
        number(text).and_then(|value| i64::try_from(value).map_err(|_| Reason::of(text, "is too large")))?;
    not_zero(text, value)
}

fn number(text: &str) -> Result<u64, Reason> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or_else(|| Reason::of(text, "is no number"))
}

fn weight(text: &str) -> Result<u64, Reason> {
    number(text)
        .ok()
        .filter(|weight| (1..=10_000).contains(weight))
        .ok_or_else(|| Reason::of(text, "is no weight"))
}

/// `1.5` as millionths; `None` is no limit.
fn cpus(text: &str) -> Result<Option<u64>, Reason> {
    if is_no_limit(text) {
        return Ok(None);
    }
    let refuse = || Reason::of(text, "is no number of CPUs");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole = number(if whole.is_empty() { "0" } else { whole }).map_err(|_| refuse())?;
    if fraction.is_empty() || fraction.len() > 6 {
        return Err(refuse());
    }
    let fraction = number(&format!("{fraction:0<6}")).map_err(|_| refuse())?;
    let millionths =
        whole.checked_mul(1_000_000).and_then(|whole| whole.checked_add(fraction)).ok_or_else(refuse)?;
    if millionths < 10_000 { Err(Reason::of(text, "is too little")) } else { Ok(Some(millionths)) }
}

/// A list of CPUs or nodes; the kernel knows which there are.
fn numbers(text: &str) -> Result<String, Reason> {
    let is_list =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b','));
    if is_list { Ok(text.to_owned()) } else { Err(Reason::of(text, "is no list of numbers")) }
}

fn conf(text: &str) -> Result<(String, String), Reason> {
    match text.split_once('=') {
        Some((file, value)) if !file.is_empty() && !value.is_empty() => {
            Ok((file.to_owned(), value.to_owned()))
        }
        _ => Err(Reason::new("a file and a value are wanted")),
    }
}

/// `/dev/sda:1m`, `8:0:1m`.
fn throttle(text: &str, rate: impl Fn(&str) -> Result<u64, Reason>) -> Result<ThrottleDevice, Reason> {
    let (device, behind) = text.rsplit_once(':').ok_or_else(|| Reason::new("a rate is missing"))?;
    let rate = rate(behind)?;
    let (major, minor) = match device.split_once(':') {
        Some((major, minor)) => match (number(major), number(minor)) {
            (Ok(major), Ok(minor)) => (major, minor),
            _ => return Err(Reason::of(device, "is no device")),
        },
        None => block_device(device)?,
    };
    let wide = |value: u64| i64::try_from(value).map_err(|_| Reason::of(device, "is no device"));
    Ok(ThrottleDevice { major: wide(major)?, minor: wide(minor)?, rate })
}

fn block_device(path: &str) -> Result<(u64, u64), Reason> {
    let found = std::fs::metadata(path)
        .map_err(|error| Reason::of(path, &format!("is not there: {}", error.kind())))?;
    if !found.file_type().is_block_device() {
        return Err(Reason::of(path, "is no block device"));
    }
    let number = found.st_rdev();
    Ok((rustix::fs::major(number).into(), rustix::fs::minor(number).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_cpus() {
        for (text, millionths) in [
            ("1", Some(Some(1_000_000))),
            ("1.5", Some(Some(1_500_000))),
            ("0.01", Some(Some(10_000))),
            (".5", Some(Some(500_000))),
            ("max", Some(None)),
            ("-1", Some(None)),
            ("0", None),
            ("0.009", None),
            ("1.", None),
            ("-2", None),
            ("1.0000001", None),
            ("1e3", None),
            ("+1", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(cpus(text).ok(), millionths, "{text}");
        }
    }

    #[test]
    fn sizes_and_counts_may_be_without_limit() {
        for (text, read) in
            [("64m", Some(64 << 20)), ("-1", Some(-1)), ("max", Some(-1)), ("0", None), ("-2", None)]
        {
            assert_eq!(bytes(text).ok(), read, "{text}");
        }
        for (text, read) in [("20", Some(20)), ("-1", Some(-1)), ("0", None), ("+5", None), ("2x", None)] {
            assert_eq!(count(text).ok(), read, "{text}");
        }
    }

    #[test]
    fn a_rate_is_of_a_device() {
        let read = throttle("8:16:1m", size::parse).unwrap();
        assert_eq!((read.major, read.minor, read.rate), (8, 16, 1 << 20));
        for text in ["8:16", "1m", "8:x:1m", "/dev/null:1m", "/nowhere:1m", "8:16:x"] {
            assert!(throttle(text, size::parse).is_err(), "{text}");
        }
    }
}
