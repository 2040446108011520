//! `cpu`: config-linux.md, "CPU"; the kernel's sched-bwc.rst, cgroup-v2.rst and cpusets(7).

use super::convert;
use super::setting::{Look, Setting, Settings, unknown};
use crate::error::{Error, Missing};
use crate::mounts::Version;
use insula_oci::resources::Cpu;

/// The period where nobody has set one (sched-bwc.rst).
const PERIOD_US: u64 = 100_000;

/// The writes of the `cpu` controller, for a group of which `look` reads the present values.
pub fn settings(cpu: &Cpu, version: Version, look: Look<'_>) -> Settings {
    if let Some(quota) = cpu.quota.filter(|quota| *quota < -1) {
        return Err(Error::invalid("cpu.quota", quota, "is below -1, which is no limit"));
    }
    if let Some(idle) = cpu.idle.filter(|idle| !matches!(idle, 0 | 1)) {
        return Err(Error::invalid("cpu.idle", idle, "is neither 0 nor 1"));
    }
    match version {
        Version::V1 => Ok(v1(cpu, look)),
        Version::V2 => v2(cpu, look),
    }
}

/// The writes of the `cpuset` controller: the same files in both versions.
pub fn cpuset(cpu: &Cpu) -> Vec<Setting> {
    let file =
        |file: &str, list: &Option<String>| list.as_ref().map(|list| Setting::new("cpuset", file, list));
    [file("cpuset.cpus", &cpu.cpus), file("cpuset.mems", &cpu.mems)].into_iter().flatten().collect()
}

fn v1(cpu: &Cpu, look: Look<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0) {
        settings.push(Setting::new("cpu", "cpu.shares", shares));
    }
    settings.extend(bandwidth_v1(cpu, look));
    if let Some(idle) = cpu.idle {
        settings.push(Setting::new("cpu", "cpu.idle", idle));
    }
    // The runtime has to fit into the period at every moment; the period alone says nothing.
    if let Some(period) = cpu.realtime_period.filter(|period| *period != 0) {
        settings.push(Setting::new("cpu", "cpu.rt_period_us", period));
    }
    if let Some(runtime) = cpu.realtime_runtime.filter(|runtime| *runtime != 0) {
        settings.push(Setting::new("cpu", "cpu.rt_runtime_us", runtime));
    }
    settings
}

/// Quota, period and burst have a file each in version 1, and the kernel compares after each write: quota/period with the
/// groups above and below, burst with the quota. What makes room goes first, what takes it last.
fn bandwidth_v1(cpu: &Cpu, look: Look<'_>) -> Vec<Setting> {
    let now = |file: &str| look(file).and_then(|text| text.parse::<u64>().ok());
    let quota =
        cpu.quota.filter(|quota| *quota != 0).map(|quota| Setting::new("cpu", "cpu.cfs_quota_us", quota));
    let period = cpu.period.filter(|period| *period != 0);
    let grows = period.is_some_and(|period| now("cpu.cfs_period_us").is_none_or(|now| period >= now));
    let period = period.map(|period| Setting::new("cpu", "cpu.cfs_period_us", period));
    let burst_falls = cpu.burst.is_some_and(|burst| now("cpu.cfs_burst_us").is_some_and(|now| burst < now));
    // Linux 5.14; before there is no burst, which is what 0 asks for.
    let burst = cpu.burst.map(|burst| {
        let setting = Setting::new("cpu", "cpu.cfs_burst_us", burst);
        if burst == 0 { setting.if_there() } else { setting }
    });
    let (first, last) = if burst_falls { (burst, None) } else { (None, burst) };
    let (before, after) = if grows { (period, quota) } else { (quota, period) };
    [first, before, after, last].into_iter().flatten().collect()
}

fn v2(cpu: &Cpu, look: Look<'_>) -> Settings {
    let mut settings = Vec::new();
    if let Some(idle) = cpu.idle {
        settings.push(Setting::new("cpu", "cpu.idle", idle));
    }
    // An idle group has no weight: the file takes none (Linux 5.15).
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0 && cpu.idle != Some(1)) {
        settings.push(Setting::new("cpu", "cpu.weight", convert::weight_of_shares(shares)));
    }
    let now = || look("cpu.max.burst").and_then(|text| text.parse::<u64>().ok());
    let burst_falls = cpu.burst.is_some_and(|burst| now().is_some_and(|now| burst < now));
    let burst = cpu.burst.map(|burst| {
        let setting = Setting::new("cpu", "cpu.max.burst", burst);
        if burst == 0 { setting.if_there() } else { setting }
    });
    let (first, last) = if burst_falls { (burst, None) } else { (None, burst) };
    let max = bandwidth_v2(cpu, look).map(|value| Setting::new("cpu", "cpu.max", value));
    settings.extend([first, max, last].into_iter().flatten());
    if let Some(runtime) = cpu.realtime_runtime.filter(|runtime| *runtime != 0) {
        return Err(unknown("cpu", "cpu.rt_runtime_us", runtime, Missing::NotOnV2));
    }
    if let Some(period) = cpu.realtime_period.filter(|period| *period != 0) {
        return Err(unknown("cpu", "cpu.rt_period_us", period, Missing::NotOnV2));
    }
    Ok(settings)
}

