//! `insula ns ls` with a thousand names, beside `ip netns list`, which says the names alone.

use std::process::Command;

use super::faces::{HEAD, compared};
use super::measure::{Shop, find, output, text};
use crate::stop::Stop;
use crate::tell;

/// How many names there are.
const NAMES: usize = 1000;

/// The table of the lists.
pub fn compare(shop: &Shop) -> Result<(), Stop> {
    let tool = match find("ip") {
        Ok(tool) => tool,
        Err(reason) => {
            tell::say(&format!("ns ls left out: ip: {reason}\n"));
            return Ok(());
        }
    };
    let insula = text(&shop.insula);
    let _names = Names::make(&insula)?;
    let mut table = HEAD.to_owned();
    let theirs = [tool, "netns".to_owned(), "list".to_owned()];
    let rows = [
        ("ns ls, 1,000 names", "ns ls"),
        ("  the names alone", "ns ls -n -o name"),
        ("  as a tree, JSON", "ns ls --tree --json"),
    ];
    for (what, words) in rows {
        let ours = [insula.as_str()].into_iter().chain(words.split(' ')).map(str::to_owned).collect();
        compared(shop, what, [ours, theirs.to_vec()], shop.ask.rounds.div_ceil(8), &mut table)?;
    }
    tell::say(&table);
    Ok(())
}

/// Names of network namespaces that are there for as long as it is measured.
struct Names {
    insula: String,
    made: Vec<String>,
}

impl Names {
    fn make(insula: &str) -> Result<Names, Stop> {
        let mut names = Names { insula: insula.to_owned(), made: Vec::new() };
        for number in 0..NAMES {
            let name = format!("insula-bench-{}-{number}", std::process::id());
            output(Command::new(insula).args(["netns", "add", &name]))?;
            names.made.push(name);
        }
        Ok(names)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for name in &self.made {
            drop(Command::new(&self.insula).args(["netns", "delete", name]).status());
        }
    }
}
