//! A whole small system runs: an init as pid 1 starts its services and stops them on the signal that it knows.
//!
//! An init that is done calls reboot(2), and the kernel ends a pid namespace with a signal that says which kind it was:
//! SIGINT for power off and halt, SIGHUP for restart (pid_namespaces(7)). No other SIGINT or SIGHUP can end a pid 1, so
//! that the codes 130 and 129 are not ambiguous. `docs/system-containers.md` has what is measured here.
#![forbid(unsafe_code)]

#[path = "system/booted.rs"]
mod booted;
#[path = "system/delegated.rs"]
mod delegated;
#[path = "system/roots.rs"]
mod roots;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use booted::{System, send};
use delegated::Delegated;
use insula_proof as proof;
use proof::census::{Census, Mark};
use proof::{Ordinary, Scratch, need};
use roots::{busybox, busybox_root, copy, debian};

const SOON: Duration = Duration::from_secs(10);

/// The codes of a pid 1 that the kernel ended by reboot(2).
const POWERED_OFF: i32 = 128 + 2;
const RESTARTED: i32 = 128 + 1;

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGUSR1: i32 = 10;
const SIGUSR2: i32 = 12;
const SIGTERM: i32 = 15;
/// SIGRTMIN+3, +4 and +5 of glibc: halt, power off and restart at once, in systemd(1).
const SYSTEMD_HALT: i32 = 37;
const SYSTEMD_POWER_OFF: i32 = 38;
const SYSTEMD_RESTART: i32 = 39;

/// What systemd wants for itself: to be told that it is in a container, and file systems that can be written.
const FOR_SYSTEMD: &[&str] =
    &["-e", "container=insula", "--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"];

/// `run` with the init of the root as pid 1, and no second init before it.
fn run(mut insula: Command, flags: &[&str], root: &Path, init: &str) -> Command {
    insula.args(["run", "--init=false"]).args(flags).arg(root).args(["--", init]);
    insula
}

/// Boots the root of busybox by `command`, sends `signal` to `whom`, and checks that all ended in order.
fn busybox_stops(command: Command, root: &Path, desk: &Path, signal: i32) -> i32 {
    let mut system = System::start(command, root, desk);
    system.wait_for("service", "started");
    system.send(signal);
    let code = system.code();
    assert_eq!(system.log("service"), "started\nstopped\n", "{}", system.said());
    assert_eq!(system.log("boot"), "booted\nshut\n", "{}", system.said());
    code
}

#[test]
fn busybox_init_starts_a_service_and_stops_it_on_each_of_its_signals() {
    need!(root);
    let busybox = proof::or_skip!(busybox());
    let _alone = proof::alone();
    let mark = Mark::new();
    let ends = [(SIGUSR1, POWERED_OFF), (SIGUSR2, POWERED_OFF), (SIGTERM, RESTARTED), (SIGINT, RESTARTED)];
    for (signal, code) in ends {
        let desk = Scratch::new();
        let root = busybox_root(&busybox, &desk);
        let before = Census::take(&mark, &[]);
        let mut command = run(proof::insula(), &["--cap-add", "SYS_BOOT"], &root, "/sbin/init");
        mark.on(&mut command);
        assert_eq!(busybox_stops(command, &root, &desk, signal), code, "signal {signal}");
        before.assert_equal_within(SOON);
    }
}

/// What ends a pid 1 is the kernel's word and not ours: unshare(1) hears the same.
#[test]
fn the_kernel_tells_unshare_the_same_end() {
    need!(root, program "unshare");
    let busybox = proof::or_skip!(busybox());
    let _alone = proof::alone();
    let mark = Mark::new();
    for (signal, code) in [(SIGUSR2, POWERED_OFF), (SIGTERM, RESTARTED)] {
        let desk = Scratch::new();
        let root = busybox_root(&busybox, &desk);
        let before = Census::take(&mark, &[]);
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        command.arg(format!("--root={}", root.display())).arg("/sbin/init");
        mark.on(&mut command);
        let mut system = System::start(command, &root, &desk);
        system.wait_for("service", "started");
        let pid = system.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("list children");
        send(children.trim().parse().expect("one child, pid 1"), signal);
        assert_eq!(system.code(), code, "signal {signal}");
        before.assert_equal_within(SOON);
    }
}

#[test]
fn busybox_init_stops_when_the_time_is_over() {
    need!(root);
    let busybox = proof::or_skip!(busybox());
    let _alone = proof::alone();
    let mark = Mark::new();
    let desk = Scratch::new();
    let root = busybox_root(&busybox, &desk);
    let before = Census::take(&mark, &[]);
    let flags =
        ["--cap-add", "SYS_BOOT", "--timeout", "2", "--stop-signal", "SIGUSR2", "--stop-timeout", "30"];
    let mut command = run(proof::insula(), &flags, &root, "/sbin/init");
    mark.on(&mut command);
    let mut system = System::start(command, &root, &desk);
    assert_eq!(system.code(), 124, "{}", system.said());
    assert_eq!(system.log("service"), "started\nstopped\n", "{}", system.said());
    before.assert_equal_within(SOON);
}

#[test]
fn busybox_init_runs_for_an_ordinary_user() {
    need!(user_namespaces);
    let busybox = proof::or_skip!(busybox());
    let _alone = proof::alone();
    let user = Ordinary::new();
    let mark = Mark::new();
    let desk = Scratch::new();
    let root = busybox_root(&busybox, &desk);
    user.own(&root);
    let before = Census::take(&mark, &[]);
    let mut command = run(user.insula(), &["--cap-add", "SYS_BOOT"], &root, "/sbin/init");
    mark.on(&mut command);
    assert_eq!(busybox_stops(command, &root, &desk, SIGUSR2), POWERED_OFF);
    before.assert_equal_within(SOON);
}

