//! From a request and the facts about it to a plan: pure.

use super::doors::Door;
use super::facts::{Facts, Found, Join, OwnView};
use super::order::{Entry, order};
use super::request::{self, Directory, Request};
use insula_launch::kit::{Slot, Slots};
use insula_launch::plan::{Birth, Kind, Plan};
use insula_launch::step::enter_process::EnterProcess;
use insula_launch::step::same_namespaces::{Mirror, SameNamespaces};
use insula_launch::step::set_ids::{Id, LeaveGroups, SetIds};
use insula_launch::step::{
    Chdir, ChrootTo, Enter, ExecContext, Execvp, Fchdir, Fork, JoinCgroup, KeepCaps, Step,
};
use std::ffi::CStr;

/// A plan, and what has to be open for it.
#[derive(Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// The slots, and what lies in each.
    pub(super) places: Vec<(Slot, Door)>,
}

/// Compiles.
pub fn compile(request: &Request, facts: &Facts) -> Compiled {
    let mut draft = Draft::default();
    let enters = |kind| facts.joins.iter().any(|join| join.seen.kind == kind);
    let takes_ids = enters(Kind::User) && !request.preserve_credentials;
    if let Some(context) = &facts.context {
        let slot = draft.slot(Door::ExecContext);
        draft.push(ExecContext { slot, context: context.clone() });
    }
    // Who has no rights here could not leave its groups before either.
    let own_may_stay = request.own_may_stay && (!facts.rights.sys_admin || facts.denies_setgroups);
    // The user namespace may deny setgroups(2); afterwards is tried again, for then we may be its root.
    if takes_ids && !own_may_stay {
        draft.push(LeaveGroups);
    }
    joins(&mut draft, facts);
    directories(&mut draft, request, facts);
    if let Some((count, name)) = &facts.cgroups
        && *count > 0
    {
        let procs = (0..*count).map(|i| draft.slot(Door::Cgroup(i))).collect();
        draft.push(JoinCgroup { procs, name: name.clone() });
    }
    // A process stays in its pid namespace; only a child of it is in the other one. What comes now is the child's.
    if request.fork || enters(Kind::Pid) && !request.no_fork {
        draft.push(Fork { hold: Vec::new() });
    }
    ids(&mut draft, request, takes_ids, own_may_stay);
    // Ids that are not 0 have taken away the effective capabilities, not those that can be made ambient.
    if request.keep_caps && enters(Kind::User) {
        draft.push(KeepCaps);
    }
    draft.push(program(request, facts));
    draft.done()
}

/// The joins in their order, and the look whether that went where it should.
fn joins(draft: &mut Draft, facts: &Facts) {
    for entry in order(&facts.joins, facts.rights) {
        match entry {
            Entry::Target(kinds) => {
                let Some(target) = &facts.target else { continue };
                let pidfd = target.by_pidfd.then(|| draft.slot(Door::Pidfd));
                let directory = target.by_directory.then(|| draft.slot(Door::Target));
                draft.push(EnterProcess { pid: target.pid, pidfd, directory, kinds });
            }
            Entry::Open(Join { seen, found }) => {
                let slot = draft.slot(Door::Namespace(seen.kind));
                let from = match found {
                    Found::Open(from) => from.clone(),
                    Found::AtTarget => String::new(),
                };
                draft.push(Enter { kind: seen.kind, slot, from });
            }
        }
    }
    let mirror = match facts.own_view {
        OwnView::Directory => Mirror::Directory(draft.slot(Door::Own)),
        OwnView::Pidfd => Mirror::Pidfd(draft.slot(Door::Own)),
        OwnView::None => return,
    };
    if !facts.joins.is_empty() {
        let expected = facts.joins.iter().map(|join| join.seen).collect();
        draft.push(SameNamespaces { mirror, expected });
    }
}

/// Root and working directory: in the namespaces, since a new mount namespace has taken both to its own root.
fn directories(draft: &mut Draft, request: &Request, facts: &Facts) {
    let shown = |directory: &Directory, name| match (directory, &facts.target) {
        (Directory::Path(path), _) => path.display().to_string(),
        (Directory::Target, Some(target)) => format!("/proc/{}/{name}", target.pid),
        (Directory::Target, None) => String::new(),
    };
    if let Some(root) = &request.root {
        let stay = request.working_directory.is_none() && request.working_directory_inside.is_none();
        let slot = draft.slot(Door::Root);
        draft.push(ChrootTo { slot, from: shown(root, "root"), stay });
    }
    if let Some(directory) = &request.working_directory {
        let slot = draft.slot(Door::WorkingDirectory);
        draft.push(Fchdir { slot, from: shown(directory, "cwd") });
    }
    if let Some(path) = &request.working_directory_inside {
        draft.push(Chdir(path.clone()));
    }
}

/// The ids: those that are asked for, and root's in a user namespace.
fn ids(draft: &mut Draft, request: &Request, takes_ids: bool, own_may_stay: bool) {
    let mut id = |asked: Option<request::Id>| match asked {
        Some(request::Id::Given(id)) => Some(Id::Given(id)),
        Some(request::Id::Follow) => Some(Id::Of(draft.slot(Door::Target))),
        None => takes_ids.then_some(Id::Given(0)),
    };
    let (uid, gid) = (id(request.uid), id(request.gid));
    if uid.is_some() || gid.is_some() {
        let if_mapped = own_may_stay && request.uid.is_none() && request.gid.is_none();
        draft.push(SetIds { uid, gid, groups_may_stay: true, if_mapped });
    }
}

fn program(request: &Request, facts: &Facts) -> Execvp {
    let path = facts.environment.iter().find_map(|variable| {
        let value = variable.to_bytes_with_nul().strip_prefix(b"PATH=")?;
        CStr::from_bytes_with_nul(value).ok()
    });
    Execvp::new(request.program.clone(), facts.environment.clone(), path)
        .unwrap_or_else(|| Execvp::login_shell(&facts.shell, facts.environment.clone()))
}

/// A plan in the making.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    slots: Slots,
    places: Vec<(Slot, Door)>,
}

impl Draft {
    fn push(&mut self, step: impl Into<Step>) {
        self.steps.push(step.into());
    }

    /// The slot of a door, the same one each time.
    fn slot(&mut self, door: Door) -> Slot {
        if let Some((slot, _)) = self.places.iter().find(|(_, known)| *known == door) {
            return *slot;
        }
        let slot = self.slots.another();
        self.places.push((slot, door));
        slot
    }

    fn done(self) -> Compiled {
        let plan = Plan { birth: Birth::Here, steps: self.steps, slots: self.slots };
        Compiled { plan, places: self.places }
    }
}
