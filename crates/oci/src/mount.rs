//! `mounts`: what is mounted over the root, in this order (config.md, "Mounts").

use crate::{namespace::IdMapping, text};
use serde::{Deserialize, Serialize};

/// One mount (config.md, "Mounts"; `mount(8)` for the options).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// Where in the container: an absolute path; runtimes take a relative one as relative to `/`.
    pub destination: String,
    /// `type`: the file system, as in `/proc/filesystems`; for a bind mount `bind`, `none` or absent.
    #[serde(
        rename = "type",
        default,
        deserialize_with = "text::non_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// A device, a name, or for a bind mount a path on the host, relative to the bundle if it is not absolute.
    #[serde(default, deserialize_with = "text::non_empty", skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Options in the manner of fstab(5), among them `bind`, `rbind`, `idmap`, `ridmap`, `tmpcopyup`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// User ids of the file system to those of the mount (`MOUNT_ATTR_IDMAP`, mount_setattr(2)); only along with
    /// [`gid_mappings`](Mount::gid_mappings).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uid_mappings: Vec<IdMapping>,
    /// Group ids, likewise; only along with [`uid_mappings`](Mount::uid_mappings).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gid_mappings: Vec<IdMapping>,
}
