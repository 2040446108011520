//! Starting a watcher with a terminal or a pipe for its caller, and observing it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use insula_runtime::foreground::{Ended, Foreground, Signals, check_tty};
use rustix::process::{Pid, PidfdFlags, Signal};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, Winsize};

/// What to start.
pub struct Start<'a> {
    /// What the watcher's command line is put behind; it has to keep the pid, or tell it by the mark alone.
    pub wrapper: &'a [&'a str],
    /// `i` and `t`; `b` for a pidfd that is none.
    pub flags: &'a str,
    /// The container's program, for `sh -c`.
    pub program: &'a str,
    /// After this the stop signal.
    pub timeout_ms: Option<u64>,
    /// After this SIGKILL.
    pub grace_ms: u64,
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self { wrapper: &["setsid"], flags: "", program: "true", timeout_ms: None, grace_ms: 10_000 }
    }
}

impl Start<'_> {
    fn command(&self) -> Command {
        let (first, rest) = self.wrapper.split_first().expect("a wrapper");
        let mut command = Command::new(first);
        // The harness runs a test on a thread of its own, and a signal goes to whichever thread lets it: in the true
        // program there is one. A mask is inherited, so here the harness's main thread starts with all blocked.
        command.args(rest).args(["env", "--block-signal"]);
        command.arg(std::env::current_exe().expect("this program"));
        command.args(["--ignored", "--exact", "watcher", "--nocapture", "--test-threads=1"]);
        command.env("FG_PROGRAM", self.program).env("FG_FLAGS", self.flags);
        command.env("FG_GRACE_MS", self.grace_ms.to_string());
        if let Some(ms) = self.timeout_ms {
            command.env("FG_TIMEOUT_MS", ms.to_string());
        }
        command
    }

    /// With pipes for its caller, or `input` and `output`.
    pub fn piped_to(&self, input: impl Into<Stdio>, output: impl Into<Stdio>) -> Watched {
        let mut command = self.command();
        let child = command.stdin(input).stdout(output).spawn().expect("the watcher");
        Watched { child, terminal: None, output: Arc::default() }
    }

    /// Without input, and with a pipe that is read.
    pub fn piped(&self) -> Watched {
        let (read, write) = std::io::pipe().expect("pipe");
        let watched = self.piped_to(Stdio::null(), write);
        watched.collect(OwnedFd::from(read));
        watched
    }

    /// On a terminal that controls its session, and that nobody reads yet. Also the terminal's other end, which is
    /// the open file description that the watcher has inherited.
    pub fn on_unread_terminal(&self) -> (Watched, OwnedFd) {
        let (master, slave) = pty();
        rustix::termios::tcsetwinsize(&master, size(33, 111)).expect("size");
        let dup = || Stdio::from(slave.try_clone().expect("dup"));
        let mut command = self.command();
        let child = command.stdin(dup()).stdout(dup()).stderr(dup()).spawn().expect("the watcher");
        (Watched { child, terminal: Some(master), output: Arc::default() }, slave)
    }

    /// On a terminal that is read.
    pub fn on_terminal(&self) -> Watched {
        let (watched, slave) = self.on_unread_terminal();
        drop(slave);
        watched.collect(watched.terminal().try_clone().expect("dup"));
        watched
    }
}

/// A watcher under test.
pub struct Watched {
    pub child: Child,
    terminal: Option<OwnedFd>,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Watched {
    /// Reads on, in the background.
    pub fn collect(&self, from: OwnedFd) {
        let output = Arc::clone(&self.output);
        std::thread::spawn(move || {
            let (mut from, mut bytes) = (File::from(from), [0; 4096]);
            // EIO is a terminal's end.
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                output.lock().expect("lock").extend_from_slice(&bytes[..read]);
            }
        });
    }

    pub fn terminal(&self) -> &OwnedFd {
        self.terminal.as_ref().expect("a terminal")
    }

    pub fn hang_up(&mut self) {
        self.terminal = None;
    }

