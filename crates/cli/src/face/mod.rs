//! The faces: commands that stand in for unshare(1), nsenter(1), lsns(8) and ip-netns(8), flag for flag.
//!
//! A face is called as `insula NAME …`, or by a link to the binary of that name; then it speaks under its own name. Its
//! [`Table`](table::Table) of flags is parsed by [`getopt`], as the tools themselves parse theirs; help, manual page,
//! completions and reference come from the same table.

pub mod environment;
pub mod getopt;
pub mod given;
pub mod number;
pub mod status;
pub mod table;

use crate::tell;
use getopt::Error;
use given::Given;
use std::ffi::OsString;
use std::process::ExitCode;
use table::Table;

/// Parses; `Err` is the exit code after help, version or an error was told. `failed` is the code of a bad command line.
pub fn parse(table: &Table, arguments: Vec<OsString>, failed: u8) -> Result<Given, ExitCode> {
    match getopt::parse(table, arguments) {
        Ok(given) if given.has(table::HELP) => Err(tell::out(&table.help())),
        Ok(given) if given.has(table::VERSION) => {
            Err(tell::out(&format!("{} from insula {}\n", table.name, env!("CARGO_PKG_VERSION"))))
        }
        Ok(given) => Ok(given),
        Err(error) => Err(refused(table, &error, failed)),
    }
}

fn refused(table: &Table, error: &Error, failed: u8) -> ExitCode {
    let hint = format!("`{} --help` lists the options", table.called());
    tell::error(&error.to_string(), Some(&hint), failed)
}
