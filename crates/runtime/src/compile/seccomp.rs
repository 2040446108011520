//! `linux.seccomp`: the filter, and its place among the steps that give rights up.

use super::draft::Draft;
use insula_launch::step::{self, seccomp::Loader};
use insula_seccomp::{Filter, native};

/// Compiles the profile, if there is one.
pub(super) fn filter(draft: &mut Draft<'_>) -> Option<Filter> {
    let profile = draft.linux.seccomp.as_ref()?;
    let filter = match insula_seccomp::compile(profile, native()) {
        Ok(filter) => filter,
        Err(errors) => {
            errors.iter().for_each(|error| draft.fault(error.field(), error.reason()));
            return None;
        }
    };
    if filter.notifies {
        let field =
            if profile.listener_path.is_some() { "linux.seccomp.listenerPath" } else { "linux.seccomp" };
        draft.fault(field, "this version gives no calls to an agent (SCMP_ACT_NOTIFY): use another action");
    }
    if !draft.host.filter_flags().contain(filter.flags) {
        draft.fault(
            "linux.seccomp.flags",
            "this kernel does not know one of them (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV wants Linux 5.19)",
        );
    }
    Some(filter)
}

/// The filter of a process without no_new_privs: CAP_SYS_ADMIN is needed, and the change of user takes it.
pub(super) fn push_here(draft: &mut Draft<'_>, filter: Option<Filter>) -> Option<Filter> {
    let filter = filter?;
    if draft.spec.process.as_ref().is_some_and(|process| process.no_new_privileges) {
        return Some(filter);
    }
    let (program, flags) = (filter.program, filter.flags);
    draft.child.push(step::Seccomp { program, flags, loader: Loader::Here }.into());
    None
}

/// The filter of a process with no_new_privs: the last thing before the program.
pub(super) fn push_last(draft: &mut Draft<'_>, filter: Option<Filter>) {
    if let Some(Filter { program, flags, .. }) = filter {
        let loader = Loader::Init(draft.slots.another());
        draft.child.push(step::Seccomp { program, flags, loader }.into());
    }
}
