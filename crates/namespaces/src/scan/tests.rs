//! A scan of this machine, as whoever runs the tests.

use super::{Look, take};
use insula_launch::plan::Kind;

fn own(kind: Kind) -> Option<u64> {
    let link = std::fs::read_link(format!("/proc/self/ns/{}", kind.name())).ok()?;
    link.to_str()?.split(['[', ']']).nth(1)?.parse().ok()
}

#[test]
fn our_own_namespaces_are_seen_with_us_in_them() {
    let snapshot = take(&Look::PROCESSES).expect("a scan");
    let process = snapshot.process(std::process::id()).expect("ourselves");
    for kind in Kind::ALL {
        assert_eq!(process.namespace(kind), own(kind), "{kind:?}");
        let Some(inode) = own(kind) else { continue };
        let namespace = snapshot.find(inode).expect("our own");
        assert_eq!(namespace.kind, kind);
        assert!(namespace.processes > 0 && namespace.lowest_pid <= Some(std::process::id()));
        assert_eq!((namespace.owner, namespace.id), (None, None), "not asked for");
    }
    assert!(snapshot.holders.is_empty());
    assert!(snapshot.seen >= snapshot.processes.len() + snapshot.unseen);
}

#[test]
fn one_kind_alone_is_looked_at() {
    let mut look = Look { ids: true, relatives: true, ..Look::PROCESSES };
    look.kinds = [false; 8];
    look.kinds[Kind::Uts as usize] = true;
    let snapshot = take(&look).expect("a scan");
    assert!(snapshot.namespaces.iter().all(|namespace| namespace.kind == Kind::Uts));
    let uts = snapshot.find(own(Kind::Uts).expect("every kernel has it")).expect("our own");
    assert_eq!(uts.owner, own(Kind::User));
}

#[test]
fn the_whole_look_sees_what_the_small_one_sees() {
    let all = take(&Look::HOLDERS).expect("a scan");
    let user = all.find(own(Kind::User).expect("every kernel has it")).expect("our own");
    assert!(user.children > 0, "our own uts namespace is a child of it, or of one above");
    assert!(all.namespaces.is_sorted_by_key(|namespace| namespace.inode));
    assert!(all.holders.is_sorted_by_key(|holder| holder.namespace));
    for kind in Kind::ALL.into_iter().filter_map(own) {
        assert!(all.find(kind).is_some());
    }
}

#[test]
fn a_long_list_of_open_files_is_read_to_its_end() {
    let files: Vec<_> =
        (0..600).map(|_| std::fs::File::open("/proc/self/ns/ipc").expect("room for 600 files")).collect();
    let snapshot = take(&Look::LSNS).expect("a scan");
    let ours = snapshot
        .held_by(own(Kind::Ipc).expect("every kernel has it"))
        .iter()
        .filter(|holder| matches!(holder.by, super::By::Fd { pid, .. } if pid == std::process::id()));
    assert_eq!(ours.count(), files.len());
}

#[test]
fn an_open_file_of_ours_is_among_the_holders() {
    let file = std::fs::File::open("/proc/self/ns/mnt").expect("our own");
    let snapshot = take(&Look::LSNS).expect("a scan");
    let inode = own(Kind::Mnt).expect("every kernel has it");
    let fd = u32::try_from(rustix::fd::AsRawFd::as_raw_fd(&file)).expect("a descriptor");
    let by = super::By::Fd { pid: std::process::id(), fd };
    assert!(snapshot.held_by(inode).iter().any(|holder| holder.by == by));
    assert!(snapshot.holders(snapshot.find(inode).expect("our own")).fds > 0);
}
