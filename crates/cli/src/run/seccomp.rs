//! The profile of `--security-opt seccomp=…`, for this machine and these capabilities.

use super::error::Error;
use super::path;
use super::security::Seccomp;
use crate::value::reason::Reason;
use insula_oci::CapabilitySet;
use insula_seccomp::profile::{Circumstances, Profile};
use insula_seccomp::{builtin, native};
use rustix::fs::{Mode, OFlags, open};
use std::io::Read;

/// The most that is read of a profile: 1 MiB.
const MAX_PROFILE_BYTES: u64 = 1 << 20;

/// The profile that was asked for, for a container with these capabilities in its bounding set.
pub fn profile(
    asked: &Seccomp,
    caller_cwd: &str,
    capabilities: &CapabilitySet,
) -> Result<Option<insula_oci::Seccomp>, Error> {
    let file = match asked {
        Seccomp::Unconfined => return Ok(None),
        Seccomp::Builtin => "builtin",
        Seccomp::File(file) => file,
    };
    let refuse = |words: String| Error::Profile { path: file.to_owned(), reason: Reason::new(words) };
    let native = native().ok_or_else(|| refuse("no profile knows this machine's architecture".to_owned()))?;
    let at = Circumstances { native, kernel: kernel(), capabilities };
    if *asked == Seccomp::Builtin {
        return Ok(Some(builtin::profile(&at)));
    }
    let text = read(&path::from(caller_cwd, file)).map_err(refuse)?;
    let profile = Profile::read(&text).and_then(|profile| profile.resolve(&at));
    profile.map(Some).map_err(|error| refuse(error.to_string()))
}

/// Reads a file within bounds, without waiting for one that is a FIFO.
fn read(path: &str) -> Result<String, String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).map_err(|errno| std::io::Error::from(errno).to_string())?;
    let mut text = String::new();
    let read = std::fs::File::from(file).take(MAX_PROFILE_BYTES + 1).read_to_string(&mut text);
    match read.map_err(|error| error.to_string())? {
        read if read as u64 > MAX_PROFILE_BYTES => Err(format!("it has more than {MAX_PROFILE_BYTES} bytes")),
        _ => Ok(text),
    }
}

/// The kernel's version, 6.1 as (6, 1); where it says something else, the oldest.
fn kernel() -> (u32, u32) {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
