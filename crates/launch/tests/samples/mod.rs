//! One of each cause, with made-up values: what the table shows.

mod mounts;
mod others;

use insula_launch::fault::Call;
use insula_launch::host::ids::{Range, SUBGID, SUBUID};
use insula_launch::plan::Kind;
use insula_launch::step::map_ids::IdMap;
use insula_launch::why::confined::Confined;
use insula_launch::why::entering::Entering;
use insula_launch::why::identity::Identity;
use insula_launch::why::ids::IdMaps;
use insula_launch::why::looking::Looking;
use insula_launch::why::namespaces::{NewNamespace, Place};
use insula_launch::why::newuidmap::{Newuidmap, User};
use insula_launch::why::processes::NoProcess;
use insula_launch::why::user_namespace::UserNamespace;
use insula_launch::why::{Cause, Ids};

const INITIAL: UserNamespace = UserNamespace { inode: 4_026_531_837, owner: Some(0) };
const OWN: UserNamespace = UserNamespace { inode: 4_026_532_817, owner: Some(1000) };

/// All of them, field by field.
pub fn all() -> Vec<Cause> {
    let mut all = Vec::new();
    confined(&mut all);
    namespaces(&mut all);
    processes(&mut all);
    maps(&mut all);
    newuidmap(&mut all);
    identity(&mut all);
    entering(&mut all);
    looking(&mut all);
    mounts::all(&mut all);
    others::all(&mut all);
    all
}

fn confined(all: &mut Vec<Cause>) {
    let label = |text: &str| text.to_owned();
    all.push(Confined::Filter { call: Call::Unshare, proven: true }.into());
    all.push(Confined::Filter { call: Call::Mount, proven: false }.into());
    all.push(Confined::AppArmorUserNamespaces { label: label("unconfined") }.into());
    all.push(Confined::AppArmorUserNamespaces { label: label("unprivileged_userns (enforce)") }.into());
    all.push(Confined::AppArmorProfile { label: label("docker-default (enforce)") }.into());
    all.push(Confined::Selinux { label: label("system_u:system_r:container_t:s0:c1,c2") }.into());
}

fn namespaces(all: &mut Vec<Cause>) {
    let (first, here) = (Place { which: INITIAL, here: true }, Place { which: OWN, here: true });
    let above = Place { which: OWN, here: false };
    let causes = [
        NewNamespace::Off { kind: Kind::User, place: first },
        NewNamespace::Off { kind: Kind::Net, place: here },
        NewNamespace::Off { kind: Kind::Time, place: above },
        NewNamespace::UsedUp { kind: Kind::Net, max: 3, seen: 3, place: here },
        NewNamespace::Unseen { kind: Kind::Mnt, max: 100, seen: 7, place: first },
        NewNamespace::Unseen { kind: Kind::Net, max: 3, seen: 1, place: here },
        NewNamespace::LimitAbove(Kind::Uts),
        NewNamespace::LimitAbove(Kind::User),
        NewNamespace::Levels(Kind::User),
        NewNamespace::Levels(Kind::Pid),
        NewNamespace::UnprivilegedOff,
        NewNamespace::Chroot { path: None },
        NewNamespace::Chroot { path: Some("/srv/tree".to_owned()) },
        NewNamespace::OwnIdsUnmapped { user: true, id: 65_534 },
        NewNamespace::OwnIdsUnmapped { user: false, id: 65_534 },
        NewNamespace::Capability { kind: Kind::Net, user: INITIAL, dropped: false },
        NewNamespace::Capability { kind: Kind::Uts, user: OWN, dropped: true },
        NewNamespace::KindMissing(Kind::Time),
        NewNamespace::Threads(4),
        NewNamespace::PidTwice,
        NewNamespace::PidOwner,
    ];
    all.extend(causes.map(Cause::from));
}

fn processes(all: &mut Vec<Cause>) {
    let causes = [
        NoProcess::PidsMax { group: "/sys/fs/cgroup/user.slice/user-1000.slice".to_owned(), max: 100 },
        NoProcess::Rlimit { uid: 1000, soft: 200, count: 200 },
        NoProcess::ThreadsMax(30_000),
        NoProcess::PidMax(32_768),
        NoProcess::PidNamespaceEnded,
    ];
    all.extend(causes.map(Cause::from));
}

