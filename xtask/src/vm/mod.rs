//! `vm`: the tests of the kernel in a virtual machine: Debian's kernels, systemd, cgroup v2 alone, AppArmor.
//!
//! docs/vm.md tells what it is and takes. The tests are built here, static, and carried in; the machine has no network
//! and nothing of this one but a disk that it cannot write.

mod ask;
mod bed;
mod binaries;
mod guest;
mod job;
mod machine;
mod needs;
mod payload;
mod word;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use self::ask::{Accelerator, Ask, Kernel};
use self::bed::{Bed, Booted};
pub use self::binaries::command as tests_inside;
pub use self::guest::{SERVICE, TESTS, service};
use self::machine::{End, Machine};
use self::word::Word;
use crate::build::static_libc;
use crate::stop::Stop;
use crate::suite::{self, Count};
use crate::tell;

/// About how many times slower than the host's processor emulation starts a program.
const EMULATION: u32 = 6;

/// `vm [--kernel NAME|all] [--as root|user|both] [--accel kvm|tcg] [--fresh] [--sh SCRIPT] [-p NAME] [--test NAME] [-- WORDS…]`
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let ask = Ask::of(arguments)?;
    let bed = Bed::open()?;
    let prepared = bed.has(&ask.kernels) && !ask.fresh;
    if let Some(reason) = lacking(prepared) {
        skipped(&reason);
        return Ok(());
    }
    announce(&ask, &bed, prepared);
    if !prepared && let Err(words) = bed.lists() {
        skipped(&format!("Debian's lists of packages could not be fetched: {words}"));
        return Ok(());
    }
    bed.make(&ask.kernels, ask.fresh)?;
    let desk = Desk::new(&bed)?;
    payload::make(&ask, &desk.0.join("stage"), &desk.payload())?;
    let tried = ask.accelerator.unwrap_or_else(needs::accelerator);
    let mut passes = Passes { bed, desk, accelerator: ask.accelerator, tried, sums: Vec::new() };
    for kernel in &ask.kernels {
        passes.boot(*kernel, &ask)?;
    }
    passes.report(&ask)
}

fn skipped(reason: &str) {
    tell::say(&format!(
        "skipped: there is no virtual machine here: {reason}\n0 passed, 0 failed, 1 skipped\n"
    ));
}

fn lacking(prepared: bool) -> Option<String> {
    if !static_libc() {
        // The libc of the host is not the machine's.
        return Some("the tests cannot be linked statically (Debian: libc6-dev)".into());
    }
    needs::lacking(prepared)
}

/// What it will take, before it takes it.
fn announce(ask: &Ask, bed: &Bed, prepared: bool) {
    let names: Vec<&str> = ask.kernels.iter().map(|kernel| kernel.name).collect();
    let who: Vec<&str> = ask.who.iter().map(|who| who.word()).collect();
    let place = bed.directory().display();
    tell::say(&format!("kernels {}, as {}; cache: {place}\n", names.join(", "), who.join(" and ")));
    if !prepared {
        tell::say(
            "first time: some 400 MB from Debian's mirror, 800 MB of disk, two minutes and the time of the network\n",
        );
    }
    if ask.accelerator.unwrap_or_else(needs::accelerator) == Accelerator::Tcg {
        tell::say(
            "no KVM here: in software emulation a boot takes a minute, and all tests some half an hour a kernel and user\n",
        );
    }
}

/// `INSULA_SLOW` where it is set, for a machine that has other things to do.
fn slow(accelerator: Accelerator) -> Result<u32, Stop> {
    let usual = if accelerator == Accelerator::Tcg { EMULATION } else { 1 };
    let Some(told) = env::var_os("INSULA_SLOW") else { return Ok(usual) };
    let times = told.to_str().and_then(|told| told.parse().ok()).filter(|times| *times > 0);
    times.ok_or_else(|| Stop::Usage(format!("INSULA_SLOW is `{}`: not a number of times", told.display())))
}

/// The boots, one after the other, and what came of them.
struct Passes {
    bed: Bed,
    desk: Desk,
    /// The one that was asked for.
    accelerator: Option<Accelerator>,
    /// The one that the next boot tries.
    tried: Accelerator,
    /// One line for each pass: kernel, user, count.
    sums: Vec<(String, String, Count)>,
}

impl Passes {
    /// One kernel, and in it a pass for each user. Where KVM boots nothing, once more in emulation.
    fn boot(&mut self, kernel: Kernel, ask: &Ask) -> Result<(), Stop> {
        let Some(booted) = self.bed.kernel(kernel) else {
            return Err(Stop::Failed(format!("the kernel {} was not made", kernel.name)));
        };
        tell::say(&format!("\n== {} ({})\n", kernel.name, booted.release));
        let end = self.run(&booted, kernel, ask)?;
        if end == End::NeverUp && self.tried == Accelerator::Kvm && self.accelerator.is_none() {
            tell::say("   /dev/kvm is there and boots no kernel: in software emulation, then\n");
            self.tried = Accelerator::Tcg;
            self.run(&booted, kernel, ask)?;
        }
        Ok(())
    }

