//! Does the path of a fault lead to a field? To one that the specification has, and to an element that is there.

use insula_oci::Spec;
use serde_json::Value;
use std::sync::LazyLock;

/// A configuration in which every field of the specification stands.
static EVERYTHING: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../oci/tests/everything.json")).expect("it is JSON")
});

/// The fields whose keys are anybody's words.
const MAPS: &[&str] = &["annotations", "linux.sysctl"];

/// Whether `path`, as in `mounts[2].destination`, names a field of the specification, and each `[N]` in it an element
/// of this configuration.
pub fn exists(path: &str, spec: &Spec) -> bool {
    let whole = serde_json::to_value(spec).expect("a configuration is JSON");
    if let Some((map, key)) =
        MAPS.iter().find_map(|map| Some((map, path.strip_prefix(map)?.strip_prefix('[')?)))
    {
        let found = map.split('.').try_fold(&whole, |at, word| at.get(word));
        return key.strip_suffix(']').is_some_and(|key| found.is_some_and(|map| map.get(key).is_some()));
    }
    let (mut known, mut here) = (vec![&*EVERYTHING], Some(&whole));
    for word in path.split('.') {
        let (name, index) = word.split_once('[').map_or((word, None), |(name, index)| (name, Some(index)));
        known = known.into_iter().filter_map(|at| at.get(name)).collect();
        here = here.and_then(|at| at.get(name));
        if let Some(index) = index {
            let index = index.strip_suffix(']').and_then(|index| index.parse::<usize>().ok());
            // Not every element of an array has every field.
            known = known.into_iter().filter_map(Value::as_array).flatten().collect();
            here = here.zip(index).and_then(|(array, index)| array.get(index));
            if here.is_none() {
                return false;
            }
        }
    }
    !known.is_empty()
}

#[test]
fn a_path_leads_to_a_field_or_does_not() {
    let spec: Spec = serde_json::from_value(EVERYTHING.clone()).expect("it is a configuration");
    for path in [
        "root.path",
        "mounts[2].destination",
        "process.args[0]",
        "linux.sysctl[net.core.somaxconn]",
        "process",
    ] {
        assert!(exists(path, &spec), "{path}");
    }
    for path in ["rootfs", "mounts[3].destination", "mounts[0].target", "linux.sysctl[a]", "mounts[x]"] {
        assert!(!exists(path, &spec), "{path}");
    }
}
