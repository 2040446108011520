//! `linux.netDevices` (config-linux.md, "Network Devices").

use super::draft::Draft;
use insula_launch::step::MoveDevices;
use insula_net::name;
use insula_oci::NamespaceKind;

/// The step that moves them, if there are any.
pub(super) fn push(draft: &mut Draft<'_>) {
    let field = "linux.netDevices";
    if draft.linux.net_devices.is_empty() {
        return;
    }
    if !draft.linux.namespaces.iter().any(|one| one.kind == NamespaceKind::Network) {
        draft.fault(field, "the container has the host's network namespace, where the devices are already");
    }
    let ids = draft.host.ids();
    if !ids.may_mount() {
        let reason = format!(
            "only the host's root may move a device of the host's network, not uid {}: run this as root, or leave them out",
            ids.uid
        );
        draft.fault(field, reason);
    }
    let mut devices = Vec::new();
    for (old, device) in &draft.linux.net_devices {
        let new = device.name.as_ref().unwrap_or(old);
        if let Err(error) = name::check(old) {
            draft.fault(format!("{field}.{old}"), error.to_string());
        }
        // `eth%d`: the first number that is free.
        if let Err(error) = name::check(&new.replacen("%d", "0", 1)) {
            draft.fault(format!("{field}.{old}.name"), error.to_string());
        }
        if !new.contains("%d") && devices.iter().any(|(_, other)| other == new) {
            draft.fault(format!("{field}.{old}.name"), "another device gets this name");
        }
        devices.push((old.clone(), new.clone()));
    }
    draft.parent.push(MoveDevices { devices }.into());
}
