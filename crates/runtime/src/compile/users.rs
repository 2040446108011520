//! The user namespace: who writes its maps, and what they allow.

use super::draft::Draft;
use insula_launch::step::map_ids::{IdMap, Writer};
use insula_launch::step::{MapIds, OwnIds};
use insula_oci::{IdMapping, NamespaceKind};

/// The maps of a new user namespace.
pub(super) fn push_maps(draft: &mut Draft<'_>) {
    let (uid, gid) = (&draft.linux.uid_mappings, &draft.linux.gid_mappings);
    if !draft.makes(NamespaceKind::User) {
        if !draft.in_user_namespace() && (!uid.is_empty() || !gid.is_empty()) {
            draft.fault("linux.uidMappings", "there are maps, but no user namespace in linux.namespaces");
        }
        return;
    }
    for (field, maps) in [("linux.uidMappings", uid), ("linux.gidMappings", gid)] {
        check(draft, field, maps);
    }
    let ids = draft.host.ids();
    let any = ids.may_map_any();
    let single = |maps: &[IdMapping], own: u32| matches!(maps, [one] if one.size == 1 && one.host_id == own);
    let direct = any || (single(uid, ids.uid) && single(gid, ids.gid));
    let step = MapIds {
        uid: uid.iter().map(line).collect(),
        gid: gid.iter().map(line).collect(),
        deny_setgroups: !groups_allowed(draft),
        writer: if direct { Writer::Direct } else { Writer::Helpers },
    };
    draft.parent.push(step.into());
}

/// The kernel allows setgroups(2) where a privileged process has written gid_map; an unprivileged one must deny it first.
pub(super) fn groups_allowed(draft: &Draft<'_>) -> bool {
    let ids = draft.host.ids();
    if !draft.makes(NamespaceKind::User) {
        return ids.may_map_any();
    }
    let own_only =
        matches!(draft.linux.gid_mappings.as_slice(), [one] if one.size == 1 && one.host_id == ids.gid);
    ids.may_map_any() || !own_only
}

/// The ids that the newborn takes on: 0, or the first that is mapped where 0 is not (`--userns keep-id` with one id).
pub(super) fn own_ids(draft: &Draft<'_>) -> OwnIds {
    let own = |maps: &[IdMapping]| {
        let zero = maps.is_empty() || maps.iter().any(|map| map.container_id == 0);
        if zero { 0 } else { maps.iter().map(|map| map.container_id).min().unwrap_or(0) }
    };
    OwnIds {
        uid: own(&draft.linux.uid_mappings),
        gid: own(&draft.linux.gid_mappings),
        leave_groups: groups_allowed(draft),
    }
}

pub(super) fn line(map: &IdMapping) -> IdMap {
    IdMap { inside: map.container_id, outside: map.host_id, size: map.size }
}

/// The kernel's rules for a map, user_namespaces(7): no empty line, no overflow, no overlap, at most 340 lines.
pub(super) fn check(draft: &mut Draft<'_>, field: &str, maps: &[IdMapping]) {
    const MOST: usize = 340;
    if maps.is_empty() {
        draft.fault(field, "a new user namespace needs at least one line");
    }
    if maps.len() > MOST {
        // Each line is compared with those before it: not with as many as a configuration can hold.
        return draft.fault(field, format!("{} lines, the kernel takes {MOST}", maps.len()));
    }
    for (i, map) in maps.iter().enumerate() {
        let at = format!("{field}[{i}]");
        if map.size == 0 {
            draft.fault(&at, "size is 0");
        }
        if map.container_id.checked_add(map.size).is_none() || map.host_id.checked_add(map.size).is_none() {
            draft.fault(&at, "the range goes beyond the last id (4294967294)");
        }
        let overlaps = |a: u32, b: u32, other: &IdMapping, c: u32| {
            u64::from(a) < u64::from(c) + u64::from(other.size) && u64::from(c) < u64::from(a) + u64::from(b)
        };
        for other in &maps[..i] {
            if overlaps(map.container_id, map.size, other, other.container_id)
                || overlaps(map.host_id, map.size, other, other.host_id)
            {
                draft.fault(&at, "it overlaps a line before it");
            }
        }
    }
}
