//! What a spec may ask for and this runtime does not do: refused, never ignored (SECURITY.md, P7).

use super::attachment::{Attachment, Life};
use super::draft::Draft;
use insula_oci::Resources;

/// A fault for each such field that is there.
pub(super) fn push(draft: &mut Draft<'_>, attachment: &Attachment) {
    let linux = draft.linux;
    let process = draft.spec.process.as_ref();
    // Where a container has a life of its own, it has a group as well; where nobody could make one, it said so.
    let has_cgroup = attachment.life != Life::Foreground;
    let asked = [
        (
            "linux.resources",
            !has_cgroup
                && linux.resources.as_ref().is_some_and(|resources| *resources != Resources::default()),
        ),
        ("linux.cgroupsPath", !has_cgroup && linux.cgroups_path.is_some()),
        ("linux.mountLabel", linux.mount_label.is_some()),
        ("linux.intelRdt", linux.intel_rdt.is_some()),
        ("linux.netDevices", !has_cgroup && !linux.net_devices.is_empty()),
        (
            "hooks",
            attachment.state.is_none()
                && draft.spec.hooks.as_ref().is_some_and(|hooks| *hooks != insula_oci::Hooks::default()),
        ),
        ("process.apparmorProfile", process.is_some_and(|p| p.apparmor_profile.is_some())),
        ("process.selinuxLabel", process.is_some_and(|p| p.selinux_label.is_some())),
    ];
    for (field, _) in asked.into_iter().filter(|(_, asked)| *asked) {
        draft.fault(field, "this version does not do it, and will not pretend to; leave it out");
    }
}
