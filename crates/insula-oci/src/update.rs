//! `update`: other limits for a container that is there.

use crate::error::Error;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_oci::Resources;
use insula_oci::resources::{BlockIo, Cpu, Memory, Pids};
use insula_runtime::container::update::update as set;
use std::io::Read;
use std::process::ExitCode;

/// The most of a file of limits that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// `update`.
pub const VERB: Verb = Verb {
    name: "update",
    about: "Change the limits of a container that is there",
    usage: "ID",
    flags: &[
        Flag::value(
            "resources",
            "FILE|-",
            "The limits as JSON, linux.resources; other flags are then not looked at",
        )
        .short('r'),
        Flag::value("blkio-weight", "N", "Weight of its input and output, 10 to 1000"),
        Flag::value("cpu-period", "US", "The period of its time on the processors"),
        Flag::value("cpu-quota", "US", "Its time in each period"),
        Flag::value("cpu-burst", "US", "What it may save up"),
        Flag::value("cpu-share", "N", "Its share of the processors, against others"),
        Flag::value("cpu-rt-period", "US", "The period of its real-time time"),
        Flag::value("cpu-rt-runtime", "US", "Its real-time time in each period"),
        Flag::value("cpuset-cpus", "LIST", "The processors that it may use"),
        Flag::value("cpuset-mems", "LIST", "The memory nodes that it may use"),
        Flag::value("cpu-idle", "0|1", "Run only where nobody else wants to"),
        Flag::value("memory", "BYTES", "Its memory; k, m and g are powers of 1024"),
        Flag::value("memory-reservation", "BYTES", "What it shall keep where memory is scarce"),
        Flag::value("memory-swap", "BYTES", "Its memory and swap together; -1 is no limit"),
        Flag::value("kernel-memory", "BYTES", "Accepted and ignored: gone from the kernel"),
        Flag::value("kernel-memory-tcp", "BYTES", "Accepted and ignored: gone from the kernel"),
        Flag::value("pids-limit", "N", "How many processes; -1 is no limit"),
    ],
    order: Order::Anywhere,
    go: update,
    failed: tell::FAILED,
};

fn update(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let id = given.only("update")?;
    let resources = match given.value("resources") {
        Some(file) => read(file)?,
        None => from_flags(given)?,
    };
    set(&global.lock(id)?, &resources)?;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &str) -> Result<Resources, Error> {
    let failed = |why: String| Error::File("read the limits", file.to_owned(), why);
    let mut text = Vec::new();
    let done = match file {
        "-" => std::io::stdin().lock().take(MOST_BYTES).read_to_end(&mut text),
        file => std::fs::File::open(file).and_then(|opened| opened.take(MOST_BYTES).read_to_end(&mut text)),
    };
    done.map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

fn from_flags(given: &Given) -> Result<Resources, Error> {
    let text = |flag: &str| given.value(flag).filter(|value| !value.is_empty()).map(str::to_owned);
    let memory = Memory {
        limit: bytes(given, "memory")?,
        reservation: bytes(given, "memory-reservation")?,
        swap: bytes(given, "memory-swap")?,
        ..Memory::default()
    };
    let cpu = Cpu {
        shares: given.number("cpu-share")?,
        quota: given.number("cpu-quota")?,
        burst: given.number("cpu-burst")?,
        period: given.number("cpu-period")?,
        realtime_runtime: given.number("cpu-rt-runtime")?,
        realtime_period: given.number("cpu-rt-period")?,
        cpus: text("cpuset-cpus"),
        mems: text("cpuset-mems"),
        idle: given.number("cpu-idle")?,
    };
    let weight = given.number("blkio-weight")?;
    let limit = given.number("pids-limit")?;
    Ok(Resources {
        memory: (memory != Memory::default()).then_some(memory),
        cpu: (cpu != Cpu::default()).then_some(cpu),
        pids: limit.map(|limit: i64| Pids { limit: Some(limit) }),
        block_io: weight.map(|weight| BlockIo { weight: Some(weight), ..BlockIo::default() }),
        ..Resources::default()
    })
}

/// A size: bytes, or with a unit behind it; -1 is no limit.
fn bytes(given: &Given, flag: &'static str) -> Result<Option<i64>, Error> {
    let Some(text) = given.value(flag).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text == "-1" {
        return Ok(Some(-1));
    }
    let wrong = || Error::Flag { flag: format!("--{flag}"), reason: format!("`{text}` is no size") };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).map(Some).ok_or_else(wrong)
}
