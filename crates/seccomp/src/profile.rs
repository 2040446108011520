//! The profiles that people have: Docker's format, of which podman's, containerd's and Kubernetes' are dialects.
//!
//! It is `linux.seccomp` with conditions: rules for some architectures, kernels and capabilities only, and the architectures
//! in a map from the machine's own to those that belong to it. What is left for one container is `linux.seccomp` itself. An
//! OCI profile is one without conditions.

use crate::error::Error;
use insula_oci::seccomp::{Action, Arch, Arg, Flag, Rule};
use insula_oci::{CapabilitySet, Seccomp};
use serde::{Deserialize, Deserializer};

/// What the conditions of a profile are about.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The machine's architecture.
    pub native: Arch,
    /// The kernel's version: 6.1 is `(6, 1)`.
    pub kernel: (u32, u32),
    /// The bounding set of the container.
    pub capabilities: &'a CapabilitySet,
}

/// A profile as it stands in a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    default_action: Action,
    #[serde(default)]
    default_errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "null")]
    architectures: Vec<Arch>,
    #[serde(default, deserialize_with = "null")]
    arch_map: Vec<Family>,
    #[serde(default)]
    flags: Option<Vec<Flag>>,
    #[serde(default)]
    listener_path: Option<String>,
    #[serde(default)]
    listener_metadata: Option<String>,
    #[serde(default, deserialize_with = "null")]
    syscalls: Vec<Entry>,
}

/// An architecture, and those whose programs its machines run as well.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Family {
    architecture: Arch,
    #[serde(default, deserialize_with = "null")]
    sub_architectures: Vec<Arch>,
}

/// One entry of `syscalls`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// The old form, one name.
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "null")]
    names: Vec<String>,
    action: Action,
    #[serde(default)]
    errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "null")]
    args: Vec<Arg>,
    #[serde(default, deserialize_with = "null")]
    includes: Condition,
    #[serde(default, deserialize_with = "null")]
    excludes: Condition,
}

/// When a rule is for a container, or is not.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(deserialize_with = "null")]
    caps: Vec<String>,
    #[serde(deserialize_with = "null")]
    arches: Vec<String>,
    min_kernel: Option<String>,
}

/// Profiles are written by Go, where an empty list may be `null`.
fn null<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Profile {
    /// Reads a profile.
    pub fn read(text: &str) -> Result<Profile, Error> {
        serde_json::from_str(text).map_err(|error| Error::Unreadable { why: error.to_string() })
    }

    /// What of it is for one container.
    pub fn resolve(&self, at: &Circumstances<'_>) -> Result<Seccomp, Error> {
        let mut architectures = self.architectures.clone();
        if !self.arch_map.is_empty() {
            if !architectures.is_empty() {
                let (field, other) = ("archMap".to_owned(), "architectures");
                return Err(Error::Both { field, other });
            }
            let own = self.arch_map.iter().find(|family| family.architecture == at.native);
            architectures = own.map_or_else(Vec::new, |family| {
                std::iter::once(family.architecture).chain(family.sub_architectures.iter().copied()).collect()
            });
        }
        let mut syscalls = Vec::with_capacity(self.syscalls.len());
        for (i, entry) in self.syscalls.iter().enumerate() {
            if !entry.name.is_empty() && !entry.names.is_empty() {
                return Err(Error::Both { field: format!("syscalls[{i}].name"), other: "names" });
            }
            let field = |side: &str| format!("syscalls[{i}].{side}.minKernel");
            if entry.excludes.any(at, || field("excludes"))?
                || !entry.includes.all(at, || field("includes"))?
            {
                continue;
            }
            let names = if entry.name.is_empty() { entry.names.clone() } else { vec![entry.name.clone()] };
            let (action, errno_ret, args) = (entry.action, entry.errno_ret, entry.args.clone());
            syscalls.push(Rule { names, action, errno_ret, args });
        }
        Ok(Seccomp {
            default_action: self.default_action,
            default_errno_ret: self.default_errno_ret,
            architectures,
            flags: self.flags.clone(),
            listener_path: self.listener_path.clone(),
            listener_metadata: self.listener_metadata.clone(),
            syscalls,
        })
    }
}

impl Condition {
    /// One of its parts holds: the rule is left out.
    fn any(&self, at: &Circumstances<'_>, field: impl Fn() -> String) -> Result<bool, Error> {
        Ok(self.arches.iter().any(|arch| arch == word(at.native))
            || self.caps.iter().any(|capability| has(at, capability))
            || self.kernel(at, field)?.is_some_and(|new| new))
    }