/// `cpu.max` has both in one line; what is not given stays as it is, as it does in version 1.
fn bandwidth_v2(cpu: &Cpu, look: Look<'_>) -> Option<String> {
    let (quota, period) = (cpu.quota.filter(|quota| *quota != 0), cpu.period.filter(|period| *period != 0));
    if quota.is_none() && period.is_none() {
        return None;
    }
    let present = look("cpu.max").unwrap_or_default();
    let (quota_now, period_now) = present.split_once(' ').unwrap_or(("max", ""));
    let quota = match quota {
        None => quota_now.to_owned(),
        Some(-1) => "max".to_owned(),
        Some(quota) => quota.to_string(),
    };
    let period = period.or_else(|| period_now.parse().ok()).unwrap_or(PERIOD_US);
    Some(format!("{quota} {period}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Now<'a> = &'a [(&'a str, &'a str)];

    fn written(cpu: &Cpu, version: Version, now: Now<'_>) -> Vec<String> {
        let look =
            |asked: &str| now.iter().find(|(file, _)| *file == asked).map(|(_, value)| (*value).to_owned());
        let settings = settings(cpu, version, &look).unwrap();
        settings.into_iter().map(|setting| format!("{}={}", setting.file, setting.value)).collect()
    }

    #[test]
    fn version_2_writes_quota_and_period_together_and_keeps_what_is_not_given() {
        let cpu = |quota, period| Cpu { quota, period, ..Cpu::default() };
        let now: Now<'_> = &[("cpu.max", "20000 50000")];
        for (cpu, now, value) in [
            (cpu(Some(50_000), Some(100_000)), now, "cpu.max=50000 100000"),
            (cpu(Some(10_000), None), now, "cpu.max=10000 50000"),
            (cpu(None, Some(40_000)), now, "cpu.max=20000 40000"),
            (cpu(Some(-1), None), now, "cpu.max=max 50000"),
            (cpu(Some(10_000), None), &[], "cpu.max=10000 100000"),
            (cpu(None, Some(1000)), &[], "cpu.max=max 1000"),
        ] {
            assert_eq!(written(&cpu, Version::V2, now), [value]);
        }
        assert!(written(&cpu(Some(0), Some(0)), Version::V2, now).is_empty(), "0 is as absent");
    }

    #[test]
    fn version_1_writes_first_what_makes_room() {
        let cpu = Cpu { quota: Some(50_000), period: Some(50_000), ..Cpu::default() };
        let lowers: Now<'_> = &[("cpu.cfs_period_us", "100000")];
        let raises: Now<'_> = &[("cpu.cfs_period_us", "10000")];
        assert_eq!(written(&cpu, Version::V1, lowers), ["cpu.cfs_quota_us=50000", "cpu.cfs_period_us=50000"]);
        assert_eq!(written(&cpu, Version::V1, raises), ["cpu.cfs_period_us=50000", "cpu.cfs_quota_us=50000"]);
        let burst = Cpu { quota: Some(50_000), burst: Some(10), ..Cpu::default() };
        assert_eq!(
            written(&burst, Version::V1, &[("cpu.cfs_burst_us", "20")]),
            ["cpu.cfs_burst_us=10", "cpu.cfs_quota_us=50000"]
        );
        assert_eq!(
            written(&burst, Version::V1, &[("cpu.cfs_burst_us", "0")]),
            ["cpu.cfs_quota_us=50000", "cpu.cfs_burst_us=10"]
        );
    }

    #[test]
    fn shares_stay_on_version_1_and_become_weight_on_version_2() {
        let cpu = Cpu { shares: Some(1024), ..Cpu::default() };
        assert_eq!(written(&cpu, Version::V1, &[]), ["cpu.shares=1024"]);
        assert_eq!(written(&cpu, Version::V2, &[]), ["cpu.weight=100"]);
        let idle = Cpu { shares: Some(1024), idle: Some(1), ..Cpu::default() };
        assert_eq!(written(&idle, Version::V2, &[]), ["cpu.idle=1"], "an idle group has no weight");
    }

    #[test]
    fn realtime_is_of_version_1() {
        let cpu = Cpu { realtime_runtime: Some(900), realtime_period: Some(1000), ..Cpu::default() };
        assert_eq!(written(&cpu, Version::V1, &[]), ["cpu.rt_period_us=1000", "cpu.rt_runtime_us=900"]);
        assert!(settings(&cpu, Version::V2, &|_| None).is_err());
    }

    #[test]
    fn a_cpuset_is_the_same_in_both() {
        let cpu = Cpu { cpus: Some("0-1".to_owned()), mems: Some("0".to_owned()), ..Cpu::default() };
        let files: Vec<_> = cpuset(&cpu).into_iter().map(|s| (s.file, s.value)).collect();
        assert_eq!(
            files,
            [("cpuset.cpus".to_owned(), "0-1".to_owned()), ("cpuset.mems".to_owned(), "0".to_owned())]
        );
    }
}
