//! The one place that prints, and the table of exit codes.

use insula_launch::why::Cause;
use insula_oci::escaped;
use std::io::Write;
use std::process::ExitCode;
use std::sync::OnceLock;

/// insula itself failed: Docker's 125.
pub const FAILED: u8 = 125;
/// The program is there and cannot be executed: 126.
pub const NOT_EXECUTABLE: u8 = 126;
/// The program is not there: 127.
pub const NOT_FOUND: u8 = 127;
/// `--timeout` passed: 124, as timeout(1).
pub const TIMED_OUT: u8 = 124;
/// What was asked for is not so: two views differ, a port is not reached, a process has no pid there. As diff(1).
pub const NOT_SO: u8 = 1;
/// Nothing that is not so was found, and not everything may be seen.
pub const UNTOLD: u8 = 2;
/// What a shell adds to the number of the signal that ended a program.
pub const SIGNALED: u8 = 128;

/// The name that we were called by: `insula`, or that of a face.
static NAME: OnceLock<&'static str> = OnceLock::new();

/// From now on messages begin with this name: we were called by a link of it.
pub fn call_me(name: &'static str) {
    // It is said once, at the start; a second word would change nothing.
    let _ = NAME.set(name);
}

/// The name that messages begin with.
pub fn name() -> &'static str {
    NAME.get().copied().unwrap_or("insula")
}

/// Ends this process at once, with a program's code. To free a plan string by string, just before the kernel takes all
/// memory back, is time that the caller waits for. What must be undone has been, and nothing is left to flush.
pub fn leave(code: u8) -> ! {
    insula_sys::birth::exit_now(code.into())
}

/// Text to standard output. A reader that is gone is no error of ours.
pub fn out(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    ExitCode::SUCCESS
}

/// May standard output be coloured? At a terminal that can, and where nobody has said NO_COLOR (no-color.org).
pub fn paints() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    !is_set("NO_COLOR") && !is_dumb && rustix::termios::isatty(rustix::stdio::stdout())
}

/// Text to standard output at once; `false`: nobody reads it any more.
pub fn is_read(text: &str) -> bool {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_ok()
}

/// Text to standard error as it is: what a tool that a face stands for says there word for word.
pub fn aside(text: &str) {
    err(text);
}

/// An error, and what to do about it, each line with its word; returns `code`.
pub fn error(message: &str, hint: Option<&str>, code: u8) -> ExitCode {
    refusal(message, None, hint, code)
}

/// An error, the cause if it was found by looking, and what to do about it, each line with its word; returns `code`.
pub fn refusal(message: &str, cause: Option<&Cause>, hint: Option<&str>, code: u8) -> ExitCode {
    let name = name();
    let mut text = String::new();
    for line in message.lines() {
        text.push_str(&format!("{name}: error: {line}\n"));
    }
    if let Some(cause) = cause {
        text.push_str(&format!("{name}: cause: {}\n", escaped(&cause.to_string())));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("{name}: hint: {}\n", escaped(hint)));
    }
    err(&text);
    ExitCode::from(code)
}

/// Something that the user should know.
pub fn warn(message: &str) {
    err(&format!("{}: warning: {message}\n", name()));
}

/// Something about the answer that was given: what it leaves out, and why.
pub fn note(message: &str) {
    err(&format!("{}: note: {message}\n", name()));
}

/// Text to standard error, in one write: what others write does not come between.
fn err(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// What clap says about a command line: its help on standard output, its errors, escaped, on standard error.
pub fn clap(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return out(&error.render().to_string());
    }
    let text = error.render().to_string();
    let mut lines = text.lines().map(|line| escaped(line).to_string()).collect::<Vec<_>>().join("\n");
    lines.push('\n');
    err(&format!("{}: {lines}", name()));
    ExitCode::from(FAILED)
}
