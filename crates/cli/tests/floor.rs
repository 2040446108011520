//! bench/floor.c makes the same container as `insula run`: only then is it a floor. A script inside says what it sees
//! and is, once under each; what is chosen anew for every container is taken out, the rest must be equal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use insula_proof::{self as proof, Scratch};

/// What is seen from inside, in sections.
const PROBE: &str = r#"
section() { echo "== $1"; }
section mounts; sort -s -k5,5 /proc/self/mountinfo
section status; cat /proc/self/status
section maps; cat /proc/self/uid_map /proc/self/gid_map
section namespaces; for ns in /proc/self/ns/*; do echo "$ns $(readlink "$ns")"; done
section host name; cat /proc/sys/kernel/hostname
section loopback; cat /sys/class/net/lo/flags; ls /sys/class/net
section environment; env | sort
section directory; pwd
section descriptors; readlink /proc/$$/fd/0
for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo $fd; done
section init; readlink /proc/1/exe; cat /proc/1/comm; cut -d' ' -f4-8 /proc/1/stat; cksum </proc/1/exe
section program; cut -d' ' -f4-8 /proc/$$/stat; cat /proc/$$/limits /proc/$$/cgroup
section files; stat -c '%n %A %u %g %t:%T' / /tmp /root /run /proc /sys /dev /dev/* /dev/pts/ptmx
for link in /dev/*; do readlink "$link"; done
section written; echo kept >/etc/insula-floor && cat /etc/insula-floor && stat -c '%A %u %g' /etc/insula-floor
section masked; cat /proc/keys /proc/timer_list; ls -A /proc/acpi /sys/firmware
echo 1 2>/dev/null >/proc/sys/vm/swappiness || echo refused
"#;

/// Fields of `/proc/self/status` that a container is known by; the rest counts pages and switches.
const STATUS: &[&str] = &[
    "Umask",
    "PPid",
    "Uid",
    "Gid",
    "Groups",
    "NSpgid",
    "NSsid",
    "SigPnd",
    "ShdPnd",
    "SigBlk",
    "SigIgn",
    "SigCgt",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
];

/// Options that differ in every container: shifted owners, and where an overlay's layers were, which is out of sight.
const CHOSEN: &[&str] = &["uid", "gid", "lowerdir", "lowerdir+", "upperdir", "workdir"];

#[test]
fn the_floor_makes_the_same_container_as_insula() {
    proof::need!(root, program "cc");
    let scratch = Scratch::new();
    let floor = proof::or_skip!(floor(&scratch));
    let parts = proof::or_skip!(parts());
    let probe = ["/bin/sh", "-c", PROBE];
    let insula = seen(proof::insula().args(["run", "--"]).args(probe), &scratch);
    let floor = seen(Command::new(floor).args(parts).args(probe), &scratch);
    let sections = insula.lines().filter(|line| line.starts_with("== ")).count();
    assert_eq!(sections, 14, "the probe did not come to its end:\n{insula}");
    let differences: Vec<String> = differences(&insula, &floor);
    assert!(differences.is_empty(), "- under insula, + on the floor:\n{}", differences.join("\n"));
    assert!(!Path::new("/etc/insula-floor").exists(), "what was written inside is on the host");
}

/// Runs the probe from a caller whose descriptors, ignored signals, umask and environment must not enter.
fn seen(command: &Command, directory: &Path) -> String {
    let mut caller = Command::new("/bin/sh");
    caller.args(["-c", "trap '' USR1 HUP; umask 077; exec 8</ 9</proc \"$@\"", "sh"]);
    caller.arg(command.get_program()).args(command.get_args());
    caller.env_clear().env("PATH", "/usr/bin:/bin").env("CALLER", "1");
    let output = caller.current_dir(directory).stdin(Stdio::null()).output().expect("run a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {}\n{said}", command.get_program().display(), output.status);
    let mut section = String::new();
    let mut text = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if line.starts_with("== ") {
            section = line.to_string();
        }
        text.extend(fixed(&section, line));
    }
    text.push(said.into_owned());
    text.join("\n")
}

/// The line without what every container gets anew; none if all of it is so.
fn fixed(section: &str, line: &str) -> Option<String> {
    match section {
        _ if line == section => Some(line.to_string()),
        "== mounts" => Some(mount(line)),
        "== status" => STATUS.contains(&line.split(':').next()?).then(|| line.to_string()),
        // Of `INSIDE OUTSIDE COUNT` the outer id is chosen.
        "== maps" => Some(line.split_whitespace().step_by(2).collect::<Vec<_>>().join(" ")),
        "== namespaces" => Some(namespace(line)),
        _ => Some(line.to_string()),
    }
}

/// A line of mountinfo without the ids of mounts, device numbers and chosen options.
fn mount(line: &str) -> String {
    let (front, options) = line.rsplit_once(' ').unwrap_or((line, ""));
    let front: Vec<&str> = front.split(' ').skip(3).collect();
    let options: Vec<&str> = options
        .split(',')
        .filter(|option| !CHOSEN.contains(&option.split('=').next().unwrap_or_default()))
        .collect();
    format!("{} {}", front.join(" "), options.join(","))
}

/// `PATH KIND:[NUMBER]`, the number as whether it is the host's.
fn namespace(line: &str) -> String {
    let (path, seen) = line.split_once(' ').unwrap_or((line, ""));
    let host = fs::read_link(path).unwrap_or_default();
    format!("{path} {}", if host.as_os_str() == seen { "the host's" } else { "new" })
}

/// The lines of one text that the other has not.
fn differences(insula: &str, floor: &str) -> Vec<String> {
    let missing = |sign: &str, of: &str, from: &str| -> Vec<String> {
        let from: Vec<&str> = from.lines().collect();
        of.lines().filter(|line| !from.contains(line)).map(|line| format!("{sign} {line}")).collect()
    };
    let mut all = missing("-", insula, floor);
    all.extend(missing("+", floor, insula));
    if all.is_empty() && insula != floor {
        all.push(format!("the same lines in another order:\n{insula}\n\n{floor}"));
    }
    all
}

/// Compiles the floor around the init of the insula under test, taken from a running container.
fn floor(scratch: &Scratch) -> Result<PathBuf, String> {
    let script =
        "for try in 1 2 3 4 5 6 7 8 9; do cat /proc/1/exe 2>/dev/null && exit; sleep 0.1; done; exit 1";
    let init = proof::insula().args(["run", "--", "/bin/sh", "-c", script]).output().expect("run insula");
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    let init = scratch.write("insula-init", init.stdout);
    let floor = scratch.join("floor");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/floor.c");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-static"]).arg(format!("-DINIT=\"{}\"", init.display()));
    let output = cc.arg("-o").arg(&floor).arg(source).output().expect("run cc");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("cannot find -lc") {
        return Err("no static libc".into());
    }
    assert!(output.status.success(), "the floor was not compiled:\n{said}");
    Ok(floor)
}

/// What the plan sees through an overlay of its own or binds, as the floor's options.
fn parts() -> Result<Vec<String>, String> {
    let plan = proof::insula().args(["run", "--explain", "--", "true"]).output().expect("run insula");
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    let clones = plan.lines().filter_map(|line| line.split_once("clone the mount `")?.1.split_once('`'));
    let mut options = Vec::new();
    for (path, how) in clones.filter(|(path, _)| *path != "/") {
        let option = match how {
            ", its ids as the container's" => "-o",
            "" => "-b",
            _ => return Err(format!("the floor has no option for this mount: `{path}`{how}")),
        };
        options.extend([option.to_string(), path.to_string()]);
    }
    Ok(options)
}
