//! Requests to unshare, and who makes them: the table of the plans that are kept.

use insula_launch::plan::{Kind, Plan};
use insula_launch::step::propagation::Mode;
use insula_namespaces::unshare::{Caller, IdRange, IdsAsked, Program, Request, compile};
use std::ffi::{CStr, CString};

pub const ROOT: Caller = Caller { uid: 0, gid: 0, may_map_any: true };
pub const USER: Caller = Caller { uid: 1000, gid: 1000, may_map_any: false };

/// A request, as these words of a command line ask for it.
pub struct Case {
    pub name: &'static str,
    pub words: &'static str,
    pub caller: Caller,
    pub request: Request,
}

impl Case {
    pub fn plan(&self) -> Plan {
        compile(&self.request, self.caller).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn c(text: &CStr) -> Option<CString> {
    Some(text.to_owned())
}

/// Of `ls -l`, with mounts that become private.
pub fn request(kinds: &[Kind]) -> Request {
    Request {
        kinds: kinds.to_vec(),
        propagation: Some(Mode::Private),
        program: Program::Words(vec![c"ls".to_owned(), c"-l".to_owned()]),
        environment: vec![c"PATH=/usr/bin:/bin".to_owned()],
        ..Request::default()
    }
}

pub fn own(id: u32) -> IdsAsked {
    IdsAsked { own: Some(id), ranges: Vec::new() }
}

/// The own id, and a range that is mapped from 0 on.
pub fn auto(own: Option<u32>) -> IdsAsked {
    IdsAsked { own, ranges: vec![IdRange { inside: None, outside: 100_000, count: 65_536 }] }
}

fn kept(kinds: &[Kind]) -> Vec<(Kind, CString)> {
    let file = |kind: &Kind| {
        (*kind, CString::new(format!("/run/ns/{}", kind.name())).expect("a name has no NUL in it"))
    };
    kinds.iter().map(file).collect()
}

fn everything() -> Request {
    Request {
        tried: vec![Kind::Net, Kind::Ipc],
        persist: kept(&[Kind::User, Kind::Uts, Kind::Pid, Kind::Mnt]),
        users: auto(Some(0)),
        groups: auto(Some(0)),
        setgroups: Some(true),
        keep_caps: true,
        mount_proc: c(c"/proc"),
        mount_binfmt: c(c"/proc/sys/fs/binfmt_misc"),
        load_interp: c(c":qemu:M::\\x7fELF::/usr/bin/qemu:F"),
        root: c(c"/srv/alpine"),
        working_directory: c(c"/root"),
        hostname: Some("blue".to_owned()),
        domainname: Some("example".to_owned()),
        monotonic_s: Some(86_400),
        boottime_s: Some(-60),
        uid: Some(7),
        gid: Some(8),
        fork: true,
        kill_child: Some(9),
        ..request(&[Kind::User, Kind::Mnt, Kind::Pid, Kind::Uts, Kind::Cgroup, Kind::Time])
    }
}

pub fn cases() -> Vec<Case> {
    let case = |name, words, caller, request| Case { name, words, caller, request };
    let rooted = || Request { users: own(0), groups: own(0), ..request(&[Kind::User]) };
    vec![
        case("root-net", "unshare --net ls -l", ROOT, request(&[Kind::Net])),
        case("root-all", "unshare -muinpCTf ls -l", ROOT, Request { fork: true, ..request(&Kind::ALL[1..]) }),
        case(
            "root-shell",
            "unshare --uts",
            ROOT,
            Request { program: Program::Shell(c"/bin/bash".to_owned()), ..request(&[Kind::Uts]) },
        ),
        case(
            "root-kept",
            "unshare --uts=/run/ns/uts --net=/run/ns/net ls -l",
            ROOT,
            Request { persist: kept(&[Kind::Uts, Kind::Net]), ..request(&[Kind::Uts, Kind::Net]) },
        ),
        case(
            "root-owner",
            "unshare --owner=1000:1000 --map-root-user --net ls -l",
            ROOT,
            Request {
                owner: Some((1000, 1000)),
                users: own(0),
                groups: own(0),
                ..request(&[Kind::User, Kind::Net])
            },
        ),
        case("root-everything", "unshare (every flag) ls -l", ROOT, everything()),
        case("user-root", "unshare --map-root-user ls -l", USER, rooted()),
        case(
            "user-deny",
            "unshare --user --setgroups=deny ls -l",
            USER,
            Request { setgroups: Some(false), ..request(&[Kind::User]) },
        ),
        case(
            "user-pid",
            "unshare --map-root-user --pid --fork --mount-proc --kill-child ls -l",
            USER,
            Request {
                kinds: vec![Kind::User, Kind::Pid, Kind::Mnt],
                fork: true,
                kill_child: Some(9),
                mount_proc: c(c"/proc"),
                ..rooted()
            },
        ),
        case(
            "user-ranges",
            "unshare --map-root-user --map-auto -S 1 -G 1 ls -l",
            USER,
            Request {
                users: auto(Some(0)),
                groups: auto(Some(0)),
                uid: Some(1),
                gid: Some(1),
                ..request(&[Kind::User])
            },
        ),
        case(
            "user-interpreter",
            "unshare --load-interp=:x:E::x::/bin/x: ls -l",
            USER,
            Request {
                mount_proc: c(c"/proc"),
                mount_binfmt: c(c"/proc/sys/fs/binfmt_misc"),
                load_interp: c(c":x:E::x::/bin/x:"),
                ..request(&[Kind::User, Kind::Mnt])
            },
        ),
        case(
            "user-tried",
            "unshare --try-user --try-net --try-mount --propagation=slave ls -l",
            USER,
            Request {
                tried: vec![Kind::Net, Kind::User, Kind::Mnt],
                propagation: Some(Mode::Slave),
                ..request(&[])
            },
        ),
    ]
}
