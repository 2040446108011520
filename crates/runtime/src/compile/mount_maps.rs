//! `mounts[].uidMappings` and `gidMappings`: a mount whose ids are translated by maps of its own (config.md, "Mounts";
//! mount_setattr(2)).

use super::draft::Draft;
use super::options::Idmap;
use super::sources::Translated;
use super::users;
use insula_launch::step::idmap_tree::Shift;
use insula_launch::step::map_ids::IdMap;
use insula_launch::step::{MountMaps, Step};
use insula_oci::{IdMapping, Mount, NamespaceKind};

/// How the ids of this mount are translated. Maps without an option are meant for the mount itself, as in runc.
pub(super) fn translated(draft: &mut Draft<'_>, field: &str, mount: &Mount, option: Idmap) -> Translated {
    let has_maps = !(mount.uid_mappings.is_empty() && mount.gid_mappings.is_empty());
    let all = option == Idmap::All;
    match option {
        Idmap::No if has_maps => {
            draft.fault(format!("{field}.options"), "`noidmap` beside maps: one of both is meant");
            Translated::NOT
        }
        Idmap::Unsaid | Idmap::No if !has_maps => Translated::NOT,
        _ if has_maps => Translated { shift: by_maps(draft, field, mount), all },
        _ => {
            if !draft.in_user_namespace() {
                let reason = "the container has no user namespace whose maps it could be translated by: give the mount \
                              `uidMappings` and `gidMappings`";
                draft.fault(format!("{field}.options"), reason);
            }
            Translated { shift: Shift::Container, all }
        }
    }
}

fn by_maps(draft: &mut Draft<'_>, field: &str, mount: &Mount) -> Shift {
    for (name, other, maps) in [
        ("uidMappings", "gidMappings", &mount.uid_mappings),
        ("gidMappings", "uidMappings", &mount.gid_mappings),
    ] {
        if maps.is_empty() {
            draft
                .fault(format!("{field}.{name}"), format!("it is missing, and must be there with `{other}`"));
        } else {
            users::check(draft, &format!("{field}.{name}"), maps);
        }
    }
    if !draft.host.ids().may_mount() {
        let reason = format!(
            "only who is root where the file system was mounted may translate a mount's ids, not uid {}: run this as root, \
             or leave the maps out",
            draft.host.ids().uid
        );
        draft.fault(format!("{field}.uidMappings"), reason);
    }
    let is_containers = draft.makes(NamespaceKind::User)
        && draft.linux.uid_mappings == mount.uid_mappings
        && draft.linux.gid_mappings == mount.gid_mappings;
    if is_containers {
        return Shift::Container;
    }
    let lines = |maps: &[IdMapping]| maps.iter().map(users::line).collect::<Vec<IdMap>>();
    let (uid, gid) = (lines(&mount.uid_mappings), lines(&mount.gid_mappings));
    let known = draft.parent.iter().find_map(|step| match step {
        Step::MountMaps(maps) if maps.uid == uid && maps.gid == gid => Some(maps.slot),
        _ => None,
    });
    let slot = known.unwrap_or_else(|| {
        let slot = draft.slots.another();
        draft.parent.push(MountMaps { uid, gid, slot }.into());
        slot
    });
    Shift::By(slot)
}
