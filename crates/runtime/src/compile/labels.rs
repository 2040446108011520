//! `process.apparmorProfile`, `process.selinuxLabel`, `linux.mountLabel`: what security modules know the container by.

use super::draft::Draft;
use insula_launch::step::Label;
use insula_launch::step::label::Module;
use insula_oci::Process;
use std::ffi::CString;

/// runc's words, which callers read.
const NO_APPARMOR: &str = "apparmor failed to apply profile: AppArmor is not switched on here; leave the profile out, or say `unconfined`";
const NO_SELINUX: &str = "selinux label is specified in config, but selinux is disabled or not supported";

/// The label of the program, if it has one.
pub(super) fn of(draft: &mut Draft<'_>, process: &Process) -> Option<(Module, String)> {
    if process.selinux_label.is_none() && process.apparmor_profile.is_none() {
        return None;
    }
    let on = draft.host.labels();
    let context = process.selinux_label.clone().map(|label| (Module::Selinux, label));
    if context.is_some() && !on.selinux {
        draft.fault("process.selinuxLabel", NO_SELINUX);
    }
    let profile = match &process.apparmor_profile {
        // What is asked for is what holds.
        Some(profile) if !on.apparmor && profile == "unconfined" => None,
        Some(profile) => {
            if !on.apparmor {
                draft.fault("process.apparmorProfile", NO_APPARMOR);
            }
            Some((Module::AppArmor, profile.clone()))
        }
        None => None,
    };
    if profile.is_some() && context.is_some() {
        draft.fault(
            "process.selinuxLabel",
            "a process has one label: leave this one or `apparmorProfile` out",
        );
    }
    profile.or(context)
}

/// The step that opens what the init writes it to.
pub(super) fn push(draft: &mut Draft<'_>, label: Option<&(Module, String)>) {
    if let Some((module, label)) = label {
        draft.child.push(Label { module: *module, label: label.clone() }.into());
    }
}

/// What the init writes: where it stays in front, the label is its own, and inherited.
pub(super) fn written(draft: &mut Draft<'_>, label: &(Module, String), stays: bool) -> CString {
    let (field, text) = match label {
        (Module::AppArmor, profile) => {
            ("process.apparmorProfile", format!("{} {profile}", if stays { "changeprofile" } else { "exec" }))
        }
        (Module::Selinux, context) => ("process.selinuxLabel", context.clone()),
    };
    draft.c_string(field, &text)
}

/// The parameter that labels all files of a new file system, mount(8) "context". procfs, sysfs, control groups and mqueue
/// have labels of their own, as by runc.
pub(super) fn of_mount(draft: &mut Draft<'_>, fstype: &str) -> Option<(CString, Option<CString>)> {
    let label = draft.linux.mount_label.as_ref()?;
    let takes = !matches!(fstype, "proc" | "sysfs" | "mqueue" | "cgroup" | "cgroup2");
    (takes && draft.host.labels().selinux)
        .then(|| (c"context".to_owned(), Some(draft.c_string("linux.mountLabel", label))))
}

/// Is there who could know the label?
pub(super) fn check_mounts(draft: &mut Draft<'_>) {
    if draft.linux.mount_label.is_some() && !draft.host.labels().selinux {
        draft.fault("linux.mountLabel", NO_SELINUX);
    }
}
