//! The verdict in plain words, from the facts alone.

use super::between::{files, points};
use super::facts::{Facts, Machine, Seen, Together};
use super::mounts;
use super::rights::{May, Over, Relation, over, relation, same, sees, signal, trace, users};
use super::row::{Row, State};
use insula_launch::plan::Kind;

/// The sentences, the most important first.
pub fn sentences(
    a: &Facts,
    b: &Facts,
    together: Option<&Together>,
    machine: &Machine,
    rows: &[Row],
) -> Vec<String> {
    let mut said = vec![head(a, b, rows)];
    said.extend(user_namespaces(a, b));
    let is_apart = rows.iter().any(|row| row.state != State::Same && is_kind(&row.key));
    if let (Some(one), Some(other)) = (&a.process, &b.process) {
        if one.status.tgid == other.status.tgid {
            let what =
                if one.pid == other.pid { "they are one process" } else { "they are threads of one process" };
            said.push(what.to_owned());
            return said;
        }
        said.extend(processes(a, b));
        for (one, other) in [(a, b), (b, a)] {
            said.extend(capabilities(one, other, machine));
            said.push(act(one, other, machine));
        }
    }
    if is_apart {
        said.extend(network(a, b));
        said.extend(ipc(a, b));
        said.extend(mounted(a, b));
    }
    said.extend(roots(a).into_iter().chain(roots(b)));
    said.extend(together.map(shared).unwrap_or_default());
    said
}

fn is_kind(key: &str) -> bool {
    Kind::ALL.iter().any(|kind| kind.name() == key)
}

/// Which namespaces are one, and which are two.
fn head(a: &Facts, b: &Facts, rows: &[Row]) -> String {
    let of = |state: State| -> Vec<&str> {
        Kind::ALL
            .iter()
            .map(|kind| kind.name())
            .filter(|name| rows.iter().any(|row| row.key == *name && row.state == state))
            .collect()
    };
    let (differ, equal, unseen) = (of(State::Differs), of(State::Same), of(State::Unseen));
    let both = format!("{} and {}", a.name, b.name);
    let mut text = match (differ.is_empty(), equal.is_empty()) {
        (true, true) if unseen.is_empty() => format!("{both} have no kind of namespace in common to compare"),
        (true, true) => format!("whether {both} share a namespace may not be seen"),
        (true, false) if equal.len() == 8 => format!("{both} are in the same namespaces"),
        (true, false) => format!("{both} share {}", and(&equal)),
        (false, true) if differ.len() == 8 => format!("{both} share no namespace"),
        (false, true) => format!("{both} are separated in {}", and(&differ)),
        (false, false) => format!("{both} are separated in {}; they share {}", and(&differ), and(&equal)),
    };
    let is_any_seen = !differ.is_empty() || !equal.is_empty();
    if is_any_seen && !unseen.is_empty() {
        text.push_str(&format!("; whether {} {} one may not be seen", and(&unseen), is_or_are(&unseen)));
    }
    text
}

fn is_or_are(words: &[&str]) -> &'static str {
    if words.len() == 1 { "is" } else { "are" }
}

