//! The runtimes, and the containers that they are left with while something is measured.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use super::bundle::Bundle;
use super::scratch::Scratch;
use crate::bench::measure::{failed, find as find_program, output, tried};
use crate::stop::Stop;

/// A runtime, with a state root of its own.
pub struct Peer {
    pub name: String,
    program: String,
    root: String,
    /// The container that runs all the time. The names are the groups' too, and none may meet another's.
    pub kept: String,
}

/// Ours first, then those that run the bundle; and why others do not. `INSULA_BENCH_CRUN` and `INSULA_BENCH_RUNC` name
/// another program than the installed one.
pub fn find(insula: &Path, bundle: &Bundle, scratch: &Scratch) -> (Vec<Peer>, Vec<String>) {
    let peer = |name: &str, program: String| Peer {
        name: name.to_owned(),
        program,
        kept: format!("insula-bench-{}-{}", std::process::id(), name.replace(' ', "-")),
        root: scratch.path.join(name.replace(' ', "-")).display().to_string(),
    };
    let mut candidates = vec![("insula-oci", Ok(insula.display().to_string()))];
    for (name, variable) in [("crun", "INSULA_BENCH_CRUN"), ("runc", "INSULA_BENCH_RUNC")] {
        candidates.push((name, env::var(variable).or_else(|_| find_program(name))));
    }
    let (mut peers, mut left_out) = (Vec::new(), Vec::new());
    for (name, program) in candidates {
        let works = program.and_then(|program| {
            let name = if name == "insula-oci" { name.to_owned() } else { version(name, &program) };
            let peer = peer(&name, program);
            tried(&peer.words(&["run", "--bundle", &bundle.path(), "tried"])).map(|_| peer)
        });
        match works {
            Ok(peer) => peers.push(peer),
            Err(reason) => left_out.push(format!("{name}: {reason}")),
        }
    }
    (peers, left_out)
}

/// `NAME 1.2.3`, from the first line of `--version`.
fn version(name: &str, program: &str) -> String {
    let said = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let number = said.lines().next().and_then(|line| line.split(' ').next_back()).unwrap_or_default();
    format!("{name} {}", number.split('+').next().unwrap_or_default())
}

impl Peer {
    pub fn words(&self, words: &[&str]) -> Vec<String> {
        let own = [self.program.as_str(), "--root", &self.root];
        own.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// Runs it, with output that does not hold a pipe of ours open.
    fn run(&self, words: &[&str]) -> Result<(), Stop> {
        let words = self.words(words);
        let status = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .map_err(|error| failed("start", Path::new(&words[0]), &error))?;
        if status.success() { Ok(()) } else { Err(Stop::Failed(format!("`{}` failed", words.join(" ")))) }
    }

    /// A container that runs until the value is gone.
    pub fn keep(&self, bundle: &Bundle) -> Result<Kept<'_>, Stop> {
        self.run(&["run", "--detach", "--bundle", &bundle.staying(), &self.kept])?;
        Ok(Kept { peer: self, ids: vec![self.kept.clone()] })
    }

    /// Many of them.
    pub fn crowd(&self, bundle: &Bundle, count: usize) -> Result<Kept<'_>, Stop> {
        let mut kept = Kept { peer: self, ids: Vec::new() };
        for number in 0..count {
            let id = format!("{}-{number}", self.kept);
            self.run(&["run", "--detach", "--bundle", &bundle.crowded(), &id])?;
            kept.ids.push(id);
        }
        Ok(kept)
    }
}

/// Containers that are deleted with the value.
pub struct Kept<'a> {
    peer: &'a Peer,
    ids: Vec<String>,
}

impl Kept<'_> {
    /// nsenter(1) into the first of them.
    pub fn nsenter(&self) -> Result<Vec<String>, Stop> {
        let words = self.peer.words(&["state", &self.ids[0]]);
        let state = output(Command::new(&words[0]).args(&words[1..]))?;
        let state = String::from_utf8_lossy(&state);
        let pid = state.split_once("\"pid\":").map(|(_, rest)| rest.trim_start());
        let pid: String = pid.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
        let nsenter = find_program("nsenter").map_err(|reason| Stop::Failed(format!("nsenter: {reason}")))?;
        Ok([&nsenter, "-a", "-t", &pid, "/program"].map(str::to_owned).to_vec())
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        for id in &self.ids {
            drop(self.peer.run(&["delete", "--force", id]));
        }
    }
}

/// How many system calls a command and its descendants make, counted by strace(1), which writes to `file`.
pub fn calls(words: &[String], file: &Path) -> Result<u32, String> {
    let strace = find_program("strace").map_err(|reason| format!("strace: {reason}"))?;
    let log = File::create(file.with_extension("log")).map_err(|error| error.to_string())?;
    let mut command = Command::new(strace);
    command.args(["-f", "-c", "-U", "calls,name", "-o"]).arg(file).args(words);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("it failed under strace".to_owned());
    }
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let total = text.lines().rev().find(|line| line.trim_end().ends_with("total"));
    let total = total.and_then(|line| line.split_whitespace().next()?.parse().ok());
    total.ok_or_else(|| "strace said no total".to_owned())
}