    /// All of its parts hold: the rule is taken.
    fn all(&self, at: &Circumstances<'_>, field: impl Fn() -> String) -> Result<bool, Error> {
        Ok((self.arches.is_empty() || self.arches.iter().any(|arch| arch == word(at.native)))
            && self.caps.iter().all(|capability| has(at, capability))
            && self.kernel(at, field)?.is_none_or(|new| new))
    }

    /// Whether the kernel is as new as it must be; `None`: any will do.
    fn kernel(&self, at: &Circumstances<'_>, field: impl Fn() -> String) -> Result<Option<bool>, Error> {
        let Some(least) = self.min_kernel.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let read = |text: &str| {
            let (kernel, major) = text.split_once('.')?;
            Some((kernel.parse().ok()?, major.parse().ok()?))
        };
        let least: (u32, u32) = read(least).ok_or_else(|| Error::NoKernel { field: field() })?;
        Ok(Some(at.kernel >= least))
    }
}

fn has(at: &Circumstances<'_>, name: &str) -> bool {
    name.parse().is_ok_and(|capability| at.capabilities.contains(capability))
}

/// The machine's architecture in the words of these conditions, which are Go's with exceptions.
fn word(native: Arch) -> &'static str {
    match native {
        Arch::X86 => "x86",
        Arch::X86_64 => "amd64",
        Arch::X32 => "x32",
        Arch::Arm => "arm",
        Arch::Aarch64 => "arm64",
        Arch::Loongarch64 => "loong64",
        Arch::M68k => "m68k",
        Arch::Mips => "mips",
        Arch::Mips64 => "mips64",
        Arch::Mips64n32 => "mips64n32",
        Arch::Mipsel => "mipsel",
        Arch::Mipsel64 => "mipsel64",
        Arch::Mipsel64n32 => "mipsel64n32",
        Arch::Ppc => "ppc",
        Arch::Ppc64 => "ppc64",
        Arch::Ppc64le => "ppc64le",
        Arch::S390 => "s390",
        Arch::S390x => "s390x",
        Arch::Sh => "sh",
        Arch::Sheb => "sheb",
        Arch::Parisc => "parisc",
        Arch::Parisc64 => "parisc64",
        Arch::Riscv64 => "riscv64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, native: Arch, kernel: (u32, u32), caps: &[&str]) -> Result<Seccomp, Error> {
        let known = caps.iter().map(|name| name.parse().unwrap()).collect();
        let capabilities = CapabilitySet { known, unknown: Vec::new() };
        Profile::read(text)?.resolve(&Circumstances { native, kernel, capabilities: &capabilities })
    }

    fn names(seccomp: &Seccomp) -> Vec<&str> {
        seccomp.syscalls.iter().flat_map(|rule| &rule.names).map(String::as_str).collect()
    }

    const CONDITIONS: &str = r#"{
        "defaultAction": "SCMP_ACT_ERRNO",
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": null}],
        "syscalls": [
            {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": null, "includes": {}, "comment": "x"},
            {"name": "ptrace", "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
            {"names": ["old"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.8"}},
            {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}},
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
            {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}}]}"#;

    #[test]
    fn rules_are_for_some_machines_kernels_and_capabilities() {
        let here = resolved(CONDITIONS, Arch::X86_64, (6, 1), &["CAP_SYS_CHROOT"]).unwrap();
        assert_eq!(names(&here), ["read", "ptrace", "chroot", "clone", "arch_prctl"]);
        assert_eq!(here.architectures, [Arch::X86_64, Arch::X86]);
        let there = resolved(CONDITIONS, Arch::Aarch64, (4, 7), &["CAP_SYS_ADMIN"]).unwrap();
        assert_eq!(names(&there), ["read", "old"]);
        assert_eq!(there.architectures, [Arch::Aarch64]);
        assert_eq!(resolved(CONDITIONS, Arch::S390x, (6, 1), &[]).unwrap().architectures, []);
    }

    #[test]
    fn what_says_two_things_is_refused() {
        let both = r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
            "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}"#;
        let said = |text| resolved(text, Arch::X86_64, (6, 1), &[]).unwrap_err().to_string();
        assert_eq!(said(both), "archMap: `architectures` is there as well: leave one out");
        let names = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"name": "a", "names": ["b"], "action": "SCMP_ACT_ERRNO"}]}"#;
        assert_eq!(said(names), "syscalls[0].name: `names` is there as well: leave one out");
        let kernel = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"name": "a", "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "six"}}]}"#;
        assert_eq!(
            said(kernel),
            "syscalls[0].includes.minKernel: it is not like 4.8: a version of two numbers"
        );
        assert!(said("{}").contains("defaultAction"), "{}", said("{}"));
    }
}
