//! Becomes the program, as execvp(3) does: for commands that stand in for unshare(1) and their like.
//!
//! What runs is the caller's own program with the caller's own rights on the caller's files; so there is no init between,
//! as in [`Exec`](super::Exec), and descriptors pass on as they are.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::program_file::executable;
use crate::why::{Act, Around};
use insula_sys::exec::{Room, Strings, execve};
use insula_sys::signal;
use rustix::io::Errno;
use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

/// The shell that executes a file without `#!`, execvp(3).
const SHELL: &CStr = c"/bin/sh";

/// The step.
#[derive(Debug)]
pub struct Execvp {
    /// Where the program may be, in order: the name itself if it has a slash, else one path for each directory of `PATH`.
    pub candidates: Vec<CString>,
    /// The argument vector, the name as it was given first.
    pub argv: Strings,
    /// The argument vector of the shell for a file without `#!`: the shell, a place for the path, the arguments.
    pub script: Strings,
    /// The environment.
    pub envp: Strings,
}

impl Execvp {
    /// Where the path stands in the shell's vector.
    const SCRIPT_AT: usize = 1;
    /// Where execvp(3) looks if there is no `PATH`.
    const DEFAULT_PATH: &str = "/bin:/usr/bin";

    /// A program and its arguments, looked for in `path`, the value of `PATH`. `None` if there is not even a name.
    pub fn new(words: Vec<CString>, envp: Vec<CString>, path: Option<&CStr>) -> Option<Execvp> {
        let name = words.first()?.clone();
        let script =
            [SHELL.to_owned(), name.clone()].into_iter().chain(words.iter().skip(1).cloned()).collect();
        Some(Execvp {
            candidates: candidates(&name, path),
            argv: Strings::new(words),
            script: Strings::new(script),
            envp: Strings::new(envp),
        })
    }

    /// A shell that reads its profile, as login(1) starts it: its name with a dash before it. No directory is searched.
    pub fn login_shell(path: &CStr, envp: Vec<CString>) -> Execvp {
        let bytes = path.to_bytes();
        let base = bytes.rsplit(|byte| *byte == b'/').next().unwrap_or(bytes);
        // A part of a C string has no NUL in it.
        let name = CString::new([b"-", base].concat()).unwrap_or_default();
        Execvp {
            candidates: vec![path.to_owned()],
            argv: Strings::new(vec![name]),
            script: Strings::new(vec![SHELL.to_owned(), path.to_owned()]),
            envp: Strings::new(envp),
        }
    }

    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        Err(self.execute(at.rooms.as_mut().map(|rooms| &mut rooms.argv)))
    }

    /// Becomes the program; returns why it could not. Allocates nothing: `room` is one of `script`.
    pub fn execute(&self, room: Option<&mut Room>) -> Fault {
        if let Err(errno) = signal::restore_pipe() {
            return Fault { call: Call::Sigaction, errno };
        }
        let mut worst = Errno::NOENT;
        for path in &self.candidates {
            match execve(path, self.argv.vector(), self.envp.vector()) {
                // execvp(3): a file that may not be executed is remembered, and the search goes on.
                Errno::ACCESS => worst = Errno::ACCESS,
                errno @ (Errno::NOENT | Errno::NOTDIR | Errno::STALE | Errno::NODEV | Errno::TIMEDOUT) => {
                    worst = if worst == Errno::ACCESS { worst } else { errno };
                }
                Errno::NOEXEC => {
                    let Some(room) = room else {
                        return Fault { call: Call::Check, errno: Errno::NOMEM };
                    };
                    let argv = self.script.put([(Self::SCRIPT_AT, path.as_c_str())], room);
                    return Fault { call: Call::Execve, errno: execve(SHELL, argv, self.envp.vector()) };
                }
                errno => {
                    worst = errno;
                    break;
                }
            }
        }
        Fault { call: Call::Execve, errno: worst }
    }

    /// Would it be executed? For a rehearsal; the search is that of [`Execvp::execute`].
    pub(crate) fn check(&self) -> Done {
        let mut worst = Errno::NOENT;
        for path in &self.candidates {
            match executable(path) {
                // A file without `#!` is executed by the shell.
                Ok(()) | Err(Errno::NOEXEC) => return Ok(()),
                Err(Errno::ACCESS) => worst = Errno::ACCESS,
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => return Err(Fault { call: Call::Execve, errno }),
            }
        }
        Err(Fault { call: Call::Execve, errno: worst })
    }

    /// What was asked for: the name, or the path where there is only one.
    fn name(&self) -> Cow<'_, str> {
        match &self.candidates[..] {
            [path] => path.to_string_lossy(),
            _ => self.argv.as_slice().first().map_or(Cow::Borrowed(""), |name| name.to_string_lossy()),
        }
    }
}

/// The paths that execvp(3) tries. An empty directory in `PATH` is the current one.
fn candidates(name: &CStr, path: Option<&CStr>) -> Vec<CString> {
    let bytes = name.to_bytes();
    if bytes.is_empty() || bytes.contains(&b'/') {
        return vec![name.to_owned()];
    }
    let path = path.map_or(Execvp::DEFAULT_PATH.as_bytes(), CStr::to_bytes);
    path.split(|byte| *byte == b':')
        .filter_map(|directory| {
            let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
            CString::new([directory, slash, bytes].concat()).ok()
        })
        .collect()
}

impl fmt::Display for Execvp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "become the program `{}`", self.name())
    }
}

impl Describe for Execvp {
    const NAME: &'static str = "execvp";

    fn why(&self) -> Cow<'static, str> {
        "all is made; the program is found as the caller's own shell would find it".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match fault.errno {
            Errno::NOENT if self.candidates.len() > 1 => Some("no directory of PATH has it".into()),
            Errno::NOTDIR => Some("a part of the path is no directory".into()),
            Errno::NOENT => {
                Some("there is no such file there, or its interpreter (the `#!` line or the ELF loader) is missing".into())
            }
            Errno::ACCESS => Some("it is there, but it is no file that this user may execute".into()),
            Errno::TOOBIG => Some("the arguments and the environment together are too long (execve(2))".into()),
            _ => None,
        }
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        super::exec::execute(&self.candidates, fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_in_each_directory_of_the_path() {
        let paths = |name, path: Option<&CStr>| {
            candidates(name, path).iter().map(|c| c.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths(c"ls", Some(c"/a::/b/")), ["/a/ls", "ls", "/b//ls"]);
        assert_eq!(paths(c"ls", None), ["/bin/ls", "/usr/bin/ls"]);
        assert_eq!(paths(c"./ls", Some(c"/a")), ["./ls"]);
        assert_eq!(paths(c"", Some(c"/a")), [""]);
    }
}
