//! The limits that are a number in a file: `pids`, `hugepageLimits`, `rdma`, `network` (config-linux.md).

use super::setting::{Setting, Settings, number_or_max, unknown};
use crate::error::{Error, Missing};
use crate::mounts::Version;
use insula_oci::resources::{HugepageLimit, Network, Pids, Rdma};
use std::collections::BTreeMap;

/// `pids`: the same file in both versions. 0 becomes 1, as in runc, where systemd knows no 0: the first process is there
/// anyway, and neither lets it fork.
pub fn pids(pids: &Pids) -> Settings {
    let value = match pids.limit {
        Some(0) => Some("1".to_owned()),
        limit => number_or_max("pids.limit", limit)?,
    };
    Ok(value.map(|value| Setting::new("pids", "pids.max", value)).into_iter().collect())
}

/// `hugepageLimits`: pages in use, and since Linux 5.7 those reserved.
pub fn hugepages(limits: &[HugepageLimit], version: Version) -> Settings {
    let mut settings = Vec::new();
    for limit in limits {
        let size = &limit.page_size;
        let unit = size.trim_start_matches(|c: char| c.is_ascii_digit());
        if unit.len() == size.len() || !matches!(unit, "KB" | "MB" | "GB") {
            return Err(Error::invalid("hugepageLimits.pageSize", size, "is no size like 2MB or 1GB"));
        }
        let [used, reserved] = match version {
            Version::V1 => ["limit_in_bytes", "rsvd.limit_in_bytes"],
            Version::V2 => ["max", "rsvd.max"],
        };
        settings.push(Setting::new("hugetlb", &format!("hugetlb.{size}.{used}"), limit.limit));
        settings.push(Setting::new("hugetlb", &format!("hugetlb.{size}.{reserved}"), limit.limit).if_there());
    }
    Ok(settings)
}

/// `rdma`: a line for each device, the same in both versions.
pub fn rdma(devices: &BTreeMap<String, Rdma>) -> Settings {
    let mut settings = Vec::new();
    for (device, limits) in devices {
        if device.is_empty() || device.contains(char::is_whitespace) {
            return Err(Error::invalid("rdma", device, "is no name of a device"));
        }
        let handles = limits.hca_handles.map(|number| format!(" hca_handle={number}"));
        let objects = limits.hca_objects.map(|number| format!(" hca_object={number}"));
        let line = [Some(device.clone()), handles, objects].into_iter().flatten().collect::<String>();
        settings.push(Setting::new("rdma", "rdma.max", line));
    }
    Ok(settings)
}

/// `network`: two controllers of version 1.
pub fn network(network: &Network, version: impl Fn(&str) -> Option<Version>) -> Settings {
    let mut settings = Vec::new();
    if let Some(class) = network.class_id {
        settings.push(Setting::new("net_cls", "net_cls.classid", class));
    }
    for priority in &network.priorities {
        if priority.name.is_empty() || priority.name.contains(char::is_whitespace) {
            return Err(Error::invalid("network.priorities", &priority.name, "is no name of an interface"));
        }
        let line = format!("{} {}", priority.name, priority.priority);
        settings.push(Setting::new("net_prio", "net_prio.ifpriomap", line));
    }
    match settings.iter().find(|setting| version(&setting.controller).is_none()) {
        Some(setting) => {
            Err(unknown(&setting.controller, &setting.file, &setting.value, Missing::Controller))
        }
        None => Ok(settings),
    }
}

/// `unified`: files of version 2 by their names.
pub fn unified(files: &BTreeMap<String, String>, version: impl Fn(&str) -> Option<Version>) -> Settings {
    let mut settings = Vec::new();
    for (file, value) in files {
        let controller = unified_controller(file)?;
        match version(controller) {
            Some(Version::V2) => settings.push(Setting::new(controller, file, value)),
            Some(Version::V1) => return Err(unknown(controller, file, value, Missing::NotOnV1)),
            None => return Err(unknown(controller, file, value, Missing::Controller)),
        }
    }
    Ok(settings)
}

