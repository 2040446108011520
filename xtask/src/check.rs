//! `check`: the one door. Formatting, clippy, the laws, the build, the tests; it stops at the first that fails.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::build::{Profile, binary, cargo};
use crate::stop::Stop;
use crate::suite::{Ask, Count, compile, report, run};
use crate::{init, laws, tell, tree};

/// `check [--fast]`
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let mut ask = Ask::default();
    for argument in arguments {
        match argument.as_str() {
            "--fast" => ask.fast = true,
            _ => return Err(Stop::Usage(format!("unknown argument: `{argument}`"))),
        }
    }
    if !rustix::process::geteuid().is_root() {
        tell::say("not run as root: the tests that need root will be skipped\n");
    }
    let mut phases = Phases::default();
    let done = phases.all(&ask);
    let times = phases.0.iter().map(|(name, time)| format!("{name} {:.1} s", time.as_secs_f64()));
    tell::say(&format!("\ntimes: {}\n", times.collect::<Vec<_>>().join(", ")));
    match done {
        Ok(count) => {
            report(&count);
            if count.failed == 0 { Ok(()) } else { Err(Stop::Code(1)) }
        }
        Err(stop) => {
            let name = phases.0.last().map_or("check", |(name, _)| name);
            let words = match stop {
                Stop::Failed(words) | Stop::Usage(words) => format!(": {words}"),
                Stop::Code(_) => String::new(),
            };
            tell::say(&format!("{name} failed{words}; nothing behind it was run\n"));
            report(&Count::failure());
            Err(Stop::Code(1))
        }
    }
}

/// What was done so far, and how long each took.
#[derive(Default)]
struct Phases(Vec<(&'static str, Duration)>);

impl Phases {
    /// One phase: its heading before, its time behind.
    fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
        tell::say(&format!("\n== {name}\n"));
        let start = Instant::now();
        let done = work();
        let time = start.elapsed();
        tell::say(&format!("   {name}: {:.1} s\n", time.as_secs_f64()));
        self.0.push((name, time));
        done
    }

    fn all(&mut self, ask: &Ask) -> Result<Count, Stop> {
        self.run("formatting", formatting)?;
        self.run("clippy", clippy)?;
        self.run("laws", laws::command)?;
        let insula = self.run("build", || binary(Profile::Release))?;
        self.run("build of the tests", || compile(ask))?;
        let count = self.run("tests", || run(ask, &insula))?;
        if ask.fast {
            return Ok(count);
        }
        let old = Ask { old_kernel: true, ..Ask::default() };
        let pass = "as on an old kernel";
        Ok(count.and(pass, self.run(pass, || run(&old, &insula))?))
    }
}

fn formatting() -> Result<(), Stop> {
    status(cargo().args(["fmt", "--all", "--check"]))?;
    status(&mut init::formatting())
}

fn clippy() -> Result<(), Stop> {
    status(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    init::clippy()?.iter_mut().try_for_each(status)
}

fn status(command: &mut Command) -> Result<(), Stop> {
    match command.current_dir(tree::root()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Stop::Failed("it said why above".into())),
        Err(error) => {
            let program = command.get_program().display().to_string();
            Err(Stop::Failed(format!("start `{program}`: {error}")))
        }
    }
}
