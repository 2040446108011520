//! `linux.devices` and `linux.netDevices` (config-linux.md, "Devices", "Network Devices").

use crate::text;
use serde::{Deserialize, Serialize};

/// A device node (config-linux.md, "Devices"; mknod(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: DeviceKind,
    /// Its absolute path in the container.
    pub path: String,
    /// The major number; not for a FIFO.
    #[serde(default)]
    pub major: i64,
    /// The minor number; not for a FIFO.
    #[serde(default)]
    pub minor: i64,
    /// The mode, in JSON a decimal number; engines in Go may set bits above 0o7777, which mean nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_mode: Option<u32>,
    /// Its owner, in the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Its group, in the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
}

/// The kind of a device node (config-linux.md, "Devices"; mknod(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeviceKind {
    /// A character device.
    #[serde(rename = "c")]
    Char,
    /// A block device.
    #[serde(rename = "b")]
    Block,
    /// An unbuffered character device, on Linux the same.
    #[serde(rename = "u")]
    Unbuffered,
    /// A FIFO.
    #[serde(rename = "p")]
    Fifo,
}

/// A network device that is moved (config-linux.md, "Network Devices").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetDevice {
    /// Its name in the container; absent keeps the one it has.
    #[serde(deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
