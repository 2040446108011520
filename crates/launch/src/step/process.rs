//! Attributes of the process: resource limits, oom score, umask, what happens when its parent dies.

use super::{Child, Describe, Parent};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around};
use insula_sys::prctl;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, prlimit, umask};
use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

/// One limit: prlimit(2).
#[derive(Debug, Clone)]
pub struct Limit {
    /// Which resource.
    pub resource: Resource,
    /// Its `RLIMIT_*` name, for people.
    pub name: &'static str,
    /// `rlim_cur`; `None` is unlimited.
    pub soft: Option<u64>,
    /// `rlim_max`; `None` is unlimited.
    pub hard: Option<u64>,
}

/// Sets resource limits.
#[derive(Debug)]
pub struct Rlimits(pub Vec<Limit>);

impl Rlimits {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let pid = Pid::from_raw(at.pid);
        for limit in &self.0 {
            prlimit(pid, limit.resource, Rlimit { current: limit.soft, maximum: limit.hard })
                .map_err(Call::Prlimit.failed())?;
        }
        Ok(())
    }
}

impl fmt::Display for Rlimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("set the limits")?;
        let show = |value: Option<u64>| value.map_or("unlimited".to_owned(), |v| v.to_string());
        for limit in &self.0 {
            write!(f, " {}={}:{}", limit.name, show(limit.soft), show(limit.hard))?;
        }
        Ok(())
    }
}

impl Describe for Rlimits {
    const NAME: &'static str = "rlimits";

    fn why(&self) -> Cow<'static, str> {
        "raising a hard limit wants CAP_SYS_RESOURCE on the host, which the child has no longer".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.errno == Errno::PERM).then(|| {
            "a hard limit may be raised only with CAP_SYS_RESOURCE, which this process lacks; \
             ask for no more than `ulimit -H` shows"
                .into()
        })
    }

    fn act(&self, fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        (fault.call == Call::Prlimit).then_some(Act::Other)
    }
}

/// Sets `/proc/PID/oom_score_adj`, proc_pid_oom_score_adj(5).
#[derive(Debug)]
pub struct OomScore(pub i32);

impl OomScore {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        let path = format!("/proc/{}/oom_score_adj", at.pid);
        let errno = |e: std::io::Error| Fault {
            call: Call::Write,
            errno: Errno::from_io_error(&e).unwrap_or(Errno::IO),
        };
        // Lowering wants CAP_SYS_RESOURCE even where nothing changes, so that the present value is looked at first.
        let now = std::fs::read_to_string(&path).map_err(errno)?;
        if now.trim() == self.0.to_string() {
            return Ok(());
        }
        std::fs::write(&path, self.0.to_string()).map_err(errno)
    }

    /// The same on this process itself, for its children to inherit. Allocates nothing.
    pub(crate) fn take_on(&self) -> Done {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let file = open(c"/proc/self/oom_score_adj", flags, Mode::empty()).map_err(Call::Write.failed())?;
        let mut space = [0u8; 16];
        let mut rest = &mut space[..];
        // Sixteen bytes are enough for every i32.
        let _ = writeln!(rest, "{}", self.0);
        let length = 16 - rest.len();
        let mut now = [0u8; 16];
        let read = rustix::io::read(&file, &mut now).map_err(Call::Read.failed())?;
        if now[..read] == space[..length] {
            return Ok(());
        }
        rustix::io::write(&file, &space[..length]).map(drop).map_err(Call::Write.failed())
    }
}

impl fmt::Display for OomScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set oom_score_adj to {}", self.0)
    }
}

impl Describe for OomScore {
    const NAME: &'static str = "oom-score";

    fn why(&self) -> Cow<'static, str> {
        "the file belongs to the host's procfs, where the parent may write it".into()
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        (fault.errno == Errno::ACCESS).then(|| {
            "oom_score_adj may be lowered only with CAP_SYS_RESOURCE, which this process lacks".into()
        })
    }
}

/// Sets the umask, umask(2).
#[derive(Debug)]
pub struct Umask(pub u32);

impl Umask {
    #[expect(clippy::unnecessary_wraps, reason = "every step returns Done")]
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        umask(Mode::from_raw_mode(self.0));
        Ok(())
    }
}

impl fmt::Display for Umask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set the umask to {:04o}", self.0)
    }
}

impl Describe for Umask {
    const NAME: &'static str = "umask";

    fn why(&self) -> Cow<'static, str> {
        "the caller's does not enter; and what was made up to here was made with none".into()
    }
}

/// Gets a signal when we end: `PR_SET_PDEATHSIG`, prctl(2).
#[derive(Debug)]
pub struct DeathSignal {
    /// Which one.
    pub signal: i32,
}

impl DeathSignal {
    /// Be killed.
    pub const KILL: DeathSignal = DeathSignal { signal: libc::SIGKILL };

    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        prctl::death_signal(self.signal).map_err(Call::Prctl.failed())?;
        // A parent that died before has sent nothing; its end of the baton tells.
        let mut ends = [PollFd::from_borrowed_fd(at.report.fd(), PollFlags::empty())];
        poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).map_err(Call::Check.failed())?;
        if ends[0].revents().contains(PollFlags::HUP) {
            return Err(Fault { call: Call::Check, errno: Errno::SRCH });
        }
        Ok(())
    }
}

impl fmt::Display for DeathSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.signal {
            libc::SIGKILL => f.write_str("be killed when the parent dies"),
            signal => write!(f, "get signal {signal} when the parent dies"),
        }
    }
}

impl Describe for DeathSignal {
    const NAME: &'static str = "death-signal";

    fn why(&self) -> Cow<'static, str> {
        "nothing stays behind if the parent is killed; a change of user ids clears it, so it is set after them".into()
    }
}
