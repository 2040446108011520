//! What stands between a process and the kernel: a filter of system calls, a security module.

use super::act::Act;
use super::key::keys;
use super::subject::{Subject, sysctl};
use crate::fault::{Call, Fault};
use crate::kind::{Kind, mask};
use insula_sys::birth::{clone3_nothing, setns, unshare};
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::fmt;

/// `CLONE_PTRACE`, which unshare(2) has no meaning for: the kernel answers EINVAL before it does anything.
const NO_FLAG_OF_UNSHARE: u64 = 0x2000;
/// The profile that Ubuntu's AppArmor puts a program into that makes a user namespace without leave.
const UNPRIVILEGED: &str = "unprivileged_userns";
/// The setting that does it.
const RESTRICTION: &str = "kernel/apparmor_restrict_unprivileged_userns";

/// The cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confined {
    /// A seccomp(2) filter that the process was started under.
    Filter {
        /// The call that it answers.
        call: Call,
        /// The kernel itself was shown to answer otherwise; else it is what remains.
        proven: bool,
    },
    /// `kernel.apparmor_restrict_unprivileged_userns` is on.
    AppArmorUserNamespaces {
        /// The profile that the process is under now.
        label: String,
    },
    /// A profile of AppArmor, if nothing else explains it.
    AppArmorProfile {
        /// The profile and its mode.
        label: String,
    },
    /// SELinux is enforcing, if nothing else explains it.
    Selinux {
        /// The context of the process.
        label: String,
    },
}

keys! { Confined {
    Filter = "seccomp-filter",
    AppArmorUserNamespaces = "apparmor-user-namespaces",
    AppArmorProfile = "apparmor-profile",
    Selinux = "selinux",
} }

impl fmt::Display for Confined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Confined::Filter { call, proven: true } => write!(
                f,
                "a filter of system calls (seccomp) that this process was started under answers {}(2) in the kernel's place",
                call.name()
            ),
            Confined::Filter { call, proven: false } => write!(
                f,
                "this process was started under a filter of system calls (seccomp), and nothing else that is seen refuses \
                 {}(2): most likely it is that",
                call.name()
            ),
            Confined::AppArmorUserNamespaces { label } if label.starts_with(UNPRIVILEGED) => write!(
                f,
                "kernel.apparmor_restrict_unprivileged_userns is 1, and has put this process under the profile `{label}`: it is \
                 in a user namespace, with no capability that counts"
            ),
            Confined::AppArmorUserNamespaces { label } => write!(
                f,
                "kernel.apparmor_restrict_unprivileged_userns is 1: a program without a profile that allows it (this one is \
                 `{label}`) gets no capability in a user namespace that it makes"
            ),
            Confined::AppArmorProfile { label } => write!(
                f,
                "AppArmor confines this process to the profile `{label}`, and nothing else that is seen refuses it: most likely \
                 it is that"
            ),
            Confined::Selinux { label } => write!(
                f,
                "SELinux is enforcing, this process is `{label}`, and nothing else that is seen refuses it: most likely it is that"
            ),
        }
    }
}

impl Confined {
    /// What to do about it.
    pub fn cure(&self) -> String {
        match self {
            Confined::Filter { .. } => {
                "it cannot be taken off from inside: whoever starts this process has to. Docker and Podman: \
                 `--security-opt seccomp=unconfined`, or a profile that allows unshare, clone3, setns and mount; systemd: \
                 `RestrictNamespaces=` and `SystemCallFilter=` of the unit"
            }
            Confined::AppArmorUserNamespaces { .. } => {
                "as root of the machine: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or better a profile for this \
                 program with the rule `userns,` (apparmor.d(5))"
            }
            Confined::AppArmorProfile { .. } => {
                "the kernel's log has a line `apparmor=\"DENIED\"` (`dmesg`, `journalctl -k`) that names the rule which the \
                 profile lacks; Docker: `--security-opt apparmor=unconfined`"
            }
            Confined::Selinux { .. } => {
                "the audit log has the denial (`ausearch -m avc -ts recent`), and the rule that would allow it (`audit2allow`)"
            }
        }
        .to_owned()
    }
}

