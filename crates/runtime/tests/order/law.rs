//! The laws of the order: what must stand before what in every plan, each with the reason in its name.

use insula_launch::kit::Slot;
use insula_launch::plan::Plan;
use insula_launch::step::idmap_tree::Shift;
use insula_launch::step::rootfs::Kept;
use insula_launch::step::seccomp::Loader;
use insula_launch::step::source::{Lower, Source};
use insula_launch::step::{IdmapTree, Seccomp, Step, Who};

/// A law, the steps that it speaks of, and whether a plan keeps it.
pub struct Law {
    pub name: &'static str,
    pub about: &'static [&'static str],
    pub holds: fn(&Law, &Plan) -> bool,
}

/// Every law. A step that none of them names fails a test: its place in the order must have a reason.
pub const LAWS: &[Law] = &[
    Law {
        name: "what the parent does stands first, so that the baton changes hands once",
        about: &["map-ids", "mount-maps", "move-devices", "idmap-tree", "oom-score", "rlimits"],
        holds: |law, plan| before(plan, |step| law.names(step), |step| step.who() == Who::Child),
    },
    Law {
        name: "ids are mapped before a mount is translated by them",
        about: &["map-ids", "idmap-tree"],
        holds: in_this_order,
    },
    Law {
        name: "network devices are there before settings and hooks look for them",
        about: &["move-devices", "sysctl", "hook-outside", "hook-inside"],
        holds: first_before_the_rest,
    },
    Law {
        name: "the offsets of clocks are written with the ids of the birth, who own the file",
        about: &["time-offsets", "own-ids"],
        holds: in_this_order,
    },
    Law {
        name: "a session with an empty umask begins before anything is made",
        about: &["session", "layers", "rootfs", "mount", "nodes", "skeleton", "console", "mask", "umask"],
        holds: first_before_the_rest,
    },
    Law {
        name: "files are made with ids that are mapped",
        about: &["own-ids", "layers", "rootfs", "mount", "nodes", "skeleton", "console", "mask", "read-only"],
        holds: first_before_the_rest,
    },
    Law {
        name: "the way to the host's mounts is cut before the first mount",
        about: &[
            "propagation",
            "layers",
            "rootfs",
            "mount",
            "nodes",
            "console",
            "mask",
            "read-only",
            "pivot-root",
        ],
        holds: first_before_the_rest,
    },
    Law {
        name: "either the mounts are slaves from birth, with ids to take on, or they are made slaves",
        about: &["own-ids", "propagation"],
        holds: |law, plan| count(plan, |step| law.names(step)) == 1,
    },
    Law {
        name: "how the container's own mounts spread is set when they are all there are",
        about: &["pivot-root", "root-propagation", "user"],
        holds: in_this_order,
    },
    Law {
        name: "the process is in its control group before anything is done for it, and before its cgroup namespace is made",
        about: &["move-to-cgroup", "map-ids", "oom-score", "rlimits", "hook-state", "own-ids", "session"],
        holds: first_before_the_rest,
    },
    Law {
        name: "a cgroup namespace that has the group for its root is made behind the move, with the ids of the birth",
        about: &["move-to-cgroup", "unshare", "own-ids"],
        holds: in_this_order,
    },
    Law {
        name: "when and where it runs is set with the caller's rights, before the ids change",
        about: &["scheduler", "io-priority", "memory-policy", "personality", "own-ids", "user"],
        holds: |law, plan| before(plan, among(&law.about[..4]), among(&law.about[4..])),
    },
    Law {
        name: "hooks are told a state that is written",
        about: &["hook-state", "hook-outside", "hook-inside"],
        holds: first_before_the_rest,
    },
    Law {
        name: "an agent is told a state that is written",
        about: &["agent-state", "seccomp"],
        holds: first_before_the_rest,
    },
    Law {
        name: "the caller's hooks run when the mounts are made, before the root is entered",
        about: &["mount", "nodes", "console", "hook-outside", "pivot-root"],
        holds: |law, plan| {
            let hooks = |step: &Step| step.name() == "hook-outside";
            before(plan, among(&law.about[..3]), hooks) && before(plan, hooks, among(&["pivot-root"]))
        },
    },
    Law {
        name: "hooks inside run before the root is entered, or behind the wait",
        about: &["hook-inside", "await-start", "pivot-root"],
        holds: |_, plan| {
            let at = |name| plan.steps.iter().position(|step: &Step| step.name() == name);
            let (pivot, wait) = (at("pivot-root"), at("await-start"));
            plan.steps.iter().enumerate().filter(|(_, step)| step.name() == "hook-inside").all(
                |(at, step)| {
                    let is_last = step.to_string().contains("startContainer");
                    if is_last {
                        wait.is_none_or(|wait| wait < at)
                    } else {
                        pivot.is_some_and(|pivot| at < pivot)
                    }
                },
            )
        },
    },
    Law {
        name: "a container is written down when all that can fail has not failed, then it waits, then it executes",
        about: &["program", "find-home", "commit", "await-start", "exec"],
        holds: in_this_order,
    },
    Law {
        name: "the home is looked for in the container",
        about: &["pivot-root", "find-home", "exec"],
        holds: in_this_order,
    },
    Law {
        name: "/dev/null is taken from the host's /dev, before it is gone",
        about: &["stdio", "pivot-root"],
        holds: first_before_the_rest,
    },
    Law {
        name: "pipes are given away before the program runs, by the child while it has its rights",
        about: &["give-stdio", "take-stdio", "user", "capabilities", "exec"],
        holds: |law, plan| before(plan, among(&law.about[..2]), among(&law.about[2..])),
    },
    Law {
        name: "names and devices of namespaces are set while there are rights over them",
        about: &["host-name", "domain-name", "loopback", "bounding", "user", "capabilities"],
        holds: |law, plan| before(plan, among(&law.about[..3]), among(&law.about[3..])),
    },
    Law {
        name: "an overlay has a place for its layers",
        about: &["layers", "rootfs", "mount"],
        holds: |_, plan| {
            before(plan, |step| step.name() == "layers", is_overlay)
                && (count(plan, is_overlay) == 0 || count(plan, |step| step.name() == "layers") == 1)
        },
    },
    Law {
        name: "the root is there before anything is put on it",
        about: &[
            "rootfs",
            "mount",
            "nodes",
            "skeleton",
            "console",
            "sysctl",
            "mask",
            "read-only",
            "pivot-root",
        ],
        holds: first_before_the_rest,
    },
    Law {
        name: "the terminal comes from the container's devpts",
        about: &["mount", "console"],
        holds: |_, plan| before(plan, |step| is_mount_on(step, "/dev/pts"), |step| step.name() == "console"),
    },
    Law {
        name: "the terminal is in place before the root changes, and is opened before the user does",
        about: &["console", "pivot-root", "user", "capabilities"],
        holds: first_before_the_rest,
    },
    Law {
        name: "the parent takes the terminal after it was opened, and before the program runs",
        about: &["console", "take-console", "exec"],
        holds: |law, plan| {
            in_this_order(law, plan)
                && count(plan, |step| step.name() == "console")
                    == count(plan, |step| step.name() == "take-console")
        },
    },
    Law {
        name: "devices are put into the container's own /dev",
        about: &["mount", "nodes"],
        holds: |_, plan| before(plan, |step| is_mount_on(step, "/dev"), |step| step.name() == "nodes"),
    },
    Law {
        name: "settings are written to the container's own procfs",
        about: &["mount", "sysctl"],
        holds: in_this_order,
    },
    Law {
        name: "settings are written before /proc/sys becomes read-only",
        about: &["sysctl", "read-only"],
        holds: in_this_order,
    },
    Law {
        name: "nothing is mounted over what is masked or read-only",
        about: &["mount", "nodes", "mask", "read-only"],
        holds: |law, plan| before(plan, among(&law.about[..2]), among(&law.about[2..])),
    },
    Law {
        name: "all is in place before the root changes and the host's paths are gone",
        about: &[
            "layers",
            "rootfs",
            "mount",
            "nodes",
            "skeleton",
            "console",
            "sysctl",
            "mask",
            "read-only",
            "pivot-root",
        ],
        holds: the_rest_before_last,
    },
    Law {
        name: "the root becomes read-only when nothing is made in it any more",
        about: &["mount", "nodes", "skeleton", "console", "pivot-root", "root-read-only"],
        holds: the_rest_before_last,
    },
    Law {
        name: "the program's umask is not that of the files made for it",
        about: &["layers", "rootfs", "mount", "nodes", "skeleton", "console", "mask", "umask"],
        holds: the_rest_before_last,
    },
    Law {
        name: "a process that others may see hides before it is no more than they are",
        about: &["hide", "bounding", "user", "capabilities"],
        holds: first_before_the_rest,
    },
    Law {
        name: "rights fall from the outside in: bounding set, user, capabilities",
        about: &["bounding", "user", "capabilities"],
        holds: in_this_order,
    },
    Law {
        name: "rights fall when nothing needs them any more",
        about: &["pivot-root", "root-read-only", "bounding"],
        holds: the_rest_before_last,
    },
    Law {
        name: "what cannot be taken back comes after what may still fail: no_new_privs after the user",
        about: &["user", "no-new-privs"],
        holds: in_this_order,
    },
    Law {
        name: "without no_new_privs a filter is loaded with CAP_SYS_ADMIN, before user and capabilities change",
        about: &["seccomp", "user", "capabilities"],
        holds: |law, plan| {
            let loaded_here = |step: &Step| matches!(step, Step::Seccomp(it) if it.loader == Loader::Here);
            count(plan, |step| step.name() == "no-new-privs") > 0
                || count(plan, loaded_here) == count(plan, |step| step.name() == "seccomp")
                    && first_before_the_rest(law, plan)
        },
    },
    Law {
        name: "with no_new_privs the filter is the last, and loaded by the init: nothing of ours is filtered but execve",
        about: &[
            "bounding",
            "user",
            "work-dir",
            "capabilities",
            "no-new-privs",
            "death-signal",
            "take-stdio",
            "seccomp",
        ],
        holds: |law, plan| {
            let loaded_here = |step: &Step| matches!(step, Step::Seccomp(it) if it.loader == Loader::Here);
            count(plan, |step| step.name() == "no-new-privs") == 0
                || count(plan, loaded_here) == 0 && the_rest_before_last(law, plan)
        },
    },
    Law {
        name: "the way to the program's label is opened while a procfs may be mounted, and the init writes it",
        about: &[
            "pivot-root",
            "label",
            "bounding",
            "user",
            "capabilities",
            "no-new-privs",
            "seccomp",
            "exec",
        ],
        holds: first_before_the_rest,
    },
    Law {
        name: "the death signal is set after what clears it",
        about: &["user", "capabilities", "death-signal"],
        holds: the_rest_before_last,
    },
    Law {
        name: "the working directory is the container's, entered as its user",
        about: &["pivot-root", "user", "work-dir"],
        holds: in_this_order,
    },
    Law {
        name: "the program is looked for in the container, as its user, with its rights",
        about: &["pivot-root", "user", "work-dir", "capabilities", "no-new-privs", "program"],
        holds: the_rest_before_last,
    },
    Law {
        name: "the program is found, then executed, and nothing comes after",
        about: &["program", "exec"],
        holds: |law, plan| {
            const BETWEEN: &[&str] = &["find-home", "commit", "await-start", "hook-inside"];
            let names: Vec<&str> = plan.steps.iter().map(Step::name).collect();
            let found = names.iter().rposition(|name| *name == law.about[0]).unwrap_or(names.len());
            let rest: Vec<&str> =
                names[found..].iter().copied().filter(|name| !BETWEEN.contains(name)).collect();
            rest == law.about && count(plan, |step| law.names(step)) == law.about.len()
        },
    },
    Law {
        name: "what every container needs is done once",
        about: &[
            "session",
            "rootfs",
            "nodes",
            "pivot-root",
            "umask",
            "bounding",
            "user",
            "work-dir",
            "capabilities",
            "program",
            "exec",
        ],
        holds: |law, plan| law.about.iter().all(|name| count(plan, |step| step.name() == *name) == 1),
    },
    Law {
        name: "what some containers need is done once at most",
        about: &[
            "map-ids",
            "oom-score",
            "rlimits",
            "time-offsets",
            "own-ids",
            "propagation",
            "root-propagation",
            "stdio",
            "host-name",
            "domain-name",
            "loopback",
            "layers",
            "console",
            "take-console",
            "root-read-only",
            "no-new-privs",
            "seccomp",
            "death-signal",
            "move-to-cgroup",
            "scheduler",
            "io-priority",
            "memory-policy",
            "personality",
            "find-home",
            "commit",
            "await-start",
        ],
        holds: |law, plan| law.about.iter().all(|name| count(plan, |step| step.name() == *name) <= 1),
    },
    Law {
        name: "each slot is filled once, then used once",
        about: &[
            "mount-maps",
            "idmap-tree",
            "layers",
            "rootfs",
            "mount",
            "console",
            "take-console",
            "seccomp",
            "exec",
            "move-to-cgroup",
            "await-start",
            "hook-state",
            "hook-outside",
            "hook-inside",
            "agent-state",
        ],
        holds: |_, plan| slots_are_filled_then_used(plan),
    },
    Law {
        name: "a slot that is used on the other side is handed over where the lane changes",
        about: &[
            "idmap-tree",
            "layers",
            "rootfs",
            "mount",
            "console",
            "take-console",
            "hook-state",
            "hook-inside",
            "agent-state",
        ],
        holds: |_, plan| slots_cross(plan),
    },
];

