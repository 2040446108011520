//! The verdicts as a person reads them, and the rules of who may do what, on facts that are made up.

use super::facts::{
    Common, Facts, Hidden, Machine, Namespace, OpenFile, Place, Process, Seen, Together, User,
};
use super::{Comparison, May, Outcome, judged, mounts};
use crate::status::Status;
use insula_launch::plan::Kind;
use insula_sys::pidfd::Dumpable;

const ALL: u64 = (1 << 41) - 1;
const SYS_PTRACE: u64 = 1 << 19;
const MACHINE: Machine = Machine { yama: None, ids_are_whole: true, last_capability: 40 };

/// A process of uid 1000 in the first namespaces; the numbers of namespaces are 1 to 8.
fn facts(pid: i32, name: &str) -> Facts {
    let place = Place { mount: Some(20), device: 1, inode: 2, path: b"/".to_vec() };
    let status = Status {
        tgid: pid,
        has_memory: true,
        uids: [1000; 4],
        gids: [1000; 4],
        pids: vec![pid],
        capabilities: [0, 0, 0, ALL, 0],
        no_new_privs: Some(false),
        seccomp: Some(0),
        seccomp_filters: Some(0),
        ..Status::default()
    };
    Facts {
        name: format!("{pid} ({name})"),
        namespaces: Kind::ALL.map(|kind| Seen::Is(Namespace { inode: kind as u64 + 1, id: None })),
        users: vec![User { inode: 1, owner: Some(0) }],
        pids: vec![3],
        process: Some(Process {
            pid,
            status,
            root: Seen::Is(place.clone()),
            cwd: Seen::Is(place),
            mounts: Seen::Is(mounts::parse(b"20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n")),
            cgroups: Seen::Is(vec![("unified".to_owned(), "/a".to_owned())]),
            label: Seen::Nothing("no security module labels processes here"),
            dumpable: Seen::Is(Dumpable::Yes),
            session: Seen::Is(7),
            abstract_sockets: Seen::Is(2),
            files: Seen::Is(vec![OpenFile { fd: 0, file: (1, 9), link: b"/dev/null".to_vec() }]),
        }),
    }
}

/// The same in a namespace of its own of a kind.
fn apart(mut facts: Facts, kind: Kind, inode: u64) -> Facts {
    facts.namespaces[kind as usize] = Seen::Is(Namespace { inode, id: None });
    match kind {
        Kind::User => {
            facts.users.insert(0, User { inode, owner: Some(1000) });
            status(&mut facts).capabilities = [0, ALL, ALL, ALL, 0];
        }
        Kind::Pid => facts.pids.insert(0, inode),
        Kind::Mnt => {
            process(&mut facts).mounts =
                Seen::Is(mounts::parse(b"40 1 8:1 / / rw master:1 - ext4 /dev/sda1 rw\n"))
        }
        _ => {}
    }
    facts
}

fn process(facts: &mut Facts) -> &mut Process {
    facts.process.as_mut().expect("a process")
}

fn status(facts: &mut Facts) -> &mut Status {
    &mut process(facts).status
}

fn nothing_shared() -> Together {
    let no = Seen::Is(false);
    Together {
        files: no.clone(),
        file_system: no.clone(),
        memory: no.clone(),
        signal_handlers: no,
        common: Seen::Is(Vec::new()),
    }
}

fn compared(a: Facts, b: Facts) -> Comparison {
    judged(a, b, Some(nothing_shared()), MACHINE)
}

fn root(pid: i32, name: &str) -> Facts {
    let mut facts = facts(pid, name);
    *status(&mut facts) = Status {
        uids: [0; 4],
        gids: [0; 4],
        capabilities: [0, ALL, ALL, ALL, 0],
        ..status(&mut facts).clone()
    };
    facts
}

