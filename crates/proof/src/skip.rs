//! How a test says that it did not run. libtest has no word for it at run time, so the test writes a line
//! `<test>\t<reason>` into the file that `INSULA_SKIPS` names, and the check subtracts those from what passed.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;

/// What a test may return, and so what a skipped one returns.
pub trait Outcome {
    /// The value of a test that did not run.
    fn skipped() -> Self;
}

impl Outcome for () {
    fn skipped() -> Self {}
}

impl<E> Outcome for Result<(), E> {
    fn skipped() -> Self {
        Ok(())
    }
}

impl Outcome for ExitCode {
    fn skipped() -> Self {
        ExitCode::SUCCESS
    }
}

/// Records one skip. `place` is the name of a function inside the test, as the macros find it.
///
/// # Panics
///
/// Where the file that `INSULA_SKIPS` names cannot be written: a skip that nobody sees would count as passed.
pub fn record(place: &str, reason: &str) {
    let test = place.trim_end_matches("::here").trim_end_matches("::{{closure}}");
    let reason = reason.replace(['\n', '\t'], " ");
    #[expect(clippy::print_stdout, reason = "libtest shows a test's output: a skip is seen there as well")]
    {
        println!("skipped: {reason}");
    }
    let Some(path) = env::var_os("INSULA_SKIPS") else { return };
    // One write of one line with O_APPEND: the lines of parallel tests do not mix.
    let line = format!("{test}\t{reason}\n");
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        panic!("record the skip of `{test}` in `{}`: {error}", path.display());
    }
}

/// Ends the test that it stands in as skipped. The reason is a format string.
///
/// It returns from the function that it stands in, so it belongs in the test itself, not in a function of it.
#[macro_export]
macro_rules! skip {
    ($($reason:tt)+) => {{
        fn here() {}
        $crate::skip::record(::std::any::type_name_of_val(&here), &::std::format!($($reason)+));
        return $crate::skip::Outcome::skipped();
    }};
}

/// Skips the test unless the machine gives everything listed: names of functions in [`need`](crate::need), each with
/// its arguments behind it, as in `need!(root, program "bwrap", cgroup_v1 "memory")`.
#[macro_export]
macro_rules! need {
    ($($what:ident $($argument:literal)*),+ $(,)?) => {
        $(if let Err(reason) = $crate::need::$what($($argument),*) {
            $crate::skip!("{reason}");
        })+
    };
}

/// The value of a `Result<T, String>`; or the test is skipped, with the error as its reason.
#[macro_export]
macro_rules! or_skip {
    ($value:expr) => {
        match $value {
            Ok(value) => value,
            Err(reason) => $crate::skip!("{reason}"),
        }
    };
}
