//! A time namespace with offsets, time_namespaces(7).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kind::Kind;
use crate::why::{Act, Around};
use insula_sys::birth::unshare;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct TimeOffsets {
    /// The lines of timens_offsets: `CLOCK SECONDS NANOSECONDS`.
    pub lines: String,
}

impl TimeOffsets {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        unshare(insula_sys::birth::CLONE_NEWTIME).map_err(Call::Unshare.failed())?;
        let file = open(c"/proc/self/timens_offsets", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(Call::Openat2.failed())?;
        rustix::io::write(&file, self.lines.as_bytes()).map(drop).map_err(Call::Write.failed())
    }
}

impl fmt::Display for TimeOffsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "make a time namespace, offsets {}", self.lines.trim_end().replace('\n', ", "))
    }
}

impl Describe for TimeOffsets {
    const NAME: &'static str = "time-offsets";

    fn why(&self) -> Cow<'static, str> {
        "offsets can be written only until the first process enters, which the next fork or exec does; \
         through the host's procfs, while our ids still own the file"
            .into()
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        (fault.call == Call::Unshare).then(|| Act::Make(vec![Kind::Time]))
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        match (fault.call, fault.errno) {
            (Call::Write, Errno::RANGE) => Some(
                "a clock may not become negative, nor exceed half of what the kernel can count (146 years)"
                    .into(),
            ),
            (Call::Unshare, Errno::INVAL) | (Call::Openat2, Errno::NOENT) => {
                Some("this kernel has no time namespaces (CONFIG_TIME_NS)".into())
            }
            _ => None,
        }
    }
}
