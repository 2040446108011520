//! Hooks of a configuration, as the launch runs them (config.md, "POSIX-platform Hooks").

use crate::container::Error;
use insula_launch::hook::{Hook as Ready, Said};
use insula_oci::{Hook, State};
use insula_sys::exec::Strings;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{MemfdFlags, memfd_create};
use std::ffi::CString;
use std::time::Duration;

/// A hook, ready to be run. A NUL, which config.json cannot hold, ends a string.
pub fn ready(hook: &Hook) -> Ready {
    let string = |text: &str| CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default();
    let strings = |texts: &[String]| Strings::new(texts.iter().map(|text| string(text)).collect());
    let own_name = [hook.path.clone()];
    Ready {
        path: string(&hook.path),
        argv: strings(if hook.args.is_empty() { &own_name } else { &hook.args }),
        envp: strings(&hook.env),
        timeout: hook.timeout.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
    }
}

/// The state, in a file that hooks read on their standard input.
pub fn state_file(state: &State) -> Result<OwnedFd, Error> {
    let failed = |errno| Error::File("write", "state".to_owned(), errno);
    let file = memfd_create(c"state", MemfdFlags::CLOEXEC).map_err(failed)?;
    let text =
        serde_json::to_vec(state).map_err(|error| Error::Record("state".to_owned(), error.to_string()))?;
    let mut rest = text.as_slice();
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest).map_err(failed)?;
        rest = &rest[written..];
    }
    Ok(file)
}

/// Runs them in order, in our own namespaces; the first that fails ends it.
pub fn run_each(point: &str, hooks: &[Hook], state: &OwnedFd) -> Result<(), Error> {
    for (i, hook) in hooks.iter().enumerate() {
        let mut said = Said::default();
        ready(hook).run(state.as_fd(), &mut said).map_err(|fault| Error::Hook {
            name: format!("{point} #{i} `{}`", hook.path),
            errno: fault.errno,
            said: String::from_utf8_lossy(said.as_bytes()).trim().to_owned(),
        })?;
    }
    Ok(())
}
