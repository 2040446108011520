//! Which ids a container gets where nobody said.
//!
//! As root: 65,536 ids, shifted into a range that no account has (docs/design/004). Root inside is nobody outside. As a
//! user with subordinate ids: the own id as 0, the granted ones above. Else: the own id as 0, and no other.

use insula_launch::host::Host;
use insula_launch::host::ids::{Ids, Range};
use insula_oci::IdMapping;

/// How many ids a container has: those of a whole small system, `nobody` (65534) included.
pub const COUNT: u32 = 65_536;
/// The first host id that is used for shifted ranges. systemd's "UIDs and GIDs" calls 1879048192–2147483647 unused.
const FIRST: u32 = 0x7000_0000;
/// How many ranges there are from [`FIRST`] below 2^31, less the last few that systemd keeps for foreign images.
const RANGES: u32 = 0x0eff;

/// What a caller may ask for: `--userns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// The best that this user can have.
    #[default]
    Auto,
    /// A user namespace in which every id is itself.
    Identity,
    /// The caller's own id keeps its number.
    KeepId,
}

/// The maps of both kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maps {
    /// `linux.uidMappings`.
    pub uid: Vec<IdMapping>,
    /// `linux.gidMappings`.
    pub gid: Vec<IdMapping>,
}

/// Chooses the maps.
pub fn choose(host: &Host, choice: Choice) -> Maps {
    let ids = host.ids();
    if ids.may_map_any() {
        let both = |map: Vec<IdMapping>| Maps { uid: map.clone(), gid: map };
        return match choice {
            Choice::Auto => both(vec![map(0, shifted(ids), COUNT)]),
            Choice::Identity | Choice::KeepId => both(vec![map(0, 0, u32::MAX)]),
        };
    }
    let granted = ids.may_ask_helpers();
    let of = |own: u32, ranges: &[Range]| {
        let ranges = if granted { ranges } else { &[] };
        match choice {
            Choice::Auto => root_is_own(own, ranges),
            Choice::Identity | Choice::KeepId => own_is_own(own, ranges),
        }
    };
    Maps { uid: of(ids.uid, &ids.subuids), gid: of(ids.gid, &ids.subgids) }
}

/// A range that depends on the caller's pid, so that containers that run at the same time rarely share one. Sharing is
/// no breach: they are in different user namespaces.
fn shifted(ids: &Ids) -> u32 {
    FIRST + (ids.pid % RANGES) * COUNT
}

fn map(container_id: u32, host_id: u32, size: u32) -> IdMapping {
    IdMapping { container_id, host_id, size }
}

/// 0 is the own id, the granted ranges follow from 1.
fn root_is_own(own: u32, ranges: &[Range]) -> Vec<IdMapping> {
    let mut maps = vec![map(0, own, 1)];
    fill(&mut maps, ranges, 1, COUNT);
    maps
}

/// The own id keeps its number; the granted ranges fill the numbers around it, 0 among them.
fn own_is_own(own: u32, ranges: &[Range]) -> Vec<IdMapping> {
    let mut maps = Vec::new();
    let rest = fill(&mut maps, ranges, 0, own);
    maps.push(map(own, own, 1));
    fill(&mut maps, &rest, own.saturating_add(1), COUNT);
    maps
}

/// Maps container ids from `from` up to (not with) `to` on the ranges in order; returns what is left of them.
fn fill(maps: &mut Vec<IdMapping>, ranges: &[Range], from: u32, to: u32) -> Vec<Range> {
    let mut next = from;
    let mut rest = Vec::new();
    for range in ranges {
        let size = range.count.min(to.saturating_sub(next));
        if size > 0 {
            maps.push(map(next, range.first, size));
            next += size;
        }
        if range.count > size {
            rest.push(Range { first: range.first + size, count: range.count - size });
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_with_ranges_is_root_inside() {
        let ranges = [Range { first: 100_000, count: 65_536 }];
        assert_eq!(root_is_own(1000, &ranges), [map(0, 1000, 1), map(1, 100_000, 65_535)]);
        assert_eq!(root_is_own(1000, &[]), [map(0, 1000, 1)]);
    }

    #[test]
    fn a_kept_id_lies_among_the_granted_ones() {
        let ranges = [Range { first: 100_000, count: 65_536 }];
        assert_eq!(
            own_is_own(1000, &ranges),
            [map(0, 100_000, 1000), map(1000, 1000, 1), map(1001, 101_000, 64_535)]
        );
    }
}