    fn run(&mut self, booted: &Booted, kernel: Kernel, ask: &Ask) -> Result<End, Stop> {
        let slow = slow(self.tried)?;
        let machine = Machine {
            kernel: booted,
            system: &self.bed.system(),
            payload: &self.desk.payload(),
            slow,
            accelerator: self.tried,
            console: self.bed.directory().join(format!("console-{}.log", kernel.name)),
            silence: binaries::patience(slow) + binaries::patience(1),
        };
        let start = Instant::now();
        let mut log = Log::default();
        let end = machine.run(&mut |line| log.hear(line, &mut tell::say))?;
        tell::say(&format!("   {}: {:.0} s\n", kernel.name, start.elapsed().as_secs_f64()));
        if end == End::NeverUp && self.tried == Accelerator::Kvm && self.accelerator.is_none() {
            return Ok(end);
        }
        if end != End::Done {
            let words = match end {
                End::NeverUp => "the kernel did not start a program",
                End::Silent => "the machine fell silent",
                End::Early | End::Done => "the machine ended before its tests",
            };
            tell::say(&format!("{words}; the end of its console:\n{}\n", machine.last_words()));
            log.broken(ask);
        }
        for (who, count) in log.passes {
            self.sums.push((kernel.name.into(), who, count));
        }
        Ok(end)
    }

    /// The skips by their reasons, a line for each pass, and the sum of all.
    fn report(self, ask: &Ask) -> Result<(), Stop> {
        if ask.script.is_some() {
            let good = self.sums.iter().all(|(_, _, count)| count.failed == 0);
            return if good { Ok(()) } else { Err(Stop::Code(1)) };
        }
        let mut all = Count::default();
        let mut lines = String::new();
        for (kernel, who, count) in self.sums {
            lines.push_str(&format!("{kernel} as {who}: {count}\n"));
            all = all.and(&format!("{kernel} as {who}"), count);
        }
        suite::skips(&all);
        tell::say(&format!("\n{lines}{all}\n"));
        if all.failed == 0 { Ok(()) } else { Err(Stop::Code(1)) }
    }
}

/// What the guest said, pass by pass.
#[derive(Default)]
struct Log {
    passes: Vec<(String, Count)>,
    /// The pass that runs now: who, what it printed, what it skipped.
    now: Option<(String, String, String)>,
}

impl Log {
    /// Shows the lines of the tests and understands the others; true at the last.
    fn hear(&mut self, line: &str, show: &mut dyn FnMut(&str)) -> bool {
        match Word::of(line) {
            Some(Word::Done) => return true,
            Some(Word::About(text)) => show(&format!("   {text}\n")),
            Some(Word::Begin(who)) => {
                show(&format!("\n-- as {who}\n"));
                self.now = Some((who, String::new(), String::new()));
            }
            Some(Word::Skip { test, reason }) => {
                if let Some((_, _, skips)) = &mut self.now {
                    skips.push_str(&format!("{test}\t{reason}\n"));
                }
            }
            Some(Word::End(code)) => {
                if let Some((who, output, skips)) = self.now.take() {
                    self.passes.push((who, suite::count(&output, &skips, code == 0)));
                }
            }
            None => {
                show(&format!("{line}\n"));
                if let Some((_, output, _)) = &mut self.now {
                    output.push_str(line);
                    output.push('\n');
                }
            }
        }
        false
    }

    /// The machine ended too early: the pass that ran has failed, and so has each that never began.
    fn broken(&mut self, ask: &Ask) {
        if let Some((who, output, skips)) = self.now.take() {
            let mut count = suite::count(&output, &skips, false);
            count.failed += usize::from(count.failed == 0);
            self.passes.push((who, count));
        }
        for who in ask.who.iter().map(|who| who.word()) {
            if !self.passes.iter().any(|(known, _)| known == who) {
                self.passes.push((who.into(), Count::failure()));
            }
        }
    }
}

/// A place for the payload, in the cache: it takes some 300 MB while the machines run.
struct Desk(PathBuf);

impl Desk {
    /// The lock of the bed is ours: what lies there is of a run that was killed.
    fn new(bed: &Bed) -> Result<Desk, Stop> {
        let desk = Desk(bed.directory().join("desk"));
        drop(fs::remove_dir_all(&desk.0));
        fs::create_dir(&desk.0)
            .map_err(|error| Stop::Failed(format!("make `{}`: {error}", desk.0.display())))?;
        Ok(desk)
    }

    /// The disk.
    fn payload(&self) -> PathBuf {
        self.0.join("payload.ext4")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> Log {
        let mut log = Log::default();
        lines.iter().for_each(|line| assert!(!log.hear(line, &mut |_| ())));
        log
    }

    #[test]
    fn a_pass_has_its_sums_and_its_skips() {
        let mut log = heard(&[
            "@insula-vm begin root",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured",
            "@insula-vm skip a::b\tneeds a user",
            "@insula-vm end 0",
        ]);
        assert!(log.hear("@insula-vm done", &mut |_| ()));
        assert_eq!(log.passes.len(), 1);
        assert_eq!(log.passes[0].1.to_string(), "2 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn a_machine_that_ends_early_has_failed_in_every_pass() {
        let ask = Ask::of(&[]).ok().unwrap();
        let mut log = heard(&["@insula-vm begin root", "test result: ok. 3 passed; 0 failed; 0 ignored"]);
        log.broken(&ask);
        let sums: Vec<String> = log.passes.iter().map(|(who, count)| format!("{who}: {count}")).collect();
        assert_eq!(sums, ["root: 3 passed, 1 failed, 0 skipped", "user: 0 passed, 1 failed, 0 skipped"]);
    }
}
