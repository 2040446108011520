//! How what was found is printed: for people, and as JSON.

use super::found::{Found, LACKS, NOTHING_RUNS};
use insula_namespaces::doctor::{Check, Group, State, Weight};
use insula_oci::escaped;
use serde_json::{Value, json};

/// The order in which the groups are shown.
pub const GROUPS: [Group; 8] = [
    Group::Whole,
    Group::Rights,
    Group::Namespaces,
    Group::Mounts,
    Group::Processes,
    Group::Cgroups,
    Group::Network,
    Group::Security,
];

/// The width of the longest state, "limited".
const STATE_CELLS: usize = 7;

/// The table.
pub fn text(found: &[Found], code: u8, only_lacks: bool, paints: bool) -> String {
    let width = found.iter().map(|one| one.check.key.len()).max().unwrap_or(0);
    let mut text = String::new();
    for group in GROUPS {
        let rows = found
            .iter()
            .filter(|one| one.check.group == group && !(only_lacks && one.answer.state == State::Works));
        for (number, one) in rows.enumerate() {
            if number == 0 {
                text.push_str(&format!("{}\n", painted(group.name(), "1", paints)));
            }
            row(&mut text, one, width, paints);
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(found, code));
    text
}

fn row(text: &mut String, one: &Found, width: usize, paints: bool) {
    let (answer, check) = (&one.answer, one.check);
    let colour = match answer.state {
        State::Works => "32",
        State::Limited => "33",
        State::Missing => "31",
        State::Unknown => "36",
    };
    let state = format!("{:<STATE_CELLS$}", answer.state.name());
    text.push_str(&format!(
        "  {:<width$}  {}  {}\n",
        check.key,
        painted(&state, colour, paints),
        escaped(&answer.found)
    ));
    if answer.state == State::Works {
        return;
    }
    let indent = " ".repeat(width + STATE_CELLS + 6);
    if answer.state != State::Unknown {
        text.push_str(&format!("{indent}costs: {}\n", check.loss));
    }
    if let Some(fix) = &answer.fix {
        text.push_str(&format!("{indent}fix: {}\n", escaped(fix)));
    }
}

/// In a colour, SGR of ECMA-48.
fn painted(text: &str, colour: &str, paints: bool) -> String {
    if paints { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

fn kernel() -> String {
    let release = rustix::system::uname();
    release.release().to_string_lossy().into_owned()
}

/// The last line: what it comes to.
fn summary(found: &[Found], code: u8) -> String {
    let lacks: Vec<&str> = found.iter().filter(|one| one.is_lack()).map(|one| one.check.key).collect();
    let (uid, _) = ids();
    let start = format!("Linux {}, uid {uid}: ", escaped(&kernel()));
    match code {
        NOTHING_RUNS => {
            let fatal = found.iter().filter(|one| one.is_fatal());
            let keys: Vec<&str> = fatal.map(|one| one.check.key).collect();
            format!("{start}insula cannot run anything here, for want of {}\n", keys.join(", "))
        }
        LACKS => format!("{start}{} of {} cost a feature: {}\n", lacks.len(), found.len(), lacks.join(", ")),
        _ => format!("{start}all that insula needs works\n"),
    }
}

fn ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// The same for programs. Keys are added, never changed.
pub fn json(found: &[Found], code: u8) -> String {
    let checks: Vec<Value> = found
        .iter()
        .map(|one| {
            let ways: serde_json::Map<String, Value> =
                one.answer.ways.iter().map(|(way, state)| ((*way).to_owned(), state.name().into())).collect();
            json!({
                "key": one.check.key,
                "group": one.check.group.name(),
                "what": one.check.what,
                "weight": weight(one.check.weight),
                "ways": if ways.is_empty() { Value::Null } else { ways.into() },
                "state": one.answer.state.name(),
                "found": one.answer.found,
                "costs": if one.answer.state == State::Works { None } else { Some(one.check.loss) },
                "fix": one.answer.fix,
            })
        })
        .collect();
    let verdict = match code {
        NOTHING_RUNS => "nothing-runs",
        LACKS => "lacks",
        _ => "works",
    };
    let (uid, gid) = ids();
    let all = json!({
        "kernel": kernel(),
        "uid": uid,
        "gid": gid,
        "verdict": verdict,
        "exit-code": code,
        "checks": checks,
    });
    format!("{all:#}\n")
}

fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Essential => "essential",
        Weight::Feature => "feature",
        Weight::Comfort => "comfort",
    }
}

/// `--list`.
pub fn list(checks: &[&Check], as_json: bool) -> String {
    if as_json {
        let rows: Vec<Value> = checks
            .iter()
            .map(|check| {
                json!({
                    "key": check.key,
                    "group": check.group.name(),
                    "what": check.what,
                    "weight": weight(check.weight),
                    "costs": check.loss,
                })
            })
            .collect();
        return format!("{:#}\n", json!({ "checks": rows }));
    }
    let width = checks.iter().map(|check| check.key.len()).max().unwrap_or(0);
    checks.iter().map(|check| format!("{:<width$}  {}\n", check.key, check.what)).collect()
}
