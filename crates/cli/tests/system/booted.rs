//! A system that runs, and what it tells.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a boot or a stop may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A system that was started and has to end.
pub struct System {
    pub child: Child,
    root: PathBuf,
    said: PathBuf,
}

impl System {
    /// Starts the command, whose words are kept in `desk`.
    pub fn start(mut command: Command, root: &Path, desk: &Path) -> System {
        let said = desk.join("said");
        let out = File::create(&said).expect("make a file for the output");
        let err = out.try_clone().expect("share the file of the output");
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().expect("start the system");
        System { child, root: root.to_path_buf(), said }
    }

    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.said).unwrap_or_default()).into_owned()
    }

    /// What the service or the verdict has written.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.root.join("var/log").join(name)).unwrap_or_default()
    }

    /// Waits until the log holds these words.
    #[track_caller]
    pub fn wait_for(&mut self, name: &str, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log(name).contains(words) {
            let ended = self.child.try_wait().expect("ask for the end");
            let late = Instant::now() > deadline;
            if late || ended.is_some() {
                drop(self.child.kill());
                panic!("`{name}` has no `{words}`; {ended:?}; said:\n{}", self.said());
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Sends the signal to insula, which passes it on to pid 1.
    pub fn send(&self, signal: i32) {
        send(self.child.id(), signal);
    }

    /// The exit code, 128 and more for a death by signal, as a shell has it.
    #[track_caller]
    pub fn code(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("wait for the system") {
                return status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
            }
            if Instant::now() > deadline {
                drop(self.child.kill());
                panic!("it does not end; said:\n{}", self.said());
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// Sends a signal by its number: rustix has no name for those of the real time.
pub fn send(pid: u32, signal: i32) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {pid}")).status();
    assert!(sent.expect("start sh").success(), "send signal {signal} to {pid}");
}