fn hidden(mut facts: Facts) -> Facts {
    facts.namespaces = Kind::ALL.map(|_| Seen::Hidden(Hidden::Rights));
    facts.users.clear();
    facts.pids.clear();
    let process = process(&mut facts);
    process.root = Seen::Hidden(Hidden::Rights);
    process.cwd = Seen::Hidden(Hidden::Rights);
    process.files = Seen::Hidden(Hidden::Rights);
    facts
}

fn alone(name: &str, kind: Kind, inode: u64) -> Facts {
    let mut facts = facts(0, name);
    name.clone_into(&mut facts.name);
    facts.namespaces = Kind::ALL.map(|_| Seen::Nothing("no namespace of this kind has this name"));
    facts.namespaces[kind as usize] = Seen::Is(Namespace { inode, id: None });
    Facts { users: Vec::new(), pids: Vec::new(), process: None, ..facts }
}

#[test]
fn the_verdicts_are_those_that_a_person_has_read() {
    let container = |pid| {
        [
            (Kind::User, 11),
            (Kind::Mnt, 12),
            (Kind::Pid, 13),
            (Kind::Net, 14),
            (Kind::Ipc, 15),
            (Kind::Uts, 16),
            (Kind::Cgroup, 17),
        ]
        .into_iter()
        .fold(facts(pid, "app"), |facts, (kind, inode)| apart(facts, kind, inode))
    };
    let mut chrooted = facts(30, "ftpd");
    process(&mut chrooted).root =
        Seen::Is(Place { mount: Some(20), device: 1, inode: 5, path: b"/srv".to_vec() });
    let mut closed = facts(30, "ssh-agent");
    process(&mut closed).dumpable = Seen::Is(Dumpable::No);
    let mut stranger = facts(30, "theirs");
    status(&mut stranger).uids = [1001; 4];
    let mut common = nothing_shared();
    common.common = Seen::Is(vec![
        Common { a: 3, b: 3, link: b"socket:[8]".to_vec(), is_one: true },
        Common { a: 1, b: 0, link: b"pipe:[9]".to_vec(), is_one: false },
    ]);
    let table = [
        ("two shells of one user", compared(facts(20, "sh"), facts(30, "sh"))),
        ("a process and itself", compared(facts(20, "sh"), facts(20, "sh"))),
        ("root and a container", compared(root(20, "sh"), container(30))),
        ("its user and a container", compared(facts(20, "sh"), container(30))),
        (
            "two containers",
            compared(container(20), {
                let mut other = apart(container(30), Kind::Net, 24);
                other.namespaces[Kind::User as usize] = Seen::Is(Namespace { inode: 21, id: None });
                other.users[0].inode = 21;
                other.pids[0] = 23;
                other.namespaces[Kind::Pid as usize] = Seen::Is(Namespace { inode: 23, id: None });
                other
            }),
        ),
        ("a container and its exec", compared(container(20), container(30))),
        (
            "a network namespace of its own",
            compared(facts(20, "sh"), apart(facts(30, "curl"), Kind::Net, 14)),
        ),
        ("a chroot", compared(facts(20, "sh"), chrooted)),
        ("what is not dumpable", compared(facts(20, "sh"), closed)),
        ("another user's", compared(facts(20, "sh"), stranger)),
        ("what may not be seen", compared(facts(20, "sh"), hidden(root(30, "init")))),
        ("two that may not be seen", compared(hidden(root(20, "init")), hidden(root(30, "cron")))),
        ("files in common", judged(facts(20, "sh"), facts(30, "cat"), Some(common), MACHINE)),
        ("a name and a process in it", compared(alone("blue", Kind::Net, 4), facts(20, "sh"))),
        ("a name and a process elsewhere", compared(alone("blue", Kind::Net, 14), facts(20, "sh"))),
        ("names of two kinds", compared(alone("blue", Kind::Net, 14), alone("/proc/9/ns/uts", Kind::Uts, 6))),
    ];
    let mut text = String::new();
    for (what, comparison) in &table {
        text.push_str(&format!(
            "# {what}: {:?}\n{}\n\n",
            comparison.outcome(),
            comparison.verdict.join("\n")
        ));
    }
    insula_proof::snapshot::assert("tests/compare/verdicts.txt", &text);
}

