//! How an optional string is read: an empty one is an absent one.
//!
//! The reference types in Go cannot tell `"path": ""` from no `path` at all (their fields are `omitempty` strings), so
//! that tools which speak through them may write either.

use serde::{Deserialize, Deserializer};

/// Reads a string; `""` and `null` are `None`.
pub(crate) fn non_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Whether a value is its type's default, and need not be written.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
