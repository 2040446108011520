//! Filters of system calls and security modules: what stands around us, and what we may put around others.

use super::answer::{Answer, Check, Group, Weight};
use super::ids::status;
use super::room::apart;
use insula_launch::error::Named;
use insula_launch::why::features;
use insula_sys::harmless::{self, QUESTIONS};
use insula_sys::prctl;
use insula_sys::seccomp::{Flags, Instruction, load};
use rustix::io::Errno;
use std::fs;

/// What to do about a filter around us.
pub(super) const UNFILTER: &str = "start insula outside of the container or service whose filter it is, or give that one a wider filter (Docker: \
                                   `--security-opt seccomp=unconfined`; systemd: SystemCallFilter=, RestrictNamespaces=)";

const fn check(
    key: &'static str,
    what: &'static str,
    loss: &'static str,
    weight: Weight,
    probe: fn() -> Answer,
) -> Check {
    Check { key, group: Group::Security, what, loss, weight, probe }
}

/// The checks.
pub(super) const CHECKS: &[Check] = &[
    check(
        "outer-seccomp",
        "no filter of system calls around us",
        "whatever the refused calls are for",
        Weight::Feature,
        outer,
    ),
    check(
        "seccomp",
        "filters of system calls of our own",
        "seccomp in containers (`linux.seccomp` of config.json)",
        Weight::Feature,
        filter,
    ),
    check(
        "seccomp-notify",
        "refused calls that are told of, seccomp_unotify(2)",
        "system calls that a supervisor answers",
        Weight::Comfort,
        listener,
    ),
    check(
        "landlock",
        "Landlock, landlock(7)",
        "nothing today: no command makes rules of it",
        Weight::Comfort,
        landlock,
    ),
    check(
        "lsm",
        "security modules",
        "what their policies forbid, with EACCES or EPERM",
        Weight::Comfort,
        modules,
    ),
];

/// Is there a filter of system calls on us?
pub(super) fn is_filtered() -> bool {
    status("Seccomp").is_some_and(|mode| mode != "0")
}

/// Which calls a filter around us refuses, each asked with arguments that do nothing. EPERM without capabilities may be
/// the kernel's own word, for calls that look at those first.
fn outer() -> Answer {
    if !is_filtered() {
        return Answer::works("none");
    }
    let filters = status("Seccomp_filters").unwrap_or_default();
    apart(|| {
        let mut refused = Vec::new();
        // Read before the first answer, as it is large.
        let symbols = features::symbols();
        let is_in_kernel = |name| symbols.as_ref().is_some_and(|symbols| symbols.has(name));
        for question in QUESTIONS {
            match harmless::ask(*question) {
                Err(Errno::NOSYS) if is_in_kernel(question.name) => {
                    refused.push(format!("{} (ENOSYS)", question.name))
                }
                Err(Errno::PERM | Errno::ACCESS) if !checks_rights_first(question.name) => {
                    refused.push(question.name.to_owned())
                }
                _ => {}
            }
        }
        match refused.as_slice() {
            [] => Answer::works(format!("{filters} around us, and none of our calls is refused")),
            refused => Answer::limited(format!("{filters} around us: refused are {}", refused.join(", ")))
                .fix(UNFILTER),
        }
    })
}

/// Calls for which the kernel asks for a capability before it looks at anything else.
fn checks_rights_first(name: &str) -> bool {
    let is_bare = prctl::capget().is_ok_and(|(effective, _, _)| effective & (1 << 21) == 0);
    is_bare
        && matches!(
            name,
            "mount" | "pivot_root" | "fsopen" | "fsmount" | "move_mount" | "bpf" | "open_by_handle_at"
        )
}

/// `BPF_RET | BPF_K` with `SECCOMP_RET_ALLOW`.
const ALLOW: [Instruction; 1] = [Instruction { code: 0x06, jt: 0, jf: 0, k: 0x7fff_0000 }];

fn loaded(flags: Flags) -> Result<(), Errno> {
    prctl::no_new_privs()?;
    load(&ALLOW, flags).map(drop)
}

fn filter() -> Answer {
    apart(|| match loaded(Flags::default()) {
        Ok(()) => Answer::works("one was loaded"),
        Err(errno) => Answer::refused("load a filter", errno).fix("a kernel with CONFIG_SECCOMP_FILTER"),
    })
}

fn listener() -> Answer {
    apart(|| match loaded(Flags::NEW_LISTENER) {
        Ok(()) => Answer::works("a listener was made"),
        Err(Errno::BUSY) => {
            Answer::limited("the filter around us has a listener already, and there can be only one")
        }
        Err(errno) => Answer::missing(format!("load a filter with a listener: {}", Named(errno)))
            .fix("Linux 5.0 or newer"),
    })
}

fn landlock() -> Answer {
    match harmless::landlock() {
        Ok(version) => Answer::works(format!("version {version}")),
        Err(Errno::NOSYS) => Answer::missing("this kernel has no Landlock")
            .fix("Linux 5.13 or newer, with CONFIG_SECURITY_LANDLOCK"),
        Err(Errno::OPNOTSUPP) => Answer::missing("Landlock is not switched on")
            .fix("`lsm=landlock,…` on the kernel's command line"),
        Err(errno) => Answer::refused("landlock_create_ruleset", errno),
    }
}

/// `LSM_ID_*` of <linux/lsm.h>, from 100 on.
const MODULES: [&str; 14] = [
    "capability",
    "selinux",
    "smack",
    "tomoyo",
    "apparmor",
    "yama",
    "loadpin",
    "safesetid",
    "lockdown",
    "bpf",
    "landlock",
    "ima",
    "evm",
    "ipe",
];

/// The modules that are switched on: as the kernel tells, or as securityfs does where it is mounted.
fn switched_on() -> Option<String> {
    let name = |id: &u64| {
        let known = usize::try_from(*id).ok().and_then(|id| MODULES.get(id.checked_sub(100)?));
        known.map_or_else(|| id.to_string(), |name| (*name).to_owned())
    };
    match harmless::security_modules() {
        Ok(ids) => Some(ids.iter().map(name).collect::<Vec<_>>().join(",")),
        Err(_) => {
            let list = fs::read_to_string("/sys/kernel/security/lsm").ok()?;
            Some(list.trim().to_owned()).filter(|list| !list.is_empty())
        }
    }
}

/// The list of them, and the label that we carry.
fn modules() -> Answer {
    let label = fs::read_to_string("/proc/self/attr/current").unwrap_or_default();
    let label = label.trim_matches(['\0', '\n', ' ']);
    let list = switched_on().unwrap_or_else(|| "not told (no lsm_list_modules(2), no securityfs)".to_owned());
    let restricted =
        fs::read_to_string("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").unwrap_or_default();
    if restricted.trim() == "1" {
        return Answer::limited(format!("{list}; kernel.apparmor_restrict_unprivileged_userns is 1"))
            .fix("as root: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or a profile with the rule userns for insula");
    }
    match label {
        "" => Answer::works(list),
        "unconfined" => Answer::works(format!("{list}; we are unconfined")),
        label => Answer::works(format!("{list}; we are `{label}`")),
    }
}
