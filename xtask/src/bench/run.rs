//! `bench`: what `insula run` costs, beside the floor and beside others. bench/README.md says what is compared.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::measure::{Row, Shop, Taken, compile, failed, find, output, percentile, text, tried};
use crate::stop::Stop;
use crate::tell;

/// What insula masks where it is there, and whether it is a directory. Of what it makes read-only, bwrap's `--proc` covers
/// all but /proc/fs.
const MASKED: &[(&str, bool)] = &[
    ("/proc/acpi", true),
    ("/proc/asound", true),
    ("/proc/interrupts", false),
    ("/proc/kcore", false),
    ("/proc/keys", false),
    ("/proc/latency_stats", false),
    ("/proc/sched_debug", false),
    ("/proc/scsi", true),
    ("/proc/timer_list", false),
    ("/proc/timer_stats", false),
    ("/sys/devices/virtual/powercap", true),
    ("/sys/firmware", true),
];

/// Prints its own pid 1's program, which can be read once that has started us.
const PRINT_INIT: &str =
    "for try in 1 2 3 4 5 6 7 8 9; do cat /proc/1/exe 2>/dev/null && exit; sleep 0.1; done; exit 1";

const TIMES_HEAD: &str = concat!(
    "                wall ms                 CPU ms      / floor      / bwrap\n",
    "                 median    min    p95   median   wall   CPU   wall   CPU\n"
);

const MEMORY_HEAD: &str = concat!(
    "\n",
    "                    kB, while the program sleeps\n",
    "               peak RSS,  private dirty,  private dirty,     sum\n",
    "                  parent          parent           pid 1\n"
);

/// The tables of `insula run`.
pub fn compare(shop: &Shop) -> Result<(), Stop> {
    let (rows, left_out) = rows(&shop.insula, &shop.path)?;
    for words in left_out {
        tell::say(&format!("left out: {words}\n"));
    }
    let taken = shop.measure(&rows)?;
    tell::say(&times(&rows, &taken));
    tell::say(&memory(&rows[..rows.len().min(3)])?);
    Ok(())
}

/// The commands, insula and the floor first, bwrap third if it is there; and why others are not among them.
fn rows(insula: &Path, shop: &Path) -> Result<(Vec<Row>, Vec<String>), Stop> {
    let program = text(&compile(shop, "program", &["-O2", "-static"])?);
    let init = shop.join("insula-init");
    let bytes = output(Command::new(insula).args(["run", "--", "/bin/sh", "-c", PRINT_INIT]))?;
    fs::write(&init, bytes).map_err(|error| failed("write", &init, &error))?;
    let floor = compile(shop, "floor", &["-O2", "-static", &format!("-DINIT=\"{}\"", init.display())])?;
    let mut floor_words = vec![text(&floor)];
    floor_words.extend(parts(insula)?);
    floor_words.push(program.clone());
    let mut rows = vec![
        Row { name: "insula run", words: vec![text(insula), "run".into(), "--".into(), program.clone()] },
        Row { name: "floor", words: floor_words },
    ];
    let mut left_out = Vec::new();
    let mut add = |name, words: Result<Vec<String>, String>| match words.and_then(|words| tried(&words)) {
        Ok(words) => rows.push(Row { name, words }),
        Err(reason) => left_out.push(format!("{name}: {reason}")),
    };
    add("bwrap", find("bwrap").map(|bwrap| bwrap_words(bwrap, &program)));
    for name in ["crun", "runc"] {
        add(name, find(name).and_then(|runtime| bundle(&runtime, &shop.join(name), &program)));
    }
    rows.push(Row { name: "program alone", words: vec![program] });
    Ok((rows, left_out))
}

/// What the plan sees through an overlay of its own or binds, as the floor's options.
fn parts(insula: &Path) -> Result<Vec<String>, Stop> {
    let plan = output(Command::new(insula).args(["run", "--explain", "--", "true"]))?;
    let plan = String::from_utf8_lossy(&plan);
    let clones = plan.lines().filter_map(|line| line.split_once("clone the mount `")?.1.split_once('`'));
    let mut options = Vec::new();
    for (path, how) in clones.filter(|(path, _)| *path != "/") {
        let option = match how {
            ", its ids as the container's" => "-o",
            "" => "-b",
            _ => return Err(Stop::Failed(format!("the floor cannot do this: clone `{path}`{how}"))),
        };
        options.extend([option.to_string(), path.to_string()]);
    }
    Ok(options)
}

