//! One of each cause in what the kernel lacks, rights, and control groups.

use super::{INITIAL, OWN};
use insula_launch::why::Cause;
use insula_launch::why::features::Feature;
use insula_launch::why::groups::Group;
use insula_launch::why::rights::Right;

fn text(text: &str) -> String {
    text.to_owned()
}

pub fn all(all: &mut Vec<Cause>) {
    let release = || text("5.15.0-91-generic");
    all.extend(
        [
            Feature::Call { name: text("open_tree_attr"), since: Some("6.15"), release: release() },
            Feature::Call { name: text("futex_waitv"), since: None, release: release() },
            Feature::Filtered { name: text("fsopen") },
            Feature::Flag { name: "MOVE_MOUNT_BENEATH", since: "6.5", release: release() },
        ]
        .map(Cause::from),
    );
    let lacking =
        |userns| Right::Lacking { capability: "CAP_SYS_ADMIN", matter: "a mount", uid: 1000, userns };
    all.extend(
        [
            lacking(Some(INITIAL)),
            lacking(Some(OWN)),
            lacking(None),
            Right::Elsewhere { capability: "CAP_SYS_ADMIN", kind: "mnt" },
            Right::Elsewhere { capability: "CAP_NET_ADMIN", kind: "net" },
        ]
        .map(Cause::from),
    );
    groups(all);
}

fn groups(all: &mut Vec<Cause>) {
    let directory = || text("/sys/fs/cgroup/web");
    all.extend(
        [
            Group::NotOurs { directory: directory(), owner: 0, uid: 1000 },
            Group::ReadOnly { path: directory() },
            Group::InternalProcesses { directory: directory() },
            Group::NotAvailable { controller: text("memory"), directory: directory() },
            Group::Range("1 to 10000"),
            Group::TooMany,
            Group::InUse,
            Group::Occupied,
            Group::CommonAncestor { directory: directory() },
            Group::EmptyCpuset,
            Group::NoPrograms,
            Group::RealTime,
            Group::Gone,
        ]
        .map(Cause::from),
    );
}
