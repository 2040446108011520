//! `state`: where a container is, as JSON: the specification's fields, then those that runc adds.

use crate::error::Error;
use crate::flags::{Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_runtime::container::{Found, status};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// `state`.
pub const VERB: Verb = Verb {
    name: "state",
    about: "Print the state of a container",
    usage: "ID",
    flags: &[],
    order: Order::Anywhere,
    go: state,
    failed: tell::FAILED,
};

/// What runc prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Printed {
    oci_version: String,
    id: String,
    /// 0 when stopped.
    pub pid: i32,
    /// The specification's word.
    pub status: &'static str,
    bundle: String,
    rootfs: String,
    created: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    owner: String,
}

impl Printed {
    /// Of a container that was looked at.
    pub fn of(found: &Found) -> Printed {
        let state = found.state();
        let record = &found.record;
        Printed {
            oci_version: state.oci_version,
            id: state.id,
            pid: state.pid.unwrap_or(0),
            status: state.status.as_str(),
            bundle: state.bundle,
            rootfs: record.rootfs.clone(),
            created: record.created.clone(),
            annotations: state.annotations,
            owner: String::new(),
        }
    }
}

fn state(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let found = status(&global.find(given.only("state")?)?)?;
    Ok(tell::out(&format!("{:#}\n", serde_json::json!(Printed::of(&found)))))
}
