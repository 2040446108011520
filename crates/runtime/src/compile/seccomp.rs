//! `linux.seccomp`: the filter, its place among the steps that give rights up, and the agent that decides some of its calls.

use super::attachment::{Attachment, Life};
use super::draft::Draft;
use insula_launch::init::Agent;
use insula_launch::kit::Slot;
use insula_launch::step::agent_state::AgentState;
use insula_launch::step::seccomp::Loader;
use insula_launch::step::{Seccomp, Step};
use insula_oci::state::{ContainerProcessState, SECCOMP_FD};
use insula_oci::{Linux, State, Status};
use insula_seccomp::{Filter, native};

/// A pid that no process has, to find the places for the one that the process will have.
const NO_PID: i32 = i32::MIN;

/// A filter on its way to its place.
pub(super) struct Ready {
    filter: Filter,
    agent: Option<Agent>,
}

/// Compiles the profile, if there is one.
pub(super) fn filter(draft: &mut Draft<'_>, attachment: &Attachment) -> Option<Ready> {
    let profile = draft.linux.seccomp.as_ref()?;
    let filter = match insula_seccomp::compile(profile, native()) {
        Ok(filter) => filter,
        Err(errors) => {
            errors.iter().for_each(|error| draft.fault(error.field(), error.reason()));
            return None;
        }
    };
    if profile.listener_metadata.is_some() && profile.listener_path.is_none() {
        draft.fault(
            "linux.seccomp.listenerMetadata",
            "it is for the agent at `listenerPath`, which is missing",
        );
    }
    let agent = if filter.notifies { agent(draft, attachment) } else { None };
    if !draft.host.filter_flags().contain(filter.flags) {
        draft.fault(
            "linux.seccomp.flags",
            "this kernel does not know one of them (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV wants Linux 5.19)",
        );
    }
    Some(Ready { filter, agent })
}

/// The agent: its socket, and what it is told.
fn agent(draft: &mut Draft<'_>, attachment: &Attachment) -> Option<Agent> {
    let profile = draft.linux.seccomp.as_ref()?;
    if profile.listener_path.is_none() {
        draft
            .fault("linux.seccomp.listenerPath", "SCMP_ACT_NOTIFY needs the socket of an agent that decides");
        return None;
    }
    let Some(state) = &attachment.state else {
        draft.fault(
            "linux.seccomp.listenerPath",
            "an agent is told of a container with a state, which this one has not: use `insula oci run`",
        );
        return None;
    };
    let agent = Agent { socket: draft.slots.another(), state: draft.slots.another() };
    let parts = told(draft, attachment, state, profile.listener_metadata.as_deref());
    draft.parent.push(AgentState { slot: agent.state, socket: agent.socket, parts }.into());
    Some(agent)
}

/// The container process state, in parts between which the process's id stands.
fn told(draft: &Draft<'_>, attachment: &Attachment, state: &State, metadata: Option<&str>) -> Vec<String> {
    let joins = state.pid.is_some();
    let last = draft.spec.process.as_ref().is_some_and(|process| process.no_new_privileges);
    let status = match state.status {
        // What the container is when the filter is loaded: right before its program, or while it is made.
        Status::Creating if last && attachment.life != Life::Foreground => Status::Created,
        status => status,
    };
    let state = State { status, pid: if joins { state.pid } else { Some(NO_PID) }, ..state.clone() };
    let told = ContainerProcessState {
        oci_version: state.oci_version.clone(),
        fds: vec![SECCOMP_FD.to_owned()],
        pid: NO_PID,
        metadata: metadata.unwrap_or_default().to_owned(),
        state,
    };
    let text = serde_json::to_string(&told).unwrap_or_default();
    // As a number of its own behind a name: a string of the caller's has its quotes escaped.
    let gap = format!("\"pid\":{NO_PID}");
    let mut parts: Vec<String> = text.split(&gap).map(|part| format!("{part}\"pid\":")).collect();
    if let Some(end) = parts.last_mut() {
        end.truncate(end.len() - "\"pid\":".len());
    }
    parts
}

/// The slot for the socket that is connected to the agent, and its path, if the plan has one.
pub(super) fn agent_of(linux: &Linux, steps: &[Step]) -> Option<(Slot, String)> {
    let path = linux.seccomp.as_ref()?.listener_path.clone()?;
    let agent = steps.iter().find_map(|step| match step {
        Step::Seccomp(filter) => filter.agent,
        _ => None,
    });
    agent.map(|agent| (agent.socket, path))
}

/// The filter of a process without no_new_privs: CAP_SYS_ADMIN is needed, and the change of user takes it.
pub(super) fn push_here(draft: &mut Draft<'_>, ready: Option<Ready>) -> Option<Ready> {
    let ready = ready?;
    if draft.spec.process.as_ref().is_some_and(|process| process.no_new_privileges) {
        return Some(ready);
    }
    push(draft, ready, Loader::Here);
    None
}

/// The filter of a process with no_new_privs: the last thing before the program.
pub(super) fn push_last(draft: &mut Draft<'_>, ready: Option<Ready>) {
    if let Some(ready) = ready {
        let loader = Loader::Init(draft.slots.another());
        push(draft, ready, loader);
    }
}

fn push(draft: &mut Draft<'_>, ready: Ready, loader: Loader) {
    let Ready { filter: Filter { program, flags, .. }, agent } = ready;
    draft.child.push(Seccomp { program, flags, loader, agent }.into());
}
