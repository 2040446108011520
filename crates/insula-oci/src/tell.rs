//! The one place that prints, and the log: runc's, as containerd's shim and conmon read it.

use insula_oci::escaped;
use rustix::fs::{Mode, OFlags, open};
use std::io::Write;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Our own failure.
pub const FAILED: u8 = 1;
/// `check`: nothing can be said of the configuration, because it cannot be read.
pub const UNREAD: u8 = 2;
/// `exec` of a program that cannot be executed, or another failure of `exec`.
pub const EXEC_FAILED: u8 = 255;

/// Where the log goes, and how.
#[derive(Debug, Default)]
pub struct Log {
    /// The file; without one, standard error.
    pub path: Option<String>,
    /// A line of JSON each.
    pub json: bool,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// From now on the log goes there.
pub fn log_to(log: Log) {
    // It is said once; a second word would change nothing.
    let _ = LOG.set(log);
}

/// Text to standard output. A reader that is gone is no error of ours.
pub fn out(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    ExitCode::SUCCESS
}

/// An error: into the log if there is one, and to standard error, with its cause and what to do about it behind.
pub fn error(message: &str, cause: Option<&str>, hint: Option<&str>, code: u8) -> ExitCode {
    let behind: Vec<&str> = cause.into_iter().chain(hint).collect();
    write_log("error", message, (!behind.is_empty()).then(|| behind.join("; ")).as_deref());
    let mut text = String::new();
    for line in message.lines() {
        text.push_str(&format!("insula-oci: error: {line}\n"));
    }
    if let Some(cause) = cause {
        text.push_str(&format!("insula-oci: cause: {}\n", escaped(cause)));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("insula-oci: hint: {}\n", escaped(hint)));
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    ExitCode::from(code)
}

/// Something that the caller should know.
pub fn warn(message: &str) {
    if !write_log("warning", message, None) {
        let _ = std::io::stderr().lock().write_all(format!("insula-oci: warning: {message}\n").as_bytes());
    }
}

/// Ends this process at once, with a program's code.
pub fn leave(code: u8) -> ! {
    insula_sys::birth::exit_now(code.into())
}

/// One line of the log; `false`: there is none.
fn write_log(level: &str, message: &str, hint: Option<&str>) -> bool {
    let Some(log) = LOG.get() else { return false };
    let Some(path) = &log.path else { return false };
    let message = hint.map_or_else(|| message.to_owned(), |hint| format!("{message} ({hint})"));
    let time = now();
    let line = if log.json {
        format!("{}\n", serde_json::json!({ "level": level, "msg": message, "time": time }))
    } else {
        format!("time=\"{time}\" level={level} msg={}\n", serde_json::json!(message))
    };
    // The caller's file, which may be a FIFO: appended to in one write.
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY;
    match open(path.as_str(), flags, Mode::from_raw_mode(0o644)) {
        Ok(file) => rustix::io::write(&file, line.as_bytes()).is_ok(),
        Err(_) => false,
    }
}

/// Seconds, as RFC 3339 in UTC.
fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    insula_runtime::container::clock::seconds(i64::try_from(seconds).unwrap_or(0))
}
