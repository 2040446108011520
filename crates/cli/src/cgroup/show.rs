//! `insula cgroup show`: one group, or the machine.

use super::act::name;
use super::error::Error;
use super::flags::NAME;
use super::list::{columns, names};
use super::units;
use crate::tell;
use clap::ArgMatches;
use insula_cgroup::usage::{Limits, Usage, limits, pressure, usage};
use insula_cgroup::{Group, Hierarchies, Hierarchy, Member, Path, Version, below, is_frozen, members};
use insula_oci::escaped;
use serde_json::{Value, json};
use std::process::ExitCode;

/// `show`.
pub fn show(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let hierarchies = Hierarchies::discover()?;
    let wants_json = matches.get_flag("json");
    if !matches.contains_id(NAME) {
        return Ok(tell::out(&if wants_json { machine_json(&hierarchies) } else { machine(&hierarchies) }));
    }
    let group = Group::open(&hierarchies, &name(matches)?)?;
    let seen = Seen {
        used: usage(&group),
        limits: limits(&group),
        members: members(&group)?,
        below: below(&group)?,
        frozen: is_frozen(&group),
        pressure: pressure(&group),
        group: &group,
    };
    Ok(tell::out(&if wants_json { seen.json() } else { seen.text() }))
}

/// What was found of a group.
struct Seen<'a> {
    group: &'a Group,
    used: Usage,
    limits: Limits,
    members: Vec<Member>,
    below: Vec<Path>,
    frozen: Option<bool>,
    pressure: Vec<(&'static str, String)>,
}

