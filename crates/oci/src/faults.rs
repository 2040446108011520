//! Every fault of a `config.json` at once: where [`parse`](crate::parse) stops at the first value that it cannot take, this
//! goes on without that field, and hands over what is left, so that it can be looked through as well.

use crate::{Error, Spec, parse};
use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use std::collections::BTreeMap;

/// The most that are told: a file of 4 MiB can hold more than anybody reads.
const MOST: usize = 256;

/// A field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its path, as in `linux.namespaces[0].type`.
    pub field: String,
    /// What the parser says.
    pub reason: String,
}

/// What was found.
#[derive(Debug)]
pub struct Faults {
    /// The faults, by their fields.
    pub wrong: Vec<Wrong>,
    /// The configuration without the fields that are wrong; `None`: what is left is none.
    pub rest: Option<Spec>,
    /// Elements that were left out, by the path of their list.
    gone: BTreeMap<String, Vec<usize>>,
}

impl Faults {
    /// The path in the file of a field of [`rest`](Faults::rest): elements of lists that were left out are counted.
    pub fn path(&self, field: &str) -> String {
        renumbered(field, &self.gone)
    }

    /// Is this field, one in it or one around it told already? Its fault may follow from that one.
    pub fn tells(&self, field: &str) -> bool {
        self.wrong.iter().any(|wrong| is_in(field, &wrong.field) || is_in(&wrong.field, field))
    }
}

/// Reads a `config.json` to its end. Errors: what is no JSON at all, too large, too deep.
pub fn faults(bytes: &[u8]) -> Result<Faults, Error> {
    let first = match parse(bytes) {
        Ok(spec) => return Ok(Faults { wrong: Vec::new(), rest: Some(spec), gone: BTreeMap::new() }),
        Err(first @ (Error::Field { .. } | Error::Nul { .. })) => first,
        Err(error) => return Err(error),
    };
    let mut value: Value = serde_json::from_slice(bytes).map_err(|_| first.clone())?;
    let mut faults = Faults { wrong: Vec::new(), rest: None, gone: BTreeMap::new() };
    leave_out_nul(&mut value, String::new(), &mut faults.wrong);
    let mut stand_ins = StandIns::default();
    while faults.wrong.len() < MOST {
        let error = match serde_path_to_error::deserialize::<_, Spec>(&value) {
            Ok(spec) => {
                faults.rest = Some(spec);
                break;
            }
            Err(error) => error,
        };
        if !step_over(&mut value, &error, &mut faults, &mut stand_ins) {
            break;
        }
    }
    // A field that is there twice: a value has only one of them.
    if faults.wrong.is_empty() {
        return Err(first);
    }
    faults.wrong.sort_by(|a, b| a.field.cmp(&b.field));
    Ok(faults)
}

/// Values for required fields that are missing, so that the rest can be read: which is the next to be tried.
#[derive(Debug, Default)]
struct StandIns(BTreeMap<String, usize>);

/// Takes away what the error is about; `false`: nothing is left to take.
fn step_over(
    value: &mut Value,
    error: &serde_path_to_error::Error<serde_json::Error>,
    faults: &mut Faults,
    stand_ins: &mut StandIns,
) -> bool {
    let reason = error.inner().to_string();
    let mut path: Vec<Step> = Vec::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => path.push(Step::At(*index)),
            Segment::Map { key } => path.push(Step::Key(key.clone())),
            // A key that cannot be, and the like: what it stands in goes.
            Segment::Enum { .. } | Segment::Unknown => break,
        }
    }
    if let Some(name) = reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        path.push(Step::Key(name.to_owned()));
    }
    let field = renumbered(&shown(&path), &faults.gone);
    let is_missing = reason.starts_with("missing field");
    let stands_in = stand_ins.0.contains_key(&field);
    if !stands_in && !faults.wrong.iter().any(|wrong| wrong.field == field) {
        let reason = if is_missing { "it is missing, and must be there".to_owned() } else { reason };
        let field = if field.is_empty() { "config.json".to_owned() } else { field.clone() };
        faults.wrong.push(Wrong { field, reason });
    }
    if is_missing || stands_in {
        let tried = stand_ins.0.entry(field).or_insert(0);
        if let Some(next) = stand_in(*tried) {
            *tried += 1;
            return put(value, &path, next);
        }
        // Nothing fits: the object that it is missing in goes.
        path.pop();
    }
    take(value, &path, &mut faults.gone)
}

