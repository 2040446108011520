//! Clauses of the specification, each by what the program sees or the kernel says. `tests/conformance.txt` names for each the
//! step without which its test fails.

use crate::room::{Room, groups_of};
use insula_proof::need;
use serde_json::{Value, json};
use std::fs;

/// What this script prints in a container of this configuration.
#[track_caller]
fn prints(script: &str, change: impl FnOnce(&mut Value)) -> String {
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sh", "-c", script]);
        change(spec);
    });
    room.on("run").well()
}

macro_rules! clause {
    ($name:ident, $body:block) => {
        #[test]
        fn $name() {
            need!(root, program "busybox");
            $body
        }
    };
}

clause!(the_root_is_the_bundles, {
    let room = Room::of(&["cat", "/etc/mark"]);
    fs::write(room.bundle().join("rootfs/etc/mark"), &room.id).expect("write");
    assert_eq!(room.on("run").well(), room.id);
});

clause!(a_read_only_root_cannot_be_written, {
    let script = "(echo > /tmp/x) 2>/dev/null && echo written || echo refused";
    assert_eq!(prints(script, |spec| spec["root"]["readonly"] = json!(true)), "refused\n");
    assert_eq!(prints(script, |_| {}), "written\n");
});

clause!(a_mount_has_its_options, {
    let out = prints("grep ' /m ' /proc/self/mountinfo", |spec| {
        spec["mounts"].as_array_mut().expect("mounts").push(json!({
            "destination": "/m", "type": "tmpfs", "source": "it",
            "options": ["nosuid", "noexec", "ro", "noatime", "size=64k", "private"]
        }));
    });
    assert!(out.contains(" /m ro,nosuid,noexec,noatime - tmpfs it ") && out.contains("size=64k"), "{out}");
});

clause!(a_tmpfs_begins_with_what_the_image_has, {
    let out = prints("cat /etc/passwd; echo > /etc/passwd && echo written", |spec| {
        spec["mounts"].as_array_mut().expect("mounts").push(json!({
            "destination": "/etc", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]
        }));
        spec["root"]["readonly"] = json!(true);
    });
    assert!(out.starts_with("root:x:0:0:") && out.ends_with("written\n"), "{out}");
});

clause!(the_process_has_its_user_and_groups, {
    let out = prints("id", |spec| {
        spec["process"]["user"] = json!({ "uid": 7, "gid": 8, "additionalGids": [9, 10] });
    });
    assert_eq!(out, "uid=7(ada) gid=8 groups=9,10\n");
});

clause!(the_process_has_its_umask, {
    assert_eq!(prints("umask", |spec| spec["process"]["user"]["umask"] = json!(0o37)), "0037\n");
});

clause!(the_process_has_its_capabilities_and_no_more, {
    let out = prints("grep ^Cap /proc/self/status", |spec| {
        spec["process"]["capabilities"] = json!({
            "bounding": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_CHOWN"], "effective": ["CAP_CHOWN"],
            "inheritable": ["CAP_CHOWN"], "ambient": ["CAP_CHOWN"]
        });
        spec["process"]["user"] = json!({ "uid": 7, "gid": 7 });
    });
    let chown = "0000000000000001";
    let expected =
        [("Inh", chown), ("Prm", chown), ("Eff", chown), ("Bnd", "0000000000000021"), ("Amb", chown)];
    let expected: String = expected.iter().map(|(set, mask)| format!("Cap{set}:\t{mask}\n")).collect();
    assert_eq!(out, expected);
});

clause!(the_process_gains_no_privileges, {
    let script = "grep NoNewPrivs /proc/self/status";
    assert_eq!(prints(script, |spec| spec["process"]["noNewPrivileges"] = json!(true)), "NoNewPrivs:\t1\n");
    assert_eq!(prints(script, |spec| spec["process"]["noNewPrivileges"] = json!(false)), "NoNewPrivs:\t0\n");
});

clause!(the_process_has_its_limits, {
    let out = prints("ulimit -Sn; ulimit -Hn", |spec| {
        spec["process"]["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "soft": 77, "hard": 99 }]);
    });
    assert_eq!(out, "77\n99\n");
});

clause!(the_process_has_its_score, {
    let out = prints("cat /proc/self/oom_score_adj", |spec| spec["process"]["oomScoreAdj"] = json!(987));
    assert_eq!(out, "987\n");
});

clause!(the_terminal_has_its_size, {
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sh", "-c", "busybox stty size > /size"]);
        spec["process"]["terminal"] = json!(true);
        spec["process"]["consoleSize"] = json!({ "height": 33, "width": 77 });
    });
    let path = room.scratch.join("console");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("listen");
    room.run(&["create", "--console-socket", path.to_str().expect("UTF-8"), &room.id]).well();
    let master = crate::exec::received(&listener.accept().expect("a connection").0);
    room.on("start").well();
    room.until_status("stopped");
    drop(master);
    let size = fs::read_to_string(room.bundle().join("rootfs/size")).expect("it has looked");
    assert_eq!(size, "33 77\n");
});

