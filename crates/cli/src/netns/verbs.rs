//! The verbs of ip-netns(8).

use super::abbreviation::abbreviates;
use super::fault::{Fault, code};
use super::flags;
use super::number::integer;
use super::options::Options;
use super::{exec, show};
use crate::tell;
use insula_namespaces::error::Error;
use insula_namespaces::name;
use insula_namespaces::netns::delete::{self, Devices};
use insula_namespaces::netns::monitor::{Event, Monitor};
use insula_namespaces::netns::{directory, inside, pin, processes};
use insula_oci::escaped;
use std::ffi::{OsStr, OsString};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Attach,
    Delete,
    Exec,
    Help,
    Identify,
    List,
    ListId,
    Monitor,
    Pids,
    Set,
}

/// In the order in which `ip` tries them.
const TABLE: &[(&str, Verb)] = &[
    ("list", Verb::List),
    ("show", Verb::List),
    ("lst", Verb::List),
    ("list-id", Verb::ListId),
    ("help", Verb::Help),
    ("add", Verb::Add),
    ("set", Verb::Set),
    ("delete", Verb::Delete),
    ("identify", Verb::Identify),
    ("pids", Verb::Pids),
    ("exec", Verb::Exec),
    ("monitor", Verb::Monitor),
    ("attach", Verb::Attach),
];

fn find(word: &str) -> Option<Verb> {
    TABLE.iter().find(|(full, _)| abbreviates(word, full)).map(|(_, verb)| *verb)
}

/// Does what the words say: a verb and what belongs to it; nothing is `list`.
pub fn run(words: &[OsString], options: &Options, in_batch: bool) -> Result<(), Fault> {
    let Some((word, rest)) = words.split_first() else { return show::list(options) };
    // As `ip`: what stands behind any verb has to be able to be a name. With `-all` there is none.
    if let Some(first) = rest.first()
        && !options.all
        && !name::is_valid(first)
    {
        return Err(Fault::of(&directory::check(first).err().unwrap_or(Error::NoNamespace(first.into())))
            .with(code::WRONG));
    }
    let verb = find(&word.to_string_lossy()).ok_or_else(|| {
        let names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).filter(|name| *name != "lst").collect();
        Fault::wrong(format!("no verb `{}`", word.to_string_lossy()), format!("one of: {}", names.join(", ")))
    })?;
    match verb {
        Verb::List => none_behind("list", rest).and_then(|()| show::list(options)),
        Verb::ListId => show::list_id(rest, options),
        Verb::Help => Err(Fault::help(flags::USAGE)),
        Verb::Add => add(rest, options),
        Verb::Set => no_more("set", rest, 2).and_then(|()| show::set(rest)),
        Verb::Delete => delete(rest, options),
        Verb::Identify => identify(rest),
        Verb::Pids => pids(rest),
        Verb::Exec => {
            // Those that `ip` has not, up to the name.
            let mut options = options.clone();
            let own = rest.iter().take_while(|word| options.own(&word.to_string_lossy())).count();
            exec::exec(&rest[own..], &options, in_batch)
        }
        Verb::Monitor => none_behind("monitor", rest).and_then(|()| monitor()),
        Verb::Attach => no_more("attach", rest, 2).and_then(|()| attach(rest)),
    }
}

/// Words that a verb does not take. `ip` reads over them.
fn no_more(verb: &str, words: &[OsString], most: usize) -> Result<(), Fault> {
    match words.get(most) {
        None => Ok(()),
        Some(word) => Err(Fault::wrong(
            format!("`{verb}`: one word too many: `{}`", word.to_string_lossy()),
            format!("`{} --help` tells what it takes", tell::name()),
        )),
    }
}

fn none_behind(verb: &str, words: &[OsString]) -> Result<(), Fault> {
    no_more(verb, words, 0)
}

/// The words without those options that `ip` has not; `--` ends them.
fn own_options(words: &[OsString], options: &mut Options) -> Vec<OsString> {
    let mut rest = Vec::new();
    let mut words = words.iter();
    for word in words.by_ref() {
        if word == "--" {
            break;
        }
        if word == "--force" {
            options.force = true;
        } else if !options.own(&word.to_string_lossy()) {
            rest.push(word.clone());
        }
    }
    rest.extend(words.cloned());
    rest
}

fn no_name(verb: &str) -> Fault {
    Fault::failed(format!("`{verb}`: a name is missing"), format!("`{verb} NAME`"))
}

/// `add NAME`.
fn add(words: &[OsString], options: &Options) -> Result<(), Fault> {
    let mut options = options.clone();
    let words = own_options(words, &mut options);
    no_more("add", &words, 1)?;
    let name = words.first().ok_or_else(|| no_name("add"))?;
    let is_up = options.up;
    let called = || format!("the network namespace `{}`", name.to_string_lossy());
    Ok(pin::add(name, |file| match is_up {
        true => inside::loopback_up(file, called()),
        false => Ok(()),
    })?)
}