fn stand_in(tried: usize) -> Option<Value> {
    [json!(""), json!(0), json!([]), json!({}), json!(false)].into_iter().nth(tried)
}

#[derive(Debug)]
enum Step {
    At(usize),
    Key(String),
}

fn shown(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::At(index) => format!("{text}[{index}]"),
        Step::Key(key) if text.is_empty() => key.clone(),
        Step::Key(key) => format!("{text}.{key}"),
    })
}

fn find<'a>(value: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::At(index) => value.get_mut(*index),
        Step::Key(key) => value.get_mut(key.as_str()),
    })
}

/// Puts a value into the object that the path's last step is a key of.
fn put(value: &mut Value, path: &[Step], new: Value) -> bool {
    let Some((Step::Key(key), above)) = path.split_last() else { return false };
    let Some(object) = find(value, above).and_then(Value::as_object_mut) else { return false };
    object.insert(key.clone(), new);
    true
}

/// Takes a field or an element away, and remembers the number of an element.
fn take(value: &mut Value, path: &[Step], gone: &mut BTreeMap<String, Vec<usize>>) -> bool {
    let Some((last, above)) = path.split_last() else { return false };
    let list = renumbered(&shown(above), gone);
    match (find(value, above), last) {
        (Some(Value::Object(object)), Step::Key(key)) => Map::remove(object, key).is_some(),
        (Some(Value::Array(elements)), Step::At(index)) if *index < elements.len() => {
            elements.remove(*index);
            let gone = gone.entry(list).or_default();
            let original = number(*index, gone);
            gone.push(original);
            gone.sort_unstable();
            true
        }
        _ => false,
    }
}

/// The number of an element in the file, where those of `gone` are left out.
fn number(index: usize, gone: &[usize]) -> usize {
    gone.iter().fold(index, |index, left_out| if *left_out <= index { index + 1 } else { index })
}

fn renumbered(field: &str, gone: &BTreeMap<String, Vec<usize>>) -> String {
    let mut whole = String::new();
    let mut rest = field;
    while let Some((before, behind)) = rest.split_once('[') {
        whole.push_str(before);
        let (inside, after) = behind.split_once(']').unwrap_or((behind, ""));
        let list = gone.get(&whole).map_or(&[][..], Vec::as_slice);
        match inside.parse::<usize>() {
            Ok(index) => whole.push_str(&format!("[{}]", number(index, list))),
            Err(_) => whole.push_str(&format!("[{inside}]")),
        }
        rest = after;
    }
    whole + rest
}

/// Is `field` the same as `around`, or in it?
fn is_in(field: &str, around: &str) -> bool {
    field.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Strings with a NUL: told, and emptied of it.
fn leave_out_nul(value: &mut Value, path: String, wrong: &mut Vec<Wrong>) {
    let mut tell = |field: String| {
        if wrong.len() < MOST {
            wrong.push(Wrong { field, reason: "it holds a NUL character".to_owned() });
        }
    };
    match value {
        Value::String(text) if text.contains('\0') => {
            *text = text.replace('\0', "");
            tell(path);
        }
        Value::Array(elements) => {
            for (i, element) in elements.iter_mut().enumerate() {
                leave_out_nul(element, format!("{path}[{i}]"), wrong);
            }
        }
        Value::Object(object) => {
            let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
            for key in object.keys().filter(|key| key.contains('\0')) {
                tell(format!("{prefix}{key}"));
            }
            object.retain(|key, _| !key.contains('\0'));
            for (key, value) in object {
                leave_out_nul(value, format!("{prefix}{key}"), wrong);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "faults_tests.rs"]
mod tests;
