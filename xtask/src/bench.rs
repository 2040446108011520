//! `bench`: what `insula run` costs, beside the floor and beside others. bench/README.md says what is compared.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::geteuid;

use crate::build::{Profile, binary};
use crate::stop::Stop;
use crate::{tell, tree};

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

/// What is asked for.
struct Ask {
    rounds: u32,
    idle_ms: u32,
}

/// A command that is measured.
struct Row {
    name: &'static str,
    words: Vec<String>,
}

/// What the runs of one command took, each list sorted.
#[derive(Default)]
struct Taken {
    wall_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
}

/// `bench [--rounds N] [--idle-ms N]`
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let ask = Ask::of(arguments)?;
    if !geteuid().is_root() {
        return Err(Stop::Failed("the comparison is of what root does: run it as root".into()));
    }
    let insula = binary(Profile::Release)?;
    let shop = insula.with_file_name("bench");
    fs::create_dir_all(&shop).map_err(|error| failed("make", &shop, &error))?;
    let (rows, left_out) = rows(&insula, &shop)?;
    let timer = compile(&shop, "timer", &["-O2"])?;
    tell::say(&machine());
    for words in left_out {
        tell::say(&format!("left out: {words}\n"));
    }
    tell::say(&format!("{} rounds, {} ms idle before each run\n\n", ask.rounds, ask.idle_ms));
    let taken = measure(&timer, &ask, &rows)?;
    tell::say(&times(&rows, &taken));
    tell::say(&memory(&rows[..rows.len().min(3)])?);
    Ok(())
}

impl Ask {
    fn of(arguments: &[String]) -> Result<Ask, Stop> {
        let mut ask = Ask { rounds: 200, idle_ms: 20 };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let place = match word.as_str() {
                "--rounds" => &mut ask.rounds,
                "--idle-ms" => &mut ask.idle_ms,
                _ => return Err(Stop::Usage(format!("unknown argument: `{word}`"))),
            };
            let number = words.next().and_then(|number| number.parse().ok());
            *place = number.ok_or_else(|| Stop::Usage(format!("{word} needs a number")))?;
        }
        if ask.rounds == 0 { Err(Stop::Usage("--rounds needs 1 at least".into())) } else { Ok(ask) }
    }
}

/// Compiles `bench/NAME.c`, and returns the program's path.
fn compile(shop: &Path, name: &str, flags: &[&str]) -> Result<PathBuf, Stop> {
    let program = shop.join(name);
    let source = tree::root().join("bench").join(name).with_extension("c");
    let mut cc = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-Wall", "-Wextra"]).args(flags).arg("-o").arg(&program).arg(&source);
    match cc.status() {
        Ok(status) if status.success() => Ok(program),
        Ok(_) => Err(Stop::Failed(format!("`{}` was not compiled", source.display()))),
        Err(error) => Err(Stop::Failed(format!("start the C compiler: {error}"))),
    }
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

/// The command, if it works here; else the last thing that it said.
fn tried(words: &[String]) -> Result<Vec<String>, String> {
    let output = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(words.to_vec())
    } else {
        Err(said.lines().last().unwrap_or("it failed").to_string())
    }
}

fn find(name: &str) -> Result<String, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let files = env::split_paths(&path).chain(["/usr/sbin".into()]).map(|directory| directory.join(name));
    files.into_iter().find(|file| file.is_file()).map(|file| text(&file)).ok_or("not installed".into())
}

/// Runs all commands by turns.
fn measure(timer: &Path, ask: &Ask, rows: &[Row]) -> Result<Vec<Taken>, Stop> {
    let mut run = Command::new(timer);
    run.args([ask.rounds.to_string(), ask.idle_ms.to_string()]).stdin(Stdio::null());
    for row in rows {
        run.arg("--command").args(&row.words);
    }
    let lines = output(&mut run)?;
    let mut taken: Vec<Taken> = rows.iter().map(|_| Taken::default()).collect();
    for line in String::from_utf8_lossy(&lines).lines() {
        let mut numbers = line.split(' ');
        let index: Option<usize> = numbers.next().and_then(|number| number.parse().ok());
        let mut number = || numbers.next().and_then(|number| number.parse::<f64>().ok());
        let (wall_ns, cpu_us) = (number(), number());
        let row = index.and_then(|index| taken.get_mut(index));
        let (Some(row), Some(wall_ns), Some(cpu_us)) = (row, wall_ns, cpu_us) else {
            return Err(Stop::Failed(format!("the timer said `{line}`")));
        };
        row.wall_ms.push(wall_ns / 1e6);
        row.cpu_ms.push(cpu_us / 1e3);
    }
    for row in &mut taken {
        row.wall_ms.sort_by(f64::total_cmp);
        row.cpu_ms.sort_by(f64::total_cmp);
    }
    Ok(taken)
}

/// The value that this many of a hundred do not exceed.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(f64::NAN)
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

/// The machine in a line.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    format!(
        "Linux {}, {} {cores} cores, load {}\n",
        read("/proc/sys/kernel/osrelease").trim(),
        model.map(|(_, name)| format!("{name},")).unwrap_or_default(),
        load.split(' ').next().unwrap_or_default()
    )
}

/// What a command says, if it succeeds. Its stderr is ours.
fn output(command: &mut Command) -> Result<Vec<u8>, Stop> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed("start", Path::new(&name), &error))?;
    if output.status.success() { Ok(output.stdout) } else { Err(Stop::Failed(format!("`{name}` failed"))) }
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> Stop {
    Stop::Failed(format!("{verb} `{}`: {error}", path.display()))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([0, 50, 95, 100].map(|percent| percentile(&sorted, percent)), [1.0, 2.0, 4.0, 4.0]);
        assert!(percentile(&[], 50).is_nan());
    }
}
