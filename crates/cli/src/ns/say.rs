//! What the verbs say to standard error, each in the same way.

use crate::tell;
use insula_namespaces::error::Error;
use insula_namespaces::party::Party;
use insula_oci::escaped;
use std::process::ExitCode;

/// An error with its hint; the exit code is the verb's to choose.
pub fn refused(error: &Error, code: u8) -> ExitCode {
    tell::error(&escaped(&error.to_string()).to_string(), error.hint().as_deref(), code)
}
/// What has to be known of whom the words mean.
pub fn notes(subjects: &[&Party]) {
    let mut said: Vec<&str> = Vec::new();
    for note in subjects.iter().filter_map(|subject| subject.note()) {
        if !said.contains(&note) {
            tell::note(note);
            said.push(note);
        }
    }
}
