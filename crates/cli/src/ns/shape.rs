//! How a name looks: as JSON, and to people who have just made one.

use crate::ns::kinds;
use crate::tell;
use insula_namespaces::names::{Hold, Named, Origin, Part, Progress, State};
use serde_json::{Value, json};
use std::process::ExitCode;

/// A name as data: `{"name", "hold", "keeper", "created", "state", "origin", "namespaces": [{"kind", "inode", "id",
/// "state", "why", "path"}]}`.
pub fn json(named: &Named) -> Value {
    let (hold, keeper) = match named.hold {
        Hold::Pinned => ("pinned", None),
        Hold::Kept { pid } => ("kept", Some(pid)),
        Hold::Netns => ("netns", None),
    };
    let origin = named.origin.map(|origin| match origin {
        Origin::New => json!({ "how": "new" }),
        Origin::Attached(pid) => json!({ "how": "attached", "pid": pid }),
    });
    json!({
        "name": named.shown(),
        "hold": hold,
        "keeper": keeper,
        "init": named.holder.filter(|_| named.hold == Hold::Pinned).map(|holder| holder.pid),
        "created": named.created_s,
        "state": state(named),
        "origin": origin,
        "namespaces": named.parts.iter().map(|part| of_part(named, part)).collect::<Vec<_>>(),
    })
}

/// A word for how a name is.
pub fn state(named: &Named) -> &'static str {
    match named.progress {
        _ if named.is_busy => "busy",
        Progress::Made if named.is_stale() => "stale",
        Progress::Made => "live",
        Progress::Making | Progress::Removing => "left",
    }
}

fn of_part(named: &Named, part: &Part) -> Value {
    let (state, why) = match part.state {
        State::Live => ("live", None),
        State::Stale(why) => ("stale", Some(why.key())),
        State::Unseen => ("unseen", None),
    };
    json!({
        "kind": part.kind.name(),
        "inode": part.identity.inode,
        "id": part.identity.id,
        "state": state,
        "why": why,
        "path": named.path(part.kind).map(|path| path.to_string_lossy().into_owned()),
    })
}

/// Tells what was made: nothing, unless it is asked for, or ends sooner than one may think.
pub fn made(named: &Named, as_json: bool) -> ExitCode {
    if as_json {
        return tell::out(&format!("{:#}\n", json(named)));
    }
    if let Hold::Kept { pid } = named.hold {
        tell::note(&format!(
            "process {pid} keeps {}: the name ends with it, as at the end of the session",
            named.kinds().into_iter().map(kinds::flag).collect::<Vec<_>>().join(", ")
        ));
    }
    ExitCode::SUCCESS
}
