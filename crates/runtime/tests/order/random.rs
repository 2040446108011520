//! Random machines, callers and configurations: good ones, and such as somebody might send.

use crate::given;
use insula_launch::host::Host;
use insula_launch::host::ids::Ids;
use insula_oci::linux::Linux;
use insula_oci::process::User;
use insula_oci::seccomp::{Action, Arch, Arg, Flag, Operator, Rule};
use insula_oci::{
    Capabilities, Capability, CapabilitySet, Clock, Device, DeviceKind, IdMapping, Mount, Namespace,
    NamespaceKind, Process, Rlimit, RlimitKind, Root, Seccomp, Spec, TimeOffset, annotation,
};
use insula_runtime::compile::Attachment;
use insula_runtime::ids::{self, Choice};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::Value;

/// `CAP_SYS_ADMIN` alone, capabilities(7): mounts, but maps no ids.
const SYS_ADMIN: u64 = 1 << 21;

/// A machine, and what its caller asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    pub host: Host,
    pub spec: Spec,
    pub attachment: Attachment,
}

fn host() -> impl Strategy<Value = Host> {
    let callers: [fn() -> Ids; 4] =
        [given::root, given::user, given::single, || Ids { capabilities: SYS_ADMIN, ..given::root() }];
    (select(callers.to_vec()), any::<u32>(), vec(any::<bool>(), 16)).prop_map(|(caller, pid, keep)| {
        let mut host = given::host(Ids { pid, ..caller() });
        let mut keep = keep.into_iter().cycle();
        let mut kept = || keep.next().unwrap_or(true);
        host.mounts.get_mut().into_iter().for_each(|mounts| mounts.retain(|_| kept()));
        host.root.get_mut().into_iter().for_each(|entries| entries.retain(|_| kept()));
        host
    })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 0..3u32).prop_map(
        |(null_stdin, die_with_parent, cwd_is_default, preserve_fds)| Attachment {
            null_stdin,
            die_with_parent,
            cwd_is_default,
            preserve_fds,
            ..Attachment::default()
        },
    )
}

/// Which kinds are made, which are joined; a mount namespace is always made.
fn namespaces() -> impl Strategy<Value = Vec<Namespace>> {
    let others: Vec<NamespaceKind> =
        NamespaceKind::ALL.into_iter().filter(|kind| *kind != NamespaceKind::Mount).collect();
    let most = others.len();
    (subsequence(others, 0..=most), vec(prop::bool::weighted(0.2), most)).prop_map(|(kinds, joined)| {
        let listed = kinds.into_iter().zip(joined).map(|(kind, joined)| {
            let path = joined.then(|| format!("/proc/4242/ns/{kind}"));
            Namespace { kind, path }
        });
        listed.chain([Namespace::new(NamespaceKind::Mount)]).collect()
    })
}

fn mounts() -> impl Strategy<Value = Vec<Mount>> {
    let mount = |kind: &str, source: &str, destination: &str, options: &[&str]| Mount {
        destination: destination.to_owned(),
        kind: Some(kind.to_owned()),
        source: Some(source.to_owned()),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        ..Mount::default()
    };
    let map = vec![IdMapping { container_id: 0, host_id: 7000, size: 10 }];
    let mapped = |source: &str, destination: &str, options: &[&str]| Mount {
        uid_mappings: map.clone(),
        gid_mappings: map.clone(),
        ..mount("bind", source, destination, options)
    };
    let all = vec![
        mapped("/srv/d", "/d", &["bind"]),
        mapped("/srv/e", "/e", &["rbind", "ridmap"]),
        mount("proc", "proc", "/proc", &["nosuid"]),
        mount("tmpfs", "tmpfs", "/dev", &["mode=755"]),
        mount("devpts", "devpts", "/dev/pts", &["newinstance", "ptmxmode=0666"]),
        mount("sysfs", "sysfs", "/sys", &["ro"]),
        mount("tmpfs", "shm", "/dev/shm", &["size=64m"]),
        mount("bind", "/srv/a", "/a", &["rbind", "ro"]),
        mount("bind", "/srv/b", "/b", &["bind", "idmap"]),
        mount("none", "/srv/c", "/a/c", &["rbind", "ridmap", "rslave"]),
        mount("bind", "/dev/fuse", "/dev/fuse", &["bind", "nosuid"]),
        mount("bind", "/lxcfs/meminfo", "/proc/meminfo", &["bind"]),
    ];
    let most = all.len();
    subsequence(all, 0..=most)
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let set = |mask: u64| {
        Capability::ALL.into_iter().filter(|one| one.bit() & mask != 0).collect::<CapabilitySet>()
    };
    [any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()].prop_map(move |[b, e, p, i, a]| {
        Capabilities {
            bounding: set(b),
            effective: set(e & p),
            inheritable: set(i),
            permitted: set(p),
            ambient: set(a & p & i),
        }
    })
}

fn rlimits() -> impl Strategy<Value = Vec<Rlimit>> {
    let kinds = subsequence(RlimitKind::ALL.to_vec(), 0..4);
    (kinds, any::<u64>(), any::<u64>()).prop_map(|(kinds, a, b)| {
        kinds.into_iter().map(|kind| Rlimit { kind, soft: a.min(b), hard: a.max(b) }).collect()
    })
}

