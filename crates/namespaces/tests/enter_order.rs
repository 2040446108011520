//! The order of joins: laws on all combinations, and a model of the kernel's checks: what any order reaches, ours does.
#![forbid(unsafe_code)]

use insula_launch::plan::Kind;
use insula_launch::step::same_namespaces::Seen;
use insula_namespaces::enter::facts::{Found, Join, Rights};
use insula_namespaces::enter::order::{Entry, order};

/// Both rights, as they can be.
const RIGHTS: [Rights; 4] = [
    Rights { sys_admin: false, sys_chroot: false },
    Rights { sys_admin: false, sys_chroot: true },
    Rights { sys_admin: true, sys_chroot: false },
    Rights { sys_admin: true, sys_chroot: true },
];

fn join(kind: Kind, open: bool) -> Join {
    let found = if open { Found::Open("/file".to_owned()) } else { Found::AtTarget };
    Join { seen: Seen { kind, device: 4, inode: 1 }, found }
}

/// Each of `kinds` absent, at the target, or open: all combinations.
fn combinations(kinds: &[Kind]) -> Vec<Vec<Join>> {
    kinds.iter().fold(vec![Vec::new()], |all, kind| {
        all.into_iter()
            .flat_map(|joins| {
                let with = |open| [joins.clone(), vec![join(*kind, open)]].concat();
                [with(false), with(true), joins.clone()]
            })
            .collect()
    })
}

fn kinds<'a>(entry: &'a Entry<'_>) -> &'a [Kind] {
    match entry {
        Entry::Target(kinds) => kinds,
        Entry::Open(join) => std::slice::from_ref(&join.seen.kind),
    }
}

#[test]
fn each_kind_is_entered_once() {
    for joins in combinations(&Kind::ALL) {
        for rights in RIGHTS {
            let mut entered: Vec<Kind> =
                order(&joins, rights).iter().flat_map(|entry| kinds(entry).to_vec()).collect();
            entered.sort();
            let asked: Vec<Kind> = joins.iter().map(|join| join.seen.kind).collect();
            assert_eq!(entered, asked, "{rights:?}");
        }
    }
}

#[test]
fn with_rights_of_our_own_the_user_namespace_is_last() {
    let rights = Rights { sys_admin: true, sys_chroot: true };
    for joins in combinations(&Kind::ALL) {
        let order = order(&joins, rights);
        let user = order.iter().position(|entry| kinds(entry).contains(&Kind::User));
        assert!(user.is_none_or(|at| at + 1 == order.len()), "{order:?}");
    }
}

#[test]
fn without_rights_of_our_own_the_user_namespace_is_first() {
    let rights = Rights { sys_admin: false, sys_chroot: true };
    for joins in combinations(&Kind::ALL) {
        let order = order(&joins, rights);
        let user = order.iter().position(|entry| kinds(entry).contains(&Kind::User));
        assert!(user.is_none_or(|at| at == 0), "{order:?}");
    }
}

#[test]
fn what_the_target_has_is_entered_in_one_call() {
    for rights in RIGHTS {
        let joins: Vec<Join> = Kind::ALL.into_iter().map(|kind| join(kind, false)).collect();
        // But for a mount namespace that wants a capability which only its user namespace gives.
        let calls = if rights == RIGHTS[2] { 2 } else { 1 };
        assert_eq!(order(&joins, rights).len(), calls, "{rights:?}");
    }
}

#[test]
fn a_mount_namespace_is_the_last_of_its_call() {
    for joins in combinations(&[Kind::User, Kind::Mnt, Kind::Pid, Kind::Net]) {
        for entry in order(&joins, RIGHTS[0]) {
            let at = kinds(&entry).iter().position(|kind| *kind == Kind::Mnt);
            assert!(at.is_none_or(|at| at + 1 == kinds(&entry).len()), "{entry:?}");
        }
    }
}

/// Who enters, in the model: a process in a user namespace, and one below that which it may enter.
#[derive(Clone, Copy)]
struct Process {
    rights: Rights,
    /// The user who made the user namespace below, and so has every right in it.
    is_owner: bool,
    /// It is in the user namespace below.
    below: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Cap {
    SysAdmin,
    SysChroot,
}

impl Process {
    /// `ns_capable()`, security/commoncap.c: is `below` the user namespace in question, or the one above?
    fn capable(self, below: bool, cap: Cap) -> bool {
        let own = if cap == Cap::SysAdmin { self.rights.sys_admin } else { self.rights.sys_chroot };
        match (self.below, below) {
            (true, below) => below,
            (false, true) => own || self.is_owner,
            (false, false) => own,
        }
    }

    /// The `install` of each kind, where `owned_below` says whose the namespace is, and `into_below` in which user
    /// namespace the process will be after the call.
    fn may(self, kind: Kind, owned_below: bool, into_below: bool) -> bool {
        let admin = |below| self.capable(below, Cap::SysAdmin);
        match kind {
            Kind::User => !self.below && admin(true),
            Kind::Mnt => admin(owned_below) && self.capable(into_below, Cap::SysChroot) && admin(into_below),
            _ => admin(owned_below) && admin(into_below),
        }
    }

    /// setns(2) of some kinds at once: all or none.
    fn enter(&mut self, kinds: &[Kind], owned_below: &dyn Fn(Kind) -> bool) -> bool {
        let into_below = self.below || kinds.contains(&Kind::User);
        let may = kinds.iter().all(|kind| self.may(*kind, owned_below(*kind), into_below));
        self.below = if may { into_below } else { self.below };
        may
    }
}

fn permutations(kinds: &[Kind]) -> Vec<Vec<Kind>> {
    if kinds.is_empty() {
        return vec![Vec::new()];
    }
    let each = kinds.iter().enumerate().flat_map(|(i, first)| {
        let rest = [&kinds[..i], &kinds[i + 1..]].concat();
        permutations(&rest).into_iter().map(move |rest| [vec![*first], rest].concat()).collect::<Vec<_>>()
    });
    each.collect()
}

#[test]
fn what_any_order_reaches_ours_does_without_a_second_attempt() {
    let four = [Kind::User, Kind::Mnt, Kind::Net, Kind::Uts];
    let (mut reached, mut tried) = (0, 0);
    for joins in combinations(&four) {
        let asked: Vec<Kind> = joins.iter().map(|join| join.seen.kind).collect();
        for (rights, is_owner) in RIGHTS.into_iter().flat_map(|rights| [(rights, false), (rights, true)]) {
            // Who owns the mount, the network and the UTS namespace.
            for owners in 0..8_u32 {
                let owned_below = |kind: Kind| match kind {
                    Kind::Mnt => owners & 1 != 0,
                    Kind::Net => owners & 2 != 0,
                    _ => owners & 4 != 0,
                };
                let start = Process { rights, is_owner, below: false };
                let any = permutations(&asked).iter().any(|kinds| {
                    let mut process = start;
                    kinds.iter().all(|kind| process.enter(&[*kind], &owned_below))
                });
                let mut process = start;
                let ours =
                    order(&joins, rights).iter().all(|entry| process.enter(kinds(entry), &owned_below));
                assert!(ours || !any, "{joins:?} {rights:?} owner: {is_owner}, owners: {owners}");
                reached += usize::from(any);
                tried += 1;
            }
        }
    }
    assert!(reached > 500 && reached < tried / 2, "{reached} of {tried}: the model refuses nothing, or all");
}
