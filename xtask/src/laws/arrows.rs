//! The law of the storeys: a crate stands on crates below it, never on one above it or beside it.

use std::collections::BTreeMap;

use super::breach::Breach;
use crate::tree::File;

/// The directories under `crates`, from the top down. Those of one line do not know each other.
const STOREYS: &[&[&str]] = &[
    &["cli"],
    &["insula-oci"],
    &["apps"],
    &["engine"],
    &["runtime"],
    &["namespaces", "cgroup", "seccomp"],
    &["oci", "net"],
    &["launch"],
    &["sys"],
];

/// The crate of tests: a dev-dependency of any, and itself on none of ours.
const PROOF: &str = "proof";

/// Built apart, on nothing.
const INIT: &str = "init";

/// A crate that another one names, and where.
struct Dependency {
    name: String,
    dev: bool,
    line: usize,
}

/// The breaches in the Cargo.toml of each crate.
pub fn breaches(files: &[File]) -> Vec<Breach> {
    let manifests: Vec<(&str, &File)> = files
        .iter()
        .filter_map(|file| {
            let directory = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!directory.contains('/')).then_some((directory, file))
        })
        .collect();
    let names: BTreeMap<String, &str> =
        manifests.iter().filter_map(|(directory, file)| Some((package(&file.text)?, *directory))).collect();
    let mut found = Vec::new();
    for (from, file) in manifests {
        if storey(from).is_none() && from != PROOF && from != INIT {
            let words = format!("`{from}` has no storey: give it one in STOREYS, xtask/src/laws/arrows.rs");
            found.push(Breach::new(&file.path, words));
            continue;
        }
        for dependency in dependencies(&file.text) {
            let Some(to) = names.get(&dependency.name) else { continue };
            if let Some(words) = fault(from, to, dependency.dev) {
                found.push(Breach::new(format!("{}:{}", file.path, dependency.line), words));
            }
        }
    }
    found
}

fn storey(directory: &str) -> Option<usize> {
    STOREYS.iter().position(|row| row.contains(&directory))
}

fn fault(from: &str, to: &str, dev: bool) -> Option<String> {
    if to == PROOF {
        return (!dev).then(|| format!("{from} -> {to}: {to} is for tests, a dev-dependency only"));
    }
    let (Some(above), Some(below)) = (storey(from), storey(to)) else {
        return Some(format!("{from} -> {to}: this one stands on none of the others"));
    };
    match above.cmp(&below) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(format!("{from} -> {to}: both are on one storey")),
        std::cmp::Ordering::Greater => Some(format!("{from} -> {to}: the arrow runs up")),
    }
}

fn package(manifest: &str) -> Option<String> {
    entries(manifest)
        .find(|entry| entry.keys == ["package", "name"])
        .map(|entry| entry.value.trim_matches('"').into())
}

/// The names of the packages that a manifest depends on, under any target, with the renamed ones by their own name.
fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    for entry in entries(manifest) {
        let Some(at) = entry.keys.iter().position(|key| key.ends_with("dependencies")) else { continue };
        let Some(name) = entry.keys.get(at + 1) else { continue };
        let dev = entry.keys[at] == "dev-dependencies";
        let renamed = match entry.keys.get(at + 2).map(String::as_str) {
            Some("package") => Some(entry.value.trim_matches('"')),
            _ => entry.value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1)),
        };
        let name = renamed.map_or_else(|| name.clone(), str::to_string);
        found.push(Dependency { name, dev, line: entry.line });
    }
    found
}

/// `key = value` with the keys of its table before its own.
struct Entry {
    keys: Vec<String>,
    value: String,
    line: usize,
}

/// Enough of TOML for a manifest: one entry a line.
fn entries(manifest: &str) -> impl Iterator<Item = Entry> {
    let mut table: Vec<String> = Vec::new();
    manifest.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        if let Some(header) = line.strip_prefix('[') {
            table = keys(header.split(']').next().unwrap_or_default());
            // `[dependencies.name]` names a dependency, whatever follows.
            return Some(Entry { keys: table.clone(), value: String::new(), line: index + 1 });
        }
        let (key, value) = line.split_once('=')?;
        let keys = table.iter().cloned().chain(keys(key)).collect();
        Some(Entry { keys, value: value.trim().into(), line: index + 1 })
    })
}