fn some_of(words: &[&str]) -> impl Strategy<Value = Vec<String>> + use<> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let most = words.len();
    subsequence(words, 0..=most)
}

fn process() -> impl Strategy<Value = Process> {
    let user = (0..3000u32, 0..3000u32, option::of(0..0o1000u32), vec(0..3000u32, 0..3));
    let user = user.prop_map(|(uid, gid, umask, additional_gids)| User { uid, gid, umask, additional_gids });
    let args = (select(vec!["sh", "/bin/true", "./x"]), some_of(&["-c", "", "a b"]));
    let args =
        args.prop_map(|(first, rest)| [first.to_owned()].into_iter().chain(rest).collect::<Vec<String>>());
    let flags = (any::<bool>(), any::<bool>(), option::of(-1000..=1000));
    let cwd = select(vec!["/", "/srv", "/a b"]);
    let env = some_of(&["PATH=/bin:/usr/bin", "PATH=", "A=b=c", "EMPTY="]);
    (user, args, flags, cwd, env, option::of(capabilities()), rlimits()).prop_map(
        |(user, args, (terminal, no_new_privileges, oom_score_adj), cwd, env, capabilities, rlimits)| {
            Process {
                terminal,
                user,
                args,
                env,
                cwd: cwd.to_owned(),
                capabilities,
                rlimits,
                no_new_privileges,
                oom_score_adj,
                ..Process::default()
            }
        },
    )
}

fn linux() -> impl Strategy<Value = Linux> {
    let device = |path: &str, minor| Device {
        kind: DeviceKind::Char,
        path: path.to_owned(),
        major: 10,
        minor,
        file_mode: None,
        uid: None,
        gid: None,
    };
    let devices = subsequence(vec![device("/dev/fuse", 229), device("/dev/net/tun", 200)], 0..=2);
    let clocks = (option::of(any::<i32>()), option::of(any::<i32>())).prop_map(|(monotonic, boottime)| {
        let clocks = [(Clock::Monotonic, monotonic), (Clock::Boottime, boottime)].into_iter();
        clocks
            .filter_map(|(clock, secs)| Some((clock, TimeOffset { secs: secs?.into(), nanosecs: 1 })))
            .collect()
    });
    let sysctl = some_of(&["net.ipv4.ip_forward", "net/ipv4/conf/eth0.1/forwarding"]);
    let paths =
        (some_of(&["/proc/kcore", "/proc/sys/kernel", "/sys"]), some_of(&["/proc/sys", "/proc/bus", "/"]));
    (namespaces(), devices, clocks, sysctl, paths, option::of(seccomp())).prop_map(
        |(namespaces, devices, time_offsets, mut sysctl, (masked_paths, readonly_paths), seccomp)| {
            // The host's own are refused.
            let has_network = |one: &Namespace| one.kind == NamespaceKind::Network;
            sysctl.retain(|_| namespaces.iter().any(has_network));
            Linux {
                namespaces,
                devices,
                time_offsets,
                sysctl: sysctl.into_iter().map(|key| (key, "1".to_owned())).collect(),
                masked_paths,
                readonly_paths,
                seccomp,
                ..Linux::default()
            }
        },
    )
}

fn spec() -> impl Strategy<Value = Spec> {
    let annotations = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(host, keep, init)| {
        [
            (host, annotation::ROOT, annotation::ROOT_HOST),
            (keep, annotation::KEEP, "/srv/changes"),
            (init, annotation::INIT, annotation::TRUE),
        ]
        .into_iter()
        .filter(|(on, ..)| *on)
        .map(|(_, key, value)| (key.to_owned(), value.to_owned()))
        .collect()
    });
    let names = (option::of(Just("web".to_owned())), option::of(Just("example".to_owned())));
    (linux(), process(), mounts(), names, annotations, any::<bool>()).prop_map(
        |(linux, process, mounts, (hostname, domainname), annotations, readonly)| Spec {
            root: Some(Root { path: "/srv/alpine".to_owned(), readonly }),
            mounts,
            process: Some(process),
            hostname,
            domainname,
            annotations,
            linux: Some(linux),
            ..Spec::default()
        },
    )
}

/// What compiles.
pub fn good() -> impl Strategy<Value = Asked> {
    let choice = select(vec![Choice::Auto, Choice::Identity, Choice::KeepId]);
    (host(), spec(), attachment(), choice).prop_map(|(host, mut spec, attachment, choice)| {
        fit(&host, &mut spec, choice);
        Asked { host, spec, attachment }
    })
}

