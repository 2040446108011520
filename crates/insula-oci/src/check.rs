//! `check`: every fault of a bundle's configuration at once, and nothing made.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_oci::escaped;
use insula_runtime::container::check::check as faults;
use serde_json::json;
use std::process::ExitCode;

/// `check`.
pub const VERB: Verb = Verb {
    name: "check",
    about: "Tell every fault of a bundle's configuration, and make nothing",
    usage: "[BUNDLE]",
    flags: &[
        Flag::value("bundle", "DIR", "The bundle; without it, the working directory").short('b'),
        Flag::value("config", "FILE", "Another configuration than the bundle's config.json").short('f'),
        Flag::switch("json", "Print the faults as JSON"),
    ],
    order: Order::Anywhere,
    go: check,
    failed: tell::UNREAD,
};

fn check(_: &Global, given: &Given) -> Result<ExitCode, Error> {
    let bundle = match (given.words.as_slice(), given.value("bundle")) {
        ([], None) => ".",
        ([], Some(bundle)) => bundle,
        ([bundle], None) => bundle,
        (words, _) => {
            let wanted = "one bundle at most";
            return Err(Error::Words { verb: "check".to_owned(), wanted, got: words.len() });
        }
    };
    let found = faults(bundle, given.value("config"))?;
    let code = if found.is_empty() { 0 } else { tell::FAILED };
    let text = if given.has("json") {
        let list: Vec<_> =
            found.iter().map(|fault| json!({ "field": fault.field, "reason": fault.reason })).collect();
        format!("{:#}\n", json!({ "faults": list }))
    } else if found.is_empty() {
        "no faults\n".to_owned()
    } else {
        found.iter().map(|fault| format!("{}\n", escaped(&fault.to_string()))).collect()
    };
    tell::out(&text);
    Ok(ExitCode::from(code))
}
