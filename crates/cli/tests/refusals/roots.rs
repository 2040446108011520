//! Roots that are none, and roots whose files are traps.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::caller::{Caller, EXITS, ended};
use crate::{AT_ONCE, clean, fifo, refused};

by_everyone!(
    roots_that_are_none,
    a_link_to_a_root_is_a_root,
    a_root_whose_directories_lead_outward,
    account_files_that_are_traps,
    mount_targets_that_lead_outward,
    changes_that_another_run_is_keeping,
);

/// Two overlays on one upper layer would destroy each other's changes.
fn changes_that_another_run_is_keeping(caller: &Caller) {
    let keep = caller.directory("kept");
    let held = fs::File::open(&keep).expect("open the directory");
    held.try_lock().expect("lock it, as a run does");
    refused(caller, &["run", "--keep", &keep, "--", "true"], &[&keep, "in use"]);
    // By a word, not by the last close: a test beside us that forks has a copy until it executes.
    held.unlock().expect("unlock it");
    ended(&mut caller.insula(&["run", "--keep", &keep, "--", "true"])).said();
}

fn roots_that_are_none(caller: &Caller) {
    let file = caller.write("file", "");
    let pipe = caller.home().join("fifo");
    fifo(&pipe);
    symlink("/no/such", caller.home().join("dangling")).expect("make a link");
    let pipe = pipe.to_str().expect("UTF-8");
    let dangling = format!("{}/dangling", caller.home().display());
    let before = caller.census();
    for root in [&file, pipe, "/no/such/root", &dangling, "/dev/null", ""] {
        refused(caller, &["run", root, "--", "true"], &[]);
    }
    // An empty directory is a root without programs.
    let empty = caller.directory("empty");
    assert_eq!(ended(&mut caller.insula(&["run", &empty, "true"])).code(), 127);
    fs::remove_dir_all(empty).expect("remove it, and nothing holds it");
    before.assert_equal_within(EXITS);
}

fn a_link_to_a_root_is_a_root(caller: &Caller) {
    let root = caller.busybox_root().expect("a root of busybox");
    symlink(&root, caller.home().join("link")).expect("make a link");
    let said = ended(&mut caller.insula(&["run", "./link", "sh", "-c", "echo in"])).said();
    assert_eq!(said, "in", "what the caller names is the caller's affair");
}

fn a_root_whose_directories_lead_outward(caller: &Caller) {
    let root = caller.busybox_root().expect("a root of busybox");
    let outward = caller.directory("victim");
    for name in ["proc", "dev", "sys", "etc", "run", "data"] {
        for target in [
            outward.clone(),
            "../victim".to_owned(),
            "../../../../../../etc".to_owned(),
            "/proc/1/root".to_owned(),
        ] {
            let link = Path::new(&root).join(name);
            symlink(&target, &link).expect("make a link");
            let victim = victim(caller);
            let listed = list(&victim);
            let volume = format!("{}:/data/deep", caller.directory("volume"));
            let words = ["run", "-v", &volume, &root, "sh", "-c", "echo $HOME"];
            let start = Instant::now();
            let end = ended(&mut caller.insula(&words));
            assert!(start.elapsed() < insula_proof::patience(AT_ONCE));
            clean(&end.err);
            assert!(end.code() == 0 || end.code() == 125, "{name} -> {target}: {} {}", end.code(), end.err);
            assert!(!end.out.contains("stolen"), "{name} -> {target}: {}", end.out);
            assert_eq!(list(&victim), listed, "{name} -> {target}");
            fs::remove_file(&link).expect("remove the link");
            // What was made inside the root, in place of a link that led nowhere, is the root's own.
            for made in ["proc", "dev", "sys", "etc", "run", "data", "tmp"] {
                drop(fs::remove_dir_all(Path::new(&root).join(made)));
            }
        }
    }
}

fn account_files_that_are_traps(caller: &Caller) {
    let root = caller.busybox_root().expect("a root of busybox");
    let victim = victim(caller);
    let passwd = PathBuf::from(caller.directory("root/etc")).join("passwd");
    // A FIFO that nobody writes would hold an open for ever.
    fifo(&passwd);
    refused(caller, &["run", "-u", "thief", &root, "true"], &["/etc/passwd"]);
    fs::remove_file(&passwd).expect("remove the FIFO");
    caller.directory("root/etc/passwd");
    refused(caller, &["run", "-u", "thief", &root, "true"], &["/etc/passwd"]);
    fs::remove_dir(&passwd).expect("remove the directory");
    caller.write("root/etc/passwd", &"x:x:1:1::/:\n".repeat(200_000));
    refused(caller, &["run", "-u", "thief", &root, "true"], &["/etc/passwd", "1 MiB"]);
    fs::remove_file(&passwd).expect("remove the file");
    for target in [
        format!("{victim}/passwd"),
        "../../victim/passwd".to_owned(),
        "passwd".to_owned(),
        "/no/such".to_owned(),
    ] {
        symlink(&target, &passwd).expect("make a link");
        refused(caller, &["run", "-u", "thief", &root, "true"], &["thief"]);
        fs::remove_file(&passwd).expect("remove the link");
    }
    caller.write("root/etc/passwd", "big:x:4294967295:0::/:\nneg:x:-1:0::/:\nlong:x:99999999999:0::/:\n");
    for user in ["big", "neg", "long"] {
        refused(caller, &["run", "-u", user, &root, "true"], &[user]);
    }
}

fn mount_targets_that_lead_outward(caller: &Caller) {
    let root = caller.busybox_root().expect("a root of busybox");
    let victim = victim(caller);
    let listed = list(&victim);
    let volume = caller.directory("volume");
    for target in ["/no/such/place", &victim, "../../../../victim", "/proc/self/root/etc", "loop"] {
        let link = Path::new(&root).join("loop");
        symlink(target, &link).expect("make a link");
        for destination in ["/loop", "/loop/deep"] {
            let end =
                ended(&mut caller.insula(&["run", "-v", &format!("{volume}:{destination}"), &root, "true"]));
            assert!(end.code() == 0 || end.code() == 125, "{target} {destination}: {}", end.err);
            assert_eq!(list(&victim), listed, "{target} {destination}");
        }
        fs::remove_file(&link).expect("remove the link");
    }
}

/// A directory that a hostile root points at.
fn victim(caller: &Caller) -> String {
    let victim = caller.directory("victim");
    caller.write("victim/passwd", "root:x:0:0::/stolen:/bin/sh\nthief:x:0:0::/:\n");
    victim
}

fn list(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("list");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            format!(
                "{} {:?}",
                path.display(),
                fs::metadata(&path).map(|data| (data.len(), data.permissions().mode()))
            )
        })
        .collect();
    names.sort_unstable();
    names
}
