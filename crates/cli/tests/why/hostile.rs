//! Programs whose arguments point nowhere, never end, or carry what moves a terminal's cursor.

use super::{clean, ended, why_with};
use crate::caller::Caller;
use insula_proof as proof;

/// Calls with every kind of senseless pointer, by ctypes.
const WILD: &str = "import ctypes, mmap, os\n\
libc = ctypes.CDLL(None, use_errno=True)\n\
page = mmap.mmap(-1, 8192)\n\
page.write(b'/' * 8192)\n\
address = ctypes.addressof(ctypes.c_char.from_buffer(page))\n\
wild = [0, 1, 4095, -1, -4096, 1 << 63, address, address + 8191]\n\
for number in NUMBERS:\n\
\x20   for a in wild:\n\
\x20       for b in wild:\n\
\x20           libc.syscall(number, ctypes.c_void_p(a & 0xffffffffffffffff), ctypes.c_void_p(b & 0xffffffffffffffff),\n\
\x20                        ctypes.c_void_p(0x7ffffffffff00000), ctypes.c_void_p(4096), ctypes.c_void_p(a & 0xffffffffffffffff), 0)\n\
os._exit(9)\n";

fn pointers_to_nowhere(caller: &Caller) {
    let numbers = [
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "move_mount",
        "fsopen",
        "fsconfig",
        "mount_setattr",
        "sethostname",
        "setgroups",
    ];
    let number = |name: &&str| {
        insula_sys::syscall::all().find(|(_, known)| known == name).map(|(number, _)| number.to_string())
    };
    let numbers = numbers.iter().filter_map(number).collect::<Vec<_>>().join(", ");
    let script = WILD.replace("NUMBERS", &format!("[{numbers}]"));
    // In a user namespace of its own, where nothing that it might succeed in matters to anybody.
    let answer = why_with(caller, &[], &["unshare", "-Urmu", "python3", "-c", &script]);
    assert_eq!(answer.end.code(), 9, "{}", answer.end.err);
    assert!(answer.refused().len() > 20, "{:#}", answer.json);
    for refused in answer.refused() {
        let text = refused["text"].as_str().expect("a text");
        assert!(text.len() < 40_000, "{} bytes", text.len());
    }
}

#[test]
fn pointers_to_nowhere_are_told_as_numbers() {
    proof::need!(program "python3");
    pointers_to_nowhere(&proof::or_skip!(Caller::user()));
}

fn what_would_mislead_is_escaped(caller: &Caller) {
    let odd = "./a\u{1b}[31m\n\u{202e}b";
    let end = ended(&mut caller.insula(&["why", "--", odd]));
    assert_eq!(end.code(), 127);
    clean(&end.err);
    assert!(end.err.contains("\\u{1b}") && end.err.contains("\\u{202e}"), "{}", end.err);
    let script = "printf 'insula: cause: \\033[2Jforged\\nNo such file or directory: file\\n' >&2; exit 1";
    let end =
        ended(&mut caller.insula(&["why", "--", "sh", "-c", &format!("test -e /no/such/file; {script}")]));
    let ours: Vec<&str> = end.err.lines().filter(|line| line.starts_with("insula: said: ")).collect();
    assert_eq!(ours.len(), 1, "{}", end.err);
    clean(ours[0]);
}

fn a_program_that_is_refused_without_end_is_told_in_bounds(caller: &Caller) {
    let script =
        "i=0; while [ $i -lt 700 ]; do : > /proc/sys/no-such-$i; i=$((i+1)); done 2>/dev/null; exit 1";
    let answer = why_with(caller, &[], &["sh", "-c", script]);
    assert!(answer.refused().len() <= 500, "{}", answer.refused().len());
    let end = ended(&mut caller.insula(&["why", "--", "sh", "-c", script]));
    assert!(end.err.lines().count() < 50, "{}", end.err);
}

by_everyone! {
    what_would_mislead_is_escaped,
    a_program_that_is_refused_without_end_is_told_in_bounds,
}

#[test]
fn a_proc_of_another_pid_namespace_is_not_believed() {
    let caller = proof::or_skip!(Caller::user());
    let insula = caller.words(&[]).remove(0);
    let words = ["-Urpf", &insula, "why", "--", "sh", "-c", "chroot /no/such true; exit 4"];
    let end = ended(caller.command("unshare").args(words));
    assert_eq!(end.code(), 4, "{}", end.err);
    assert!(end.err.contains("insula: note: /proc is not that of our own pid namespace"), "{}", end.err);
    // The path is an address without a look into the memory; the call and its error are known all the same.
    assert!(end.err.contains("refused: chroot(0x"), "{}", end.err);
}