fn trace(a: &Facts, b: &Facts, machine: Machine) -> May {
    judged(a.clone(), b.clone(), Some(nothing_shared()), machine).acts()[0].trace.clone()
}

#[test]
fn tracing_goes_by_ids_capabilities_dumpable_and_yama() {
    let (one, other) = (facts(20, "a"), facts(30, "b"));
    assert!(matches!(trace(&one, &other, MACHINE), May::Yes(_)));
    let change = |change: &dyn Fn(&mut Facts)| {
        let mut facts = other.clone();
        change(&mut facts);
        facts
    };
    type Changed<'a> = (&'a str, &'a dyn Fn(&mut Facts));
    let refused: [Changed<'_>; 8] = [
        ("saved uid", &|facts| status(facts).uids[2] = 0),
        ("egid", &|facts| status(facts).gids[1] = 0),
        ("dumpable", &|facts| process(facts).dumpable = Seen::Is(Dumpable::RootOnly)),
        ("more capabilities", &|facts| status(facts).capabilities[1] = SYS_PTRACE),
        ("a zombie", &|facts| status(facts).has_memory = false),
        ("traced", &|facts| status(facts).tracer = 9),
        ("no pid", &|facts| facts.pids = vec![5, 4]),
        ("a namespace below", &|facts| facts.users.insert(0, User { inode: 9, owner: Some(7) })),
    ];
    for (what, refuse) in refused {
        assert!(matches!(trace(&one, &change(refuse), MACHINE), May::No(_)), "{what}");
    }
    let unseen = change(&|facts| process(facts).dumpable = Seen::Hidden(Hidden::Kernel("x")));
    assert!(matches!(trace(&one, &unseen, MACHINE), May::Unknown(_)));
    let yama = |scope| Machine { yama: Some(scope), ..MACHINE };
    assert!(matches!(trace(&one, &other, yama(0)), May::Yes(_)));
    assert!(matches!(trace(&one, &other, yama(1)), May::Unknown(_)));
    let child = change(&|facts| status(facts).ppid = 20);
    assert!(matches!(trace(&one, &child, yama(1)), May::Yes(_)));
    assert!(matches!(trace(&one, &other, yama(2)), May::No(_)));
    assert!(matches!(trace(&root(20, "a"), &other, yama(2)), May::Yes(_)));
    assert!(matches!(trace(&root(20, "a"), &other, yama(3)), May::No(_)));
}

#[test]
fn an_id_that_is_not_mapped_is_nobodys() {
    let partly = Machine { ids_are_whole: false, ..MACHINE };
    let nobody = |pid| {
        let mut facts = facts(pid, "x");
        *status(&mut facts) = Status { uids: [65534; 4], gids: [65534; 4], ..status(&mut facts).clone() };
        facts
    };
    assert!(matches!(trace(&nobody(20), &nobody(30), MACHINE), May::Yes(_)));
    assert!(matches!(trace(&nobody(20), &nobody(30), partly), May::No(_)));
}

#[test]
fn the_outcome_goes_by_what_is_seen() {
    let outcome = |a: Facts, b: Facts| compared(a, b).outcome();
    assert_eq!(outcome(facts(20, "a"), facts(30, "b")), Outcome::Same);
    assert_eq!(outcome(facts(20, "a"), apart(facts(30, "b"), Kind::Uts, 9)), Outcome::Differs);
    assert_eq!(outcome(hidden(facts(20, "a")), facts(30, "b")), Outcome::Untold);
    let mut there = facts(30, "b");
    process(&mut there).cwd = Seen::Is(Place { mount: Some(1), device: 2, inode: 3, path: b"/x".to_vec() });
    assert_eq!(outcome(facts(20, "a"), there), Outcome::Same, "where it stands is not what it sees");
    let mut filtered = facts(30, "b");
    status(&mut filtered).seccomp_filters = Some(1);
    assert_eq!(outcome(facts(20, "a"), filtered), Outcome::Differs);
}
