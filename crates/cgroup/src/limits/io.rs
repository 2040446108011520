//! `blockIO`: config-linux.md, "Block IO"; the kernel's blkio-controller.rst and cgroup-v2.rst, "IO".

use super::convert;
use super::setting::{Look, Setting, Settings, unknown};
use crate::error::{Error, Missing};
use crate::mounts::Version;
use insula_oci::resources::{BlockIo, ThrottleDevice};

/// The range of a weight in the specification.
const WEIGHTS: std::ops::RangeInclusive<u16> = 10..=1000;

/// The writes, for a group of which `look` reads the present values.
pub fn settings(io: &BlockIo, version: Version, look: Look<'_>) -> Settings {
    let devices = io.weight_device.iter();
    let weights =
        devices.flat_map(|device| [device.weight, device.leaf_weight]).chain([io.weight, io.leaf_weight]);
    // 0 is as absent: Docker writes it for no weight.
    for weight in weights.flatten().filter(|weight| *weight != 0) {
        if !WEIGHTS.contains(&weight) {
            return Err(Error::invalid("blockIO.weight", weight, "is not within 10 and 1000"));
        }
    }
    match version {
        Version::V1 => Ok(v1(io, look)),
        Version::V2 => v2(io, look),
    }
}

/// The four lists of rates: the file of version 1, and the key of `io.max`.
fn throttles(io: &BlockIo) -> [(&'static str, &'static str, &[ThrottleDevice]); 4] {
    [
        ("blkio.throttle.read_bps_device", "rbps", &io.throttle_read_bps_device),
        ("blkio.throttle.write_bps_device", "wbps", &io.throttle_write_bps_device),
        ("blkio.throttle.read_iops_device", "riops", &io.throttle_read_iops_device),
        ("blkio.throttle.write_iops_device", "wiops", &io.throttle_write_iops_device),
    ]
}

fn v1(io: &BlockIo, look: Look<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut push = |file: &str, value: String| settings.push(Setting::new("blkio", file, value));
    // Which scheduler has weights: CFQ until Linux 5.0, BFQ since.
    let scheduler = if look("blkio.weight").is_some() { "blkio" } else { "blkio.bfq" };
    let given = |weight: Option<u16>| weight.filter(|weight| *weight != 0);
    if let Some(weight) = given(io.weight) {
        push(&format!("{scheduler}.weight"), weight.to_string());
    }
    if let Some(weight) = given(io.leaf_weight) {
        push("blkio.leaf_weight", weight.to_string());
    }
    for device in &io.weight_device {
        let number = format!("{}:{}", device.major, device.minor);
        if let Some(weight) = given(device.weight) {
            push(&format!("{scheduler}.weight_device"), format!("{number} {weight}"));
        }
        if let Some(weight) = given(device.leaf_weight) {
            push("blkio.leaf_weight_device", format!("{number} {weight}"));
        }
    }
    for (file, _, devices) in throttles(io) {
        for device in devices {
            // 0 takes the rule away.
            push(file, format!("{}:{} {}", device.major, device.minor, device.rate));
        }
    }
    settings
}

fn v2(io: &BlockIo, look: Look<'_>) -> Settings {
    let mut settings = Vec::new();
    let given = |weight: Option<u16>| weight.filter(|weight| *weight != 0);
    // BFQ's file takes the specification's range as it is; io.weight (the cost model's) has its own.
    let bfq = look("io.bfq.weight").is_some();
    let (file, scaled): (_, fn(u16) -> u64) =
        if bfq { ("io.bfq.weight", u64::from) } else { ("io.weight", convert::io_weight) };
    if let Some(weight) = given(io.weight) {
        settings.push(Setting::new("io", file, format!("default {}", scaled(weight))));
    }
    for device in &io.weight_device {
        if let Some(weight) = given(device.weight) {
            let value = format!("{}:{} {}", device.major, device.minor, scaled(weight));
            settings.push(Setting::new("io", file, value));
        }
    }
    let devices = io.weight_device.iter();
    if let Some(weight) =
        devices.filter_map(|device| given(device.leaf_weight)).chain(given(io.leaf_weight)).next()
    {
        return Err(unknown("io", "blkio.leaf_weight", weight, Missing::NotOnV2));
    }
    for (_, key, devices) in throttles(io) {
        for device in devices {
            let rate = if device.rate == 0 { "max".to_owned() } else { device.rate.to_string() };
            settings.push(Setting::new(
                "io",
                "io.max",
                format!("{}:{} {key}={rate}", device.major, device.minor),
            ));
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insula_oci::resources::WeightDevice;

    fn written(io: &BlockIo, version: Version, there: &[&str]) -> Vec<String> {
        let look = |asked: &str| there.contains(&asked).then(String::new);
        let settings = settings(io, version, &look).unwrap();
        settings.into_iter().map(|setting| format!("{}={}", setting.file, setting.value)).collect()
    }

    #[test]
    fn a_weight_goes_where_the_scheduler_has_it() {
        let device = WeightDevice { major: 8, minor: 16, weight: Some(100), leaf_weight: None };
        let io = BlockIo { weight: Some(500), weight_device: vec![device], ..BlockIo::default() };
        assert_eq!(
            written(&io, Version::V1, &["blkio.weight"]),
            ["blkio.weight=500", "blkio.weight_device=8:16 100"]
        );
        assert_eq!(
            written(&io, Version::V1, &[]),
            ["blkio.bfq.weight=500", "blkio.bfq.weight_device=8:16 100"]
        );
        assert_eq!(
            written(&io, Version::V2, &["io.bfq.weight"]),
            ["io.bfq.weight=default 500", "io.bfq.weight=8:16 100"]
        );
        assert_eq!(written(&io, Version::V2, &[]), ["io.weight=default 4950", "io.weight=8:16 910"]);
    }

    #[test]
    fn rates_are_lines_of_io_max() {
        let device = |rate| vec![ThrottleDevice { major: 254, minor: 0, rate }];
        let io = BlockIo {
            throttle_read_bps_device: device(1_048_576),
            throttle_write_iops_device: device(0),
            ..BlockIo::default()
        };
        assert_eq!(
            written(&io, Version::V1, &[]),
            ["blkio.throttle.read_bps_device=254:0 1048576", "blkio.throttle.write_iops_device=254:0 0"]
        );
        assert_eq!(
            written(&io, Version::V2, &[]),
            ["io.max=254:0 rbps=1048576", "io.max=254:0 wiops=max"],
            "version 2 refuses 0"
        );
    }

    #[test]
    fn a_weight_outside_its_range_and_a_leaf_weight_on_version_2_are_refused() {
        for weight in [1, 9, 1001] {
            let io = BlockIo { weight: Some(weight), ..BlockIo::default() };
            assert!(settings(&io, Version::V2, &|_| None).is_err(), "{weight}");
        }
        let io = BlockIo { leaf_weight: Some(100), ..BlockIo::default() };
        assert!(settings(&io, Version::V2, &|_| None).is_err());
        assert!(written(&BlockIo { weight: Some(0), ..BlockIo::default() }, Version::V1, &[]).is_empty());
    }
}