fn maps(all: &mut Vec<Cause>) {
    let line = |inside, outside, size| IdMap { inside, outside, size };
    let causes = [
        IdMaps::Written(Ids::User),
        IdMaps::Initial,
        IdMaps::NotOurs { user: OWN, uid: 1001 },
        IdMaps::TooManyLines(Ids::User, 341),
        IdMaps::TooLong(Ids::Group, 5000),
        IdMaps::NoRange(Ids::User, line(0, 100_000, 0)),
        IdMaps::Overlap(Ids::User, line(0, 100_000, 10), line(5, 200_000, 1)),
        IdMaps::SeveralIds { ids: Ids::User, lines: 1, count: 65_536 },
        IdMaps::NotOwnId { ids: Ids::Group, line: line(0, 5, 1), own: 1000 },
        IdMaps::SetgroupsFirst,
        IdMaps::Unmapped {
            ids: Ids::User,
            line: line(0, 100_000, 10),
            above: vec![line(0, 1000, 1), line(1, 100_000, 500)],
        },
        IdMaps::RootWithoutSetfcap(line(0, 0, 1)),
        IdMaps::SetgroupsDenied,
        IdMaps::SetgroupsTooLate,
        IdMaps::SetgroupsCapability(OWN),
    ];
    all.extend(causes.map(Cause::from));
}

fn newuidmap(all: &mut Vec<Cause>) {
    let user = |name: Option<&str>| User { name: name.map(str::to_owned), uid: 1000 };
    let path = || "/usr/bin/newuidmap".to_owned();
    let causes = [
        Newuidmap::Absent("newuidmap"),
        Newuidmap::NoRange { file: SUBUID, user: user(Some("ada")) },
        Newuidmap::NoRange { file: SUBGID, user: user(None) },
        Newuidmap::OutOfRange {
            file: SUBUID,
            user: user(Some("ada")),
            granted: vec![Range { first: 100_000, count: 1000 }],
            line: IdMap { inside: 0, outside: 100_000, size: 65_536 },
        },
        Newuidmap::NoNewPrivs("newgidmap"),
        Newuidmap::NotPrivileged { path: path(), owner: 1000 },
        Newuidmap::Nosuid { path: path() },
    ];
    all.extend(causes.map(Cause::from));
}

fn identity(all: &mut Vec<Cause>) {
    let mapped = vec![IdMap { inside: 0, outside: 1000, size: 1 }];
    let causes = [
        Identity::Unmapped { ids: Ids::User, id: 7, mapped },
        Identity::Unmapped { ids: Ids::Group, id: 7, mapped: Vec::new() },
        Identity::Capability { name: "CAP_SETUID", user: INITIAL },
        Identity::GroupsDenied,
        Identity::NoGroupMap,
    ];
    all.extend(causes.map(Cause::from));
}

fn entering(all: &mut Vec<Cause>) {
    let causes = [
        Entering::Gone(4711),
        Entering::WrongKind { wanted: Kind::Net, is: Kind::Mnt },
        Entering::OwnUser,
        Entering::Threads { count: 4, kind: Kind::User },
        Entering::SharedDirectories(Kind::Mnt),
        Entering::PidNotBelow,
        Entering::UserOfAnother { user: OWN, uid: 1001 },
        Entering::OwnAlready(Kind::Mnt),
        Entering::OutOfView(Kind::Net),
        Entering::Capability { kind: Kind::Net, user: INITIAL },
        Entering::OwnedBelow { kind: Kind::Net, user: OWN, targets: true },
        Entering::OwnedBelow { kind: Kind::Uts, user: OWN, targets: false },
        Entering::NoSysChroot(INITIAL),
    ];
    all.extend(causes.map(Cause::from));
}

fn looking(all: &mut Vec<Cause>) {
    let causes = [
        Looking::OtherUser { pid: 4711, theirs: 0, ours: 1000 },
        Looking::OtherUserNamespace { pid: 4711 },
        Looking::MoreCapabilities { pid: 4711, user: INITIAL },
        Looking::NotDumpable { pid: 4711 },
    ];
    all.extend(causes.map(Cause::from));
}