impl Law {
    fn names(&self, step: &Step) -> bool {
        self.about.contains(&step.name())
    }
}

fn among<'a>(names: &'a [&'a str]) -> impl Fn(&Step) -> bool + 'a {
    move |step| names.contains(&step.name())
}

/// No step of the first sort stands behind one of the second.
fn before(plan: &Plan, first: impl Fn(&Step) -> bool, second: impl Fn(&Step) -> bool) -> bool {
    let last = plan.steps.iter().rposition(first);
    let start = plan.steps.iter().position(second);
    last.zip(start).is_none_or(|(last, start)| last < start)
}

fn count(plan: &Plan, wanted: impl Fn(&Step) -> bool) -> usize {
    plan.steps.iter().filter(|step| wanted(step)).count()
}

/// All steps of each name stand before all of the next.
fn in_this_order(law: &Law, plan: &Plan) -> bool {
    (1..law.about.len()).all(|at| before(plan, among(&law.about[..at]), among(&law.about[at..])))
}

fn first_before_the_rest(law: &Law, plan: &Plan) -> bool {
    before(plan, among(&law.about[..1]), among(&law.about[1..]))
}

fn the_rest_before_last(law: &Law, plan: &Plan) -> bool {
    let (last, rest) = law.about.split_last().expect("a law is about something");
    before(plan, among(rest), among(&[last]))
}

fn source(step: &Step) -> Option<&Source> {
    match step {
        Step::Mount(mount) => Some(&mount.source),
        Step::Rootfs(rootfs) => Some(&rootfs.source),
        _ => None,
    }
}

fn is_overlay(step: &Step) -> bool {
    matches!(source(step), Some(Source::Overlay(_)))
}

fn is_mount_on(step: &Step, path: &str) -> bool {
    matches!(step, Step::Mount(mount) if mount.target.shown() == path)
}

/// What a step puts into a slot.
fn filled(step: &Step) -> Option<Slot> {
    match step {
        Step::IdmapTree(tree) => Some(tree.slot),
        Step::MountMaps(maps) => Some(maps.slot),
        Step::Console(console) => Some(console.slot),
        Step::HookState(state) => Some(state.slot),
        Step::AgentState(state) => Some(state.slot),
        _ => None,
    }
}

/// What a step takes from slots.
fn used(step: &Step) -> Vec<Slot> {
    match (step, source(step)) {
        (Step::TakeConsole(take), _) => vec![take.slot],
        (Step::IdmapTree(IdmapTree { shift: Shift::By(maps), .. }), _) => vec![*maps],
        (Step::Exec(exec), _) => vec![exec.init],
        (Step::Seccomp(filter), _) => {
            prepared(filter).into_iter().chain(filter.agent.map(|agent| agent.state)).collect()
        }
        (Step::MoveToCgroup(group), _) => group.procs.clone(),
        (Step::AwaitStart(wait), _) => vec![wait.go, wait.answer],
        (Step::HookOutside(hook), _) => vec![hook.state],
        (Step::HookInside(hook), _) => vec![hook.state],
        (Step::Layers(layers), _) => match &layers.kept {
            Kept::Made(slot, ..) => vec![*slot],
            Kept::Vanish | Kept::Path(..) => Vec::new(),
        },
        (_, Some(Source::Made(slot))) => vec![*slot],
        (_, Some(Source::Overlay(overlay))) => match &overlay.lower {
            Lower::Made { slot, .. } => vec![*slot],
            Lower::Path(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The slots of the file from which the init loads a filter, and of the agent's socket.
fn prepared(filter: &Seccomp) -> Vec<Slot> {
    let file = match filter.loader {
        Loader::Init(slot) => Some(slot),
        Loader::Here => None,
    };
    file.into_iter().chain(filter.agent.map(|agent| agent.socket)).collect()
}

/// What is there before the birth: the files of namespaces, which the porter uses, the init, the control group's, the FIFOs
/// of the start.
fn given(plan: &Plan) -> Vec<Slot> {
    let of = |step: &Step| match step {
        Step::Exec(_) | Step::MoveToCgroup(_) | Step::AwaitStart(_) => used(step),
        Step::Seccomp(filter) => prepared(filter),
        _ => Vec::new(),
    };
    plan.steps.iter().flat_map(of).collect()
}

/// A state that hooks are told is read by each of them, equal maps translate several mounts; every other slot is used once.
fn is_shared(plan: &Plan, slot: Slot) -> bool {
    plan.steps.iter().any(|step| match step {
        Step::HookState(state) => state.slot == slot,
        Step::MountMaps(maps) => maps.slot == slot,
        _ => false,
    })
}

fn slots_are_filled_then_used(plan: &Plan) -> bool {
    let joins: Vec<Slot> = plan.birth.joins().iter().map(|join| join.slot).collect();
    let mut full = given(plan);
    let mut ever: Vec<Slot> = joins.iter().copied().chain(full.iter().copied()).collect();
    let mut read: Vec<Slot> = Vec::new();
    for step in &plan.steps {
        for slot in used(step) {
            match full.iter().position(|known| *known == slot) {
                Some(at) => drop(full.swap_remove(at)),
                None if is_shared(plan, slot) && read.contains(&slot) => {}
                None => return false,
            }
            read.push(slot);
        }
        if let Some(slot) = filled(step) {
            full.push(slot);
            ever.push(slot);
        }
    }
    let mut places: Vec<usize> = ever.iter().map(|slot| slot.index()).collect();
    places.sort_unstable();
    full.is_empty() && places.iter().copied().eq(0..ever.len())
}

fn slots_cross(plan: &Plan) -> bool {
    plan.steps.iter().enumerate().all(|(at, step)| {
        // Maps are needed where they are made.
        let filled = filled(step).filter(|_| !matches!(step, Step::MountMaps(_)));
        let Some(slot) = filled else { return step.hands_over().is_none() };
        let on_the_other_side = |later: &Step| {
            used(later).contains(&slot) && (later.who() != step.who() || is_shared(plan, slot))
        };
        let use_at = plan.steps.iter().position(on_the_other_side);
        let change = plan.steps[at..].iter().position(|later| later.who() != step.who()).map(|by| at + by);
        step.hands_over() == Some(slot)
            && use_at.zip(change).is_some_and(|(use_at, change)| {
                let hears = plan.steps[use_at].who() != step.who();
                at < change && (!hears || change <= use_at)
            })
    })
}
