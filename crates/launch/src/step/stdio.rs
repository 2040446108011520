//! Standard input, output and error.

use super::{Child, Describe};
use crate::fault::{Call, Done};
use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
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