/// Takes out what this caller cannot have in these namespaces, and maps the ids of a new user namespace.
fn fit(host: &Host, spec: &mut Spec, choice: Choice) {
    let Some(linux) = &mut spec.linux else { return };
    let makes = |kind| linux.namespaces.iter().any(|namespace| *namespace == Namespace::new(kind));
    let (own_name, own_ids) = (makes(NamespaceKind::Uts), makes(NamespaceKind::User));
    let has_user = linux.namespaces.iter().any(|one| one.kind == NamespaceKind::User);
    for mount in &mut spec.mounts {
        if !host.ids().may_mount() {
            (mount.uid_mappings, mount.gid_mappings) = (Vec::new(), Vec::new());
        }
        if !has_user && mount.uid_mappings.is_empty() {
            mount.options.retain(|option| !option.ends_with("idmap"));
        }
    }
    if !own_name {
        (spec.hostname, spec.domainname) = (None, None);
    }
    if own_ids {
        let maps = ids::choose(host, choice);
        (linux.uid_mappings, linux.gid_mappings) = (maps.uid, maps.gid);
    }
    if let Some(process) = spec.process.as_mut().filter(|_| !host.ids().may_map_any()) {
        process.user.additional_gids.clear();
    }
}

/// A filter: some calls refused or logged, on this machine's architecture and another one.
fn seccomp() -> impl Strategy<Value = Seccomp> {
    let names = some_of(&["read", "clone3", "socket", "no_such_call"]);
    let action = select(vec![Action::Errno, Action::Kill, Action::Log]);
    let flags = option::of(subsequence(vec![Flag::Log, Flag::SpecAllow, Flag::Tsync], 0..=3));
    (names, action, flags, any::<u64>()).prop_map(|(names, action, flags, value)| {
        let arg = Arg { index: 1, value, value_two: 0, op: Operator::Ge };
        let rule = Rule { names, action, errno_ret: None, args: vec![arg] };
        Seccomp {
            default_action: Action::Allow,
            default_errno_ret: None,
            architectures: vec![Arch::X86_64, Arch::Aarch64],
            flags,
            listener_path: None,
            listener_metadata: None,
            syscalls: if rule.names.is_empty() { Vec::new() } else { vec![rule] },
        }
    })
}

/// Words that somebody might try.
fn bad_word() -> impl Strategy<Value = String> {
    let tried = [
        "",
        "/",
        "..",
        ".",
        "/..",
        "/a/../../b",
        "a\0b",
        "/\0",
        "proc",
        "/proc",
        "/proc/self/fd/3",
        "/dev/pts",
        "=",
        "A",
        "rbind",
        "remount",
        "idmap",
        "ro,rw",
        "size=\0",
        "host",
        "true",
        "a]b",
        "[",
        "net..x",
        "../fs",
        "\u{202e}x",
        "é",
        "\n\x1b[2J",
    ];
    let long = Just("/x".repeat(5000));
    prop_oneof![
        4 => select(tried.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => long,
    ]
}

/// One thing that is done to a configuration.
#[derive(Debug, Clone)]
enum Harm {
    Word(String),
    Number(i64),
    Twice,
    Away,
}

/// What need not compile, and must not panic: a good one with harm done to some of its values.
pub fn bad() -> impl Strategy<Value = Asked> {
    let numbers =
        select(vec![0, 1, -1, i64::from(i32::MIN), i64::from(u32::MAX), i64::MAX, i64::MIN, 65_536]);
    let harm = prop_oneof![
        6 => bad_word().prop_map(Harm::Word),
        2 => numbers.prop_map(Harm::Number),
        1 => Just(Harm::Twice),
        1 => Just(Harm::Away),
    ];
    (good(), vec((any::<Index>(), harm), 1..6)).prop_map(|(mut asked, harms)| {
        let mut whole = serde_json::to_value(&asked.spec).expect("a configuration is JSON");
        for (at, harm) in harms {
            let mut harmed = whole.clone();
            let mut places = Vec::new();
            pointers(&harmed, String::new(), &mut places);
            let place: &String = at.get(&places);
            do_harm(&mut harmed, place, harm);
            // What is no configuration any more is refused when it is read.
            if let Ok(spec) = serde_json::from_value(harmed.clone()) {
                (whole, asked.spec) = (harmed, spec);
            }
        }
        asked
    })
}

/// The places of all values, as JSON pointers (RFC 6901); none of a value whose key has a `/`.
fn pointers(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| pointers(item, format!("{at}/{i}"), places));
        }
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !key.contains(['/', '~']))
            .for_each(|(key, field)| pointers(field, format!("{at}/{key}"), places)),
        _ => {}
    }
    places.push(at);
}

fn do_harm(whole: &mut Value, place: &str, harm: Harm) {
    let (parent, last) = place.rsplit_once('/').unwrap_or(("", ""));
    match (harm, whole.pointer_mut(place)) {
        (Harm::Word(word), Some(Value::Object(map))) => drop(map.insert(word, "1".into())),
        (Harm::Word(word), Some(value)) => *value = word.into(),
        (Harm::Number(number), Some(value)) => *value = number.into(),
        (Harm::Twice, Some(Value::Array(items))) => items.extend(items.clone()),
        (Harm::Away, Some(_)) => match whole.pointer_mut(parent) {
            Some(Value::Object(fields)) => drop(fields.remove(last)),
            Some(Value::Array(items)) => items.clear(),
            _ => {}
        },
        _ => {}
    }
}
