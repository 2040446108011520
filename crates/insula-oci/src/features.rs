//! `features`: what this runtime does, features.md of the specification.

use crate::error::Error;
use crate::flags::{Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_oci::Capability;
use serde_json::json;
use std::process::ExitCode;

/// `features`.
pub const VERB: Verb = Verb {
    name: "features",
    about: "Print what this runtime does, as JSON",
    usage: "",
    flags: &[],
    order: Order::Anywhere,
    go: features,
    failed: tell::FAILED,
};

fn features(_: &Global, _: &Given) -> Result<ExitCode, Error> {
    let capabilities: Vec<&str> = Capability::ALL.into_iter().map(Capability::name).collect();
    let features = json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": insula_oci::VERSION,
        "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
        "mountOptions": insula_runtime::compile::mount_options(),
        "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": capabilities,
            "cgroup": { "v1": true, "v2": true, "systemd": false, "systemdUser": false, "rdma": true },
            "seccomp": {
                "enabled": true,
                "actions": ACTIONS,
                "operators": OPERATORS,
                "knownFlags": FLAGS
            },
            "apparmor": { "enabled": true },
            "selinux": { "enabled": true },
            "intelRdt": { "enabled": false },
            "mountExtensions": { "idmap": { "enabled": true } },
            "netDevices": { "enabled": true }
        },
        "annotations": { "org.insula.version": env!("CARGO_PKG_VERSION") }
    });
    Ok(tell::out(&format!("{features:#}\n")))
}

/// The words of config-linux.md, "Seccomp".
const ACTIONS: &[&str] = &[
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_TRAP",
];
const OPERATORS: &[&str] = &[
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_LE",
    "SCMP_CMP_LT",
    "SCMP_CMP_MASKED_EQ",
    "SCMP_CMP_NE",
];
const FLAGS: &[&str] = &[
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];
