//! Causes that are settings of the whole machine: its sysctls, its security module. Provoked only in a machine that is the
//! tests' own, where `INSULA_VM` is 1; a file of its own, since nothing else may run meanwhile.
#![forbid(unsafe_code)]

#[expect(dead_code, unused_macros, reason = "the other tests use the rest")]
#[path = "caller/mod.rs"]
mod caller;
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "causes/told.rs"]
mod told;

use caller::{Caller, ended};
use insula_proof as proof;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use told::{Told, shell};

fn binary() -> std::path::PathBuf {
    env!("CARGO_BIN_EXE_insula").into()
}

/// One test at a time, and only where the machine is the tests' own.
fn alone() -> Result<MutexGuard<'static, ()>, String> {
    static ONE: Mutex<()> = Mutex::new(());
    proof::need::root()?;
    let own = std::env::var("INSULA_VM").is_ok_and(|value| value == "1");
    proof::need::that(own, "changes the whole machine: only in one that is the tests' own")?;
    Ok(ONE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A setting of the machine, as it was again when dropped.
struct Setting(&'static str, String);

impl Setting {
    fn set(path: &'static str, value: &str) -> Result<Setting, String> {
        let before = fs::read_to_string(path).map_err(|_| format!("this kernel has no {path}"))?;
        fs::write(path, value).map_err(|error| format!("write {path}: {error}"))?;
        Ok(Setting(path, before))
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // It was written a moment ago.
        let _ = fs::write(self.0, &self.1);
    }
}

#[test]
fn user_namespaces_that_are_for_root_alone_are_told() {
    let _alone = proof::or_skip!(alone());
    let caller = proof::or_skip!(Caller::user());
    let unshare = r#""$0" unshare --user --net true"#;
    assert_eq!(shell(&caller, unshare).said(), "");
    let _off = proof::or_skip!(Setting::set("/proc/sys/kernel/unprivileged_userns_clone", "0"));
    Told::by(&shell(&caller, unshare))
        .is("kernel.unprivileged_userns_clone is 0", "sysctl kernel.unprivileged_userns_clone=1");
    let root = proof::or_skip!(Caller::root());
    assert_eq!(shell(&root, unshare).said(), "");
}

#[test]
fn apparmors_restriction_of_user_namespaces_is_told() {
    let _alone = proof::or_skip!(alone());
    let caller = proof::or_skip!(Caller::user());
    let on = Setting::set("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1");
    let _on = proof::or_skip!(on);
    for flags in ["--user --net", "--map-root-user", "--map-root-user --uts"] {
        Told::by(&shell(&caller, &format!(r#""$0" unshare {flags} true"#))).is(
            "kernel.apparmor_restrict_unprivileged_userns is 1",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        );
    }
}

/// A profile of AppArmor, taken away when dropped.
struct Profile {
    name: String,
    file: std::path::PathBuf,
    _scratch: proof::Scratch,
}

impl Profile {
    /// All is allowed but what `but` says.
    fn new(but: &str) -> Result<Profile, String> {
        let enabled = fs::read_to_string("/sys/module/apparmor/parameters/enabled").unwrap_or_default();
        proof::need::that(enabled.trim() == "Y", "the kernel runs without AppArmor")?;
        proof::need::program("apparmor_parser")?;
        proof::need::program("aa-exec")?;
        let name = format!("insula-causes-{}", proof::scratch::unique());
        let scratch = proof::Scratch::new();
        let abi = Path::new("/etc/apparmor.d/abi/4.0").exists();
        let abi = if abi { "abi <abi/4.0>,\n" } else { "" };
        let text = format!(
            "{abi}profile {name} flags=(attach_disconnected) {{\n  /** rwlkmix,\n  / r,\n  capability,\n  network,\n  \
             mount,\n  umount,\n  pivot_root,\n  signal,\n  ptrace,\n  unix,\n{but}}}\n"
        );
        let file = scratch.write("profile", text);
        let profile = Profile { name, file, _scratch: scratch };
        profile.parser("--replace").map(|()| profile)
    }

    fn parser(&self, what: &str) -> Result<(), String> {
        let output = Command::new("apparmor_parser").arg(what).arg(&self.file).output();
        let output = output.map_err(|error| format!("start apparmor_parser: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        proof::need::that(
            output.status.success(),
            &format!("apparmor_parser does not take the profile: {said}"),
        )
    }

    fn told(&self, caller: &Caller, words: &[&str]) -> caller::Ended {
        ended(caller.command("aa-exec").args(["-p", &self.name, "--"]).args(caller.words(words)))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = self.parser("--remove");
    }
}

#[test]
fn a_profile_without_a_capability_is_told_as_what_remains() {
    let _alone = proof::or_skip!(alone());
    let caller = proof::or_skip!(Caller::root());
    let profile = proof::or_skip!(Profile::new("  deny capability sys_admin,\n"));
    let cause = format!("AppArmor confines this process to the profile `{}", profile.name);
    Told::by(&profile.told(&caller, &["unshare", "--net", "true"])).is(&cause, "apparmor=\"DENIED\"");
}

#[test]
fn a_profile_without_user_namespaces_is_told_as_what_remains() {
    let _alone = proof::or_skip!(alone());
    let caller = proof::or_skip!(Caller::root());
    let profile = proof::or_skip!(Profile::new(""));
    let end = profile.told(&caller, &["unshare", "--user", "true"]);
    proof::or_skip!(proof::need::that(end.code() != 0, "AppArmor here does not ask about user namespaces"));
    Told::by(&end).is(&format!("to the profile `{}", profile.name), "apparmor=\"DENIED\"");
}
