//! Puts a file of the namespace's own over one of the machine's: `/etc/netns/NAME/resolv.conf` over `/etc/resolv.conf`.

use super::{Child, Describe};
use crate::fault::Done;
use crate::kit::Slot;
use rustix::io::{Errno, write};
use rustix::mount::mount_bind;
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// The step. That one file cannot be put there is told and no more: the program runs as it does where there is none.
#[derive(Debug)]
pub struct BindOver {
    /// The file, or the directory, that is seen from now on.
    pub source: CString,
    /// Over what. It has to be there, and a directory where the source is one.
    pub target: CString,
    /// Where it is told if that failed; the other side has to have filled the slot.
    pub tell: Slot,
    /// What is told, up to the reason.
    pub complaint: String,
}

impl BindOver {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let Err(errno) = mount_bind(&self.source, &self.target) else { return Ok(()) };
        if let Ok(tell) = at.kit.get(self.tell) {
            // Whether anybody reads it is not our concern. In parts: nothing may be allocated here.
            let parts = [self.complaint.as_bytes(), b": ", reason(errno).as_bytes(), b"\n"];
            let _ = parts.into_iter().try_for_each(|part| write(tell, part).map(drop));
        }
        Ok(())
    }
}

/// What mount(2) means by it.
fn reason(errno: Errno) -> &'static str {
    match errno {
        Errno::NOENT => "there is nothing of that name to put it over",
        Errno::NOTDIR => "one is a directory and the other is not",
        Errno::PERM => "Operation not permitted",
        Errno::ACCESS => "Permission denied",
        Errno::INVAL => "mounts below it are locked in their places",
        Errno::LOOP => "too many symbolic links",
        Errno::NOSPC => "there are too many mounts (sysctl fs.mount-max)",
        Errno::NOMEM => "Cannot allocate memory",
        _ => "the kernel refuses",
    }
}

impl fmt::Display for BindOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [source, target] = [&self.source, &self.target].map(|path| path.to_string_lossy());
        write!(f, "put `{source}` over `{target}`")
    }
}

impl Describe for BindOver {
    const NAME: &'static str = "bind-over";

    fn why(&self) -> Cow<'static, str> {
        "a program that knows nothing of network namespaces reads the namespace's own settings".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_errno_that_mount_has_for_it_has_a_reason() {
        for errno in [Errno::NOENT, Errno::NOTDIR, Errno::PERM, Errno::INVAL] {
            assert_ne!(reason(errno), reason(Errno::IO));
        }
    }
}
