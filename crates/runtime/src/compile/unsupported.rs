//! What a spec may ask for and this runtime does not do: refused, never ignored (SECURITY.md, P7).

use super::attachment::{Attachment, Life};
use super::draft::Draft;
use insula_oci::Resources;

/// A fault for each such field that is there.
pub(super) fn push(draft: &mut Draft<'_>, attachment: &Attachment) {
    let linux = draft.linux;
    // Where a container has a life of its own, it has a group as well; where nobody could make one, it said so.
    let has_cgroup = attachment.life != Life::Foreground;
    let asked = [
        (
            "linux.resources",
            !has_cgroup
                && linux.resources.as_ref().is_some_and(|resources| *resources != Resources::default()),
        ),
        ("linux.cgroupsPath", !has_cgroup && linux.cgroups_path.is_some()),
        ("annotations[org.insula.landlock]", draft.spec.annotations.contains_key("org.insula.landlock")),
        ("linux.intelRdt", linux.intel_rdt.is_some()),
        ("linux.netDevices", !has_cgroup && !linux.net_devices.is_empty()),
        (
            "hooks",
            attachment.state.is_none()
                && draft.spec.hooks.as_ref().is_some_and(|hooks| *hooks != insula_oci::Hooks::default()),
        ),
    ];
    for (field, _) in asked.into_iter().filter(|(_, asked)| *asked) {
        draft.fault(field, "this version does not do it, and will not pretend to; leave it out");
    }
}
