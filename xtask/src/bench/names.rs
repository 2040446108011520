//! `ns exec` beside nsenter(1) by the paths of the same namespaces, with one name on the machine and with a thousand.

use std::path::Path;
use std::process::{Command, Stdio};

use super::faces::{HEAD, compared};
use super::measure::{Shop, compile, failed, find, text};
use crate::stop::Stop;
use crate::tell;

/// How many other names there are in the second table.
const CROWD: usize = 1000;

/// The table of names.
pub fn compare(shop: &Shop) -> Result<(), Stop> {
    let nsenter = match find("nsenter") {
        Ok(nsenter) => nsenter,
        Err(reason) => return Err(Stop::Failed(format!("nsenter: {reason}"))),
    };
    let program = text(&compile(&shop.path, "program", &["-O2", "-static"])?);
    let mut names = Names { insula: text(&shop.insula), made: Vec::new() };
    names.add(&[])?;
    let mut table = HEAD.to_owned();
    rows(shop, &names.made[0], [&nsenter, &program], "", &mut table)?;
    for _ in 0..CROWD {
        names.add(&["--uts", "--net"])?;
    }
    rows(shop, &names.made[0], [&nsenter, &program], ", 1,001 names", &mut table)?;
    tell::say(&table);
    Ok(())
}

fn rows(
    shop: &Shop,
    name: &str,
    [nsenter, program]: [&str; 2],
    among: &str,
    table: &mut String,
) -> Result<(), Stop> {
    let pin = |kind: &str| format!("--{kind}=/run/insula/names/pin/{name}/{kind}");
    let net = format!("--net=/run/netns/{name}");
    let mut all: Vec<String> = ["uts", "ipc", "pid", "cgroup", "time"].map(pin).to_vec();
    all.extend([net.clone(), format!("--mount=/run/insula/names/mnt/{name}")]);
    for (what, ours, theirs) in [("ns exec", &[][..], all), ("ns exec --net", &["--net"][..], vec![net])] {
        let insula = [&text(&shop.insula), "ns", "exec", name].map(str::to_owned);
        let ours: Vec<String> =
            insula.into_iter().chain(ours.iter().map(|word| (*word).to_owned())).collect();
        let theirs: Vec<String> = std::iter::once(nsenter.to_owned()).chain(theirs).collect();
        let words = [ours, theirs].map(|words| [words, vec![program.to_owned()]].concat());
        compared(shop, &format!("{what}{among}"), words, shop.ask.rounds, table)?;
    }
    Ok(())
}

/// Names, for as long as they are measured.
struct Names {
    insula: String,
    made: Vec<String>,
}

impl Names {
    fn add(&mut self, kinds: &[&str]) -> Result<(), Stop> {
        let name = format!("insula-bench-{}-{}", std::process::id(), self.made.len());
        let made = Command::new(&self.insula)
            .args(["ns", "new"])
            .args(kinds)
            .arg(&name)
            .stdin(Stdio::null())
            .status();
        let made = made.map_err(|error| failed("start", Path::new(&self.insula), &error))?;
        if !made.success() {
            return Err(Stop::Failed(format!("`insula ns new {name}` failed")));
        }
        self.made.push(name);
        Ok(())
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        drop(Command::new(&self.insula).args(["ns", "rm", "--force"]).args(&self.made).status());
    }
}
