//! The kernel's rules for a map, in its order, on facts: pure. map_write() and new_idmap_permitted() of user_namespace.c.

use super::IdMaps;
use crate::id_map::IdMap;
use crate::why::act::Ids;
use crate::why::user_namespace::UserNamespace;

/// The most lines, `UID_GID_MAP_MAX_EXTENTS`, user_namespaces(7).
pub const MOST_LINES: usize = 340;
/// What one write(2) of a map may not reach: a page, user_namespaces(7).
pub const PAGE_BYTES: usize = 4096;

/// What is known of the user namespace and of who writes.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Which map it is.
    pub ids: Ids,
    /// The user namespace whose map it is.
    pub user: UserNamespace,
    /// It has been written.
    pub written: bool,
    /// The writer's own effective id, in the user namespace above.
    pub own: u32,
    /// The writer's effective user id there.
    pub uid: u32,
    /// Who made the user namespace; `None`: not to be seen.
    pub owner: Option<u32>,
    /// The writer has CAP_SYS_ADMIN in the user namespace above.
    pub admin: bool,
    /// CAP_SETUID or CAP_SETGID, whichever the map wants, there.
    pub any: bool,
    /// CAP_SETFCAP there; of a process inside: when it made the user namespace.
    pub setfcap: bool,
    /// setgroups(2) is denied.
    pub denied: bool,
    /// What the user namespace above has; `None`: not to be seen.
    pub above: Option<Vec<IdMap>>,
}

/// The first rule that the lines break.
pub(super) fn broken(lines: &[IdMap], facts: &Facts) -> Option<IdMaps> {
    let ids = facts.ids;
    if facts.user.is_initial() {
        return Some(IdMaps::Initial);
    }
    if let Some(wrong) = senseless(lines, ids) {
        return Some(wrong);
    }
    if facts.written {
        return Some(IdMaps::Written(ids));
    }
    let owner = facts.owner == Some(facts.uid);
    if !owner && facts.owner.is_some() && !facts.admin {
        return Some(IdMaps::NotOurs { user: facts.user, uid: facts.uid });
    }
    let root = lines.iter().find(|line| ids == Ids::User && line.holds(0, false));
    if let Some(line) = root.filter(|_| !facts.setfcap) {
        return Some(IdMaps::RootWithoutSetfcap(*line));
    }
    if !facts.any
        && let Some(wrong) = not_permitted(lines, facts)
    {
        return Some(wrong);
    }
    let above = facts.above.as_ref()?;
    let line = lines.iter().find(|line| !holds(above, line))?;
    Some(IdMaps::Unmapped { ids, line: *line, above: above.clone() })
}

/// EINVAL: what no kernel takes.
fn senseless(lines: &[IdMap], ids: Ids) -> Option<IdMaps> {
    let bytes = lines.iter().map(|line| line.to_string().len() + 1).sum::<usize>();
    if lines.len() > MOST_LINES {
        return Some(IdMaps::TooManyLines(ids, lines.len()));
    }
    if bytes >= PAGE_BYTES {
        return Some(IdMaps::TooLong(ids, bytes));
    }
    let is_none = |first: u32, size: u32| {
        let last = size.checked_sub(1).and_then(|more| first.checked_add(more));
        last.is_none_or(|last| last == u32::MAX)
    };
    let wrong = lines.iter().find(|line| is_none(line.inside, line.size) || is_none(line.outside, line.size));
    if let Some(line) = wrong {
        return Some(IdMaps::NoRange(ids, *line));
    }
    let shares =
        |a: u32, a_size: u32, b: u32, b_size: u32| a.max(b) <= (a + (a_size - 1)).min(b + (b_size - 1));
    let mut pairs =
        lines.iter().enumerate().flat_map(|(i, other)| lines[..i].iter().map(move |one| (one, other)));
    let (one, other) = pairs.find(|(a, b)| {
        shares(a.inside, a.size, b.inside, b.size) || shares(a.outside, a.size, b.outside, b.size)
    })?;
    Some(IdMaps::Overlap(ids, *one, *other))
}

/// Without CAP_SETUID or CAP_SETGID above: one id, the own one, and a group only where setgroups(2) is denied.
fn not_permitted(lines: &[IdMap], facts: &Facts) -> Option<IdMaps> {
    let ids = facts.ids;
    match lines {
        [line] if line.size == 1 && line.outside != facts.own => {
            Some(IdMaps::NotOwnId { ids, line: *line, own: facts.own })
        }
        [line] if line.size == 1 => (ids == Ids::Group && !facts.denied).then_some(IdMaps::SetgroupsFirst),
        _ => {
            let count = lines.iter().map(|line| u64::from(line.size)).sum();
            Some(IdMaps::SeveralIds { ids, lines: lines.len(), count })
        }
    }
}