fn clear(root: &Path) {
    for log in ["service", "verdict"] {
        drop(fs::remove_file(root.join("var/log").join(log)));
    }
}

/// `--userns`: how the ids of a system may lie on those of the machine.
const ID_MAPS: &[&str] = &["auto", "identity", "host"];

#[test]
fn debians_sysvinit_starts_a_service_and_stops_it() {
    need!(root, slow);
    let tree = proof::or_skip!(debian());
    let _alone = proof::alone();
    let desk = Scratch::new();
    let root = copy(&tree, &desk);
    let mark = Mark::new();
    for (i, ids) in ID_MAPS.iter().enumerate() {
        clear(&root);
        // The host's halt by SIGPWR, as LXC has it, and the three keys.
        let (signal, code) = if i == 0 { (30, POWERED_OFF) } else { (SIGINT, RESTARTED) };
        let before = Census::take(&mark, &[]);
        let flags = ["-t", "--userns", ids, "--cap-add", "SYS_BOOT", "--tmpfs", "/run:exec,mode=755"];
        let mut command = run(proof::insula(), &flags, &root, "/sbin/init");
        mark.on(&mut command);
        let mut system = System::start(command, &root, &desk);
        system.wait_for("service", "started");
        // init(8) hears signals from its first moment, and starts what is left of the boot none the less.
        sleep(Duration::from_secs(1));
        system.send(signal);
        assert_eq!(system.code(), code, "--userns {ids}:\n{}", system.said());
        assert_eq!(system.log("service"), "started\nstopped\n", "{}", system.said());
        before.assert_equal_within(SOON);
    }
}

/// Boots systemd, and checks that all its units run and that it ends as it should.
fn systemd_boots(command: Command, root: &Path, desk: &Path, signal: i32, code: i32) {
    clear(root);
    let mut system = System::start(command, root, desk);
    system.wait_for("service", "started");
    system.wait_for("verdict", "\n");
    let verdict = system.log("verdict");
    system.send(signal);
    assert_eq!(system.code(), code, "{}", system.said());
    assert_eq!(verdict, "running\n", "{}", system.said());
    assert_eq!(system.log("service"), "started\nstopped\n", "{}", system.said());
}

#[test]
fn systemd_boots_without_a_failed_unit_and_halts() {
    need!(root, slow, cgroup_v2);
    let tree = proof::or_skip!(debian());
    let _alone = proof::alone();
    let desk = Scratch::new();
    let root = copy(&tree, &desk);
    let mark = Mark::new();
    // Without CAP_SYS_BOOT systemd exits in the place of a reboot(2), with 0.
    let boot: &[&str] = &["--cap-add", "SYS_BOOT"];
    let ends = [
        (SYSTEMD_HALT, &[][..], 0),
        (SYSTEMD_HALT, boot, POWERED_OFF),
        (SYSTEMD_POWER_OFF, boot, POWERED_OFF),
        (SYSTEMD_RESTART, boot, RESTARTED),
    ];
    for ids in ID_MAPS {
        for (signal, flags, code) in if *ids == "auto" { &ends[..] } else { &ends[..1] } {
            let cgroup = Delegated::new();
            let before = Census::take(&mark, &[]);
            let bind = format!("{}:/sys/fs/cgroup", cgroup.path().display());
            let flags = [FOR_SYSTEMD, &["-t", "--userns", ids, "-v", &bind], flags].concat();
            let mut command = cgroup.inside(&run(proof::insula(), &flags, &root, "/lib/systemd/systemd"));
            mark.on(&mut command);
            systemd_boots(command, &root, &desk, *signal, *code);
            before.assert_equal_within(SOON);
        }
    }
}

/// What systemd says where it has no cgroup to rule; `docs/system-containers.md` quotes it.
#[test]
fn systemd_without_a_cgroup_says_so_and_ends() {
    need!(root, slow);
    let tree = proof::or_skip!(debian());
    let _alone = proof::alone();
    let desk = Scratch::new();
    let root = copy(&tree, &desk);
    let mark = Mark::new();
    let before = Census::take(&mark, &[]);
    let flags = [FOR_SYSTEMD, &["-t"]].concat();
    let mut command = run(proof::insula(), &flags, &root, "/lib/systemd/systemd");
    mark.on(&mut command);
    let mut system = System::start(command, &root, &desk);
    assert_eq!(system.code(), 255, "{}", system.said());
    assert!(system.said().contains("Failed to mount cgroup at /sys/fs/cgroup"), "{}", system.said());
    before.assert_equal_within(SOON);
}

/// One flag in the place of the cgroup, the mounts, the variable, the signals and the codes.
#[test]
fn systemd_boots_by_one_flag_and_ends_with_0() {
    need!(root, slow, cgroup_v2);
    let help = proof::insula().args(["run", "--help"]).output().expect("ask for help");
    if !String::from_utf8_lossy(&help.stdout).contains("--system ") {
        proof::skip!("`insula run` has no --system yet: no cgroup of the container's own");
    }
    let tree = proof::or_skip!(debian());
    let _alone = proof::alone();
    let desk = Scratch::new();
    let root = copy(&tree, &desk);
    let mark = Mark::new();
    // SIGTERM asks the caller's insula to end, whatever the init's own signal is; SIGHUP is the terminal's end.
    for signal in [SIGTERM, SIGHUP, SYSTEMD_HALT] {
        let before = Census::take(&mark, &[]);
        let mut command = proof::insula();
        command.args(["run", "--system", "-t"]).arg(&root).args(["--", "/lib/systemd/systemd"]);
        mark.on(&mut command);
        systemd_boots(command, &root, &desk, signal, 0);
        before.assert_equal_within(SOON);
    }
}
