//! The faces beside the tools that they stand in for, each pair by turns.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::measure::{Row, Shop, compile, failed, find, percentile, text, tried};
use crate::stop::Stop;
use crate::tell;

pub const HEAD: &str = concat!(
    "\n",
    "                                  insula          the tool      insula / tool\n",
    "                             wall ms  CPU ms   wall ms  CPU ms    wall   CPU\n"
);

/// How many processes lsns finds, in how many network namespaces.
const CROWD: [&str; 2] = ["1000", "100"];

/// All kinds of namespaces, as a mask and as unshare(1)'s letters.
const ALL_KINDS: (&str, &str) = ("7e020080", "-m -u -i -n -p -U -C -T");

/// A face and its tool, called with the same words.
struct Pair {
    what: &'static str,
    face: &'static str,
    tool: &'static str,
    words: Vec<String>,
    /// Words that only ours is called with.
    ours: Vec<String>,
}

/// The table of the faces.
pub fn compare(shop: &Shop) -> Result<(), Stop> {
    let program = text(&compile(&shop.path, "program", &["-O2", "-static"])?);
    let shop_program = compile(&shop.path, "shop", &["-O2"])?;
    let target = Kept::start(&shop_program, &["target"])?;
    let name = Named::add()?;
    let mut table = HEAD.to_owned();
    for pair in pairs(&program, &target.pid, &name.0) {
        row(shop, &pair, shop.ask.rounds, &mut table)?;
    }
    let floor = compile(&shop.path, "unshare", &["-O2", "-static"])?;
    floor_row(shop, &[text(&floor), ALL_KINDS.0.to_owned(), program], &mut table)?;
    drop(target);
    let _crowd = Kept::start(&shop_program, &["crowd", CROWD[0], CROWD[1]])?;
    for pair in crowd_pairs() {
        row(shop, &pair, shop.ask.rounds.div_ceil(8), &mut table)?;
    }
    tell::say(&table);
    Ok(())
}

fn owned(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn pairs(program: &str, target: &str, name: &str) -> Vec<Pair> {
    let pair = |what, tool, words: &str| Pair {
        what,
        face: tool,
        tool,
        words: owned(&format!("{words} {program}")),
        ours: Vec::new(),
    };
    vec![
        pair("unshare, all kinds", "unshare", ALL_KINDS.1),
        pair("unshare -r, uts", "unshare", "-r -u"),
        pair("unshare, fork, /proc", "unshare", "--fork --pid --mount-proc"),
        pair("nsenter -a", "nsenter", &format!("-a -t {target}")),
        pair("nsenter -n", "nsenter", &format!("-n -t {target}")),
        Pair { face: "netns", tool: "ip", ..pair("netns exec", "", &format!("exec {name}")) },
    ]
}

fn crowd_pairs() -> Vec<Pair> {
    let pair =
        |what, ours: &str| Pair { what, face: "lsns", tool: "lsns", words: Vec::new(), ours: owned(ours) };
    vec![pair("lsns, its view", ""), pair("lsns, our view", "--all-holders")]
}

/// Measures a pair, and adds its row.
fn row(shop: &Shop, pair: &Pair, rounds: u32, table: &mut String) -> Result<(), Stop> {
    let tool = match find(pair.tool) {
        Ok(tool) => tool,
        Err(reason) => {
            let _ = writeln!(table, "{:<26} left out: {}: {reason}", pair.what, pair.tool);
            return Ok(());
        }
    };
    let mut theirs = vec![tool];
    theirs.extend((pair.tool == "ip").then(|| "netns".to_owned()));
    theirs.extend(pair.words.iter().cloned());
    let mut ours = vec![text(&shop.insula), pair.face.to_owned()];
    ours.extend(pair.ours.iter().chain(&pair.words).cloned());
    compared(shop, pair.what, [ours, theirs], rounds, table)
}

/// The floor in C beside unshare(1), in the place of ours.
fn floor_row(shop: &Shop, floor: &[String], table: &mut String) -> Result<(), Stop> {
    let Ok(tool) = find("unshare") else { return Ok(()) };
    let mut theirs = vec![tool];
    theirs.extend(owned(ALL_KINDS.1));
    theirs.extend(floor.last().cloned());
    compared(shop, "  its floor in C", [floor.to_vec(), theirs], shop.ask.rounds, table)
}

/// Measures two commands by turns, and adds their row.
pub fn compared(
    shop: &Shop,
    what: &str,
    words: [Vec<String>; 2],
    rounds: u32,
    table: &mut String,
) -> Result<(), Stop> {
    let [ours, theirs] = words;
    for words in [&ours, &theirs] {
        tried(words).map_err(|reason| Stop::Failed(format!("`{}`: {reason}", words.join(" "))))?;
    }
    let rows = [Row { name: "insula", words: ours }, Row { name: "tool", words: theirs }];
    let taken = Shop { ask: super::measure::Ask { rounds, ..shop.ask }, ..shop.clone() }.measure(&rows)?;
    let medians: Vec<[f64; 2]> =
        taken.iter().map(|t| [&t.wall_ms, &t.cpu_ms].map(|sorted| percentile(sorted, 50))).collect();
    let [ours, theirs] = [medians[0], medians[1]];
    let _ = writeln!(
        table,
        "{:<26}{:>9.2}{:>8.2}{:>10.2}{:>8.2}{:>8.2}{:>6.2}",
        what,
        ours[0],
        ours[1],
        theirs[0],
        theirs[1],
        ours[0] / theirs[0],
        ours[1] / theirs[1]
    );
    Ok(())
}

/// A `shop` that runs, and ends with all that is in it when its standard input does.
struct Kept {
    child: Child,
    pid: String,
}

impl Kept {
    fn start(program: &Path, words: &[&str]) -> Result<Kept, Stop> {
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed("start", program, &error))?;
        let mut pid = String::new();
        let said = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut pid));
        match said {
            Some(Ok(1..)) => Ok(Kept { child, pid: pid.trim().to_owned() }),
            _ => Err(Stop::Failed(format!("`{}` said no pid", program.display()))),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// A network namespace with a name, for as long as it is measured.
struct Named(String);

impl Named {
    fn add() -> Result<Named, Stop> {
        let name = format!("insula-bench-{}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).status();
        match made {
            Ok(status) if status.success() => Ok(Named(name)),
            _ => Err(Stop::Failed("`ip netns add` failed: it needs iproute2 and root".into())),
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        drop(Command::new("ip").args(["netns", "delete", &self.0]).status());
    }
}
