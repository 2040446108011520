//! Root directories with an init and a service: of busybox, made anew for each test, and of Debian, copied from a tree
//! that debootstrap(8) makes once, under the target directory.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use insula_proof::{Scratch, need};

/// The service of each system. It tells its life in a file, which the test reads from outside.
const SERVICE: &str = "#!/bin/sh
echo started >>/var/log/service
trap 'echo stopped >>/var/log/service; exit 0' TERM
while :; do sleep 0.1; done
";

/// The System V script of the service.
const SYSV_SCRIPT: &str = "#!/bin/sh
### BEGIN INIT INFO
# Provides: service
# Required-Start: $local_fs
# Required-Stop: $local_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: the service of the test
### END INIT INFO
case $1 in
start) setsid /usr/local/bin/service & echo $! >/run/service.pid ;;
stop) kill -TERM \"$(cat /run/service.pid)\"; sleep 0.5 ;;
esac
";

/// The service as a unit; when the boot is over, what systemd thinks of it stands in a file.
const UNITS: &[(&str, &str)] = &[
    (
        "service.service",
        "[Unit]\nConditionVirtualization=container\n[Service]\nExecStart=/usr/local/bin/service\n",
    ),
    (
        "verdict.service",
        "[Service]\nExecStart=/bin/sh -c 'systemctl is-system-running --wait >/var/log/verdict; \
         systemctl --failed --plain --no-legend >>/var/log/verdict'\n",
    ),
];

/// The static busybox of this machine, and whether it has an init.
pub fn busybox() -> Result<PathBuf, String> {
    need::program("busybox")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|directory| directory.join("busybox")).find(|file| file.is_file());
    let found = found.ok_or("no `busybox` in PATH")?;
    let applets = Command::new(&found).arg("--list").output().map_err(|error| error.to_string())?;
    let has_init = String::from_utf8_lossy(&applets.stdout).lines().any(|applet| applet == "init");
    need::that(has_init, "busybox has no init")?;
    // A dynamic one names its loader, which the root does not have (elf(5), PT_INTERP).
    let bytes = fs::read(&found).map_err(|error| error.to_string())?;
    let loader = b"/lib64/ld-";
    need::that(!bytes.windows(loader.len()).any(|window| window == loader), "busybox is not static")?;
    Ok(found)
}

/// A root of nothing but busybox, its inittab and the service.
pub fn busybox_root(busybox: &Path, desk: &Scratch) -> PathBuf {
    let root = desk.join("root");
    for directory in ["bin", "sbin", "proc", "sys", "dev", "run", "tmp", "var/log", "usr/local/bin"] {
        fs::create_dir_all(root.join(directory)).expect("make a directory of the root");
    }
    fs::copy(busybox, root.join("bin/busybox")).expect("copy busybox");
    for applet in ["bin/sh", "bin/sleep", "sbin/init"] {
        symlink("/bin/busybox", root.join(applet)).expect("link an applet");
    }
    desk.write(
        "root/etc/inittab",
        "::sysinit:/bin/sh -c 'echo booted >>/var/log/boot'\n::respawn:/usr/local/bin/service\n\
         ::ctrlaltdel:/bin/busybox reboot\n::shutdown:/bin/sh -c 'echo shut >>/var/log/boot'\n",
    );
    executable(&desk.write("root/usr/local/bin/service", SERVICE));
    root
}

fn executable(file: &Path) {
    fs::set_permissions(file, Permissions::from_mode(0o755)).expect("make it executable");
}

/// What debootstrap(8) puts into the tree: both inits, of which the root's `/sbin/init` is System V's.
const PACKAGES: &str = "sysvinit-core,systemd,dbus,cron";

/// A tree of Debian, made when it is not there yet.
pub fn debian() -> Result<PathBuf, String> {
    need::program("debootstrap")?;
    let store = Path::new(env!("CARGO_TARGET_TMPDIR")).join("system");
    fs::create_dir_all(&store).map_err(|error| format!("make `{}`: {error}", store.display()))?;
    let tree = store.join("bookworm");
    // Tests run in threads and cargo may run twice: one makes it, the others wait.
    let lock = File::create(store.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if tree.is_dir() {
        return Ok(tree);
    }
    let half = store.join("half");
    if half.exists() {
        fs::remove_dir_all(&half).map_err(|error| format!("remove `{}`: {error}", half.display()))?;
    }
    let mut make = Command::new("debootstrap");
    make.args(["--variant=minbase", &format!("--include={PACKAGES}"), "bookworm"]).arg(&half).arg(mirror());
    let made = make.stdin(Stdio::null()).output().map_err(|error| format!("start debootstrap: {error}"))?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stdout);
        let why = said.lines().rev().find(|line| line.starts_with("E: ")).unwrap_or("it says not why");
        return Err(format!("debootstrap: {why}"));
    }
    for unneeded in UNNEEDED {
        fs::remove_dir_all(half.join(unneeded)).map_err(|error| format!("remove `/{unneeded}`: {error}"))?;
    }
    fs::rename(&half, &tree).map_err(|error| format!("rename `{}`: {error}", half.display()))?;
    Ok(tree)
}

/// The mirror of this machine, else Debian's.
fn mirror() -> String {
    let lists =
        fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let lists = std::iter::once(PathBuf::from("/etc/apt/sources.list")).chain(lists);
    let text: String = lists.filter_map(|list| fs::read_to_string(list).ok()).collect();
    let mut words = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let found =
        words.find(|word| word.starts_with("http") && word.trim_end_matches('/').ends_with("/debian"));
    found.unwrap_or("http://deb.debian.org/debian").into()
}

/// What a boot does not need, and a copy would cost.
const UNNEEDED: &[&str] =
    &["usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache/apt", "var/lib/apt/lists"];

/// A copy of the tree for one test, with the service for both inits.
pub fn copy(tree: &Path, desk: &Path) -> PathBuf {
    let root = desk.join("root");
    let copied = Command::new("cp").args(["-a", "--reflink=auto"]).arg(tree).arg(&root).status();
    assert!(copied.expect("start cp").success(), "copy `{}`", tree.display());
    if let Err(error) = furnish(&root) {
        panic!("furnish `{}`: {error}", root.display());
    }
    // startpar(8) starts what insserv(8) has found in the scripts' heads, not what the links say.
    let listed = Command::new("chroot").arg(&root).args(["update-rc.d", "service", "defaults"]).status();
    assert!(listed.expect("start chroot").success(), "update-rc.d in `{}`", root.display());
    root
}

fn furnish(root: &Path) -> std::io::Result<()> {
    let service = root.join("usr/local/bin/service");
    let script = root.join("etc/init.d/service");
    fs::write(&service, SERVICE)?;
    fs::write(&script, SYSV_SCRIPT)?;
    executable(&service);
    executable(&script);
    // A container has one terminal; and SIGPWR is how its host asks it to halt, as in LXC.
    let inittab = fs::read_to_string(root.join("etc/inittab"))?;
    let lines = inittab.lines().filter(|line| !line.contains("getty") && !line.starts_with("pf:"));
    let inittab: String = lines.map(|line| format!("{line}\n")).collect();
    fs::write(root.join("etc/inittab"), inittab + "pf::powerwait:/sbin/init 0\n")?;
    let units = root.join("etc/systemd/system");
    fs::create_dir_all(units.join("multi-user.target.wants"))?;
    for (name, text) in UNITS {
        fs::write(units.join(name), text)?;
        symlink(format!("../{name}"), units.join("multi-user.target.wants").join(name))?;
    }
    Ok(())
}
