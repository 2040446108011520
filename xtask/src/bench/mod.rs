//! `bench`: what insula costs beside others, in one run, by turns. bench/README.md says what is compared.

mod faces;
mod listing;
mod measure;
mod names;
mod run;

use rustix::process::geteuid;

use crate::stop::Stop;
use crate::tell;
use measure::{Ask, Shop};

/// `bench [run|faces|names] [--rounds N] [--idle-ms N]`; without a word all.
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let (which, ask) = read(arguments)?;
    if !geteuid().is_root() {
        return Err(Stop::Failed("the comparison is of what root does: run it as root".into()));
    }
    let shop = Shop::open(ask)?;
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
    Ok(())
}

fn read(arguments: &[String]) -> Result<(Option<&str>, Ask), Stop> {
    let mut ask = Ask { rounds: 200, idle_ms: 20 };
    let mut which = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let place = match word.as_str() {
            "run" | "faces" | "names" => {
                which = Some(word.as_str());
                continue;
            }
            "--rounds" => &mut ask.rounds,
            "--idle-ms" => &mut ask.idle_ms,
            _ => return Err(Stop::Usage(format!("unknown argument: `{word}`"))),
        };
        let number = words.next().and_then(|number| number.parse().ok());
        *place = number.ok_or_else(|| Stop::Usage(format!("{word} needs a number")))?;
    }
    if ask.rounds == 0 { Err(Stop::Usage("--rounds needs 1 at least".into())) } else { Ok((which, ask)) }
}
