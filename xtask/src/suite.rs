//! The test run: all test binaries of the workspace, what passed, what failed, what was skipped and why.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::build::{Profile, binary, cargo, host};
use crate::stop::Stop;
use crate::{old_kernel, room, tell, tree};

/// What is asked of a test run.
#[derive(Default)]
pub struct Ask {
    /// Slow tests skip themselves.
    pub fast: bool,
    /// Run as this user (from root): the integration tests alone.
    pub user: Option<String>,
    /// The integration tests that ask the kernel, as on the oldest one that insula serves.
    pub old_kernel: bool,
    /// Further words for `cargo test`.
    pub rest: Vec<String>,
}

impl Ask {
    /// The further words, which may name packages; else all of the workspace.
    fn words(&self) -> impl Iterator<Item = &str> {
        let named = self.names(&["-p", "--package"]);
        (!named).then_some("--workspace").into_iter().chain(self.rest.iter().map(String::as_str))
    }

    /// The kinds of tests, where not all are asked for and none is named.
    fn targets(&self) -> Result<Vec<String>, Stop> {
        let named = self.names(&["-p", "--package", "--test"]);
        match (self.old_kernel, &self.user) {
            (true, _) if !named => old_kernel::targets(),
            (true, _) | (_, Some(_)) if !self.names(&["--test"]) => Ok(vec!["--test".into(), "*".into()]),
            _ => Ok(Vec::new()),
        }
    }

    /// Whether one of these words is among the further ones.
    fn names(&self, words: &[&str]) -> bool {
        let own = self.rest.iter().take_while(|word| *word != "--");
        own.into_iter().any(|word| words.contains(&word.as_str()))
    }
}

/// The sums of a test run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: usize,
    pub failed: usize,
    /// Test and reason.
    pub skipped: Vec<(String, String)>,
}

impl Count {
    /// As one failure that is no test's: the tests were not run.
    pub fn failure() -> Count {
        Count { failed: 1, ..Count::default() }
    }

    /// Both sums; what `other` skipped is told apart by the name of its pass.
    pub fn and(mut self, pass: &str, other: Count) -> Count {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped.into_iter().map(|(test, why)| (format!("{pass}: {test}"), why)));
        self
    }
}

/// The last line of a check.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped.len())
    }
}

/// `test [--fast] [--as USER] [--old-kernel] [ARGS…]`
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let mut ask = Ask::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--fast" => ask.fast = true,
            "--old-kernel" => ask.old_kernel = true,
            "--as" => {
                let name = words.next().ok_or_else(|| Stop::Usage("--as needs the name of a user".into()))?;
                ask.user = Some(name.clone());
            }
            _ => ask.rest.push(word.clone()),
        }
    }
    let insula = binary(Profile::Release)?;
    compile(&ask)?;
    let count = run(&ask, &insula)?;
    report(&count);
    if count.failed == 0 { Ok(()) } else { Err(Stop::Code(1)) }
}

/// The skipped tests with their reasons, then the sums alone on the last line.
pub fn report(count: &Count) {
    skips(count);
    tell::say(&format!("{count}\n"));
}

/// The skipped tests, each reason once.
pub fn skips(count: &Count) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (test, reason) in &count.skipped {
        by_reason.entry(reason).or_default().push(test);
    }
    for (reason, tests) in by_reason {
        tell::say(&format!("skipped: {reason}\n"));
        tests.iter().for_each(|test| tell::say(&format!("    {test}\n")));
    }
}

/// Compiles the tests, and runs none.
pub fn compile(ask: &Ask) -> Result<(), Stop> {
    let mut build = cargo();
    build.args(["test", "--quiet", "--no-run"]).args(ask.words());
    build.current_dir(tree::root()).stdout(Stdio::null());
    match build.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Stop::Failed("the tests were not built".into())),
        Err(error) => Err(Stop::Failed(format!("start cargo: {error}"))),
    }
}

/// Runs the tests, compiled before, against this insula; shows what they say.
pub fn run(ask: &Ask, insula: &Path) -> Result<Count, Stop> {
    let desk =
        Desk::new().map_err(|error| Stop::Failed(format!("make a place for the test run: {error}")))?;
    let copy = desk.0.join("insula");
    fs::copy(insula, &copy).map_err(|error| Stop::Failed(format!("copy `{}`: {error}", insula.display())))?;
    let skips = desk.0.join("skips");
    let made =
        fs::write(&skips, "").and_then(|()| fs::set_permissions(&skips, Permissions::from_mode(0o666)));
    made.map_err(|error| Stop::Failed(format!("write `{}`: {error}", skips.display())))?;

    let mut tests = if ask.old_kernel { old_kernel::cargo_under_it()? } else { cargo() };
    tests.args(["test", "--no-fail-fast"]).args(ask.targets()?).current_dir(tree::root());
    tests.env("INSULA_BIN", &copy).env("INSULA_SKIPS", &skips);
    if ask.fast {
        tests.env("INSULA_FAST", "1");
    }
    if let Some(name) = &ask.user {
        as_user(&mut tests, name, &desk.0)?;
    }
    tests.args(ask.words());
    let (output, success) = watch(room::command(&tests)?)?;
    let skips = fs::read_to_string(&skips).unwrap_or_default();
    Ok(count(&output, &skips, success))
}