/// The nearest to insula's container that bwrap's options make; bench/README.md says what is missing.
fn bwrap_words(bwrap: String, program: &str) -> Vec<String> {
    let fixed = "--unshare-all --unshare-user --hostname insula --new-session --die-with-parent --clearenv \
                 --setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --setenv HOME /root \
                 --setenv HOSTNAME insula --ro-bind / / --tmpfs /run --proc /proc --dev /dev --mqueue /dev/mqueue \
                 --tmpfs /dev/shm";
    let mut words = vec![bwrap];
    words.extend(fixed.split_whitespace().map(str::to_string));
    for (path, is_directory) in MASKED.iter().filter(|(path, _)| Path::new(path).exists()) {
        words.extend(match is_directory {
            true => ["--tmpfs", path, "--remount-ro", path].map(str::to_string).to_vec(),
            false => ["--ro-bind", "/dev/null", path].map(str::to_string).to_vec(),
        });
    }
    words.extend(["--ro-bind", "/proc/fs", "/proc/fs", "--", program].map(str::to_string));
    words
}

/// An OCI bundle with the runtime's own default configuration and a root with nothing in it but the program.
fn bundle(runtime: &str, bundle: &Path, program: &str) -> Result<Vec<String>, String> {
    let words = |error: std::io::Error| format!("make `{}`: {error}", bundle.display());
    let config = bundle.join("config.json");
    let _ = fs::remove_file(&config);
    fs::create_dir_all(bundle.join("rootfs")).map_err(words)?;
    fs::copy(program, bundle.join("rootfs/program")).map_err(words)?;
    let made = Command::new(runtime).arg("spec").current_dir(bundle).stdout(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        return Err("`spec` failed".into());
    }
    let text = fs::read_to_string(&config).map_err(words)?;
    let text = text.replace("\"terminal\": true", "\"terminal\": false").replace("\"sh\"", "\"/program\"");
    fs::write(&config, text).map_err(words)?;
    let id = format!("insula-bench-{}", std::process::id());
    Ok([runtime, "run", "--bundle", &bundle.display().to_string(), &id].map(str::to_string).to_vec())
}

/// The table of times: the ratios are of medians.
fn times(rows: &[Row], taken: &[Taken]) -> String {
    let at = |name| rows.iter().position(|row| row.name == name);
    let medians = |row: &Taken| (percentile(&row.wall_ms, 50), percentile(&row.cpu_ms, 50));
    let ratios = |row: &Taken, to: Option<usize>| match to.map(|to| medians(&taken[to])) {
        Some((wall, cpu)) => format!("{:>7.2} {:>5.2}", medians(row).0 / wall, medians(row).1 / cpu),
        None => format!("{:>7} {:>5}", "-", "-"),
    };
    let mut table = TIMES_HEAD.to_string();
    for (row, taken) in rows.iter().zip(taken) {
        let (wall, cpu) = medians(taken);
        let (min, p95) = (percentile(&taken.wall_ms, 0), percentile(&taken.wall_ms, 95));
        let (floor, bwrap) = (ratios(taken, at("floor")), ratios(taken, at("bwrap")));
        let _ = writeln!(table, "{:<14}{wall:>9.2} {min:>6.2} {p95:>6.2}{cpu:>9.2} {floor}{bwrap}", row.name);
    }
    table
}

/// What the processes of a running container keep: the parent that waits, and pid 1.
fn memory(rows: &[Row]) -> Result<String, Stop> {
    // The pages of a binary that is not on the disk yet count as dirty, though they are the file's.
    rustix::fs::sync();
    let mut table = MEMORY_HEAD.to_string();
    for row in rows {
        let mut command = Command::new(&row.words[0]);
        command.args(&row.words[1..]).arg("stay").stdin(Stdio::null());
        let parent = command.spawn().map_err(|error| failed("start", Path::new(row.name), &error))?;
        let mut parent = Killed(parent);
        let Some(init) = settled(parent.0.id(), &row.words) else {
            return Err(Stop::Failed(format!("{}: its program does not start", row.name)));
        };
        let pid = parent.0.id();
        let peak = field(pid, "status", "VmHWM:");
        let (ours, inits) =
            (field(pid, "smaps_rollup", "Private_Dirty:"), field(init, "smaps_rollup", "Private_Dirty:"));
        let _ = writeln!(table, "{:<14}{peak:>9}{ours:>16}{inits:>16}{:>8}", row.name, ours + inits);
        parent.end();
    }
    Ok(table)
}

/// A container that ends with us: SIGKILL for its parent is SIGKILL for it.
struct Killed(Child);

impl Killed {
    fn end(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.end();
    }
}

/// The pid 1 of the container below `parent`, once its program runs and all of them rest.
fn settled(parent: u32, words: &[String]) -> Option<u32> {
    let program = words.last()?;
    for _ in 0..200 {
        thread::sleep(Duration::from_millis(10));
        let init = children(parent).into_iter().find(|init| {
            children(*init).iter().any(|child| {
                let line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
                line.starts_with(program.as_bytes())
            })
        });
        if init.is_some() {
            thread::sleep(Duration::from_millis(100));
            return init;
        }
    }
    None
}

fn children(of: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// A number of kB in a file of `/proc/PID`.
fn field(pid: u32, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().split(' ').next()?.parse().ok());
    value.unwrap_or_default()
}
