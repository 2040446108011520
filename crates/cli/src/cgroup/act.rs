//! The verbs that change something: each is a call of the library, or two.

use super::error::Error;
use super::flags::{NAME, PID};
use super::{limits, owner};
use crate::value::signal;
use clap::ArgMatches;
use insula_cgroup::{Group, Hierarchies, Name, create, delegate, limits as library};
use insula_oci::Resources;
use std::process::ExitCode;
use std::time::Duration;

/// How long is waited for a group to come to rest, to be empty, or to let its directories go.
const PATIENCE: Duration = Duration::from_secs(10);

/// `SIGKILL`.
const KILL: i32 = 9;

/// The one name that was given.
pub fn name(matches: &ArgMatches) -> Result<Name, Error> {
    let text = matches.get_one::<String>(NAME).map_or("", String::as_str);
    Ok(Name::parse(text)?)
}

fn names(matches: &ArgMatches) -> Result<Vec<Name>, Error> {
    let texts = matches.get_many::<String>(NAME).into_iter().flatten();
    texts.map(|text| Name::parse(text).map_err(Error::Group)).collect()
}

/// `new`: what is made is taken back if a limit is refused.
pub fn new(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let name = name(matches)?;
    let hierarchies = Hierarchies::discover()?;
    let resources = limits::resources(matches, &hierarchies)?;
    let owner = match matches.get_one::<String>("owner") {
        Some(text) => Some(owner::parse(text).map_err(|reason| Error::Value {
            flag: "--owner",
            value: text.clone(),
            reason,
            form: owner::FORM,
        })?),
        None => None,
    };
    let made = create(&hierarchies, &name, &library::controllers(&resources, &hierarchies)?)?;
    let given = library::apply(&made.group, &resources)
        .and_then(|()| owner.map_or(Ok(()), |(uid, gid)| delegate(&made.group, uid, gid)));
    if let Err(error) = given {
        made.undo();
        return Err(error.into());
    }
    Ok(ExitCode::SUCCESS)
}

/// `set`.
pub fn set(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let name = name(matches)?;
    let hierarchies = Hierarchies::discover()?;
    let resources = limits::resources(matches, &hierarchies)?;
    if resources == Resources::default() {
        return Err(Error::NothingToSet);
    }
    Group::open(&hierarchies, &name)?;
    // A limit may need a hierarchy that the group is not in yet, or a controller that is not handed down to it.
    let made = create(&hierarchies, &name, &library::controllers(&resources, &hierarchies)?)?;
    if let Err(error) = library::apply(&made.group, &resources) {
        made.undo();
        return Err(error.into());
    }
    Ok(ExitCode::SUCCESS)
}

/// `join`.
pub fn join(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let group = Group::open(&Hierarchies::discover()?, &name(matches)?)?;
    for pid in matches.get_many::<i32>(PID).into_iter().flatten() {
        group.join(*pid)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `freeze`.
pub fn freeze(matches: &ArgMatches) -> Result<ExitCode, Error> {
    each(matches, |group| Ok(insula_cgroup::freeze(group, PATIENCE)?))
}

/// `thaw`.
pub fn thaw(matches: &ArgMatches) -> Result<ExitCode, Error> {
    each(matches, |group| Ok(insula_cgroup::thaw(group, PATIENCE)?))
}

/// `kill`.
pub fn kill(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let number = match matches.get_one::<String>("signal") {
        None => KILL,
        Some(text) => signal::parse(text).map_err(|reason| Error::Value {
            flag: "--signal",
            value: text.clone(),
            reason,
            form: signal::FORM,
        })?,
    };
    each(matches, |group| {
        if number == KILL {
            insula_cgroup::kill_all(group, PATIENCE)?;
        } else {
            insula_cgroup::signal(group, number)?;
        }
        Ok(())
    })
}

/// `rm`.
pub fn rm(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let force = matches.get_flag("force");
    let nested = force || matches.get_flag("recursive");
    let hierarchies = Hierarchies::discover()?;
    for name in names(matches)? {
        let group = match Group::open(&hierarchies, &name) {
            Err(insula_cgroup::Error::NoGroup(_)) if force => continue,
            group => group?,
        };
        if force {
            insula_cgroup::kill_all(&group, PATIENCE)?;
        }
        insula_cgroup::remove(&group, nested, PATIENCE).map_err(Error::Several)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Does it to each group; all must be there before the first is touched.
fn each(matches: &ArgMatches, act: impl Fn(&Group) -> Result<(), Error>) -> Result<ExitCode, Error> {
    let hierarchies = Hierarchies::discover()?;
    let groups: Result<Vec<Group>, insula_cgroup::Error> =
        names(matches)?.iter().map(|name| Group::open(&hierarchies, name)).collect();
    for group in &groups? {
        act(group)?;
    }
    Ok(ExitCode::SUCCESS)
}
