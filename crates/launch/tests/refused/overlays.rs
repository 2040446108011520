//! Overlays and translated ids: which layer or mount it is, and what about it.

use crate::room::Room;
use insula_proof::{self as proof};

const LAYERS: &str = "mkdir lower upper work m";
const OPTIONS: &str = "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work,userxattr";

fn overlay(setup: &str, options: &str) -> crate::room::Told {
    Room::of_user().tries(setup, None, &format!("mount overlay $T/m {options}"))
}

fn overlays() -> Result<(), String> {
    proof::need::user_namespaces()?;
    proof::need::filesystem("overlay")
}

#[test]
fn an_overlay_that_is_right_is_mounted() {
    proof::or_skip!(overlays());
    overlay(LAYERS, OPTIONS).is_done();
}

#[test]
fn a_layer_that_is_not_there_is_named() {
    proof::or_skip!(overlays());
    overlay("mkdir upper work m", "lowerdir=$T/a/lower,upperdir=$T/upper,workdir=$T/work,userxattr").is(
        "overlay-layer",
        "lowerdir: `$T/a` is not there",
        "ls -d $T",
    );
}

#[test]
fn an_upper_layer_on_an_overlay_is_named() {
    proof::or_skip!(overlays());
    let setup = "mkdir l u w o lower m; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr none o; mkdir o/upper o/work";
    overlay(setup, "lowerdir=$T/lower,upperdir=$T/o/upper,workdir=$T/o/work,userxattr").is(
        "overlay-upper-filesystem",
        "the upper layer `$T/o/upper` is on overlay, which cannot hold one",
        "put upperdir and workdir on ext4",
    );
}

#[test]
fn a_read_only_upper_layer_is_named() {
    proof::or_skip!(overlays());
    let setup = "mkdir lower m s; mount -t tmpfs none s; mkdir s/upper s/work; mount -o remount,bind,ro s";
    let told = overlay(setup, "lowerdir=$T/lower,upperdir=$T/s/upper,workdir=$T/s/work,userxattr");
    assert_eq!(told.key, "overlay-upper-read-only", "{told:?}");
    assert!(told.cause.contains("the upper layer: the mount of tmpfs on `$T/s` is read-only"), "{told:?}");
}

#[test]
fn a_work_directory_elsewhere_is_named() {
    proof::or_skip!(overlays());
    let setup = "mkdir lower upper m s; mount -t tmpfs none s; mkdir s/work";
    overlay(setup, "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/s/work,userxattr").is(
        "overlay-work-elsewhere",
        "the work directory `$T/s/work` is on the mount `$T/s`, the upper layer `$T/upper` on `$T`",
        "on `$T`",
    );
    overlay(
        "mkdir -p lower upper/work m",
        "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/upper/work,userxattr",
    )
    .is(
        "overlay-work-within",
        "the upper layer `$T/upper` and the work directory `$T/upper/work` lie within one another",
        "side by side",
    );
}

#[test]
fn overlays_of_overlays_of_overlays_are_too_deep() {
    proof::or_skip!(overlays());
    let setup = "mkdir l1 l2 l3 l4 o1 o2 upper work m; mount -t overlay -o lowerdir=$T/l1:$T/l2,userxattr none o1; \
                 mount -t overlay -o lowerdir=$T/o1:$T/l3,userxattr none o2";
    overlay(setup, "lowerdir=$T/o2:$T/l4,userxattr").is(
        "overlay-too-deep",
        "the layer `$T/o2` is an overlay of overlays already, and no more than two may be stacked",
        "lowerdir=A:B:C",
    );
}

#[test]
fn a_lower_layer_with_locked_mounts_is_named() {
    proof::or_skip!(overlays());
    let outside = "mkdir -p lower/sub upper work m; mount -t tmpfs none lower/sub";
    let attempt = format!("mount overlay $T/m {OPTIONS}");
    Room::of_user().tries(outside, Some("true"), &attempt).is(
        "overlay-lower-locked",
        "a lower layer: `$T/lower/sub` is mounted below `$T/lower`, locked to it in this user namespace: it cannot be bound without",
        "directory without mounts",
    );
    overlay(outside, OPTIONS).is_done();
}

#[test]
fn a_layer_in_use_is_named() {
    // Only `index=on` makes an error of it, else the kernel warns of it in its log.
    proof::need!(root, filesystem "overlay");
    let setup = format!(
        "{LAYERS}; mkdir o lower2; mount -t overlay -o lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work,index=on none o"
    );
    let attempt = "mount overlay $T/m lowerdir=$T/lower2,upperdir=$T/upper,workdir=$T/work,index=on";
    Room::of_root().tries(&setup, None, attempt).is(
        "overlay-in-use",
        "`$T/upper` belongs to the overlay on `$T/o` at this moment",
        "unmount `$T/o`",
    );
    // Once it is gone the same words do not meet it; its index remembers the lower layer, which is another matter.
    let after = Room::of_root().tries(&format!("{setup}; umount o"), None, attempt);
    assert_ne!(after.key, "overlay-in-use", "{after:?}");
}

#[test]
fn a_file_system_that_cannot_translate_ids_is_named() {
    proof::need!(root);
    let mut keeper = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "sleep", "60"])
        .spawn()
        .expect("start unshare(1)");
    let pid = keeper.id();
    while std::fs::read_to_string(format!("/proc/{pid}/uid_map")).unwrap_or_default().trim().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let room = Room::of_root();
    let told = room.tries("mkdir a; mount -t proc none a", None, &format!("translate $T/a {pid}"));
    let done = room.tries("mkdir a", None, "translate / self");
    let _ = keeper.kill();
    let _ = keeper.wait();
    told.is(
        "idmap-filesystem",
        "the proc mounted on `$T/a` cannot translate ids (idmapped mounts)",
        "`--userns identity`",
    );
    done.is(
        "idmap-initial",
        "the user namespace that was to translate is the initial one, which translates nothing",
        "--map-users",
    );
}

#[test]
fn ids_that_are_translated_already_are_not_translated_again() {
    proof::need!(root);
    let mut keeper = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "sleep", "60"])
        .spawn()
        .expect("start unshare(1)");
    let pid = keeper.id();
    while std::fs::read_to_string(format!("/proc/{pid}/uid_map")).unwrap_or_default().trim().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // tmpfs translates from Linux 6.3 on.
    let once = Room::of_root().tries("mkdir a", None, &format!("translate $T/a {pid}"));
    let told = (once.key == "done")
        .then(|| Room::of_root().tries("mkdir a", None, &format!("translate-twice $T/a {pid}")));
    let _ = keeper.kill();
    let _ = keeper.wait();
    let told = proof::or_skip!(told.ok_or("tmpfs does not translate ids here".to_owned()));
    told.is("idmap-already", "the ids of the mount `$T/a` are translated already", "as it is on disk");
}

#[test]
fn only_root_where_it_was_mounted_may_translate_ids() {
    proof::need!(user_namespaces);
    let told = Room::of_user().tries("true", Some("true"), "translate / self");
    assert_eq!(told.key, "idmap-not-ours", "{told:?}");
    assert!(told.cause.contains("was mounted from another user namespace"), "{told:?}");
}