/// Does a filter answer in the kernel's place? Shown by a call that the kernel refuses with another errno, whoever makes it.
pub(super) fn filtered(act: &Act, fault: Fault, subject: &Subject) -> Option<Confined> {
    if !subject.status()?.filtered || fault.errno == Errno::INVAL {
        return None;
    }
    let (call, kinds): (Call, &[Kind]) = match act {
        Act::Make(kinds) => (fault.call, kinds),
        Act::Fork => (Call::Clone3, &[]),
        Act::Enter(enter) => (Call::Setns, enter.kind.as_slice()),
        _ => return None,
    };
    let answer = answer(call, mask(kinds))?;
    // Of another process it is known only that the call is there, which for it is not.
    let proven = match subject.is_us() {
        true => answer == fault.errno,
        false => fault.errno == Errno::NOSYS && answer == Errno::INVAL,
    };
    proven.then_some(Confined::Filter { call, proven })
}

/// What this process is answered to such a call, made so that the kernel would answer EINVAL.
fn answer(call: Call, kinds: u64) -> Option<Errno> {
    match call {
        Call::Unshare => unshare(kinds | NO_FLAG_OF_UNSHARE).err(),
        Call::Clone3 => Some(clone3_nothing()),
        Call::Setns => {
            let file = open("/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
            setns(file.as_fd(), i32::try_from(kinds).ok()?).err()
        }
        _ => None,
    }
}

/// AppArmor's restriction of user namespaces, if it is on and this process has got its profile.
pub(super) fn under_unprivileged_profile(subject: &Subject) -> Option<Confined> {
    let label = apparmor(subject)?;
    label.starts_with(UNPRIVILEGED).then_some(Confined::AppArmorUserNamespaces { label })
}

/// The same, for a process without CAP_SYS_ADMIN that would make a user namespace.
pub(super) fn restricts_user_namespaces(subject: &Subject) -> Option<Confined> {
    const CAP_SYS_ADMIN: u32 = 21;
    let on = sysctl(RESTRICTION).is_some_and(|value| value == "1");
    let label = apparmor(subject).filter(|_| on)?;
    let mut status = subject.status().into_iter();
    status.all(|status| !status.has(CAP_SYS_ADMIN)).then_some(Confined::AppArmorUserNamespaces { label })
}

/// What remains, where nothing that is seen explains the refusal.
pub(super) fn remains(fault: Fault, subject: &Subject) -> Option<Confined> {
    if !matches!(fault.errno, Errno::PERM | Errno::ACCESS | Errno::NOSYS) {
        return None;
    }
    let label = apparmor(subject).filter(|label| !label.starts_with("unconfined"));
    if let Some(label) = label.filter(|_| fault.errno != Errno::NOSYS) {
        return Some(Confined::AppArmorProfile { label });
    }
    if is_often_filtered(fault.call) && subject.status().is_some_and(|status| status.filtered) {
        return Some(Confined::Filter { call: fault.call, proven: false });
    }
    let enforcing = fault.errno == Errno::ACCESS
        && std::fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|text| text.trim() == "1");
    let label = subject.read("attr/current").filter(|_| enforcing)?;
    Some(Confined::Selinux { label: trimmed(&label) })
}

/// Is it among the calls that the filters of containers and services refuse?
fn is_often_filtered(call: Call) -> bool {
    matches!(
        call,
        Call::Unshare
            | Call::Clone3
            | Call::Setns
            | Call::Mount
            | Call::MountSetattr
            | Call::MoveMount
            | Call::OpenTree
            | Call::Fsopen
            | Call::Fsconfig
            | Call::FsconfigCreate
            | Call::Fsmount
            | Call::PivotRoot
            | Call::Umount2
            | Call::Chroot
            | Call::Mknodat
            | Call::Keyctl
            | Call::Sethostname
            | Call::Setdomainname
    )
}

/// The profile of AppArmor, where that is the security module: `unconfined`, `NAME (enforce)`.
fn apparmor(subject: &Subject) -> Option<String> {
    let label = subject.read("attr/apparmor/current").or_else(|| {
        let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled").ok()?;
        subject.read("attr/current").filter(|_| enabled.trim() == "Y")
    })?;
    Some(trimmed(&label))
}

fn trimmed(label: &str) -> String {
    label.trim_end_matches(['\0', '\n']).to_owned()
}
