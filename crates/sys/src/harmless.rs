//! System calls asked in a way that changes nothing: their arguments are refused by every kernel that has the call, so
//! that the answer tells only whether it is there, or what stands before it.

use rustix::io::Errno;

/// A call with arguments that do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The call's name, as its man page has it.
    pub name: &'static str,
    /// The release of Linux that brought it.
    pub since: &'static str,
    number: libc::c_long,
    arguments: [libc::c_long; 5],
}

/// Bits that no call knows: answered with EINVAL.
const NO_FLAGS: libc::c_long = 0x4000_0000;

const fn question(
    name: &'static str,
    since: &'static str,
    number: libc::c_long,
    arguments: [libc::c_long; 5],
) -> Question {
    Question { name, since, number, arguments }
}

/// What can be asked. Each is a call with null pointers, descriptors that are none, or flags that do not exist.
pub const QUESTIONS: &[Question] = &[
    question("unshare", "2.6.16", libc::SYS_unshare, [0, 0, 0, 0, 0]),
    question("setns", "3.0", libc::SYS_setns, [-1, 0, 0, 0, 0]),
    question("clone3", "5.3", libc::SYS_clone3, [0, 0, 0, 0, 0]),
    question("mount", "1.0", libc::SYS_mount, [0, 0, 0, 0, 0]),
    question("umount2", "2.1", libc::SYS_umount2, [0, NO_FLAGS, 0, 0, 0]),
    question("pivot_root", "2.3.41", libc::SYS_pivot_root, [0, 0, 0, 0, 0]),
    question("open_tree", "5.2", libc::SYS_open_tree, [-1, 0, NO_FLAGS, 0, 0]),
    question("move_mount", "5.2", libc::SYS_move_mount, [-1, 0, -1, 0, NO_FLAGS]),
    question("fsopen", "5.2", libc::SYS_fsopen, [0, NO_FLAGS, 0, 0, 0]),
    question("fsconfig", "5.2", libc::SYS_fsconfig, [-1, NO_FLAGS, 0, 0, 0]),
    question("fsmount", "5.2", libc::SYS_fsmount, [-1, NO_FLAGS, 0, 0, 0]),
    question("mount_setattr", "5.12", libc::SYS_mount_setattr, [-1, 0, NO_FLAGS, 0, 0]),
    question("openat2", "5.6", libc::SYS_openat2, [-1, 0, 0, 0, 0]),
    question("close_range", "5.9", libc::SYS_close_range, [2, 1, 0, 0, 0]),
    question("execveat", "3.19", libc::SYS_execveat, [-1, 0, 0, 0, NO_FLAGS]),
    question("memfd_create", "3.17", libc::SYS_memfd_create, [0, 0x10_0000, 0, 0, 0]),
    question("pidfd_open", "5.3", libc::SYS_pidfd_open, [-1, 0, 0, 0, 0]),
    question("pidfd_send_signal", "5.1", libc::SYS_pidfd_send_signal, [-1, 0, 0, NO_FLAGS, 0]),
    question("keyctl", "2.6.10", libc::SYS_keyctl, [-1, 0, 0, 0, 0]),
    question("bpf", "3.18", libc::SYS_bpf, [-1, 0, 0, 0, 0]),
    question("seccomp", "3.17", libc::SYS_seccomp, [-1, 0, 0, 0, 0]),
    question("landlock_create_ruleset", "5.13", libc::SYS_landlock_create_ruleset, [0, 0, 1, 0, 0]),
    question("open_by_handle_at", "2.6.39", libc::SYS_open_by_handle_at, [-1, 0, 0, 0, 0]),
    // Since Linux 5.1 a new call has the same number on every architecture.
    question("statmount", "6.8", 457, [0, 0, 0, -1, 0]),
    question("listmount", "6.8", 458, [0, 0, 0, -1, 0]),
    question("open_tree_attr", "6.15", 467, [-1, 0, 0, 0, 0]),
    question("listns", "6.19", 470, [0, 0, 0, -1, 0]),
];

/// The question about a call.
pub fn about(name: &str) -> Option<Question> {
    QUESTIONS.iter().find(|question| question.name == name).copied()
}

/// Asks it: the number that came back, or the errno. ENOSYS: the kernel has no such call, or a filter says so.
pub fn ask(question: Question) -> Result<i64, Errno> {
    let [a, b, c, d, e] = question.arguments;
    // SAFETY: only the rows of QUESTIONS can be asked, whose fields are private: null pointers, which the kernel refuses
    // to follow, descriptors that are none, flags that do not exist. None of them changes anything.
    let done = unsafe { libc::syscall(question.number, a, b, c, d, e) };
    crate::check(done)
}

/// The version of Landlock's interface, landlock(7): 1 and up. ENOSYS: not in this kernel; EOPNOTSUPP: not switched on.
pub fn landlock() -> Result<i64, Errno> {
    about("landlock_create_ruleset").ok_or(Errno::NOSYS).and_then(ask)
}

/// lsm_list_modules(2), the same number on every architecture.
const SYS_LSM_LIST_MODULES: libc::c_long = 461;

/// The ids of the security modules that are switched on, `LSM_ID_*` of <linux/lsm.h> (Linux 6.8; ENOSYS before).
pub fn security_modules() -> Result<Vec<u64>, Errno> {
    let mut ids = [0_u64; 64];
    let mut bytes = u32::try_from(size_of_val(&ids)).map_err(|_| Errno::TOOBIG)?;
    // SAFETY: the kernel writes at most `bytes` bytes into `ids`, and their number into `bytes`; both outlive the call.
    let count =
        unsafe { libc::syscall(SYS_LSM_LIST_MODULES, ids.as_mut_ptr(), &raw mut bytes, 0 as libc::c_uint) };
    let count = usize::try_from(crate::check(count)?).unwrap_or(0).min(ids.len());
    Ok(ids[..count].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_question_changes_anything_or_succeeds_with_a_descriptor() {
        let before = std::fs::read_dir("/proc/self/fd").expect("our descriptors").count();
        for question in QUESTIONS {
            match ask(*question) {
                Ok(number) => assert!(
                    matches!(question.name, "unshare" | "landlock_create_ruleset"),
                    "{question:?}: {number}"
                ),
                Err(errno) => assert!(errno != Errno::INTR, "{question:?}"),
            }
        }
        assert_eq!(std::fs::read_dir("/proc/self/fd").expect("our descriptors").count(), before);
    }
}