/// The controller of a file of version 2: what stands before the first dot, `cgroup` for the core's own files. Refused is
/// what is no name of a file, and what is no limit: that belongs to those who make, freeze and kill the group.
pub fn unified_controller(file: &str) -> Result<&str, Error> {
    const NO_LIMITS: [&str; 6] = [
        "cgroup.procs",
        "cgroup.threads",
        "cgroup.freeze",
        "cgroup.kill",
        "cgroup.subtree_control",
        "cgroup.type",
    ];
    if NO_LIMITS.contains(&file) {
        return Err(Error::invalid("unified", file, "is no limit"));
    }
    match file.split_once('.') {
        Some((controller, rest)) if !controller.is_empty() && !rest.is_empty() && !file.contains('/') => {
            Ok(controller)
        }
        _ => Err(Error::invalid("unified", file, "is no name of a control file, as memory.high")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insula_oci::resources::InterfacePriority;

    fn lines(settings: Vec<Setting>) -> Vec<String> {
        settings.into_iter().map(|setting| format!("{}={}", setting.file, setting.value)).collect()
    }

    #[test]
    fn tasks() {
        for (limit, written) in
            [(None, None), (Some(20), Some("20")), (Some(-1), Some("max")), (Some(0), Some("1"))]
        {
            let settings = pids(&Pids { limit }).unwrap();
            assert_eq!(settings.first().map(|setting| setting.value.as_str()), written, "{limit:?}");
        }
        assert!(pids(&Pids { limit: Some(-2) }).is_err());
    }

    #[test]
    fn huge_pages_by_size() {
        let limit = |page_size: &str| HugepageLimit { page_size: page_size.to_owned(), limit: 4096 };
        let limits = [limit("2MB")];
        assert_eq!(
            lines(hugepages(&limits, Version::V1).unwrap()),
            ["hugetlb.2MB.limit_in_bytes=4096", "hugetlb.2MB.rsvd.limit_in_bytes=4096"]
        );
        assert_eq!(
            lines(hugepages(&limits, Version::V2).unwrap()),
            ["hugetlb.2MB.max=4096", "hugetlb.2MB.rsvd.max=4096"]
        );
        for size in ["", "2", "MB", "2mb", "2MB/../x", "2MiB"] {
            assert!(hugepages(&[limit(size)], Version::V2).is_err(), "{size}");
        }
    }

    #[test]
    fn rdma_by_device() {
        let both = Rdma { hca_handles: Some(3), hca_objects: Some(4) };
        let one = Rdma { hca_handles: None, hca_objects: Some(5) };
        let devices = BTreeMap::from([("mlx5_1".to_owned(), both), ("ocrdma1".to_owned(), one)]);
        assert_eq!(
            lines(rdma(&devices).unwrap()),
            ["rdma.max=mlx5_1 hca_handle=3 hca_object=4", "rdma.max=ocrdma1 hca_object=5"]
        );
    }

    #[test]
    fn packets_are_classified_by_version_1_only() {
        let priorities = vec![InterfacePriority { name: "eth0".to_owned(), priority: 5 }];
        let both = Network { class_id: Some(0x10_0001), priorities };
        assert_eq!(
            lines(network(&both, |_| Some(Version::V1)).unwrap()),
            ["net_cls.classid=1048577", "net_prio.ifpriomap=eth0 5"]
        );
        assert!(network(&both, |_| None).is_err());
    }

    #[test]
    fn unified_takes_files_of_version_2_that_are_limits() {
        let one = |file: &str| BTreeMap::from([(file.to_owned(), "1".to_owned())]);
        assert_eq!(lines(unified(&one("memory.high"), |_| Some(Version::V2)).unwrap()), ["memory.high=1"]);
        for file in ["memory", "memory.", ".x", "memory./x", "../x.y", "cgroup.procs", "cgroup.kill"] {
            assert!(unified(&one(file), |_| Some(Version::V2)).is_err(), "{file}");
        }
        assert!(matches!(
            unified(&one("memory.high"), |_| Some(Version::V1)),
            Err(Error::Missing { why: Missing::NotOnV1, .. })
        ));
    }
}
