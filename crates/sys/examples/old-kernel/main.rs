//! `old-kernel COMMAND [ARGUMENT…]`: runs a command as on Linux 5.15, as far as a seccomp filter can tell.
//!
//! Root's command keeps its privileges, and so do setuid programs in it: newuidmap(1) works. An ordinary user may load a
//! filter only with `no_new_privs`, under which they do not.

mod lacking;
mod program;

use std::convert::Infallible;
use std::env;
use std::fmt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use insula_sys::seccomp::{Flags, load};
use rustix::io::Errno;

use crate::lacking::{LACKING, NEWER_CALLS};

/// What went wrong, which `main` shows as it is.
struct Words(String);

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How to call it, and all that it refuses.
fn usage() -> String {
    let calls = NEWER_CALLS.iter().map(|(_, name, since)| format!("    {name} {since}\n"));
    let rows = LACKING.iter().map(|row| format!("    {}\n", row.what));
    let list: String = calls.chain(rows).collect();
    format!("usage: old-kernel COMMAND [ARGUMENT…]\nrefused, as Linux 5.15 has not yet:\n{list}")
}

fn main() -> Result<Infallible, Words> {
    let mut words = env::args_os().skip(1);
    let Some(name) = words.next() else {
        return Err(Words(usage()));
    };
    let program = program::program(|row| row.errno);
    let mut loaded = load(&program, Flags::default());
    if loaded.as_ref().is_err_and(|errno| *errno == Errno::ACCESS) {
        loaded = insula_sys::prctl::no_new_privs().and_then(|()| load(&program, Flags::default()));
    }
    if let Err(errno) = loaded {
        return Err(Words(format!("load the filter: {errno}")));
    }
    let error = Command::new(&name).args(words).exec();
    Err(Words(format!("execute `{}`: {error}", name.display())))
}
