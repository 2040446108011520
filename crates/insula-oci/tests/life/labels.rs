//! Labels of security modules: an AppArmor profile where the machine has AppArmor, and the refusals where it has not.

use crate::room::Room;
use insula_launch::host::Host;
use insula_proof::{need, skip};
use serde_json::json;

fn has_apparmor() -> bool {
    Host::new().labels().apparmor
}

#[test]
fn a_profile_is_refused_where_nobody_could_keep_it() {
    need!(root, program "busybox");
    if has_apparmor() {
        skip!("AppArmor is switched on");
    }
    let room = Room::of(&["sleep", "1000"]);
    room.change(|spec| spec["process"]["apparmorProfile"] = json!("docker-default"));
    room.run(&["create", &room.id]).refused("process.apparmorProfile: apparmor failed to apply profile");
    room.nothing_is_left();
    // What these ask for is what holds.
    for profile in ["", "unconfined"] {
        room.change(|spec| spec["process"]["apparmorProfile"] = json!(profile));
        room.run(&["run", "-d", &room.id]).well();
        room.run(&["exec", "--apparmor", profile, &room.id, "true"]).well();
        room.run(&["exec", "--apparmor", "other", &room.id, "true"])
            .refused("apparmor failed to apply profile");
        room.run(&["delete", "--force", &room.id]).well();
    }
}

#[test]
fn a_context_is_refused_where_nobody_could_keep_it() {
    need!(root, program "busybox");
    if Host::new().labels().selinux {
        skip!("SELinux is switched on");
    }
    let words = "selinux is disabled or not supported";
    let context = "system_u:system_r:container_t:s0:c1,c2";
    let room = Room::of(&["sleep", "1000"]);
    room.run(&["run", "-d", &room.id]).well();
    room.run(&["exec", "--process-label", context, &room.id, "true"]).refused(words);
    room.run(&["exec", "--process-label", "", &room.id, "true"]).well();
    room.run(&["delete", "--force", &room.id]).well();
    room.change(|spec| {
        spec["process"]["selinuxLabel"] = json!(context);
        spec["linux"]["mountLabel"] = json!("system_u:object_r:container_file_t:s0:c1,c2");
    });
    let both = room.run(&["create", &room.id]);
    both.refused(&format!("process.selinuxLabel: selinux label is specified in config, but {words}"));
    both.refused("linux.mountLabel: ");
    room.nothing_is_left();
}

/// A profile of the test's own, loaded while it runs.
struct Profile(std::path::PathBuf, String);

impl Profile {
    fn load(room: &Room) -> Profile {
        let name = room.id.clone();
        let path = room.scratch.join("profile");
        let rules =
            "file, capability, network, signal, ptrace, mount, umount, pivot_root, unix, deny /tmp/no rw,";
        let text = format!("profile {name} flags=(attach_disconnected,mediate_deleted) {{ {rules} }}\n");
        std::fs::write(&path, text).expect("write the profile");
        let loaded = std::process::Command::new("apparmor_parser").arg("-r").arg(&path).status();
        assert!(loaded.expect("run apparmor_parser").success());
        Profile(path, name)
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = std::process::Command::new("apparmor_parser").arg("-R").arg(&self.0).status();
    }
}

#[test]
fn a_profile_confines_the_program_who_joins_it_and_the_init_in_front() {
    need!(root, program "busybox", program "apparmor_parser");
    if !has_apparmor() {
        skip!("AppArmor is not switched on");
    }
    for (init, privileges) in [("false", true), ("true", true), ("false", false)] {
        let script = "exec >/tmp/said 2>&1; cat /proc/self/attr/current /proc/1/attr/current; (echo >/tmp/no); \
                      echo the end; exec sleep 1000";
        let room = Room::of(&["sh", "-c", script]);
        let profile = Profile::load(&room);
        room.change(|spec| {
            spec["process"]["apparmorProfile"] = json!(profile.1);
            spec["process"]["noNewPrivileges"] = json!(!privileges);
            spec["annotations"] = json!({ "org.insula.init": init });
        });
        room.run(&["run", "-d", &room.id]).well();
        let said = || std::fs::read_to_string(room.bundle().join("rootfs/tmp/said")).unwrap_or_default();
        let confined = format!("{} (enforce)\n", profile.1);
        room.until("what it says", |_| said().ends_with("the end\n"));
        let said = said();
        assert_eq!(said.matches(&confined).count(), 2, "init {init}: {said}");
        assert!(said.contains("/tmp/no: Permission denied"), "init {init}: {said}");
        let joined = room.run(&["exec", &room.id, "cat", "/proc/self/attr/current"]).well();
        assert_eq!(joined, confined, "init {init}");
        let other = room.run(&["exec", "--apparmor", "no-such-profile", &room.id, "true"]);
        other.refused("apparmor failed to apply profile");
        room.run(&["delete", "--force", &room.id]).well();
    }
}
