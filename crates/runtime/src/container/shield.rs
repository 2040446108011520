//! Which commands execute our program again from where nobody can write to it, before they make anything.
//!
//! Who joins a container hides from its processes ([`insula_launch::step::Hide`]); that holds but for those with
//! CAP_SYS_PTRACE in the user namespace that we were started in. A container with a user namespace of its own has none of
//! them. One without may: what its configuration says is not what others who share its pid namespace may do.

use super::error::Error;
use crate::compile::Life;
use insula_launch::error::Failure;
use insula_launch::own_file::keep_out_of_reach;
use insula_oci::{Capability, NamespaceKind, Process, Spec};
use rustix::fs::stat;

/// Before a process joins the container whose first process has this pid.
pub(super) fn before_exec(pid: i32) -> Result<(), Error> {
    let look = |path: String| stat(path.as_str()).map_err(|errno| Error::Namespace { path, errno });
    let (theirs, ours) = (look(format!("/proc/{pid}/ns/user"))?, look("/proc/self/ns/user".to_owned())?);
    if (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino) {
        kept().map_err(Error::Launch)?;
    }
    Ok(())
}

/// Before a container is made. It may not return: then this program begins again.
pub fn before_create(spec: &Spec, life: Life) -> Result<(), Box<Failure>> {
    if needs(spec, life) { kept() } else { Ok(()) }
}

/// Might somebody with CAP_SYS_PTRACE in our user namespace see its process before it executes?
fn needs(spec: &Spec, life: Life) -> bool {
    let listed = |kind| {
        let namespaces = spec.linux.iter().flat_map(|linux| &linux.namespaces);
        namespaces.filter(move |namespace| namespace.kind == kind)
    };
    if listed(NamespaceKind::User).next().is_some() {
        return false;
    }
    let joins_pids = listed(NamespaceKind::Pid).any(|namespace| namespace.path.is_some());
    // A process that waits for `start` can be joined; one that does not is alone until it executes.
    joins_pids || life == Life::Create && spec.process.as_ref().is_some_and(may_trace)
}

/// Can the process have CAP_SYS_PTRACE, now or later?
pub(super) fn may_trace(process: &Process) -> bool {
    let Some(sets) = &process.capabilities else { return false };
    [&sets.bounding, &sets.effective, &sets.permitted, &sets.inheritable, &sets.ambient]
        .iter()
        .any(|set| set.contains(Capability::SysPtrace))
}

fn kept() -> Result<(), Box<Failure>> {
    keep_out_of_reach().map_err(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn needs_with(namespaces: &serde_json::Value, capabilities: &serde_json::Value, life: Life) -> bool {
        let spec = json!({
            "ociVersion": "1.2.0",
            "process": {
                "args": ["x"], "cwd": "/", "user": { "uid": 0, "gid": 0 }, "capabilities": capabilities
            },
            "linux": { "namespaces": namespaces },
        });
        needs(&serde_json::from_value(spec).unwrap(), life)
    }

    #[test]
    fn only_those_who_may_be_seen_by_tracers_need_it() {
        let own = json!([{ "type": "pid" }, { "type": "mount" }]);
        let joined = json!([{ "type": "pid", "path": "/proc/1/ns/pid" }, { "type": "mount" }]);
        let shifted = json!([{ "type": "pid", "path": "/proc/1/ns/pid" }, { "type": "user" }]);
        let (few, trace) = (json!({ "bounding": ["CAP_KILL"] }), json!({ "bounding": ["CAP_SYS_PTRACE"] }));
        assert!(!needs_with(&own, &few, Life::Create));
        assert!(needs_with(&own, &trace, Life::Create));
        assert!(!needs_with(&own, &trace, Life::Run));
        assert!(needs_with(&joined, &few, Life::Run));
        assert!(!needs_with(&shifted, &trace, Life::Create));
    }
}
