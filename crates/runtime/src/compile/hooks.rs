//! Hooks: which runs where, and when.

use super::attachment::Attachment;
use super::draft::Draft;
use crate::hooks::ready;
use insula_launch::kit::Slot;
use insula_launch::step::{HookInside, HookOutside, HookState, Step};
use insula_oci::{Hook, Hooks, State, Status};

/// A pid that no process has, to find the place for the one that the process will have.
const NO_PID: i32 = i32::MIN;

/// Pushes those that run before the root is entered, and returns those that run just before the program.
pub(super) fn push(draft: &mut Draft<'_>, attachment: &Attachment) -> Vec<Step> {
    let (Some(hooks), Some(state)) = (&draft.spec.hooks, &attachment.state) else { return Vec::new() };
    check(draft, hooks);
    let Hooks { prestart, create_runtime, create_container, start_container, .. } = hooks;
    if !(prestart.is_empty() && create_runtime.is_empty() && create_container.is_empty()) {
        let slot = push_state(draft, state, Status::Creating);
        for (point, hooks) in [("prestart", prestart), ("createRuntime", create_runtime)] {
            let outside = |(i, hook): (usize, &Hook)| HookOutside {
                hook: ready(hook),
                name: name(point, i),
                state: slot,
            };
            draft.child.extend(hooks.iter().enumerate().map(outside).map(Step::from));
        }
        draft.child.extend(inside("createContainer", create_container, slot));
    }
    if start_container.is_empty() {
        return Vec::new();
    }
    let slot = push_state(draft, state, Status::Created);
    inside("startContainer", start_container, slot)
}

fn inside(point: &str, hooks: &[Hook], state: Slot) -> Vec<Step> {
    let hooks = hooks.iter().enumerate();
    hooks.map(|(i, hook)| HookInside { hook: ready(hook), name: name(point, i), state }.into()).collect()
}

fn name(point: &str, i: usize) -> String {
    format!("{point} #{i}")
}

/// The state with a gap where the process's id goes.
fn push_state(draft: &mut Draft<'_>, state: &State, status: Status) -> Slot {
    let slot = draft.slots.another();
    let text =
        serde_json::to_string(&State { status, pid: Some(NO_PID), ..state.clone() }).unwrap_or_default();
    let (before, after) = text.split_once(&NO_PID.to_string()).unwrap_or((&text, ""));
    draft.parent.push(HookState { slot, before: before.to_owned(), after: after.to_owned() }.into());
    slot
}

/// What the specification demands of a hook, at every point.
fn check(draft: &mut Draft<'_>, hooks: &Hooks) {
    let points = [
        ("prestart", &hooks.prestart),
        ("createRuntime", &hooks.create_runtime),
        ("createContainer", &hooks.create_container),
        ("startContainer", &hooks.start_container),
        ("poststart", &hooks.poststart),
        ("poststop", &hooks.poststop),
    ];
    for (point, hooks) in points {
        for (i, hook) in hooks.iter().enumerate() {
            if !hook.path.starts_with('/') {
                draft.fault(format!("hooks.{point}[{i}].path"), "it must be an absolute path");
            }
            if hook.timeout.is_some_and(|seconds| seconds <= 0) {
                draft.fault(format!("hooks.{point}[{i}].timeout"), "it must be above 0 seconds");
            }
        }
    }
}