impl Seen<'_> {
    fn state(&self) -> &'static str {
        match (self.frozen, self.members.is_empty()) {
            (Some(true), _) => "frozen",
            (_, true) => "empty",
            (_, false) => "running",
        }
    }

    fn text(&self) -> String {
        let mut rows: Vec<[String; 2]> = Vec::new();
        let mut row = |head: &str, text: String| rows.push([head.to_owned(), text]);
        row("name", escaped(&self.group.name().to_string()).to_string());
        row("state", self.state().to_owned());
        for (head, text) in [
            ("memory", self.memory()),
            ("cpu", self.cpu()),
            ("cpuset", self.cpuset()),
            ("tasks", self.tasks()),
        ] {
            if let Some(text) = text {
                row(head, text);
            }
        }
        for line in self.io() {
            row("io", line);
        }
        if !self.pressure.is_empty() {
            let parts: Vec<String> =
                self.pressure.iter().map(|(what, part)| format!("{what} {part}%")).collect();
            row("pressure", format!("{} of the last 10 s", parts.join(", ")));
        }
        for member in &self.members {
            row("process", process(member));
        }
        for path in &self.below {
            row("group", escaped(path.to_string().trim_start_matches('/')).to_string());
        }
        for place in self.group.places() {
            row("directory", escaped(place.directory.shown()).to_string());
        }
        // A head that repeats stands once.
        let heads: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
        for (index, row) in rows.iter_mut().enumerate().skip(1) {
            if heads[index] == heads[index - 1] {
                row[0].clear();
            }
        }
        columns(&rows)
    }

    fn memory(&self) -> Option<String> {
        let used = self.used.memory.as_ref()?;
        let mut text = units::bytes(used.current_bytes);
        if let Some(limit) = self.limits.memory_bytes {
            text.push_str(&format!(" of {}", units::bytes(limit)));
        }
        if let Some(both) = self.limits.memory_swap_bytes {
            text.push_str(&format!(" ({} with swap)", units::bytes(both)));
        }
        if let Some(bytes) = self.limits.reservation_bytes {
            text.push_str(&format!(", {} reserved", units::bytes(bytes)));
        }
        if let Some(peak) = used.peak_bytes {
            text.push_str(&format!(", peak {}", units::bytes(peak)));
        }
        if let Some(swap) = used.swap_bytes.filter(|bytes| *bytes > 0) {
            text.push_str(&format!(", {} in swap", units::bytes(swap)));
        }
        if used.limit_hits > 0 {
            text.push_str(&format!(", limit hit {}", times(used.limit_hits)));
        }
        if let Some(kills) = used.oom_kills.filter(|kills| *kills > 0) {
            text.push_str(&format!(", killed for want of memory: {kills}"));
        }
        Some(text)
    }

    fn cpu(&self) -> Option<String> {
        let used = self.used.cpu.as_ref()?;
        let mut text = units::seconds(used.usage_us);
        if let Some((quota, period)) = self.limits.cpu_quota_us.zip(self.limits.cpu_period_us) {
            text.push_str(&format!(", at most {} CPUs ({quota} of {period} us)", units::cpus(quota, period)));
        }
        match (self.limits.cpu_weight, self.limits.cpu_shares) {
            (Some(weight), _) => text.push_str(&format!(", weight {weight}")),
            (_, Some(shares)) => text.push_str(&format!(", shares {shares}")),
            _ => {}
        }
        if let Some((throttled, periods)) =
            used.throttled.zip(used.periods).filter(|(throttled, _)| *throttled > 0)
        {
            let waited = units::seconds(used.throttled_us.unwrap_or(0));
            text.push_str(&format!(", throttled in {throttled} of {periods} periods for {waited}"));
        }
        Some(text)
    }

    fn cpuset(&self) -> Option<String> {
        let cpus = self.limits.cpus.as_ref()?;
        let mems = self.limits.mems.as_deref().unwrap_or("-");
        Some(format!("CPUs {}, memory nodes {}", escaped(cpus), escaped(mems)))
    }

    fn tasks(&self) -> Option<String> {
        let used = self.used.pids.as_ref()?;
        let mut text = used.current.to_string();
        if let Some(limit) = self.limits.pids {
            text.push_str(&format!(" of {limit}"));
        }
        if let Some(refused) = used.refused.filter(|refused| *refused > 0) {
            text.push_str(&format!(", fork refused {}", times(refused)));
        }
        Some(text)
    }

    fn io(&self) -> Vec<String> {
        let used = self.used.io.iter().map(|io| {
            let (read, written) = (units::bytes(io.read_bytes), units::bytes(io.written_bytes));
            format!("{}: {read} read, {written} written", escaped(&io.device))
        });
        let limits = self.limits.io.iter().map(|line| format!("at most {}", escaped(line)));
        used.chain(limits).collect()
    }

    fn json(&self) -> String {
        let members: Vec<Value> = self
            .members
            .iter()
            .map(|member| json!({ "pid": member.pid, "comm": comm(member.pid), "group": member.below.to_string() }))
            .collect();
        let places: Vec<Value> = self
            .group
            .places()
            .iter()
            .map(|place| {
                json!({
                    "hierarchy": place.label,
                    "version": number(place.version),
                    "path": place.path.to_string(),
                    "directory": place.directory.shown(),
                })
            })
            .collect();
        let below: Vec<String> =
            self.below.iter().map(|path| path.to_string().trim_start_matches('/').to_owned()).collect();
        let pressure: serde_json::Map<String, Value> = self
            .pressure
            .iter()
            .map(|(what, part)| ((*what).to_owned(), json!(part.parse::<f64>().unwrap_or(0.0))))
            .collect();
        let all = json!({
            "name": self.group.name().to_string(),
            "state": self.state(),
            "limits": limits_json(&self.limits),
            "usage": usage_json(&self.used),
            "pressure_percent": pressure,
            "members": members,
            "groups": below,
            "places": places,
        });
        format!("{all:#}\n")
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn number(version: Version) -> u8 {
    match version {
        Version::V1 => 1,
        Version::V2 => 2,
    }
}

fn limits_json(limits: &Limits) -> Value {
    json!({
        "memory_bytes": limits.memory_bytes,
        "memory_swap_bytes": limits.memory_swap_bytes,
        "reservation_bytes": limits.reservation_bytes,
        "cpu_quota_us": limits.cpu_quota_us,
        "cpu_period_us": limits.cpu_period_us,
        "cpu_weight": limits.cpu_weight,
        "cpu_shares": limits.cpu_shares,
        "cpus": limits.cpus,
        "mems": limits.mems,
        "pids": limits.pids,
        "io": limits.io,
    })
}

fn usage_json(used: &Usage) -> Value {
    let io: Vec<Value> = used
        .io
        .iter()
        .map(|io| json!({ "device": io.device, "read_bytes": io.read_bytes, "written_bytes": io.written_bytes }))
        .collect();
    json!({
        "memory": used.memory.as_ref().map(|memory| json!({
            "current_bytes": memory.current_bytes,
            "peak_bytes": memory.peak_bytes,
            "swap_bytes": memory.swap_bytes,
            "limit_hits": memory.limit_hits,
            "oom_kills": memory.oom_kills,
        })),
        "cpu": used.cpu.as_ref().map(|cpu| json!({
            "usage_us": cpu.usage_us,
            "periods": cpu.periods,
            "throttled": cpu.throttled,
            "throttled_us": cpu.throttled_us,
        })),
        "pids": used.pids.as_ref().map(|pids| json!({ "current": pids.current, "refused": pids.refused })),
        "io": io,
    })
}

/// A process in a line: its id, its name, and where below the group it is.
fn process(member: &Member) -> String {
    let name = match member.pid {
        0 => "(of another pid namespace)".to_owned(),
        pid => escaped(&comm(pid).unwrap_or_default()).to_string(),
    };
    let place = if member.below.is_root() {
        String::new()
    } else {
        format!(" in {}", escaped(&member.below.to_string()))
    };
    format!("{} {name}{place}", member.pid)
}

/// What proc_pid_comm(5) calls it.
fn comm(pid: i32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// The hierarchies, and the groups that insula has made.
fn machine(hierarchies: &Hierarchies) -> String {
    let heads = ["HIERARCHY", "VERSION", "MOUNTED AT", "THIS PROCESS", "NEW GROUPS"].map(str::to_owned);
    let row = |hierarchy: &Hierarchy| {
        let controllers = hierarchy.controllers.join(",");
        let label = match hierarchy.version {
            Version::V2 if controllers.is_empty() => "(no controllers)".to_owned(),
            Version::V2 => controllers,
            Version::V1 => hierarchy.label(),
        };
        let own = hierarchy.own.as_ref().map_or_else(|| "(not seen from here)".to_owned(), Path::to_string);
        let base = match hierarchy.base() {
            Some(base) => base.to_string(),
            None if hierarchy.read_only => "(read-only)".to_owned(),
            None => "(not yours)".to_owned(),
        };
        [label, number(hierarchy.version).to_string(), hierarchy.point.clone(), own, base]
            .map(|cell| escaped(&cell).to_string())
    };
    let rows: Vec<[String; 5]> = std::iter::once(heads).chain(hierarchies.iter().map(row)).collect();
    let mut text = format!("cgroups here are {}\n\n{}", words(hierarchies.kind()), columns(&rows));
    let names = names(hierarchies);
    if !names.is_empty() {
        text.push_str("\ngroups:\n");
        for name in names {
            text.push_str(&format!("  {}\n", escaped(&name.to_string())));
        }
    }
    text
}

fn words(kind: &str) -> &'static str {
    match kind {
        "hybrid" => "hybrid: version 1, with version 2 beside it",
        "v2" => "version 2",
        _ => "version 1",
    }
}

fn machine_json(hierarchies: &Hierarchies) -> String {
    let all: Vec<Value> = hierarchies
        .iter()
        .map(|hierarchy| {
            json!({
                "hierarchy": hierarchy.label(),
                "version": number(hierarchy.version),
                "controllers": hierarchy.controllers,
                "mounted_at": hierarchy.point,
                "own": hierarchy.own.as_ref().map(Path::to_string),
                "read_only": hierarchy.read_only,
                "base": hierarchy.base().map(|base| base.to_string()),
            })
        })
        .collect();
    let groups: Vec<String> = names(hierarchies).iter().map(ToString::to_string).collect();
    let machine = json!({ "kind": hierarchies.kind(), "hierarchies": all, "groups": groups });
    format!("{machine:#}\n")
}
