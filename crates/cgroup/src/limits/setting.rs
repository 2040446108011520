//! One write to a control file, and what a conversion may look at before it decides on it.

use crate::error::{Error, Missing};
use std::fmt::Display;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The controller, by which the hierarchy is found.
    pub controller: String,
    /// The control file.
    pub file: String,
    /// What is written.
    pub value: String,
    /// What it means that there is no such file; `None` where the write then changes nothing.
    pub absent: Option<Missing>,
}

impl Setting {
    /// A write without which the limit would not hold.
    pub fn new(controller: &str, file: &str, value: impl Display) -> Self {
        Self {
            controller: controller.to_owned(),
            file: file.to_owned(),
            value: value.to_string(),
            absent: Some(Missing::File),
        }
    }

    /// The same, which is left out where there is no such file.
    pub fn if_there(self) -> Self {
        Self { absent: None, ..self }
    }

    /// The same, with the reason why the file may not be there.
    pub fn or(self, why: Missing) -> Self {
        Self { absent: Some(why), ..self }
    }
}

/// Reads a control file of the group that is limited; `None` if it is not there.
pub type Look<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a conversion gives.
pub type Settings = Result<Vec<Setting>, Error>;

/// A limit that one of the two versions does not know.
pub fn unknown(controller: &str, file: &str, value: impl Display, why: Missing) -> Error {
    Error::Missing { controller: controller.to_owned(), file: file.to_owned(), value: value.to_string(), why }
}

/// A number, or `max` for -1: how version 2 writes no limit. Absent and 0 are left as they are, as runc does it.
pub fn number_or_max(what: &str, value: Option<i64>) -> Result<Option<String>, Error> {
    match value {
        None | Some(0) => Ok(None),
        Some(-1) => Ok(Some("max".to_owned())),
        Some(value) if value > 0 => Ok(Some(value.to_string())),
        Some(value) => Err(Error::invalid(what, value, "is below -1, which is no limit")),
    }
}
