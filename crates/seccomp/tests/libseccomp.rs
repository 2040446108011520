//! What we decide is what libseccomp decides: for each architecture, each number and each class of arguments.
//!
//! It is asked through a C program; where gcc or libseccomp's header is missing, the tests are skipped. The profiles are
//! those of Debian's packages, where they are installed, and made up ones.

#[path = "libseccomp/oracle.rs"]
mod oracle;

#[path = "libseccomp/random.rs"]
mod random;

#[path = "machine/mod.rs"]
mod machine;

use insula_oci::seccomp::{Action, Arch, Rule};
use insula_oci::{CapabilitySet, Seccomp};
use insula_proof::{need, or_skip};
use insula_seccomp::profile::{Circumstances, Profile};
use oracle::{Oracle, compare, without_unknown};

/// Debian's golang-github-docker-docker-dev.
const DOCKER: &str = "/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json";

/// Debian's golang-github-containers-common.
const PODMAN: &str = "/usr/share/containers/seccomp.json";

const DEFAULT_CAPABILITIES: &[&str] = &["CAP_CHOWN", "CAP_KILL", "CAP_SYS_CHROOT", "CAP_AUDIT_WRITE"];

const ALL: &[Arch] = &[
    Arch::X86,
    Arch::X86_64,
    Arch::X32,
    Arch::Arm,
    Arch::Aarch64,
    Arch::Loongarch64,
    Arch::M68k,
    Arch::Mips,
    Arch::Mips64,
    Arch::Mips64n32,
    Arch::Mipsel,
    Arch::Mipsel64,
    Arch::Mipsel64n32,
    Arch::Ppc,
    Arch::Ppc64,
    Arch::Ppc64le,
    Arch::S390,
    Arch::S390x,
    Arch::Sh,
    Arch::Sheb,
    Arch::Parisc,
    Arch::Parisc64,
    Arch::Riscv64,
];

/// A package's profile for a container with these capabilities.
fn packaged(path: &str, native: Arch, capabilities: &[&str]) -> Seccomp {
    let known = capabilities.iter().map(|name| name.parse().expect("a capability")).collect();
    let capabilities = CapabilitySet { known, unknown: Vec::new() };
    let text = std::fs::read_to_string(path).expect("read the profile");
    let at = Circumstances { native, kernel: (6, 1), capabilities: &capabilities };
    Profile::read(&text).and_then(|profile| profile.resolve(&at)).expect("it is a profile")
}

/// Asks and compares; 0 where libseccomp has not the architecture.
fn same(oracle: &Oracle, profile: &Seccomp, native: Arch) -> usize {
    let said = oracle.ask(profile, native);
    if let Some(missing) = said.no_architecture {
        // Version 2.5 has not these yet; they are compared where a newer one is.
        assert!(["loongarch64", "m68k", "sh", "sheb"].contains(&&*missing), "{missing}");
        return 0;
    }
    assert!(said.refused.is_empty(), "libseccomp refuses rules of {:?}", said.refused);
    let known = without_unknown(profile, &said);
    let (count, unlike) = compare(&known, native, &said, 3000);
    assert!(unlike.is_empty(), "{native:?}: {unlike:#?}");
    count
}

#[test]
fn dockers_profile_is_decided_the_same() {
    need!(program "gcc", path "/usr/include/seccomp.h");
    or_skip!(insula_proof::need::path(DOCKER));
    let oracle = Oracle::new();
    for capabilities in [&[][..], DEFAULT_CAPABILITIES, &["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF"]] {
        let profile = packaged(DOCKER, Arch::X86_64, capabilities);
        assert_eq!(profile.architectures, [Arch::X86_64, Arch::X86, Arch::X32]);
        assert!(same(&oracle, &profile, Arch::X86_64) > 10_000);
    }
}

#[test]
fn podmans_profile_is_decided_the_same() {
    need!(program "gcc", path "/usr/include/seccomp.h");
    or_skip!(insula_proof::need::path(PODMAN));
    let oracle = Oracle::new();
    for capabilities in [&[][..], DEFAULT_CAPABILITIES, &["CAP_SYS_ADMIN", "CAP_AUDIT_WRITE"]] {
        assert!(same(&oracle, &packaged(PODMAN, Arch::X86_64, capabilities), Arch::X86_64) > 10_000);
    }
}

#[test]
fn every_architecture_is_decided_the_same() {
    need!(program "gcc", path "/usr/include/seccomp.h");
    or_skip!(insula_proof::need::path(DOCKER));
    or_skip!(insula_proof::need::path(PODMAN));
    let oracle = Oracle::new();
    let compared = ALL.iter().filter(|native| {
        let docker = same(&oracle, &packaged(DOCKER, **native, &[]), **native);
        let podman = same(&oracle, &packaged(PODMAN, **native, DEFAULT_CAPABILITIES), **native);
        docker > 5_000 && podman > 5_000
    });
    assert!(compared.count() >= ALL.len() - 4);
}

/// Its rules decide nothing, but say what its author knew.
#[test]
fn a_profile_that_repeats_its_default_is_decided_the_same() {
    need!(program "gcc", path "/usr/include/seccomp.h");
    let rule =
        Rule { names: vec!["clone3".to_owned()], action: Action::Errno, errno_ret: None, args: Vec::new() };
    let profile = Seccomp {
        default_action: Action::Errno,
        default_errno_ret: None,
        architectures: Vec::new(),
        flags: None,
        listener_path: None,
        listener_metadata: None,
        syscalls: vec![rule],
    };
    let oracle = Oracle::new();
    for native in [Arch::X86_64, Arch::Aarch64, Arch::S390x] {
        assert!(same(&oracle, &profile, native) > 1_000);
    }
}

#[test]
fn without_x32_its_calls_are_killed() {
    need!(program "gcc", path "/usr/include/seccomp.h");
    or_skip!(insula_proof::need::path(DOCKER));
    let mut profile = packaged(DOCKER, Arch::X86_64, &[]);
    profile.architectures.retain(|arch| *arch != Arch::X32);
    same(&Oracle::new(), &profile, Arch::X86_64);
    profile.architectures = vec![Arch::X32];
    same(&Oracle::new(), &profile, Arch::X86_64);
}

#[test]
fn made_up_profiles_are_decided_the_same() {
    need!(slow, program "gcc", path "/usr/include/seccomp.h");
    random::compare_many(&Oracle::new(), 1, 80);
    random::compare_many(&Oracle::new(), 3, 80);
}

#[test]
fn made_up_profiles_are_decided_as_their_rules_say() {
    random::follow_the_rules(300);
}
