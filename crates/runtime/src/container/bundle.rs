//! A bundle: a directory with a `config.json` (bundle.md).

use super::error::Error;
use super::regular::{Unread, read_regular};
use insula_oci::{MAX_BYTES, Spec, parse};
use rustix::fs::{Mode, OFlags, open};

/// The configuration's name in a bundle.
pub(super) const CONFIG: &str = "config.json";

/// A bundle, read.
#[derive(Debug)]
pub struct Bundle {
    /// Its absolute path.
    pub path: String,
    /// `config.json`, as it is.
    pub bytes: Vec<u8>,
    /// The same, parsed; `root.path` is absolute.
    pub spec: Spec,
}

impl Bundle {
    /// Reads the bundle in this directory. `config` names another file than `config.json` in it, crun's `--config`.
    pub fn read(directory: &str, config: Option<&str>) -> Result<Bundle, Error> {
        let Raw { path, file, bytes } = Raw::read(directory, config)?;
        let mut spec = parse(&bytes).map_err(|error| Error::Config(file, error))?;
        settle(&mut spec, &path);
        Ok(Bundle { path, bytes, spec })
    }

    /// The same again from what was kept of it.
    pub fn kept(path: &str, bytes: Vec<u8>) -> Result<Bundle, Error> {
        let mut spec = parse(&bytes).map_err(|error| Error::Config("config.json".to_owned(), error))?;
        settle(&mut spec, path);
        Ok(Bundle { path: path.to_owned(), bytes, spec })
    }
}

/// A bundle whose configuration has not been looked at yet.
pub(super) struct Raw {
    /// Its absolute path.
    pub(super) path: String,
    /// The configuration's.
    pub(super) file: String,
    /// What is in it.
    pub(super) bytes: Vec<u8>,
}

impl Raw {
    /// Reads a regular file of a bearable size.
    pub(super) fn read(directory: &str, config: Option<&str>) -> Result<Raw, Error> {
        let path = absolute(directory)?;
        let file = match config {
            Some(config) => absolute(config)?,
            None => format!("{path}/{}", CONFIG),
        };
        let failed = |errno| Error::File("read", file.clone(), errno);
        // O_NONBLOCK: it may be a FIFO.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = open(file.as_str(), flags, Mode::empty()).map_err(failed)?;
        let bytes = read_regular(&opened, MAX_BYTES as u64).map_err(|why| match why {
            Unread::Call(errno) => failed(errno),
            Unread::Refused(why) => Error::NoConfig(file.clone(), why),
        })?;
        Ok(Raw { path, file, bytes })
    }
}

/// Paths that are relative to the bundle become absolute: `root.path`, and the sources of bind mounts.
pub(super) fn settle(spec: &mut Spec, bundle: &str) {
    let settle = |path: &mut String| {
        if !path.is_empty() && !path.starts_with('/') {
            *path = format!("{bundle}/{path}");
        }
    };
    if let Some(root) = &mut spec.root {
        settle(&mut root.path);
    }
    for mount in &mut spec.mounts {
        let binds = mount.kind.as_deref() == Some("bind")
            || mount.options.iter().any(|option| matches!(option.as_str(), "bind" | "rbind"));
        if binds && let Some(source) = &mut mount.source {
            settle(source);
        }
    }
}

/// The path from the root; `.` parts are left out, links and `..` stay.
pub(super) fn absolute(path: &str) -> Result<String, Error> {
    let whole = if path.starts_with('/') {
        path.to_owned()
    } else {
        let here = rustix::process::getcwd(Vec::new())
            .map_err(|errno| Error::File("find the working directory for", path.to_owned(), errno))?;
        format!("{}/{path}", here.to_string_lossy())
    };
    let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(format!("/{}", parts.join("/")))
}