/// `attach NAME PID`.
fn attach(words: &[OsString]) -> Result<(), Fault> {
    let [name, pid] = words else {
        return Err(Fault::failed("`attach`: a name and a pid are needed", "`attach NAME PID`"));
    };
    let text = pid.to_string_lossy();
    let pid = integer(&text)
        .filter(|pid| *pid > 0)
        .ok_or_else(|| Fault::failed(format!("`{text}` is no pid"), "a pid is a number above 0"))?;
    Ok(pin::attach(name, pid)?)
}

/// `delete NAME…`, or with `-all` all of them. One that fails does not keep the others.
fn delete(words: &[OsString], options: &Options) -> Result<(), Fault> {
    let mut options = options.clone();
    let words = own_options(words, &mut options);
    let devices = match (options.move_devices_back, options.force) {
        (true, _) => Devices::MoveBack,
        (false, true) => Devices::Leave,
        (false, false) => Devices::Refuse,
    };
    let names = match (options.all, words.is_empty()) {
        (true, true) => directory::names()?.unwrap_or_default(),
        (true, false) => none_behind("-all delete", &words).map(|()| words)?,
        (false, true) => return Err(no_name("delete")),
        (false, false) => words,
    };
    let mut worst = Ok(());
    for name in &names {
        if let Err(fault) = delete_one(name, devices) {
            fault.tell();
            worst = Err(Fault::quiet(code::FAILED));
        }
    }
    worst
}

fn delete_one(name: &OsStr, devices: Devices) -> Result<(), Fault> {
    let (returned, done) = delete::delete(name, devices);
    for device in returned {
        for lost in device.lost {
            tell::warn(&escaped(&format!("`{}` came back without {}", device.device, lost.what)).to_string());
        }
    }
    Ok(done?)
}

/// `identify [PID]`.
fn identify(words: &[OsString]) -> Result<(), Fault> {
    let pid = match words {
        [] => None,
        [pid] => Some(pid.to_string_lossy()),
        _ => return no_more("identify", words, 1).map_err(|fault| fault.with(code::FAILED)),
    };
    if let Some(pid) = pid.as_deref().filter(|pid| !pid.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Fault::failed(format!("`{pid}` is no pid"), "a pid is a number above 0"));
    }
    let names = processes::identify(pid.as_deref())?;
    // One without a name has an empty line, as `ip` prints it.
    let lines = names.iter().map(|name| escaped(&name.to_string_lossy()).to_string());
    tell::out(&format!("{}\n", lines.collect::<Vec<_>>().join("\n")));
    Ok(())
}

/// `pids NAME`.
fn pids(words: &[OsString]) -> Result<(), Fault> {
    no_more("pids", words, 1).map_err(|fault| fault.with(code::FAILED))?;
    let inside = processes::pids(words.first().ok_or_else(|| no_name("pids"))?)?;
    tell::out(&inside.pids.iter().map(|pid| format!("{pid}\n")).collect::<String>());
    if inside.unseen > 0 {
        let s = if inside.unseen == 1 { "" } else { "es" };
        tell::warn(&format!(
            "{} process{s} could not be looked at: that wants CAP_SYS_PTRACE",
            inside.unseen
        ));
    }
    Ok(())
}

/// `monitor`: until nobody reads any more.
fn monitor() -> Result<(), Fault> {
    let mut monitor = Monitor::begin()?;
    loop {
        let mut lines = String::new();
        for event in monitor.wait()? {
            match event {
                Event::Added(name) => lines.push_str(&format!("add {}\n", escaped(&name.to_string_lossy()))),
                Event::Deleted(name) => {
                    lines.push_str(&format!("delete {}\n", escaped(&name.to_string_lossy())));
                }
                Event::Missed => {
                    tell::warn("some names came or went that are not told: `list` shows what there is")
                }
                Event::Over => {
                    tell::out(&lines);
                    return Err(Fault::bare("the directory of names is gone", code::FAILED));
                }
            }
        }
        if !tell::is_read(&lines) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abbreviation_means_the_first_that_begins_so() {
        let table = [
            ("l", Verb::List),
            ("li", Verb::List),
            ("ls", Verb::List),
            ("lst", Verb::List),
            ("list", Verb::List),
            ("list-", Verb::ListId),
            ("s", Verb::List),
            ("sh", Verb::List),
            ("se", Verb::Set),
            ("h", Verb::Help),
            ("a", Verb::Add),
            ("at", Verb::Attach),
            ("d", Verb::Delete),
            ("del", Verb::Delete),
            ("i", Verb::Identify),
            ("id", Verb::Identify),
            ("p", Verb::Pids),
            ("e", Verb::Exec),
            ("ex", Verb::Exec),
            ("m", Verb::Monitor),
        ];
        for (word, verb) in table {
            assert_eq!(find(word), Some(verb), "{word}");
        }
        for word in ["", "x", "adds", "List", "delete-all", "ids"] {
            assert_eq!(find(word), None, "{word}");
        }
    }
}
