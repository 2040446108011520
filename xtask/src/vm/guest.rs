//! What xtask does inside the machine: puts the payload in its places, runs each pass as who it is for, and reports.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::mount::mount_bind;

use super::job::Job;
use super::machine::{PORT, SLOW};
use super::word::Word;
use crate::stop::Stop;
use crate::{build, room};

/// The verb by which the machine's service starts xtask.
pub const SERVICE: &str = "inside-the-vm";

/// The verb by which that starts the tests, as who they are for.
pub const TESTS: &str = "tests-of-the-vm";

/// Where the early user space has mounted the payload.
pub const PAYLOAD: &str = "/payload";

/// The tests run as if in this service; the session of the user who lingers.
const USER_RUNTIME: &str = "/run/user/1000";

/// Where the passes keep what they write.
const DESK: &str = "/run/insula-vm";

/// All of the job, then the end of the machine. As its service, with root's rights.
pub fn service() -> Result<(), Stop> {
    let port = port();
    let done = port.as_ref().map_err(|error| failed("open the port", error)).and_then(passes);
    if let (Ok(port), Err(Stop::Failed(words))) = (&port, &done) {
        // Nothing more can be done where the port cannot be written.
        drop(say(port, &format!("insula-vm: {words}")));
    }
    if let Ok(port) = &port {
        drop(say(port, &Word::Done.line()));
    }
    // Nothing here is to be kept.
    drop(fs::write("/proc/sysrq-trigger", "o"));
    done
}

fn failed(what: &str, error: &io::Error) -> Stop {
    Stop::Failed(format!("{what}: {error}"))
}

/// The job, which lies beside the tests.
pub fn job() -> Result<Job, Stop> {
    let path = Path::new(PAYLOAD).join("job");
    let text = fs::read_to_string(&path).map_err(|error| failed("read the job", &error))?;
    Job::read(&text).ok_or_else(|| Stop::Failed(format!("`{}` is no job", path.display())))
}

/// About how many times slower than a real machine this one is: the kernel's command line tells.
pub fn slow() -> u32 {
    let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let told = line.split_whitespace().find_map(|word| word.strip_prefix(SLOW)?.parse().ok());
    told.unwrap_or(1).max(1)
}

/// The port to the outside, by its name in sysfs; udev may be late with links.
fn port() -> io::Result<File> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let ports = fs::read_dir("/sys/class/virtio-ports").into_iter().flatten().flatten();
        let named =
            |path: &PathBuf| fs::read_to_string(path.join("name")).is_ok_and(|name| name.trim() == PORT);
        if let Some(port) = ports.map(|entry| entry.path()).find(named) {
            return OpenOptions::new()
                .write(true)
                .open(Path::new("/dev").join(port.file_name().unwrap_or_default()));
        }
        if Instant::now() > deadline {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("no port `{PORT}`")));
        }
        sleep(Duration::from_millis(100));
    }
}

fn say(mut port: &File, line: &str) -> io::Result<()> {
    port.write_all(format!("{line}\n").as_bytes())
}

fn passes(port: &File) -> Result<(), Stop> {
    let job = job()?;
    let tell = |word: &Word| say(port, &word.line()).map_err(|error| failed("report", &error));
    place(&job).map_err(|error| failed("put the payload in its places", &error))?;
    tell(&Word::About(about()))?;
    for who in &job.who {
        tell(&Word::Begin(who.clone()))?;
        let skips = Path::new(DESK).join(format!("skips-{who}"));
        fs::write(&skips, "").map_err(|error| failed("make a file for the skips", &error))?;
        fs::set_permissions(&skips, Permissions::from_mode(0o666))
            .map_err(|error| failed("open the file for the skips", &error))?;
        let mut command = if who == "user" { as_user(&skips)? } else { as_root(&skips)? };
        let shared = || port.try_clone().map_err(|error| failed("share the port", &error));
        let status = command.stdin(Stdio::null()).stdout(shared()?).stderr(shared()?).status();
        let status = status.map_err(|error| failed("start the tests", &error))?;
        let text = fs::read_to_string(&skips).unwrap_or_default();
        for (test, reason) in text.lines().filter_map(|line| line.split_once('\t')) {
            tell(&Word::Skip { test: test.into(), reason: reason.into() })?;
        }
        tell(&Word::End(status.code().unwrap_or(1)))?;
    }
    Ok(())
}

