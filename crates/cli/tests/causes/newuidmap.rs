//! newuidmap(1) and newgidmap(1): what they grant, and whether they have the rights to write it.

use crate::caller::{Caller, ended};
use crate::told::{Told, shell};
use insula_proof as proof;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const RANGES: &str = "--map-users=0:100000:10 --map-groups=0:100000:10";

#[test]
fn a_user_without_ranges_is_told_so() {
    proof::need!(program "newgidmap", root);
    let caller = proof::or_skip!(Caller::user());
    let told = Told::by(&shell(&caller, &format!(r#""$0" unshare --user {RANGES} true"#)));
    told.is(
        &format!("/etc/subgid grants user {} (who has no line in /etc/passwd) no ids", caller.uid()),
        "useradd",
    );
}

#[test]
fn a_range_that_is_too_small_is_told_with_what_there_is() {
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let script = r#""$0" unshare --user --map-users=0:5:10 --map-groups=0:5:10 true"#;
    let told = Told::by(&shell(&caller, script));
    told.is("/etc/subgid grants user ", "usermod --add-subgids");
    told.is("and 5–14 were asked for", "a line `");
    assert_eq!(shell(&caller, r#""$0" unshare --user --map-auto true"#).said(), "");
}

#[test]
fn under_no_new_privs_the_helpers_have_no_rights() {
    proof::need!(program "setpriv");
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let script = r#"setpriv --no-new-privs "$0" unshare --user --map-auto true"#;
    Told::by(&shell(&caller, script)).is("no_new_privs is set for this process", "--map-root-user");
}

#[test]
fn helpers_that_are_not_installed_are_told() {
    let caller = proof::or_skip!(Caller::user());
    let script = format!(r#"PATH=/nowhere exec "$0" unshare --user {RANGES} true"#);
    Told::by(&shell(&caller, &script)).is("newgidmap is not installed", "package uidmap");
}

/// Copies the helpers into a directory, with these bits.
fn copies(directory: &Path, mode: u32) {
    for name in ["newuidmap", "newgidmap"] {
        let from = ["/usr/bin", "/bin"].map(|directory| Path::new(directory).join(name));
        let from = from.iter().find(|path| path.exists()).expect("the helper");
        let to = directory.join(name);
        fs::copy(from, &to).expect("copy a helper");
        fs::set_permissions(&to, fs::Permissions::from_mode(mode)).expect("change its mode");
    }
}

fn told_with(caller: &Caller, directory: &Path) -> Told {
    let script = format!(r#"PATH={}:$PATH exec "$0" unshare --user --map-auto true"#, directory.display());
    Told::by(&ended(caller.command("sh").args(["-c", &script, &caller.words(&[])[0]])))
}

#[test]
fn helpers_without_rights_are_told() {
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let directory = caller.directory("helpers");
    copies(Path::new(&directory), 0o755);
    told_with(&caller, Path::new(&directory)).is("newgidmap` has no right to map ids", "chmod u+s");
}

#[test]
fn helpers_on_a_file_system_without_rights_are_told() {
    proof::need!(root);
    let caller = proof::or_skip!(Caller::user_with_subuids());
    let nosuid = |path: &&str| {
        rustix::fs::statvfs(*path).is_ok_and(|at| at.f_flag.contains(rustix::fs::StatVfsMountFlags::NOSUID))
            && !rustix::fs::statvfs(*path)
                .is_ok_and(|at| at.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC))
    };
    let place = ["/dev/shm", "/run", "/tmp", "/dev"].into_iter().find(nosuid);
    let place = proof::or_skip!(place.ok_or("no file system here is mounted nosuid".to_owned()));
    let directory = Path::new(place).join(format!("insula-causes-{}", proof::scratch::unique()));
    fs::create_dir(&directory).expect("make a directory");
    copies(&directory, 0o4755);
    let told = told_with(&caller, &directory);
    fs::remove_dir_all(&directory).expect("remove it");
    told.is("lies on a file system that is mounted `nosuid`", "gain rights");
}
