//! Where state that ends with the machine lies.

use rustix::fs::stat;
use rustix::process::geteuid;

/// `/run/insula` for root, below `XDG_RUNTIME_DIR` for a user who has one, else a directory of the user's own in /tmp.
pub fn root() -> String {
    if geteuid().as_raw() == 0 { "/run/insula".to_owned() } else { of_user() }
}

/// The directory of a user, or of a root who may not write in /run.
pub fn of_user() -> String {
    let uid = geteuid().as_raw();
    let runtime = std::env::var("XDG_RUNTIME_DIR").ok().filter(|path| {
        path.starts_with('/')
            && stat(path.as_str()).is_ok_and(|stat| stat.st_uid == uid && stat.st_mode & 0o022 == 0)
    });
    runtime.map_or_else(|| format!("/tmp/insula-{uid}"), |path| format!("{path}/insula"))
}
