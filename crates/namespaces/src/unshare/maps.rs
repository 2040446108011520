//! The id maps of a user namespace whose first process somebody else maps, from outside.

use super::id_ranges::{lines, no_range, refused};
use super::request::{Caller, IdsAsked};
use crate::error::Error;
use insula_launch::step::map_ids::{IdMap, Writer};

/// The maps, and what follows from them.
#[derive(Debug, Clone)]
pub(crate) struct Maps {
    /// `uid_map`.
    pub(crate) uid: Vec<IdMap>,
    /// `gid_map`.
    pub(crate) gid: Vec<IdMap>,
    /// The user and group id that the first process takes on: our own where they are mapped, else root's.
    pub(crate) own: (u32, u32),
    /// setgroups(2) is denied: it was asked for, or the kernel wants it.
    pub(crate) deny_setgroups: bool,
    /// Who writes them.
    pub(crate) writer: Writer,
}

/// Makes them. Where `with_own` is set our own ids are mapped in any case, to root's if nothing else is asked for.
pub(crate) fn maps(
    users: &IdsAsked,
    groups: &IdsAsked,
    setgroups: Option<bool>,
    caller: Caller,
    with_own: bool,
) -> Result<Maps, Error> {
    let (uid, own_uid) = map(users, caller.uid, with_own, "--map-users")?;
    let (gid, own_gid) = map(groups, caller.gid, with_own, "--map-groups")?;
    let is_own = |lines: &[IdMap], own: u32| matches!(lines, [one] if one.size == 1 && one.outside == own);
    let own_group = is_own(&gid, caller.gid) && !caller.may_map_any;
    if setgroups == Some(true) && own_group {
        return Err(asked(
            "--setgroups allow",
            "the kernel maps the own group only where setgroups(2) is denied",
            "map ranges as well: `--map-auto`, or `--map-groups` with `all`, `auto`, `subids` or INNER:OUTER:COUNT",
        ));
    }
    let is_direct = caller.may_map_any || own_group && is_own(&uid, caller.uid);
    Ok(Maps {
        own: (own_uid, own_gid),
        deny_setgroups: own_group || setgroups == Some(false),
        writer: if is_direct { Writer::Direct } else { Writer::Helpers },
        uid,
        gid,
    })
}

/// The lines, and the id that we have inside.
fn map(ids: &IdsAsked, outside: u32, with_own: bool, flag: &str) -> Result<(Vec<IdMap>, u32), Error> {
    let own = ids.own.or((with_own || ids.ranges.is_empty()).then_some(0));
    let lines = lines(own.map(|inside| (inside, outside)), &ids.ranges);
    if let Some((what, reason)) = no_range(&ids.ranges).or_else(|| refused(&lines)) {
        return Err(asked(
            &format!("{flag} {what}"),
            &reason,
            "see user_namespaces(7), \"uid_map and gid_map\"",
        ));
    }
    let lowest = lines.iter().map(|line| line.inside).min().unwrap_or(0);
    Ok((lines, own.unwrap_or(lowest)))
}

fn asked(what: &str, reason: &str, hint: &str) -> Error {
    Error::Asked { what: what.to_owned(), reason: reason.to_owned(), hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::super::IdRange;
    use super::*;

    fn made(own: Option<u32>, ranges: &[IdRange], is_root: bool) -> Maps {
        let ids = IdsAsked { own, ranges: ranges.to_vec() };
        let caller = Caller { uid: 1000, gid: 1000, may_map_any: is_root };
        maps(&ids, &ids, None, caller, !is_root).expect("a map")
    }

    #[test]
    fn our_own_ids_are_roots_where_nothing_else_is_said() {
        let one = made(None, &[], false);
        assert_eq!(one.uid, [IdMap { inside: 0, outside: 1000, size: 1 }]);
        assert_eq!((one.own, one.deny_setgroups, one.writer), ((0, 0), true, Writer::Direct));
    }

    #[test]
    fn ranges_stand_beside_our_own_ids() {
        let range = IdRange { inside: None, outside: 100_000, count: 65_536 };
        let both = made(None, &[range], false);
        assert_eq!(
            both.uid.iter().map(|line| (line.inside, line.outside)).collect::<Vec<_>>(),
            [(0, 1000), (1, 100_000)]
        );
        assert_eq!((both.own, both.deny_setgroups, both.writer), ((0, 0), false, Writer::Helpers));
        // Root may leave its own out.
        let range = IdRange { inside: Some(5), ..range };
        let alone = made(None, &[range], true);
        assert_eq!((alone.uid.len(), alone.own, alone.writer), (1, (5, 5), Writer::Direct));
    }

    #[test]
    fn setgroups_is_not_allowed_for_a_single_group() {
        let ids = IdsAsked::default();
        let caller = Caller { uid: 1000, gid: 1000, may_map_any: false };
        assert!(maps(&ids, &ids, Some(true), caller, true).is_err());
    }
}