/// A directory that any user may pass through: the target directory of root may be closed to the ordinary users of
/// the tests, and a binary that is rebuilt meanwhile must not change under them.
struct Desk(PathBuf);

impl Desk {
    fn new() -> io::Result<Desk> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let path = env::temp_dir().join(format!("insula-check-{}-{time:x}", process::id()));
        DirBuilder::new().mode(0o755).create(&path)?;
        Ok(Desk(path))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Cargo starts each test binary through a runner, and the runner becomes the user: cargo itself stays root's.
fn as_user(tests: &mut Command, name: &str, desk: &Path) -> Result<(), Stop> {
    let failed = |words: String| Stop::Failed(words);
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let fields =
        passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name);
    let Some([_, _, uid, gid, _, home, ..]) = fields.as_deref() else {
        return Err(failed(format!("no user `{name}` in /etc/passwd")));
    };
    let runtime = desk.join("run");
    let owner = (uid.parse().ok(), gid.parse().ok());
    let made = DirBuilder::new()
        .mode(0o700)
        .create(&runtime)
        .and_then(|()| std::os::unix::fs::chown(&runtime, owner.0, owner.1));
    made.map_err(|error| failed(format!("make `{}`: {error}", runtime.display())))?;
    let drop_to = ["--reuid", uid, "--regid", gid, "--init-groups", "--inh-caps=-all"];
    let mut probe = Command::new("setpriv");
    probe.args(drop_to).args(["test", "-r"]).arg(tree::root().join("Cargo.toml"));
    if !probe.status().is_ok_and(|status| status.success()) {
        return Err(failed(format!("`{name}` cannot read the tree: put it where all users may go")));
    }
    let runner = format!("setpriv {} --", drop_to.join(" "));
    tests.env(format!("CARGO_TARGET_{}_RUNNER", host()?.to_uppercase().replace('-', "_")), runner);
    tests.env("USER", name).env("LOGNAME", name).env("XDG_RUNTIME_DIR", &runtime);
    // Cargo and rustup would look for themselves in the user's home.
    for (variable, directory) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let root_home = env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
        let set = env::var_os(variable).map_or_else(|| root_home.join(directory), PathBuf::from);
        if set.is_dir() {
            tests.env(variable, set);
        }
    }
    tests.env("HOME", home);
    Ok(())
}

/// Runs the command, shows its stdout line by line as it comes, and keeps it. Outside a room a test may leave a
/// process that holds the pipe open: once the command has ended and is quiet, nothing more is waited for.
fn watch(mut command: Command) -> Result<(String, bool), Stop> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| Stop::Failed(format!("start the tests: {error}")))?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).split(b'\n').map_while(Result::ok);
            lines.try_for_each(|line| sender.send(line))
        });
    }
    let mut output = String::new();
    let mut ended = false;
    loop {
        match lines.recv_timeout(Duration::from_secs(2)) {
            Ok(line) => {
                let line = format!("{}\n", String::from_utf8_lossy(&line));
                tell::say(&line);
                output.push_str(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if ended => {
                tell::say("something that the tests started is still running\n");
                break;
            }
            Err(RecvTimeoutError::Timeout) => ended = child.try_wait().is_ok_and(|status| status.is_some()),
        }
    }
    let status = child.wait().map_err(|error| Stop::Failed(format!("wait for the tests: {error}")))?;
    Ok((output, status.success()))
}

/// Sums what libtest said. A skipped test passed for libtest, and does not count so here.
pub fn count(output: &str, skips: &str, success: bool) -> Count {
    let mut count = Count::default();
    let mut ignored = 0_usize;
    for line in output.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        let (_, sums) = line.split_once(". ").unwrap_or_default();
        for sum in sums.split("; ") {
            let (number, word) = sum.trim().split_once(' ').unwrap_or_default();
            let number: usize = number.parse().unwrap_or_default();
            match word {
                "passed" => count.passed += number,
                "failed" => count.failed += number,
                "ignored" => ignored += number,
                _ => {}
            }
        }
    }
    for line in output.lines().filter_map(|line| line.strip_prefix("test ")) {
        let Some((test, end)) = line.split_once(" ... ignored") else { continue };
        count.skipped.push((test.into(), end.strip_prefix(", ").unwrap_or("ignored").into()));
    }
    debug_assert!(count.skipped.len() <= ignored || output.is_empty(), "each ignored test is in the sums");
    let recorded = skips.lines().filter_map(|line| line.split_once('\t'));
    let recorded: Vec<(String, String)> =
        recorded.map(|(test, reason)| (test.into(), reason.into())).collect();
    count.passed = count.passed.saturating_sub(recorded.len());
    count.skipped.extend(recorded);
    if !success && count.failed == 0 {
        // A test binary that was killed, or does not start, says no sums.
        count.failed = 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
running 3 tests
test a::b ... ok
test a::slow ... ignored, takes an hour
test c ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
";

    #[test]
    fn the_sums_of_all_binaries() {
        let found = count(SAID, "x::d\tneeds root\n", false);
        assert_eq!((found.passed, found.failed), (6, 1));
        let skipped = [("a::slow", "takes an hour"), ("x::d", "needs root")];
        assert_eq!(found.skipped, skipped.map(|(test, reason)| (test.to_string(), reason.to_string())));
        assert_eq!(found.to_string(), "6 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn a_binary_that_died_is_a_failure() {
        assert_eq!(count("running 3 tests\n", "", false), Count::failure());
    }
}
