//! `spec`: a config.json to begin with, as runc writes it.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_runtime::example;
use rustix::process::{getegid, geteuid};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;

/// `spec`.
pub const VERB: Verb = Verb {
    name: "spec",
    about: "Write a config.json to begin with",
    usage: "",
    flags: &[
        Flag::value("bundle", "DIR", "The bundle; without it, the working directory").short('b'),
        Flag::switch("rootless", "For an ordinary user: a user namespace with one id, no limits"),
    ],
    order: Order::Anywhere,
    go: spec,
    failed: tell::FAILED,
};

fn spec(_: &Global, given: &Given) -> Result<ExitCode, Error> {
    let directory = given.value("bundle").filter(|bundle| !bundle.is_empty()).unwrap_or(".");
    let path = format!("{directory}/config.json");
    let failed = |why: String| Error::File("write", path.clone(), why);
    let mut spec = example::spec();
    if given.has("rootless") {
        example::make_rootless(&mut spec, geteuid().as_raw(), getegid().as_raw());
    }
    let mut text = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, format);
    serde::Serialize::serialize(&spec, &mut writer).map_err(|error| failed(error.to_string()))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o666).open(&path);
    let mut file = match file {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(failed("File config.json exists. Remove it first".to_owned()));
        }
        file => file.map_err(|error| failed(error.to_string()))?,
    };
    file.write_all(&text).map_err(|error| failed(error.to_string()))?;
    Ok(ExitCode::SUCCESS)
}
