//! `insula-init` with a seccomp filter to load: in force in the program and in process 1, or no program at all.
//!
//! Needs sh, grep, mkdir and setpriv(1), without which it says `skipped`.
use insula_sys::seccomp::{Instruction, bytes};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

const BLOB: &str = env!("INSULA_INIT_PATH");

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
const KILL: u32 = 0x8000_0000;

fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code, jt, jf, k }
}

/// `answer` for these calls, and `otherwise` for the rest.
fn filter(calls: &[libc::c_long], answer: u32, otherwise: u32) -> Vec<Instruction> {
    let mut program = vec![instruction(LOAD, 0, 0, 0)];
    for (at, call) in calls.iter().enumerate() {
        let jump = u8::try_from(calls.len() - at).expect("few calls");
        program.push(instruction(EQUAL, jump, 0, u32::try_from(*call).expect("a number")));
    }
    program.push(instruction(RETURN, 0, 0, otherwise));
    program.push(instruction(RETURN, 0, 0, answer));
    program
}

/// A file in a directory of its own, until the test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &[u8]) -> File {
        let directory = std::env::temp_dir().join(format!("insula-filter-{name}-{}", std::process::id()));
        fs::create_dir(&directory).expect("make a directory");
        fs::write(directory.join("filter"), content).expect("write the filter");
        File(directory)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What init does with `script`: how it ended, what was printed, and what it reported. The filter is descriptor 8.
fn run(mode: &str, file: &File, filter: &str, script: &str) -> (ExitStatus, String, Vec<u8>) {
    let (mut reader, writer) = io::pipe().expect("make a pipe");
    let mut command = Command::new("/bin/sh");
    let opened = "exec 8<\"$0\" 9>&2 2>/dev/null; exec setpriv --no-new-privs \"$@\"";
    command.args(["-c", opened]).arg(file.0.join("filter"));
    command
        .env("LC_ALL", "C")
        .args([BLOB, mode, "9", filter, "/bin/sh", "sh", "-c", script])
        .current_dir(&file.0);
    command.stderr(writer);
    let output = command.output().expect("start sh");
    drop(command);
    let mut report = Vec::new();
    reader.read_to_end(&mut report).expect("read the report");
    (output.status, String::from_utf8(output.stdout).expect("it is text"), report)
}

#[expect(clippy::print_stdout, reason = "the word of a test that cannot run here")]
fn has_setpriv() -> bool {
    let there = Command::new("setpriv").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: setpriv is not installed");
    }
    there
}

#[test]
fn the_filter_is_in_force_in_the_program_and_in_init_and_its_file_is_gone() {
    if !has_setpriv() {
        return;
    }
    let program = filter(&[libc::SYS_mkdirat, 83], ERRNO | 95, ALLOW);
    let file = File::new("force", &bytes(&program));
    for mode in ["exec", "init"] {
        let script = "mkdir x 2>&1; grep -h ^Seccomp: /proc/$PPID/status /proc/self/status; ls /proc/self/fd";
        let (status, said, report) = run(mode, &file, &format!("8:{}:0", program.len()), script);
        assert!(status.success(), "{mode}");
        assert!(report.is_empty(), "{report:?}");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "mkdir: cannot create directory 'x': Operation not supported", "{mode}");
        // The parent of the program is init, or who called it.
        assert_eq!(lines[2], "Seccomp:\t2", "{mode}");
        if std::env::var_os("INSULA_OLD_KERNEL").is_none() {
            // Else all are under one already.
            assert_eq!(lines[1] == "Seccomp:\t2", mode == "init", "{mode}: {said}");
        }
        assert!(!lines[3..].contains(&"8"), "{mode}: {said}");
    }
}

#[test]
fn nothing_but_execve_is_called_behind_the_filter() {
    if !has_setpriv() {
        return;
    }
    let program = filter(&[libc::SYS_execve], ALLOW, KILL);
    let file = File::new("execve", &bytes(&program));
    // The shell dies of its first other call; of ours there is none, or the report would not be empty and the end another.
    let (status, said, report) = run("exec", &file, &format!("8:{}:0", program.len()), "echo here");
    assert_eq!((status.signal(), said.as_str()), (Some(libc::SIGSYS), ""));
    assert!(report.is_empty(), "{report:?}");
    // Without execve it is another end: nothing runs.
    let program = filter(&[libc::SYS_execve], ERRNO | 38, ALLOW);
    let file = File::new("no-execve", &bytes(&program));
    let (status, _, report) = run("exec", &file, &format!("8:{}:0", program.len()), "echo here");
    assert_eq!((status.code(), &report[..]), (Some(126), &[b'E', 38, 0, 0, 0][..]));
}

#[test]
fn without_its_filter_there_is_no_program() {
    if !has_setpriv() {
        return;
    }
    let good = filter(&[], ALLOW, ALLOW);
    let endless = [instruction(LOAD, 0, 0, 0)];
    for mode in ["exec", "init"] {
        for (name, content, words, errno) in [
            ("endless", bytes(&endless), "8:1:0", libc::EINVAL),
            ("flag", bytes(&good), "8:3:1073741824", libc::EINVAL),
            ("none", bytes(&good), "8:0:0", libc::EINVAL),
            ("closed", bytes(&good), "7:3:0", libc::EBADF),
        ] {
            let file = File::new(&format!("{mode}-{name}"), &content);
            let (status, said, report) = run(mode, &file, words, "echo here");
            assert_eq!((status.code(), said.as_str()), (Some(125), ""), "{mode} {name}");
            let errno = u8::try_from(errno).unwrap();
            assert_eq!(report, [b'S', errno, 0, 0, 0], "{mode} {name}");
        }
    }
}

/// A directory that stands for `/proc/PID/attr`: what the init writes there is to be read afterwards.
#[test]
fn the_label_is_written_once_before_the_program_and_where_it_belongs() {
    for (mode, file, other) in [("exec-as", "exec", "current"), ("init-as", "current", "exec")] {
        let attr = File::new(&format!("label-{mode}"), b"");
        for name in ["exec", "current"] {
            fs::write(attr.0.join(name), "").expect("make a file");
        }
        let run = |label: &str| {
            let opened = "exec 7<\"$0\"; exec \"$@\"";
            let words =
                [BLOB, mode, "-", "-", "7", label, "/bin/sh", "sh", "-c", "cat \"$0\"; ls /proc/self/fd"];
            Command::new("/bin/sh")
                .args(["-c", opened])
                .arg(&attr.0)
                .args(words)
                .arg(attr.0.join(file))
                .output()
                .expect("start sh")
        };
        let output = run("exec web");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.starts_with("exec web"), "{mode}: {said}");
        assert!(!said.contains('7'), "the program inherits the directory: {said}");
        assert_eq!(fs::read(attr.0.join(other)).expect("read"), b"", "{mode}");
        fs::remove_file(attr.0.join(file)).expect("remove");
        let refused = run("exec web");
        assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(125), &b""[..]), "{mode}");
    }
}
