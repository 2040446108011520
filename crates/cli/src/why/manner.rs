//! How the answer is given: as text or data, to standard error or to a file.

use crate::tell;
use insula_namespaces::error::Error;
use insula_oci::escaped;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How the answer is given.
pub struct Manner {
    /// As data.
    pub json: bool,
    /// The file, opened before anything runs.
    to: Option<(PathBuf, File)>,
}

impl Manner {
    /// Opens the file, if there is one.
    pub fn new(json: bool, path: Option<&PathBuf>) -> Result<Manner, Error> {
        let Some(path) = path else { return Ok(Manner { json, to: None }) };
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path);
        let file = file.map_err(|error| unwritable(path, &error))?;
        Ok(Manner { json, to: Some((path.clone(), file)) })
    }

    /// Gives the answer.
    pub fn tell(&self, text: &str) -> Result<(), Error> {
        let Some((path, file)) = &self.to else {
            tell::aside(text);
            return Ok(());
        };
        let mut file = file;
        file.write_all(text.as_bytes()).map_err(|error| unwritable(path, &error))
    }
}

/// Tells an error of ours.
pub fn failed(error: &Error) -> ExitCode {
    tell::error(&escaped(&error.to_string()).to_string(), error.hint().as_deref(), tell::FAILED)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let errno = Errno::from_io_error(error).unwrap_or(Errno::IO);
    Error::File("write the answer to", path.display().to_string(), errno)
}
