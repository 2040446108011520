//! The test binaries one after the other, as cargo would run them, inside the machine.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::guest::{PAYLOAD, job, slow};
use super::job::{Job, Test};
use crate::stop::Stop;
use crate::tell;

/// How long one test binary may take on a real machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// The same, on a machine that is so many times slower.
pub fn patience(slow: u32) -> Duration {
    PATIENCE * slow.max(1)
}

/// Runs what the job says; ends with code 1 where a test failed, or with the code of the script.
pub fn command() -> Result<(), Stop> {
    let job = job()?;
    if let Some(script) = &job.script {
        let status = Command::new("bash").args(["-c", script]).status();
        let status = status.map_err(|error| Stop::Failed(format!("start bash: {error}")))?;
        return match code(status) {
            0 => Ok(()),
            code => Err(Stop::Code(code)),
        };
    }
    let mut good = true;
    for test in &job.tests {
        good &= run(test, &job);
    }
    if good { Ok(()) } else { Err(Stop::Code(1)) }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Whether the binary ran and all its tests are well. One that died says no sums of its own: then it has failed once.
fn run(test: &Test, job: &Job) -> bool {
    tell::say(&format!("     Running {}\n", test.name));
    let start = Instant::now();
    let mut command = Command::new(Path::new(PAYLOAD).join("tests").join(&test.name));
    command.args(&job.words).current_dir(&test.directory).env("CARGO_MANIFEST_DIR", &test.directory);
    let end = match command.spawn() {
        Ok(child) => ended(child, patience(slow())),
        Err(error) => format!("did not start: {error}"),
    };
    let seconds = start.elapsed().as_secs_f64();
    tell::say(&format!("     {}: {seconds:.0} s\n", test.name));
    if end.is_empty() || end == "101" {
        // libtest has said what failed.
        return end.is_empty();
    }
    tell::say(&format!("test result: FAILED. 0 passed; 1 failed; `{}` {end}\n", test.name));
    false
}

/// Nothing where it ended well; its code, or in words why it did not.
fn ended(mut child: Child, patience: Duration) -> String {
    let deadline = Instant::now() + patience;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return match (status.code(), status.signal()) {
                    (Some(0), _) => String::new(),
                    (Some(code), _) => code.to_string(),
                    (None, signal) => format!("died of signal {}", signal.unwrap_or_default()),
                };
            }
            Ok(None) if Instant::now() > deadline => {
                // What it started ends with the room, or with the machine.
                drop(child.kill());
                drop(child.wait());
                return format!("was still running after {} s", patience.as_secs());
            }
            Ok(None) => sleep(Duration::from_millis(20)),
            Err(error) => return format!("could not be waited for: {error}"),
        }
    }
}
