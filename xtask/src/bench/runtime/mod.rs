//! `bench runtime`: insula-oci beside crun and runc, with one bundle and by turns, in looks that every one of them takes.

mod act;
mod bundle;
mod look;
mod peer;
mod scratch;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::measure::{Ask, Shop, Steps, Taken, compile, measure, percentile, text};
use crate::build::{self, Profile};
use crate::stop::Stop;
use crate::tell;
use act::Act;
use bundle::Bundle;
use look::Look;
use peer::Peer;
use scratch::Scratch;

/// How many containers `list` finds.
const LISTED: usize = 500;

const HEAD: &str = concat!(
    "                                 ms, median      of insula-oci       peak RSS\n",
    "                                 wall     CPU      wall    CPU            kB\n"
);

/// What is asked for beyond rounds and idleness.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    /// The look that is measured, in which we are already.
    pub look: Option<Look>,
    /// Without the list of 500, which takes as long as the rest.
    pub quick: bool,
}

/// `--look`'s value.
pub fn look(word: &str) -> Option<Look> {
    Look::named(word)
}

/// All tables: of each look in a mount namespace of its own, in which this program is started again.
pub fn compare(shop: &Shop, wanted: Wanted) -> Result<(), Stop> {
    let program = build::runtime(Profile::Release)?;
    match wanted.look {
        Some(look) => tables(shop, &program, look, wanted.quick),
        None => Look::ALL.into_iter().try_for_each(|look| look.enter(shop, wanted.quick)),
    }
}

/// What a table is made of.
struct Room<'a> {
    shop: &'a Shop,
    scratch: &'a Scratch,
    peers: Vec<Peer>,
    floor: PathBuf,
}

fn tables(shop: &Shop, insula: &Path, look: Look, quick: bool) -> Result<(), Stop> {
    let scratch = Scratch::make(&shop.path)?;
    let program = compile(&shop.path, "program", &["-O2", "-static"])?;
    let floor = compile(&shop.path, "bundle", &["-O2", "-static"])?;
    for profile in [None, bundle::profile()?] {
        let Some(name) = profile.as_ref().map_or(Some("no seccomp"), |_| Some("Docker's seccomp profile"))
        else {
            continue;
        };
        let bundle = Bundle::make(&scratch, &program, profile.as_deref())?;
        let (peers, left_out) = peer::find(insula, &bundle, &scratch);
        tell::say(&format!("\n{}, {name}\n", look.words()));
        left_out.iter().for_each(|words| tell::say(&format!("left out: {words}\n")));
        let room = Room { shop, scratch: &scratch, peers, floor: floor.clone() };
        for idle_ms in [0, shop.ask.idle_ms] {
            let ask = Ask { idle_ms, ..shop.ask };
            tell::say(&format!("\n{idle_ms} ms idle before each command\n{HEAD}"));
            Act::ALL.into_iter().try_for_each(|act| table(&room, &bundle, act, ask, profile.is_none()))?;
        }
        if profile.is_none() {
            calls(&room, &bundle);
        }
        if profile.is_none() && !quick {
            list(&room, &bundle)?;
        }
    }
    Ok(())
}

/// The rows of one action: ours, then each peer's, with the ratio of ours to it.
fn table(room: &Room<'_>, bundle: &Bundle, act: Act, ask: Ask, plain: bool) -> Result<(), Stop> {
    let kept: Vec<peer::Kept> = match act.wants_kept() {
        true => room.peers.iter().map(|peer| peer.keep(bundle)).collect::<Result<_, _>>()?,
        false => Vec::new(),
    };
    let mut names: Vec<String> = room.peers.iter().map(|peer| peer.name.clone()).collect();
    let mut rows: Vec<Steps> = room.peers.iter().map(|peer| act.steps(peer, bundle)).collect();
    match act {
        Act::Run if plain => {
            names.push("the floor in C".to_owned());
            rows.push(Steps::default().command(&[text(&room.floor), bundle.rootfs(), bundle.floor_group()]));
        }
        Act::Exec => {
            names.push("nsenter -a".to_owned());
            rows.push(Steps::default().command(&kept[0].nsenter()?));
        }
        _ => {}
    }
    say(act.words(), &names, &measure(&room.shop.timer, ask, &rows)?);
    Ok(())
}

fn say(what: &str, names: &[String], taken: &[Taken]) {
    let median = |taken: &Taken| [&taken.wall_ms, &taken.cpu_ms].map(|sorted| percentile(sorted, 50));
    let mut table = format!("{what}\n");
    let Some(ours) = taken.first().map(median) else { return };
    for (name, taken) in names.iter().zip(taken) {
        let [wall, cpu] = median(taken);
        let peak = percentile(&taken.peak_kb, 50);
        let _ = writeln!(
            table,
            "  {name:<26}{wall:>9.2}{cpu:>8.2}{:>10.2}{:>7.2}{peak:>14.0}",
            ours[0] / wall,
            ours[1] / cpu
        );
    }
    tell::say(&table);
}

/// How many system calls a run makes, where strace(1) can count them.
fn calls(room: &Room<'_>, bundle: &Bundle) {
    let counted = room.scratch.path.join("calls");
    let mut line = "\nsystem calls of a run:".to_owned();
    let runs = room
        .peers
        .iter()
        .map(|peer| (peer.name.as_str(), peer.words(&["run", "--bundle", &bundle.path(), "x"])));
    let floor = vec![text(&room.floor), bundle.rootfs(), bundle.floor_group()];
    for (name, words) in runs.chain([("the floor in C", floor)]) {
        match peer::calls(&words, &counted) {
            Ok(calls) => drop(write!(line, "  {name} {calls}")),
            Err(reason) => drop(write!(line, "  {name}: {reason}")),
        }
    }
    tell::say(&format!("{line}\n"));
}

/// `list` among many containers.
fn list(room: &Room<'_>, bundle: &Bundle) -> Result<(), Stop> {
    let mut rows = Vec::new();
    let mut many = Vec::new();
    for peer in &room.peers {
        many.push(peer.crowd(bundle, LISTED)?);
        rows.push(Steps::default().command(&peer.words(&["list"])));
    }
    let names: Vec<String> = room.peers.iter().map(|peer| peer.name.clone()).collect();
    let ask = Ask { rounds: room.shop.ask.rounds.div_ceil(8), idle_ms: 0 };
    let taken = measure(&room.shop.timer, ask, &rows)?;
    tell::say(&format!("\n{HEAD}"));
    say(&format!("list of {LISTED}"), &names, &taken);
    Ok(())
}
