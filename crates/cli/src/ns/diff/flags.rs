//! The flags of `insula ns diff`.

use clap::{Arg, ArgAction, Command};

const WORDS: &str = "\
A and B are a name, the pid of a process, the path of a namespace file, or `host`: process 1, or where that may not be looked \
at, the view that insula is called in.

First the verdict in words, then a row for each thing that differs, that may not be seen (with who may), or that two processes \
have in common without being one, as open files. With --all, what is the same as well. Of a name, and of a file, namespaces \
alone are compared.

Rows: the eight namespaces; root, cwd; cgroup_path.HIERARCHY; uid, gid, groups; capabilities.*; no_new_privs; seccomp.*; \
security_label; dumpable; session; open_file_table, file_system_context, memory, signal_handlers (kcmp(2)); open_files \
(`3 = 5`: A's 3 and B's 5 are one; `3 - 5`: two ends of one pipe); mount_propagation, file_systems; abstract_sockets; \
user_keyring, session_keyring.

Who may trace and signal whom is told by the kernel's own rules (ptrace(2), kill(2), Yama); a security module may refuse more.

Exit code: 0 the same view; 1 they differ; 2 no difference was found and not all may be seen; 125 an error. The view is the \
namespaces, root, cgroups, ids, capabilities, no_new_privs, seccomp and the security label.";

/// The command as clap knows it.
pub fn command() -> Command {
    Command::new("diff")
        .bin_name("insula ns diff")
        .about("Compare two processes or namespaces: what they share, and what one may do to the other")
        .after_help(WORDS)
        .arg(Arg::new("A").required(true).help("The one"))
        .arg(Arg::new("B").required(true).help("The other"))
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Show what is the same as well"))
        .arg(
            Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON, always with all rows"),
        )
}
