//! What every comparison needs: programs of `bench/` compiled, commands run by turns, medians, the machine in a line.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::build::{Profile, binary};
use crate::stop::Stop;
use crate::tree;

/// A command that is measured.
pub struct Row {
    pub name: &'static str,
    pub words: Vec<String>,
}

/// What the runs of one command took, each list sorted.
#[derive(Default)]
pub struct Taken {
    pub wall_ms: Vec<f64>,
    pub cpu_ms: Vec<f64>,
    /// The peak RSS of its largest process.
    pub peak_kb: Vec<f64>,
}

/// What a row of the timer does: commands that are measured, and what has to stand between them.
#[derive(Clone, Default)]
pub struct Steps(Vec<String>);

impl Steps {
    /// A command that is measured.
    pub fn command(self, words: &[String]) -> Steps {
        self.step("--command", words)
    }

    /// One that prepares or clears up.
    pub fn unseen(self, words: &[String]) -> Steps {
        self.step("--unseen", words)
    }

    /// Wait for all that commands have left running; its CPU time counts.
    pub fn gather(self) -> Steps {
        self.step("--gather", &[])
    }

    /// The same; it does not count.
    pub fn settle(self) -> Steps {
        self.step("--settle", &[])
    }

    fn step(mut self, kind: &str, words: &[String]) -> Steps {
        self.0.push(kind.to_owned());
        self.0.extend_from_slice(words);
        self
    }
}

/// Compiles `bench/NAME.c`, and returns the program's path.
pub fn compile(shop: &Path, name: &str, flags: &[&str]) -> Result<PathBuf, Stop> {
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

/// The command, if it works here; else the last thing that it said.
pub fn tried(words: &[String]) -> Result<Vec<String>, String> {
    let output = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(words.to_vec())
    } else {
        Err(said.lines().last().unwrap_or("it failed").to_string())
    }
}

pub fn find(name: &str) -> Result<String, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let files = env::split_paths(&path).chain(["/usr/sbin".into()]).map(|directory| directory.join(name));
    files.into_iter().find(|file| file.is_file()).map(|file| text(&file)).ok_or("not installed".into())
}

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Ask {
    pub rounds: u32,
    pub idle_ms: u32,
}

/// Where a comparison is made: the directory of the compiled programs, and what is asked for.
#[derive(Clone)]
pub struct Shop {
    pub path: PathBuf,
    pub insula: PathBuf,
    pub timer: PathBuf,
    pub ask: Ask,
}

impl Shop {
    /// Builds insula and the timer.
    pub fn open(ask: Ask) -> Result<Shop, Stop> {
        let insula = binary(Profile::Release)?;
        let path = insula.with_file_name("bench");
        fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))?;
        let timer = compile(&path, "timer", &["-O2", "-static"])?;
        Ok(Shop { path, insula, timer, ask })
    }

    /// Runs all commands by turns.
    pub fn measure(&self, rows: &[Row]) -> Result<Vec<Taken>, Stop> {
        let steps: Vec<Steps> = rows.iter().map(|row| Steps::default().command(&row.words)).collect();
        measure(&self.timer, self.ask, &steps)
    }
}

/// Runs all rows by turns.
pub fn measure(timer: &Path, ask: Ask, rows: &[Steps]) -> Result<Vec<Taken>, Stop> {
    let mut run = Command::new(timer);
    run.args([ask.rounds.to_string(), ask.idle_ms.to_string()]).stdin(Stdio::null());
    for row in rows {
        run.arg("--row").args(&row.0);
    }
    let lines = output(&mut run)?;
    let mut taken: Vec<Taken> = rows.iter().map(|_| Taken::default()).collect();
    for line in String::from_utf8_lossy(&lines).lines() {
        let mut numbers = line.split(' ');
        let index: Option<usize> = numbers.next().and_then(|number| number.parse().ok());
        let mut number = || numbers.next().and_then(|number| number.parse::<f64>().ok());
        let (wall_ns, cpu_us, peak_kb) = (number(), number(), number());
        let row = index.and_then(|index| taken.get_mut(index));
        let (Some(row), Some(wall_ns), Some(cpu_us), Some(peak_kb)) = (row, wall_ns, cpu_us, peak_kb) else {
            return Err(Stop::Failed(format!("the timer said `{line}`")));
        };
        row.wall_ms.push(wall_ns / 1e6);
        row.cpu_ms.push(cpu_us / 1e3);
        row.peak_kb.push(peak_kb);
    }
    for row in &mut taken {
        row.wall_ms.sort_by(f64::total_cmp);
        row.cpu_ms.sort_by(f64::total_cmp);
        row.peak_kb.sort_by(f64::total_cmp);
    }
    Ok(taken)
}

/// The value that this many of a hundred do not exceed.
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// The machine in a line.
pub fn machine() -> String {
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
pub fn output(command: &mut Command) -> Result<Vec<u8>, Stop> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed("start", Path::new(&name), &error))?;
    if output.status.success() { Ok(output.stdout) } else { Err(Stop::Failed(format!("`{name}` failed"))) }
}

pub fn failed(verb: &str, path: &Path, error: &std::io::Error) -> Stop {
    Stop::Failed(format!("{verb} `{}`: {error}", path.display()))
}

pub fn text(path: &Path) -> String {
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