/// `a`, `a and b`, `a, b and c`.
fn and(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn user_namespaces(a: &Facts, b: &Facts) -> Option<String> {
    let sentence = |above: &Facts, below: &Facts, distance: usize| {
        let way = if distance == 1 { "directly below" } else { "below" };
        format!("the user namespace of {} is {way} that of {}", below.name, above.name)
    };
    match users(a, b) {
        Relation::Above(distance) => Some(sentence(a, b, distance)),
        Relation::Below(distance) => Some(sentence(b, a, distance)),
        Relation::Beside(_) => Some("neither user namespace is above the other".to_owned()),
        Relation::Same | Relation::Unknown => None,
    }
}

/// Who has a pid for whom.
fn processes(a: &Facts, b: &Facts) -> Option<String> {
    let sees_not = |one: &Facts, other: &Facts| format!("{} has no pid for {}", one.name, other.name);
    match relation(&a.pids, &b.pids) {
        Relation::Above(_) => {
            Some(format!("{} sees {} among its processes; {}", a.name, b.name, sees_not(b, a)))
        }
        Relation::Below(_) => {
            Some(format!("{} sees {} among its processes; {}", b.name, a.name, sees_not(a, b)))
        }
        Relation::Beside(_) => Some("neither has a pid for the other".to_owned()),
        Relation::Same | Relation::Unknown => None,
    }
}

/// Over namespaces that are another's.
fn capabilities(a: &Facts, b: &Facts, machine: &Machine) -> Option<String> {
    if !matches!(users(a, b), Relation::Above(_)) {
        return None;
    }
    let Over { set, is_owner } = over(a, b, machine)?;
    let how = if is_owner { ", as its user has made it" } else { "" };
    let all = machine.all();
    let which = match set & all {
        0 => "no capability".to_owned(),
        set if set == all => "every capability".to_owned(),
        set => format!("{} capabilities", set.count_ones()),
    };
    Some(format!("{} has {which} over what belongs to the user namespace of {}{how}", a.name, b.name))
}

/// Tracing and signals, with their reasons.
fn act(a: &Facts, b: &Facts, machine: &Machine) -> String {
    let (one, other) = (&a.name, &b.name);
    if sees(a, b) == Some(false) {
        return format!("{one} can neither trace nor signal {other}: it has no pid for it");
    }
    match (trace(a, b, machine), signal(a, b, machine)) {
        (May::Yes(how), May::Yes(_)) => format!("{one} may trace and signal {other} ({how})"),
        (May::No(why), May::No(also)) if why == also => {
            format!("{one} may neither trace nor signal {other}: {why}")
        }
        (May::No(why), May::No(also)) => format!("{one} may neither trace nor signal {other}: {why}; {also}"),
        (May::Unknown(why), May::Unknown(also)) if why == also => {
            format!("whether {one} may trace or signal {other} cannot be told: {why}")
        }
        (traces, signals) => {
            format!("{}; {}", one_act(one, "trace", other, &traces), one_act(one, "signal", other, &signals))
        }
    }
}

fn one_act(one: &str, verb: &str, other: &str, may: &May) -> String {
    match may {
        May::Yes(how) => format!("{one} may {verb} {other} ({how})"),
        May::No(why) => format!("{one} may not {verb} {other}: {why}"),
        May::Unknown(why) => format!("whether {one} may {verb} {other} cannot be told: {why}"),
    }
}

fn network(a: &Facts, b: &Facts) -> Option<String> {
    same(a, b, Kind::Net)?.then(|| {
        "they share addresses, ports and abstract unix sockets: each reaches what the other serves on loopback"
            .to_owned()
    })
}

fn ipc(a: &Facts, b: &Facts) -> Option<String> {
    same(a, b, Kind::Ipc)?.then(|| "they share System V IPC objects and POSIX message queues".to_owned())
}

fn mounted(a: &Facts, b: &Facts) -> Option<String> {
    if same(a, b, Kind::Mnt) != Some(false) {
        return None;
    }
    let (one, other) = (a.process.as_ref()?.mounts.known()?, b.process.as_ref()?.mounts.known()?);
    let (to_b, to_a) = (mounts::passes(one, other), mounts::passes(other, one));
    let pass = |from: &Facts, to: &Facts, passes: &[mounts::Pass]| {
        format!("what {} mounts below {} appears at {}", from.name, points(passes), to.name)
    };
    Some(match (to_b.is_empty(), to_a.is_empty()) {
        (true, true) => "what one mounts the other does not get to see".to_owned(),
        (false, true) => format!("{}; nothing comes back", pass(a, b, &to_b)),
        (true, false) => format!("{}; nothing comes back", pass(b, a, &to_a)),
        (false, false) if to_a.len() == to_b.len() => format!("{}, and back", pass(a, b, &to_b)),
        (false, false) => format!("{}; {}", pass(a, b, &to_b), pass(b, a, &to_a)),
    })
}

fn roots(one: &Facts) -> Option<String> {
    let root = one.process.as_ref()?.root.known().filter(|root| root.is_inside())?;
    let path = String::from_utf8_lossy(&root.path);
    Some(format!(
        "the root of {} is {path} of its mount namespace: chroot(2), no boundary for who is root",
        one.name
    ))
}

fn shared(together: &Together) -> Vec<String> {
    let mut said = Vec::new();
    if together.memory == Seen::Is(true) {
        said.push("they share their memory, as vfork(2) leaves it until execve(2)".to_owned());
    }
    if together.files == Seen::Is(true) {
        said.push("they share one table of open files".to_owned());
    } else if let Some(common) = together.common.known().filter(|common| !common.is_empty()) {
        let (noun, verb) = if common.len() == 1 { ("file", "is") } else { ("files", "are") };
        said.push(format!("{} open {noun} {verb} in common: {}", common.len(), files(common)));
    }
    said
}
