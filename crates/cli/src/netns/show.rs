//! What `netns` prints of names and ids, in the bytes of ip(8), and what it does about ids.

use super::fault::{Fault, code};
use super::json::{Value, array};
use super::number::integer;
use super::options::Options;
use crate::tell;
use insula_namespaces::netns::ids::{self, Id, Named};
use insula_net::socket::Socket;
use insula_oci::escaped;
use std::ffi::{OsStr, OsString};

/// `list`.
pub fn list(options: &Options) -> Result<(), Fault> {
    let Some(names) = ids::list(&mut Socket::open()?)? else { return Ok(()) };
    for fault in names.iter().filter_map(|named| named.fault.as_ref()) {
        let hint = fault.hint().map(|hint| format!(": {hint}")).unwrap_or_default();
        tell::warn(&escaped(&format!("{fault}{hint}")).to_string());
    }
    if options.json {
        let rows: Vec<_> = names.iter().map(row_of_name).collect();
        tell::out(&array(&rows, options.pretty));
    } else {
        tell::out(&names.iter().map(line_of_name).collect::<String>());
    }
    Ok(())
}

fn line_of_name(named: &Named) -> String {
    let name = named.name.to_string_lossy();
    match named.nsid {
        Some(nsid) => format!("{} (id: {nsid})\n", escaped(&name)),
        None => format!("{}\n", escaped(&name)),
    }
}

fn row_of_name(named: &Named) -> Vec<(&'static str, Value)> {
    let name = Value::Text(named.name.to_string_lossy().into_owned());
    [("name", name)].into_iter().chain(named.nsid.map(|nsid| ("id", Value::Number(nsid)))).collect()
}

/// `list-id [target-nsid N] [nsid N]`.
pub fn list_id(words: &[OsString], options: &Options) -> Result<(), Fault> {
    let (mut target, mut nsid) = (None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (place, key) = match word.to_str() {
            Some("target-nsid") => (&mut target, "target-nsid"),
            Some("nsid") => (&mut nsid, "nsid"),
            _ => {
                let message = format!("no word `{}` behind `list-id`", word.to_string_lossy());
                return Err(Fault::wrong(message, "it takes `target-nsid N` and `nsid N`"));
            }
        };
        if place.is_some() {
            return Err(Fault::wrong(format!("`{key}` is given twice"), "give it once"));
        }
        let value = words.next().ok_or_else(|| {
            Fault::wrong(format!("`{key}`: a value is missing behind it"), "an id is a number from 0")
        })?;
        *place = Some(number(key, value)?);
    }
    let socket = &mut Socket::open()?;
    // ip(8) has one code for a list that fails, and another for one id.
    let refused = if nsid.is_some() { code::REFUSED } else { code::FAILED };
    let ids = ids::ids(socket, target, nsid).map_err(|error| Fault::of(&error).with(refused))?;
    if options.json {
        let rows: Vec<_> = ids.iter().map(row_of_id).collect();
        tell::out(&array(&rows, options.pretty));
    } else {
        tell::out(&ids.iter().map(|id| line_of_id(id, target.is_some())).collect::<String>());
    }
    Ok(())
}

fn line_of_id(id: &Id, has_target: bool) -> String {
    let of = |key: &str, nsid: Option<i32>| match nsid.filter(|nsid| *nsid >= 0) {
        Some(nsid) => format!("{key} {nsid} "),
        None => format!("{key} unassigned "),
    };
    let mut line = of("nsid", Some(id.entry.nsid));
    if has_target {
        line.push_str(&of("current-nsid", id.entry.current));
    }
    if let Some(name) = &id.name {
        line.push_str(&format!("(iproute2 netns name: {})", escaped(&name.to_string_lossy())));
    }
    line.push('\n');
    line
}

fn row_of_id(id: &Id) -> Vec<(&'static str, Value)> {
    let numbers = [("nsid", Some(id.entry.nsid)), ("current-nsid", id.entry.current)];
    let numbers = numbers
        .into_iter()
        .filter_map(|(key, nsid)| Some((key, Value::Number(nsid.filter(|nsid| *nsid >= 0)?))));
    let name = id.name.as_ref().map(|name| ("name", Value::Text(name.to_string_lossy().into_owned())));
    numbers.chain(name).collect()
}

/// `set NAME NETNSID`.
pub fn set(words: &[OsString]) -> Result<(), Fault> {
    let [name, word] = words else {
        let message = if words.is_empty() { "`set`: a name is missing" } else { "`set`: an id is missing" };
        return Err(Fault::failed(message, "`set NAME N` or `set NAME auto`"));
    };
    let nsid = if word == "auto" { None } else { Some(number("netnsid", word)?) };
    match ids::set(&mut Socket::open()?, name, nsid) {
        Err(error @ insula_namespaces::error::Error::Net(_)) => Err(Fault::of(&error).with(code::REFUSED)),
        done => Ok(done?),
    }
}

/// An id on the command line.
fn number(key: &str, word: &OsStr) -> Result<i32, Fault> {
    let text = word.to_string_lossy();
    integer(&text).filter(|nsid| *nsid >= 0).ok_or_else(|| {
        Fault::wrong(format!("`{key} {text}`: this is no id"), "an id is a number from 0 to 2147483647")
    })
}
