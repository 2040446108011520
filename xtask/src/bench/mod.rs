//! `bench`: what insula costs beside others, in one run, by turns. bench/README.md says what is compared.

mod faces;
mod listing;
mod measure;
mod names;
mod run;
mod runtime;

use rustix::process::geteuid;

use crate::stop::Stop;
use crate::tell;
use measure::{Ask, Shop};
use runtime::Wanted;

/// `bench [run|faces|names|runtime] [--rounds N] [--idle-ms N] [--look v1|v2] [--quick]`; without a word all. The last two
/// are runtime's.
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let (which, ask, wanted) = read(arguments)?;
    if !geteuid().is_root() {
        return Err(Stop::Failed("the comparison is of what root does: run it as root".into()));
    }
    let shop = Shop::open(ask)?;
    if wanted.look.is_some() {
        return runtime::compare(&shop, wanted);
    }
    tell::say(&measure::machine());
    tell::say(&format!("{} rounds, {} ms idle before each run\n\n", ask.rounds, ask.idle_ms));
    let is_asked = |word| which.is_none() || which == Some(word);
    if is_asked("run") {
        run::compare(&shop)?;
    }
    if is_asked("faces") {
        faces::compare(&shop)?;
    }
    if is_asked("names") {
        names::compare(&shop)?;
        listing::compare(&shop)?;
    }
    if is_asked("runtime") {
        runtime::compare(&shop, wanted)?;
    }
    Ok(())
}

fn read(arguments: &[String]) -> Result<(Option<&str>, Ask, Wanted), Stop> {
    let mut ask = Ask { rounds: 200, idle_ms: 20 };
    let mut wanted = Wanted::default();
    let mut which = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let place = match word.as_str() {
            "run" | "faces" | "names" | "runtime" => {
                which = Some(word.as_str());
                continue;
            }
            "--quick" => {
                wanted.quick = true;
                continue;
            }
            "--look" => {
                let look = words.next().and_then(|word| runtime::look(word));
                wanted.look = Some(look.ok_or_else(|| Stop::Usage("--look needs v1 or v2".into()))?);
                continue;
            }
            "--rounds" => &mut ask.rounds,
            "--idle-ms" => &mut ask.idle_ms,
            _ => return Err(Stop::Usage(format!("unknown argument: `{word}`"))),
        };
        let number = words.next().and_then(|number| number.parse().ok());
        *place = number.ok_or_else(|| Stop::Usage(format!("{word} needs a number")))?;
    }
    match ask.rounds {
        0 => Err(Stop::Usage("--rounds needs 1 at least".into())),
        _ => Ok((which, ask, wanted)),
    }
}
