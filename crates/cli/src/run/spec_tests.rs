//! Tests of [`build`](super::build): what a command line becomes in `config.json`.

use super::{IdMaps, Node, Surroundings, build};
use crate::run::request::tests::read;
use crate::run::user::Accounts;
use insula_oci::{DeviceKind, IdMapping, NamespaceKind, Spec};
use std::collections::BTreeMap;

fn surroundings() -> Surroundings<'static> {
    let one = vec![IdMapping { container_id: 0, host_id: 1000, size: 1 }];
    Surroundings {
        accounts: Accounts {
            passwd: "root:x:0:0::/root:/bin/sh\nada:x:1000:100::/home/ada:\n",
            group: "video:x:44:ada\n",
        },
        caller_cwd: "/work".to_owned(),
        id_maps: Some(IdMaps { uids: one.clone(), gids: one }),
        joins: BTreeMap::from([(NamespaceKind::Network, "/run/netns/blue".to_owned())]),
        devices: vec![Node { kind: DeviceKind::Char, major: 10, minor: 229, mode: 0o666 }],
        root_path: "rootfs".to_owned(),
        ..Surroundings::default()
    }
}

fn spec(line: &str) -> Spec {
    let request = read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    build(&request, &surroundings()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn the_default_is_least() {
    let spec = spec("");
    let (process, linux) = (spec.process.expect("present"), spec.linux.expect("present"));
    assert_eq!(process.args, ["/bin/sh"]);
    assert_eq!(process.cwd, "/");
    let path = format!("PATH={}", insula_runtime::defaults::PATH);
    assert_eq!(process.env, [path.as_str(), "HOME=/root", "HOSTNAME=insula"]);
    let sets = process.capabilities.expect("present");
    assert_eq!((sets.bounding.mask(), sets.effective.mask()), (0xa804_25fb, 0xa804_25fb));
    assert!(sets.inheritable.is_empty() && sets.ambient.is_empty());
    assert_eq!(linux.namespaces.len(), 8);
    assert!(linux.namespaces.iter().all(|namespace| namespace.path.is_none()));
    assert!(linux.resources.is_none() && process.rlimits.is_empty());
    assert_eq!(spec.annotations.len(), 2, "root and init: {:?}", spec.annotations);
}

#[test]
fn a_spec_is_read_back_as_it_was_written() {
    let spec = spec(
        "-it -v ./a:/b:ro,idmap --tmpfs /t --device /dev/fuse -u ada --time-offset boottime=1 --net blue sh",
    );
    let bytes = serde_json::to_vec(&spec).expect("a spec is JSON");
    assert_eq!(insula_oci::parse(&bytes), Ok(spec));
}

#[test]
fn users_have_their_groups_and_no_capabilities_in_effect() {
    let process = spec("-u ada --group-add 7 sh").process.expect("present");
    assert_eq!((process.user.uid, process.user.gid), (1000, 100));
    assert_eq!(process.user.additional_gids, [7], "group 44 has no id in the map, and was not asked for");
    assert!(process.env.contains(&"HOME=/home/ada".to_owned()));
    let sets = process.capabilities.expect("present");
    assert!(sets.effective.is_empty() && sets.permitted.is_empty() && !sets.bounding.is_empty());
    let request = read("-u eve sh").expect("the words are valid");
    let error = build(&request, &surroundings()).expect_err("nobody of the name");
    assert!(
        error
            .to_string()
            .starts_with("`--user eve`: `eve` is no user in the root's /etc/passwd; write a number")
    );
}

#[test]
fn what_was_not_resolved_is_refused() {
    let table = [
        ("--ipc red sh", "`--ipc red`: there is no namespace of the name; write the name of one"),
        (
            "--device /dev/fuse --device /dev/kvm sh",
            "`--device /dev/kvm`: there is no such device; write the path",
        ),
    ];
    for (line, message) in table {
        let request = read(line).expect("the words are valid");
        let error = build(&request, &surroundings()).expect_err(line).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn groups_are_those_that_can_be_had() {
    let request = read("-u ada --group-add video sh").expect("the words are valid");
    let groups = |surroundings: &Surroundings<'_>| {
        build(&request, surroundings).map(|spec| spec.process.expect("present").user.additional_gids)
    };
    assert_eq!(groups(&Surroundings { id_maps: None, ..surroundings() }), Ok(vec![44]));
    let error = groups(&Surroundings { denies_setgroups: true, ..surroundings() }).expect_err("denied");
    assert!(error.to_string().starts_with("`--group-add video`: a plain user without"), "{error}");
}

#[test]
fn namespaces_are_new_left_out_or_joined() {
    let linux = spec("--net blue --pid host --ipc /proc/7/ns/ipc sh").linux.expect("present");
    let path = |kind| linux.namespaces.iter().find(|one| one.kind == kind).map(|one| one.path.as_deref());
    assert_eq!(path(NamespaceKind::Network), Some(Some("/run/netns/blue")));
    assert_eq!(path(NamespaceKind::Pid), None);
    assert_eq!(path(NamespaceKind::Ipc), Some(Some("/proc/7/ns/ipc")));
    assert_eq!(path(NamespaceKind::Uts), Some(None));
}

#[test]
fn mounts_take_the_place_of_default_ones() {
    let mounts = spec("-v .:/data -v /x:/dev/shm:ro,rslave --tmpfs /run:exec sh").mounts;
    let shown: Vec<String> = mounts
        .iter()
        .skip(5)
        .map(|mount| {
            let source = mount.source.as_deref().unwrap_or("");
            format!("{source} {} {}", mount.destination, mount.options.join(","))
        })
        .collect();
    let expected =
        ["/work /data rbind,rprivate", "tmpfs /run nosuid,nodev,exec", "/x /dev/shm rbind,ro,rslave"];
    assert_eq!(shown, expected);
    let destinations: Vec<String> =
        spec("-v /d:/dev sh").mounts.into_iter().map(|one| one.destination).collect();
    assert_eq!(destinations, ["/proc", "/sys", "/dev"]);
}

#[test]
fn devices_come_whole_or_not_at_all() {
    let linux = spec("--device /dev/fuse:/dev/f sh").linux.expect("present");
    assert_eq!((linux.devices[0].path.as_str(), linux.devices[0].minor), ("/dev/f", 229));
    let request = read("--device /dev/fuse:/dev/f:r sh").expect("the words are valid");
    let error = build(&request, &surroundings()).expect_err("half a device").to_string();
    assert!(error.contains("devices cgroup"), "{error}");
}

#[test]
fn the_last_word_on_a_variable_holds() {
    let process =
        spec("-t -e A=1 -e A=2 -e TERM=dumb -e INSULA_TEST_ABSENT -e HOME sh").process.expect("present");
    assert!(process.env.contains(&"A=2".to_owned()) && process.env.contains(&"TERM=dumb".to_owned()));
    assert!(!process.env.iter().any(|pair| pair.starts_with("INSULA_TEST_ABSENT")));
}

#[test]
fn a_missing_file_of_variables_is_named() {
    let request = read("--env-file /nonexistent/file sh").expect("the words are valid");
    let error = build(&request, &surroundings()).expect_err("there is no such file");
    assert_eq!(error.to_string(), "`--env-file /nonexistent/file`: No such file or directory (os error 2)");
}

/// A run that cannot shift its ids is tried again without, and a pipe has nothing to say by then.
#[test]
fn a_file_of_variables_is_read_once() {
    let path = std::env::temp_dir().join(format!("insula-env-file-{}", std::process::id()));
    std::fs::write(&path, "A=1\n").expect("write the file");
    let request = read(&format!("--env-file {} sh", path.display())).expect("the words are valid");
    let first = build(&request, &surroundings());
    std::fs::remove_file(&path).expect("remove the file");
    let second = build(&request, &surroundings()).expect("it is not read again");
    assert_eq!(first.expect("it was there"), second);
    assert!(second.process.expect("present").env.contains(&"A=1".to_owned()));
}