/// A dotted key, whose parts may be quoted.
fn keys(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for c in text.trim().chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '.' => parts.push(String::new()),
            None if c.is_whitespace() => {}
            _ => parts.last_mut().expect("there is always a last part").push(c),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::made_up;

    fn said(tree: &[(&str, &str)]) -> Vec<String> {
        breaches(&made_up(tree)).iter().map(Breach::to_string).collect()
    }

    const SYS: (&str, &str) = ("crates/sys/Cargo.toml", "[package]\nname = \"insula-sys\"\n");
    const OCI: (&str, &str) = ("crates/oci/Cargo.toml", "[package]\nname = \"insula-oci\"\n");
    const PROOF: (&str, &str) = ("crates/proof/Cargo.toml", "[package]\nname = \"insula-proof\"\n");
    const LAUNCH: (&str, &str) = ("crates/launch/Cargo.toml", "[package]\nname = \"insula-launch\"\n");

    #[test]
    fn down_is_allowed() {
        let launch = "[package]\nname = \"insula-launch\"\n[dependencies]\ninsula-sys.workspace = true\nlibc = \"0\"\n\
                      [dev-dependencies]\ninsula-proof = { workspace = true }\n";
        assert_eq!(said(&[SYS, PROOF, ("crates/launch/Cargo.toml", launch)]), [""; 0]);
    }

    #[test]
    fn up_is_not() {
        let sys =
            "[package]\nname = \"insula-sys\"\n[dependencies]\ninsula-launch = { path = \"../launch\" }\n";
        assert_eq!(
            said(&[LAUNCH, ("crates/sys/Cargo.toml", sys)]),
            ["crates/sys/Cargo.toml:4: sys -> launch: the arrow runs up"]
        );
    }

    #[test]
    fn nor_in_tests_nor_renamed_nor_for_one_target() {
        for line in [
            "[dev-dependencies]\ninsula-oci.workspace = true",
            "[dependencies]\nspecs = { package = \"insula-oci\", path = \"../oci\" }",
            "[target.'cfg(unix)'.dependencies]\ninsula-oci.workspace = true",
            "[build-dependencies.insula-oci]\nworkspace = true",
        ] {
            let text = format!("[package]\nname = \"insula-launch\"\n{line}\n");
            let found = said(&[OCI, ("crates/launch/Cargo.toml", &text)]);
            assert!(
                found.iter().any(|words| words.ends_with("launch -> oci: the arrow runs up")),
                "{line}: {found:?}"
            );
        }
    }

    #[test]
    fn beside_is_not() {
        let text = "[package]\nname = \"insula-net\"\n[dependencies]\ninsula-oci.workspace = true\n";
        assert_eq!(
            said(&[OCI, ("crates/net/Cargo.toml", text)]),
            ["crates/net/Cargo.toml:4: net -> oci: both are on one storey"]
        );
    }

    #[test]
    fn proof_is_for_tests_and_stands_on_nothing() {
        let text = "[package]\nname = \"insula-oci\"\n[dependencies]\ninsula-proof.workspace = true\n";
        let found = said(&[PROOF, ("crates/oci/Cargo.toml", text)]);
        assert_eq!(
            found,
            ["crates/oci/Cargo.toml:4: oci -> proof: proof is for tests, a dev-dependency only"]
        );
        let text = "[package]\nname = \"insula-proof\"\n[dependencies]\ninsula-sys.workspace = true\n";
        let found = said(&[SYS, ("crates/proof/Cargo.toml", text)]);
        assert_eq!(found, ["crates/proof/Cargo.toml:4: proof -> sys: this one stands on none of the others"]);
    }

    #[test]
    fn a_new_crate_needs_a_storey() {
        let found = said(&[("crates/attic/Cargo.toml", "[package]\nname = \"insula-attic\"\n")]);
        assert!(found[0].contains("`attic` has no storey"), "{found:?}");
    }
}