clause!(the_process_is_scheduled_as_asked, {
    let out = prints("cat /proc/self/stat; busybox ionice -p 1", |spec| {
        spec["process"]["scheduler"] = json!({ "policy": "SCHED_BATCH", "nice": 3 });
        spec["process"]["ioPriority"] = json!({ "class": "IOPRIO_CLASS_BE", "priority": 6 });
    });
    // proc_pid_stat(5): nice is the 19th, the policy the 41st, counted from the third behind the name.
    let fields: Vec<&str> = out.rsplit_once(") ").expect("a name").1.split_whitespace().collect();
    assert_eq!((fields[16], fields[38]), ("3", "3"), "nice, SCHED_BATCH: {out}");
    assert!(out.contains("best-effort: prio 6"), "{out}");
});

clause!(what_joins_runs_where_it_was_asked_to, {
    let allowed = fs::read_to_string("/proc/self/status").expect("read");
    let list = allowed.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:\t")).expect("a list");
    let last = list.rsplit([',', '-']).next().expect("a processor").to_owned();
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sleep", "1000"]);
        spec["process"]["execCPUAffinity"] = json!({ "final": last });
    });
    room.run(&["run", "-d", &room.id]).well();
    let out = room.run(&["exec", &room.id, "grep", "Cpus_allowed_list", "/proc/self/status"]).well();
    assert_eq!(out, format!("Cpus_allowed_list:\t{last}\n"));
});

clause!(the_container_has_its_names, {
    let out = prints("busybox hostname; cat /proc/sys/kernel/domainname", |spec| {
        spec["hostname"] = json!("rome");
        spec["domainname"] = json!("latium");
    });
    assert_eq!(out, "rome\nlatium\n");
});

clause!(clocks_are_set_off, {
    let out = prints("cat /proc/self/timens_offsets", |spec| {
        spec["linux"]["namespaces"].as_array_mut().expect("namespaces").push(json!({ "type": "time" }));
        spec["linux"]["timeOffsets"] = json!({ "monotonic": { "secs": 5000, "nanosecs": 1 } });
    });
    assert!(out.lines().any(|line| line.split_whitespace().eq(["monotonic", "5000", "1"])), "{out}");
});

clause!(devices_are_made, {
    let out = prints("busybox stat -c '%F %t %T %a %u:%g' /dev/null /dev/mine", |spec| {
        spec["linux"]["devices"] = json!([
            { "path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 3, "gid": 4 }
        ]);
    });
    assert_eq!(out, "character special file 1 3 666 0:0\ncharacter special file 1 5 640 3:4\n");
});

clause!(the_process_is_in_its_group, {
    need!(cgroup_v1 "pids");
    let room = Room::of(&["sleep", "1000"]);
    let name = format!("{}-own", room.id);
    room.change(|spec| spec["linux"]["cgroupsPath"] = json!(format!("/{name}")));
    room.run(&["run", "-d", &room.id]).well();
    let pid = room.pid().to_string();
    let groups = groups_of(&name);
    assert!(!groups.is_empty());
    for group in groups {
        let members = fs::read_to_string(group.join("cgroup.procs")).expect("read");
        assert!(members.lines().any(|member| member == pid), "{} has {members}", group.display());
    }
});

clause!(calls_are_filtered, {
    let out = prints("busybox mkdir /tmp/x 2>&1 || grep Seccomp: /proc/self/status", |spec| {
        spec["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 75 }]
        });
    });
    assert!(out.contains("Value too large") && out.ends_with("Seccomp:\t2\n"), "{out}");
});

clause!(paths_are_masked_or_read_only, {
    let script = "cat /etc/passwd; busybox ls /bin/.. | busybox wc -l > /dev/null; busybox ls /tmp/full; \
        (echo > /etc/x) 2>/dev/null || echo refused";
    let room = Room::new(|spec| {
        spec["process"]["args"] = json!(["sh", "-c", script]);
        spec["linux"]["maskedPaths"] = json!(["/etc/passwd", "/tmp/full", "/not/there"]);
        spec["linux"]["readonlyPaths"] = json!(["/etc", "/not/there"]);
        spec["process"]["env"] = json!(["HOME=/", "PATH=/bin"]);
    });
    fs::create_dir_all(room.bundle().join("rootfs/tmp/full/of/it")).expect("make a directory");
    assert_eq!(room.on("run").well(), "refused\n");
});

clause!(settings_are_made, {
    let out = prints("cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward", |spec| {
        spec["linux"]["sysctl"] = json!({ "kernel.msgmax": "4321", "net.ipv4.ip_forward": "1" });
    });
    assert_eq!(out, "4321\n1\n");
});

clause!(the_root_spreads_as_asked, {
    let out = prints("grep ' / / ' /proc/self/mountinfo || grep -m1 ' / ' /proc/self/mountinfo", |spec| {
        spec["linux"]["rootfsPropagation"] = json!("shared");
    });
    assert!(out.contains(" shared:"), "{out}");
});

clause!(the_process_has_its_personality, {
    let out =
        prints("busybox uname -m", |spec| spec["linux"]["personality"] = json!({ "domain": "LINUX32" }));
    let plain = prints("busybox uname -m", |_| {});
    assert_ne!(out, plain);
});
