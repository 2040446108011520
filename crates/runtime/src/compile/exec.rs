//! A process that joins a container: all of its namespaces, and never more rights than its configuration gives.

use super::attachment::Attachment;
use super::draft::Draft;
use super::{Compiled, process, push_cgroup, scheduling, seccomp, users};
use crate::error::Invalid;
use insula_launch::host::Host;
use insula_launch::plan::{Join, Kind, Newborn};
use insula_launch::step;
use insula_oci::{Linux, Spec};

/// The namespaces of the container's first process that are not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Each with the path of its file, in /proc.
    pub namespaces: Vec<(Kind, String)>,
}

/// Compiles the process of `spec` as one that joins the container that `spec` configures.
pub fn compile_exec(
    spec: &Spec,
    host: &Host,
    attachment: &Attachment,
    entry: &Entry,
) -> Result<Compiled, Vec<Invalid>> {
    let none = Linux::default();
    let linux = spec.linux.as_ref().unwrap_or(&none);
    let mut draft = Draft::new(spec, linux, host, true);
    let birth = birth(&mut draft, entry);
    let cgroup = push_cgroup(&mut draft, attachment, false);
    process::push_limits(&mut draft);
    scheduling::push(&mut draft, true);
    if draft.in_user_namespace() {
        draft.child.push(users::own_ids(&draft).into());
    }
    draft.child.push(step::Session { keyring: !attachment.keeps_keyring }.into());
    let console = process::push_console(&mut draft, true);
    if let Some(slot) = console {
        let size = process::console_size(&mut draft);
        draft.child.push(step::TakeConsole { slot, size }.into());
    }
    let (init, start) = process::push_program(&mut draft, attachment, Vec::new());
    let plan = draft.into_plan(birth)?;
    let agent = seccomp::agent_of(linux, &plan.steps);
    Ok(Compiled { plan, init, console, cgroup, start, agent })
}

/// The mount namespace last: the files of the others are found in our own /proc. The user namespace as at `create`: last
/// where our rights are needed for the others, first where its own are.
fn birth(draft: &mut Draft<'_>, entry: &Entry) -> Newborn {
    let user_first = !draft.host.ids().may_mount();
    let mut joins: Vec<Join> = entry
        .namespaces
        .iter()
        .map(|(kind, from)| Join { kind: *kind, slot: draft.slots.another(), from: from.clone() })
        .collect();
    joins.sort_by_key(|join| match join.kind {
        Kind::User if user_first => 0,
        Kind::User => 2,
        _ => 1,
    });
    Newborn { joins, new: Vec::new() }
}
