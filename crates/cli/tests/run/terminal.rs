//! `-t` on a true terminal: its size, its job control, and that it is given back as it was.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcgetwinsize, tcsetwinsize};

use crate::caller::{Caller, EXITS};

by_everyone!(
    the_terminal_has_the_callers_size_and_follows_it,
    a_shell_has_job_control,
    the_terminal_is_given_back_as_it_was,
    a_terminal_needs_no_input,
);

const PATIENCE: Duration = Duration::from_secs(10);

/// A call on a terminal that controls its session.
struct OnTerminal {
    child: Child,
    master: OwnedFd,
    text: Arc<Mutex<Vec<u8>>>,
}

impl OnTerminal {
    fn new(caller: &Caller, words: &[&str]) -> OnTerminal {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("openpt");
        rustix::pty::grantpt(&master).expect("grantpt");
        rustix::pty::unlockpt(&master).expect("unlockpt");
        let name = rustix::pty::ptsname(&master, Vec::new()).expect("ptsname");
        let slave =
            rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        let slave = slave.expect("open the terminal");
        tcsetwinsize(&master, size(33, 111)).expect("set the size");
        let dup = || Stdio::from(slave.try_clone().expect("dup"));
        let mut command: Command = caller.command("setsid");
        command.args(["--ctty"]).args(caller.words(words)).stdin(dup()).stdout(dup()).stderr(dup());
        let child = command.spawn().expect("start insula");
        let text: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (mut from, into) = (File::from(master.try_clone().expect("dup")), Arc::clone(&text));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // EIO is a terminal's end.
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                into.lock().expect("lock").extend_from_slice(&bytes[..read]);
            }
        });
        OnTerminal { child, master, text }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("lock")).into_owned()
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + insula_proof::patience(PATIENCE);
        while !self.text().contains(text) {
            assert!(Instant::now() < deadline, "no `{text}` in: {}", self.text());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn types(&self, text: &str) {
        File::from(self.master.try_clone().expect("dup")).write_all(text.as_bytes()).expect("type");
    }

    #[track_caller]
    fn code(&mut self) -> i32 {
        let deadline = Instant::now() + insula_proof::patience(PATIENCE);
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "it still runs, and said: {}", self.text());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        // It has ended already, as a rule.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// What can be seen of a terminal's modes.
fn modes(terminal: impl AsFd) -> String {
    let modes = tcgetattr(terminal).expect("tcgetattr");
    format!(
        "{:?} {:?} {:?} {:?}",
        modes.input_modes, modes.output_modes, modes.control_modes, modes.local_modes
    )
}

fn the_terminal_has_the_callers_size_and_follows_it(caller: &Caller) {
    let script = "trap 'stty size; exit 4' WINCH; tty; stty size; stat -c '%F %t' /dev/console; \
                  echo $TERM; : < /dev/tty && echo ready; while :; do sleep 0.01; done";
    let mut on = OnTerminal::new(caller, &["run", "-it", "--", "sh", "-c", script]);
    on.wait_for("ready");
    let expected = "/dev/pts/0\r\n33 111\r\ncharacter special file 88\r\nxterm\r\nready";
    assert!(on.text().contains(expected), "{}", on.text());
    tcsetwinsize(&on.master, size(40, 90)).expect("set the size");
    assert_eq!(tcgetwinsize(&on.master).expect("the size").ws_row, 40);
    on.wait_for("40 90");
    assert_eq!(on.code(), 4);
}

fn a_shell_has_job_control(caller: &Caller) {
    let mut on = OnTerminal::new(caller, &["run", "-it", "-e", "PS1=ready> ", "--", "bash", "--norc", "-i"]);
    on.wait_for("ready> ");
    on.types("sleep 50\r");
    on.wait_for("sleep 50\r\n");
    thread::sleep(Duration::from_millis(300));
    on.types("\x1a");
    on.wait_for("Stopped");
    on.types("fg\r");
    thread::sleep(Duration::from_millis(300));
    on.types("\x03");
    on.types("echo code $?\r");
    on.wait_for("code 130");
    on.types("exit 5\r");
    assert_eq!(on.code(), 5);
    assert!(!on.text().contains("job control") && !on.text().contains("ioctl"), "{}", on.text());
}

fn the_terminal_is_given_back_as_it_was(caller: &Caller) {
    let before = caller.census();
    for killed in [false, true] {
        let mut on =
            OnTerminal::new(caller, &["run", "-it", "--", "sh", "-c", "echo ready; read line; exit 6"]);
        on.wait_for("ready");
        let raw = tcgetattr(&on.master).expect("tcgetattr").local_modes;
        assert!(!raw.intersects(LocalModes::ICANON | LocalModes::ECHO), "it is raw meanwhile");
        if killed {
            on.child.kill().expect("kill");
        } else {
            on.types("x\r");
        }
        assert_eq!(on.code(), if killed { -1 } else { 6 });
        let deadline = Instant::now() + insula_proof::patience(EXITS);
        let fresh = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("openpt");
        while modes(&on.master) != modes(&fresh) {
            assert!(
                Instant::now() < deadline,
                "killed: {killed}: {} is not {}",
                modes(&on.master),
                modes(&fresh)
            );
            thread::sleep(Duration::from_millis(5));
        }
        drop(on);
    }
    before.assert_equal_within(EXITS);
}

fn a_terminal_needs_no_input(caller: &Caller) {
    let said = caller.sh(&["-t"], "test -t 0 && test -t 1 && test -t 2 && tty");
    assert_eq!(said.trim_end(), "/dev/pts/0");
}