    pub fn is_cooked(&self) -> bool {
        let modes = rustix::termios::tcgetattr(self.terminal()).expect("tcgetattr").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    pub fn is_raw(&self) -> bool {
        let modes = rustix::termios::tcgetattr(self.terminal()).expect("tcgetattr").local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    pub fn types(&self, keys: &str) {
        rustix::io::write(self.terminal(), keys.as_bytes()).expect("type");
    }

    /// The watcher's pid and what the container wrote: what is in the mark, and after it.
    fn marked(&self) -> Option<(Pid, Vec<u8>)> {
        let output = self.output.lock().expect("lock");
        let mut parts = output.splitn(3, |byte| *byte == b'@').skip(1);
        let pid = std::str::from_utf8(parts.next()?).ok()?.parse().ok().and_then(Pid::from_raw)?;
        Some((pid, parts.next()?.to_vec()))
    }

    pub fn pid(&self) -> Pid {
        let mut pid = None;
        eventually(|| {
            pid = self.marked().map(|(pid, _)| pid);
            pid.is_some()
        });
        pid.expect("the mark")
    }

    pub fn kill(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("kill");
    }

    pub fn seen(&self) -> Vec<u8> {
        self.marked().map(|(_, bytes)| bytes).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen()).into_owned()
    }

    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        assert!(eventually(|| self.text().contains(text)), "no `{text}` in `{}`", self.text());
    }

    /// The exit code.
    #[track_caller]
    pub fn code(&mut self) -> i32 {
        let over = eventually(|| self.child.try_wait().expect("wait").is_some());
        assert!(over, "the watcher did not end; output: `{}`", self.text());
        self.child.wait().expect("wait").code().unwrap_or(-1)
    }

    /// Whether job control has stopped the watcher.
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    }

    /// The guards of this watcher's terminal, zombies included.
    pub fn guards(&self) -> Vec<String> {
        let pid = self.pid();
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("threads").flatten();
        let children: String = threads
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
            .collect();
        let is_guard = |pid: &&str| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == "insula-tty")
        };
        children.split_whitespace().filter(is_guard).map(ToOwned::to_owned).collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The watcher itself.
#[expect(clippy::exit, reason = "the exit code is the container's, and the harness is to say nothing more")]
pub fn watch() {
    let Ok(program) = std::env::var("FG_PROGRAM") else { return };
    let flags = std::env::var("FG_FLAGS").unwrap_or_default();
    let ms = |name| std::env::var(name).ok().and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
    let has = |flag| flags.contains(flag);

    if !has('c')
        && let Err(error) = check_tty(has('i'), has('t'))
    {
        let hint = error.hint().unwrap_or_default();
        writeln!(std::io::stdout(), "@{}@{error}; {hint}", std::process::id()).expect("write");
        std::process::exit(125);
    }
    let signals = Signals::block().expect("signals");
    let mut stdout = std::io::stdout();
    write!(stdout, "@{}@", std::process::id()).and_then(|()| stdout.flush()).expect("the mark");

    let (console, child) = spawn(&program, has('t'));
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a pid");
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).expect("pidfd");
    let null = OwnedFd::from(File::open("/dev/null").expect("null"));
    if has('s') {
        sleep(Duration::from_millis(300));
    }
    let foreground = Foreground {
        child: if has('b') { null.as_fd() } else { pidfd.as_fd() },
        console,
        interactive: has('i'),
        stop_signal: Signal::TERM.as_raw(),
        stop_timeout: ms("FG_GRACE_MS").expect("grace"),
        timeout: ms("FG_TIMEOUT_MS"),
    };
    let code = match foreground.watch(signals) {
        Ok(Ended::Exited(code)) => code.into(),
        Ok(Ended::Signaled(signal)) => 128 + signal,
        Ok(Ended::TimedOut) => 124,
        Err(_) => 99,
    };
    std::process::exit(code);
}

/// A shell in the container's place: with the watcher's streams, or leading a session on a console of its own. Like
/// a container it is gone when the watcher's caller is, here by PDEATHSIG.
fn spawn(program: &str, tty: bool) -> (Option<OwnedFd>, Child) {
    let shell = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", program];
    if !tty {
        return (None, Command::new(shell[0]).args(&shell[1..]).spawn().expect("sh"));
    }
    let (master, slave) = pty();
    let dup = || Stdio::from(slave.try_clone().expect("dup"));
    let mut session = Command::new("setsid");
    session.arg("--ctty").args(shell).stdin(dup()).stdout(dup()).stderr(dup());
    (Some(master), session.spawn().expect("setsid"))
}

fn pty() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags).expect("openpt");
    rustix::pty::unlockpt(&master).expect("unlockpt");
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).expect("peer");
    (master, slave)
}

pub fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

pub fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < insula_proof::patience(Duration::from_secs(20)) {
        if holds() {
            return true;
        }
        sleep(Duration::from_millis(5));
    }
    false
}
