//! From bytes to a [`Spec`], within bounds.
//!
//! A `config.json` may come from anyone: its size, depth and strings are checked before a field is believed.

use crate::bounds::{MAX_BYTES, MAX_DEPTH};
use crate::{Error, Spec};
use serde_json::Value;

/// Reads a `config.json`: one JSON value and nothing behind it, at most [`MAX_BYTES`] long and [`MAX_DEPTH`] deep, with
/// no NUL in any string. An error names the field.
pub fn parse(bytes: &[u8]) -> Result<Spec, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge { bytes: bytes.len() });
    }
    let has_nul = scan(bytes)?;
    // Twice only where it fails: the path of a field costs time that a good configuration need not pay.
    let spec = serde_json::from_slice(bytes).map_err(|error| locate(bytes, &error))?;
    if has_nul { Err(Error::Nul { field: nul_field(bytes) }) } else { Ok(spec) }
}

/// Walks the bytes once: refuses depth (serde_json's own limit does not hold inside properties that are ignored), and
/// says whether some string holds an escaped NUL (a plain one is no JSON).
fn scan(bytes: &[u8]) -> Result<bool, Error> {
    let (mut depth, mut line, mut in_string, mut has_nul) = (0usize, 1usize, false, false);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' if in_string => {
                has_nul |= bytes[at..].starts_with(b"u0000");
                at += 1;
            }
            b'"' => in_string = !in_string,
            b'\n' => line += 1,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::TooDeep { line });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(has_nul)
}

/// Reads again, with the path of each field kept.
fn locate(bytes: &[u8], error: &serde_json::Error) -> Error {
    if !error.is_data() {
        return Error::Syntax { reason: error.to_string() };
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, Spec>(&mut deserializer) {
        Err(located) => {
            Error::Field { field: located.path().to_string(), reason: located.inner().to_string() }
        }
        Ok(_) => Error::Syntax { reason: error.to_string() },
    }
}

/// The first string that holds a NUL, key or value; `.` if it cannot be found.
fn nul_field(bytes: &[u8]) -> String {
    let whole = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    find_nul(&whole, String::new()).unwrap_or_else(|| ".".to_owned())
}

/// Searches `value`, which stands at `path`.
fn find_nul(value: &Value, path: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(path),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| find_nul(item, format!("{path}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(key, field)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if key.contains('\0') { Some(path) } else { find_nul(field, path) }
        }),
        _ => None,
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