/// Files of the payload appear where they were when the tests were built.
fn place(job: &Job) -> io::Result<()> {
    fs::create_dir_all(DESK)?;
    for (from, to) in &job.binds {
        let from = Path::new(PAYLOAD).join(from);
        if from.is_dir() {
            fs::create_dir_all(to)?;
        } else {
            to.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create(to)?;
        }
        mount_bind(&from, to)?;
        // Such as /root: the ordinary users have to get there.
        for above in to.ancestors().skip(1) {
            let mode = fs::metadata(above)?.permissions().mode();
            fs::set_permissions(above, Permissions::from_mode(mode | 0o111))?;
        }
    }
    Ok(())
}

/// What this machine is, for the record.
fn about() -> String {
    let first = |program: &str, flag: &str| {
        let said = build::output(program.as_ref(), &[flag]).unwrap_or_default();
        said.lines().next().unwrap_or(program).to_owned()
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let cgroups: Vec<&str> = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(2).filter(|kind| kind.starts_with("cgroup")))
        .collect();
    [
        format!("Linux {}", read("/proc/sys/kernel/osrelease")),
        first("systemctl", "--version"),
        first("unshare", "--version"),
        first("ip", "-V"),
        cgroups.join(" and "),
        format!("lsm={}", read("/sys/kernel/security/lsm")),
    ]
    .join("; ")
}

/// In the room that the tests have everywhere as root.
fn as_root(skips: &Path) -> Result<Command, Stop> {
    let mut tests = Command::new(Path::new(PAYLOAD).join("xtask"));
    tests.arg(TESTS);
    for (name, value) in environment(skips) {
        tests.env(name, value);
    }
    tests.env("HOME", "/root").env("USER", "root").env("LOGNAME", "root");
    tests.env("PATH", "/payload:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    tests.current_dir("/root");
    room::command(&tests)
}

/// As a service of the user's own systemd, whose cgroup is delegated: what a session has.
fn as_user(skips: &Path) -> Result<Command, Stop> {
    let bus = Path::new(USER_RUNTIME).join("bus");
    let deadline = Instant::now() + Duration::from_secs(20) * slow();
    while !bus.exists() {
        if Instant::now() > deadline {
            return Err(Stop::Failed(format!("the user has no session: there is no `{}`", bus.display())));
        }
        sleep(Duration::from_millis(200));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "user", "--", "env", "-C", "/home/user"]);
    command.arg(format!("XDG_RUNTIME_DIR={USER_RUNTIME}"));
    command.args(["systemd-run", "--user", "--pipe", "--wait", "--quiet", "--collect"]);
    command.args(["--property", "Delegate=yes", "--working-directory", "/home/user"]);
    let own = [
        ("HOME".to_owned(), "/home/user".to_owned()),
        ("USER".into(), "user".into()),
        ("LOGNAME".into(), "user".into()),
        ("PATH".into(), "/payload:/usr/local/bin:/usr/bin:/bin".into()),
    ];
    for (name, value) in environment(skips).into_iter().chain(own) {
        command.arg(format!("--setenv={name}={value}"));
    }
    command.arg(Path::new(PAYLOAD).join("xtask")).arg(TESTS);
    Ok(command)
}

/// What the tests are told.
fn environment(skips: &Path) -> Vec<(String, String)> {
    let mut told = vec![
        ("INSULA_BIN".to_owned(), format!("{PAYLOAD}/insula")),
        ("INSULA_SKIPS".into(), skips.display().to_string()),
        ("INSULA_VM".into(), "1".into()),
        ("LANG".into(), "C.UTF-8".into()),
    ];
    if slow() > 1 {
        told.push(("INSULA_SLOW".into(), slow().to_string()));
        // The slow tests take minutes on a real machine.
        told.push(("INSULA_FAST".into(), "1".into()));
    }
    told
}