/// Are all ids outside of a line in one range of the map above? The kernel does not join ranges.
fn holds(above: &[IdMap], line: &IdMap) -> bool {
    let last = line.outside + (line.size - 1);
    above.iter().any(|range| range.holds(line.outside, true) && range.holds(last, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(ids: Ids) -> Facts {
        let user = UserNamespace { inode: 1, owner: Some(1000) };
        let above = Some(vec![IdMap { inside: 0, outside: 0, size: u32::MAX }]);
        let (written, denied) = (false, ids == Ids::Group);
        Facts {
            ids,
            user,
            written,
            own: 1000,
            uid: 1000,
            owner: Some(1000),
            admin: false,
            any: false,
            setfcap: false,
            denied,
            above,
        }
    }

    fn lines(rows: &[(u32, u32, u32)]) -> Vec<IdMap> {
        rows.iter().map(|&(inside, outside, size)| IdMap { inside, outside, size }).collect()
    }

    fn key(rows: &[(u32, u32, u32)], ids: Ids, change: impl Fn(&mut Facts)) -> Option<&'static str> {
        let mut facts = facts(ids);
        change(&mut facts);
        broken(&lines(rows), &facts).map(|cause| cause.key())
    }

    #[test]
    fn each_rule_is_found_where_it_is_broken_and_nowhere_else() {
        let user = |rows: &[(u32, u32, u32)], change: fn(&mut Facts)| key(rows, Ids::User, change);
        let own = &[(0, 1000, 1)][..];
        assert_eq!(user(own, |_| {}), None);
        assert_eq!(user(own, |facts| facts.written = true), Some("id-map-written"));
        assert_eq!(user(own, |facts| facts.uid = 7), Some("id-map-not-ours"));
        assert_eq!(user(own, |facts| (facts.uid, facts.owner) = (7, None)), None);
        assert_eq!(user(own, |facts| (facts.uid, facts.admin) = (7, true)), None);
        assert_eq!(user(own, |facts| facts.user.inode = 4_026_531_837), Some("id-map-initial"));
        assert_eq!(user(&[(0, 1001, 1)], |_| {}), Some("id-map-not-own-id"));
        assert_eq!(user(&[(0, 1001, 1)], |facts| facts.any = true), None);
        assert_eq!(user(&[(0, 1000, 2)], |_| {}), Some("id-map-several-ids"));
        assert_eq!(user(&[(0, 1000, 1), (1, 5, 1)], |_| {}), Some("id-map-several-ids"));
        assert_eq!(user(&[(0, 1000, 2)], |facts| facts.any = true), None);
        assert_eq!(user(&[(0, 0, 5)], |facts| facts.any = true), Some("id-map-root-without-setfcap"));
        assert_eq!(user(&[(0, 0, 5)], |facts| (facts.any, facts.setfcap) = (true, true)), None);
        let small = |facts: &mut Facts| {
            (facts.any, facts.above) = (true, Some(lines(&[(0, 7, 10), (10, 100, 10)])));
        };
        assert_eq!(user(&[(0, 5, 6)], small), Some("id-map-unmapped-above"));
        assert_eq!(user(&[(0, 5, 5)], small), None);
        assert_eq!(user(&[(0, 0, 0)], |_| {}), Some("id-map-no-range"));
        assert_eq!(user(&[(0, u32::MAX - 1, 2)], |_| {}), Some("id-map-no-range"));
        assert_eq!(user(&[(0, 1, 5), (5, 5, 2)], |_| {}), Some("id-map-overlap"));
        assert_eq!(user(&[(0, 1, 5), (4, 9, 2)], |_| {}), Some("id-map-overlap"));
        let many: Vec<_> = (0..341).map(|n| (n, n, 1)).collect();
        assert_eq!(user(&many, |_| {}), Some("id-map-too-many-lines"));
        let long: Vec<_> = (0..300).map(|n| (4_000_000_000 + 2 * n, 4_000_000_000 + 2 * n, 1)).collect();
        assert_eq!(user(&long, |_| {}), Some("id-map-too-long"));
    }

    #[test]
    fn a_group_wants_setgroups_denied() {
        assert_eq!(key(&[(0, 1000, 1)], Ids::Group, |_| {}), None);
        assert_eq!(
            key(&[(0, 1000, 1)], Ids::Group, |facts| facts.denied = false),
            Some("id-map-setgroups-first")
        );
        let with_capability = |facts: &mut Facts| (facts.denied, facts.any) = (false, true);
        assert_eq!(key(&[(0, 1000, 1)], Ids::Group, with_capability), None);
        assert_eq!(key(&[(0, 0, 1)], Ids::Group, with_capability), None);
    }
}
