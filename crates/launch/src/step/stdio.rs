//! Standard input, output and error.

use super::{Child, Describe, Parent};
use crate::fault::{Call, Done, Fault};
use rustix::fs::{FileType, Mode, OFlags, fchown, fstat, open};
use rustix::io::Errno;
use rustix::process::Uid;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stderr, stdin, stdout};
use std::borrow::Cow;
use std::fmt;

/// Which of the three are replaced by /dev/null; the others are the caller's.
#[derive(Debug)]
pub struct Stdio {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

impl Stdio {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        let null = open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map_err(Call::Openat2.failed())?;
        super::nodes::prove(&null, Some((1, 3)))?;
        if self.stdin {
            dup2_stdin(&null).map_err(Call::Dup2.failed())?;
        }
        if self.stdout {
            dup2_stdout(&null).map_err(Call::Dup2.failed())?;
        }
        if self.stderr {
            dup2_stderr(&null).map_err(Call::Dup2.failed())?;
        }
        Ok(())
    }
}

impl fmt::Display for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connect /dev/null to")?;
        for (replaced, name) in [(self.stdin, " stdin"), (self.stdout, " stdout"), (self.stderr, " stderr")] {
            f.write_str(if replaced { name } else { "" })?;
        }
        Ok(())
    }
}

impl Describe for Stdio {
    const NAME: &'static str = "stdio";

    fn why(&self) -> Cow<'static, str> {
        "the caller's input is passed on only when asked for (-i); before the change of root, while /dev is the host's"
            .into()
    }
}

/// Why pipes change hands.
const WHY_PIPES: &str =
    "a program may open /dev/stdout anew, as servers do for their logs, and a pipe belongs to who made it";

/// Changes the owner of those of our standard streams that are pipes. Others (a terminal, a file) are the caller's own.
fn give_pipes(uid: u32) -> Result<(), Errno> {
    for stream in [stdin(), stdout(), stderr()] {
        let stat = fstat(stream)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Fifo && stat.st_uid != uid {
            fchown(stream, Some(Uid::from_raw(uid)), None)?;
        }
    }
    Ok(())
}

/// Gives the pipes among the standard streams to the container's user, with the host's rights.
#[derive(Debug)]
pub struct GiveStdio {
    /// The program's user, as the host knows it.
    pub uid: u32,
}

impl GiveStdio {
    pub(super) fn run(&self, _at: &mut Parent<'_>) -> Done {
        match give_pipes(self.uid) {
            // Another's named pipe stays as it is: it can be written to, only not opened anew.
            Ok(()) | Err(Errno::PERM | Errno::BADF) => Ok(()),
            Err(errno) => Err(Fault { call: Call::Fchown, errno }),
        }
    }
}

impl fmt::Display for GiveStdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "give pipes among the standard streams to the program's user, {} here", self.uid)
    }
}

impl Describe for GiveStdio {
    const NAME: &'static str = "give-stdio";

    fn why(&self) -> Cow<'static, str> {
        WHY_PIPES.into()
    }
}

/// The same by the child, whose rights reach as far as its user namespace.
#[derive(Debug)]
pub struct TakeStdio {
    /// The program's user.
    pub uid: u32,
}

impl TakeStdio {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        match give_pipes(self.uid) {
            // INVAL: the id is not mapped, which the step that takes it on will say; PERM: the pipe is a stranger's.
            Ok(()) | Err(Errno::PERM | Errno::INVAL | Errno::BADF) => Ok(()),
            Err(errno) => Err(Fault { call: Call::Fchown, errno }),
        }
    }
}

impl fmt::Display for TakeStdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "give pipes among the standard streams to user {}", self.uid)
    }
}

impl Describe for TakeStdio {
    const NAME: &'static str = "take-stdio";

    fn why(&self) -> Cow<'static, str> {
        WHY_PIPES.into()
    }
}
