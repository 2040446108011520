//! `events`: what a container uses, as JSON, once or every few seconds; in runc's words.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_cgroup::usage::{Limits, Usage};
use insula_runtime::container::{Error as ContainerError, update::used};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// `events`.
pub const VERB: Verb = Verb {
    name: "events",
    about: "Print what a container uses, every few seconds, and when memory runs out",
    usage: "ID",
    flags: &[
        Flag::value("interval", "DURATION", "How often: 5s, 500ms (default: 5s)"),
        Flag::switch("stats", "Print it once"),
    ],
    order: Order::Anywhere,
    go: events,
    failed: tell::FAILED,
};

const NANOSECONDS_A_MICROSECOND: u64 = 1000;

fn events(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let id = given.only("events")?;
    let interval = interval(given.value("interval").unwrap_or("5s"))?;
    let mut kills = None;
    loop {
        let found = match used(&global.find(id)?) {
            // It has ended while it was watched.
            Err(ContainerError::Status { .. } | ContainerError::NoContainer(_)) if kills.is_some() => {
                return Ok(ExitCode::SUCCESS);
            }
            found => found?,
        };
        let now = found.0.memory.as_ref().and_then(|memory| memory.oom_kills).unwrap_or(0);
        if kills.is_some_and(|before| now > before) {
            tell::out(&format!("{}\n", json!({ "type": "oom", "id": id })));
        }
        kills = Some(now);
        tell::out(&format!("{}\n", json!({ "type": "stats", "id": id, "data": data(&found.0, &found.1) })));
        if given.has("stats") {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(interval);
    }
}

fn interval(text: &str) -> Result<Duration, Error> {
    let wrong = || Error::Flag {
        flag: "--interval".to_owned(),
        reason: format!("`{text}` is no duration, as 5s or 500ms"),
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return Err(wrong()),
    };
    let all = number.checked_mul(milliseconds).filter(|all| *all > 0).ok_or_else(wrong)?;
    Ok(Duration::from_millis(all))
}

fn data(usage: &Usage, limits: &Limits) -> Value {
    let cpu = usage.cpu.as_ref().map(|cpu| {
        json!({
            "usage": { "total": cpu.usage_us * NANOSECONDS_A_MICROSECOND },
            "throttling": {
                "periods": cpu.periods.unwrap_or(0),
                "throttledPeriods": cpu.throttled.unwrap_or(0),
                "throttledTime": cpu.throttled_us.unwrap_or(0) * NANOSECONDS_A_MICROSECOND,
            },
        })
    });
    let memory = usage.memory.as_ref().map(|memory| {
        json!({
            "usage": {
                "limit": limits.memory_bytes.unwrap_or(u64::MAX),
                "usage": memory.current_bytes,
                "max": memory.peak_bytes.unwrap_or(0),
                "failcnt": memory.limit_hits,
            },
            "swap": {
                "limit": limits.memory_swap_bytes.unwrap_or(u64::MAX),
                "usage": memory.swap_bytes.unwrap_or(0),
            },
        })
    });
    let pids =
        usage.pids.as_ref().map(|pids| json!({ "current": pids.current, "limit": limits.pids.unwrap_or(0) }));
    let bytes = usage.io.iter().flat_map(|io| {
        let mut numbers = io.device.split(':').map(|number| number.parse::<u64>().unwrap_or(0));
        let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        [("Read", io.read_bytes), ("Write", io.written_bytes)]
            .map(|(op, value)| json!({ "major": major, "minor": minor, "op": op, "value": value }))
    });
    json!({
        "cpu": cpu,
        "memory": memory,
        "pids": pids,
        "blkio": { "ioServiceBytesRecursive": bytes.collect::<Vec<_>>() },
    })
}
