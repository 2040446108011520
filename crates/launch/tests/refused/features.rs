//! What the kernel lacks, and what only a filter says that it lacks.

use crate::room::Room;
use insula_proof::{self as proof, need};

#[test]
fn a_call_that_only_a_filter_denies_is_told_from_one_that_the_kernel_lacks() {
    proof::need!(user_namespaces, path "/proc/kallsyms");
    for call in ["fsopen", "pidfd_open"] {
        Room::of_user().tries("true", None, &format!("filtered {call}")).is(
            "call-filtered",
            &format!(
                "the kernel has {call}(2), and a filter of system calls (seccomp) around this process answers that it has not"
            ),
            "seccomp=unconfined",
        );
    }
}

#[test]
fn a_call_that_the_kernel_lacks_is_told_with_the_release_that_brought_it() {
    proof::need!(user_namespaces);
    let question = insula_sys::harmless::about("listns").expect("a question");
    let absent = insula_sys::harmless::ask(question) == Err(rustix::io::Errno::NOSYS);
    proof::or_skip!(need::that(
        absent && std::env::var_os("INSULA_OLD_KERNEL").is_none(),
        "this kernel has listns"
    ));
    let told = Room::of_user().tries("true", None, "ask listns");
    assert_eq!(told.key, "kernel-lacks-call", "{told:?}");
    assert!(
        told.cause.starts_with("the kernel has no listns(2), which came with Linux 6.19: this is "),
        "{told:?}"
    );
    assert!(told.cure.contains("Linux 6.19 or newer"), "{told:?}");
}

#[test]
fn a_flag_that_is_newer_than_the_kernel_is_named() {
    proof::need!(user_namespaces);
    let told = Room::of_user().tries("true", None, "open-tree 2");
    if told.key == "done" {
        return;
    }
    assert_eq!(told.key, "kernel-lacks-flag", "{told:?}");
    assert!(
        told.cause.starts_with("the kernel does not know OPEN_TREE_NAMESPACE, which came with Linux 7.0"),
        "{told:?}"
    );
    // One that no kernel knows is not explained by a release.
    assert_eq!(Room::of_user().tries("true", None, "open-tree 1073741824").key, "unexplained");
}
