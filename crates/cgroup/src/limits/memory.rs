//! `memory`: config-linux.md, "Memory"; the kernel's cgroup-v1/memory.rst and cgroup-v2.rst.

use super::convert::{self, Swap};
use super::setting::{Look, Setting, Settings, number_or_max, unknown};
use crate::error::{Error, Missing};
use crate::mounts::Version;
use insula_oci::resources::Memory;

const LIMIT_V1: &str = "memory.limit_in_bytes";
const SWAP_V1: &str = "memory.memsw.limit_in_bytes";

/// The writes for a group of which `look` reads the present values.
pub fn settings(memory: &Memory, version: Version, look: Look<'_>) -> Settings {
    if memory.check_before_update == Some(true) {
        check_use(memory, version, look)?;
    }
    // The kernel takes the value and does nothing with it: to write it would be to promise what does not hold.
    if let Some(bytes) = memory.kernel.filter(|bytes| *bytes > 0) {
        let reason = "limits nothing since Linux 5.16: the kernel's own memory counts to `memory.limit`";
        return Err(Error::invalid("memory.kernel", bytes, reason));
    }
    match version {
        Version::V1 => v1(memory, look),
        Version::V2 => v2(memory),
    }
}

/// `checkBeforeUpdate`: a limit at or below what is used is refused, before anything is killed or reclaimed for it.
fn check_use(memory: &Memory, version: Version, look: Look<'_>) -> Result<(), Error> {
    let (used, limit_file, swap_file) = match version {
        Version::V1 => ("memory.usage_in_bytes", LIMIT_V1, SWAP_V1),
        Version::V2 => ("memory.current", "memory.max", "memory.swap.max"),
    };
    let Some(used_bytes) = look(used).and_then(|text| text.parse::<u64>().ok()) else { return Ok(()) };
    for (file, limit) in [(swap_file, memory.swap), (limit_file, memory.limit)] {
        match limit.and_then(|limit| u64::try_from(limit).ok()) {
            Some(limit_bytes) if limit_bytes > 0 && limit_bytes <= used_bytes => {
                return Err(Error::BelowUse { path: file.to_owned(), limit_bytes, used_bytes });
            }
            _ => {}
        }
    }
    Ok(())
}

fn v1(memory: &Memory, look: Look<'_>) -> Settings {
    let mut settings = limits_v1(memory, look)?;
    let mut push = |file: &str, value: String| settings.push(Setting::new("memory", file, value));
    if let Some(bytes) = signed("memory.reservation", memory.reservation)? {
        push("memory.soft_limit_in_bytes", bytes);
    }
    if let Some(bytes) = signed("memory.kernelTCP", memory.kernel_tcp)? {
        push("memory.kmem.tcp.limit_in_bytes", bytes);
    }
    if let Some(percent) = memory.swappiness {
        if percent > 100 {
            return Err(Error::invalid("memory.swappiness", percent, "is above 100"));
        }
        push("memory.swappiness", percent.to_string());
    }
    if let Some(disable) = memory.disable_oom_killer {
        push("memory.oom_control", u8::from(disable).to_string());
    }
    if let Some(hierarchy) = memory.use_hierarchy {
        push("memory.use_hierarchy", u8::from(hierarchy).to_string());
    }
    Ok(settings)
}

/// Version 1 demands at every moment that memory ≤ memory and swap together, so the one that makes room goes first.
fn limits_v1(memory: &Memory, look: Look<'_>) -> Settings {
    let limit = signed("memory.limit", memory.limit)?;
    let mut swap = signed("memory.swap", memory.swap)?;
    let (limit_given, swap_given) = (memory.limit.unwrap_or(0), memory.swap.unwrap_or(0));
    if limit_given > 0 && swap_given > 0 && swap_given < limit_given {
        return Err(Error::invalid(
            "memory.swap",
            swap_given,
            "is below the limit of memory, which it contains",
        ));
    }
    // No limit of memory cannot be with one of both; where swap is not counted there is none.
    if limit_given == -1 && swap_given == 0 && look(SWAP_V1).is_some() {
        swap = Some("-1".to_owned());
    }
    let limit = limit.map(|bytes| Setting::new("memory", LIMIT_V1, bytes));
    let raises = match &swap {
        Some(bytes) if bytes == "-1" => true,
        Some(_) => number(look(LIMIT_V1)).is_none_or(|now| now < swap_given.unsigned_abs()),
        None => false,
    };
    let swap = swap.map(|bytes| Setting::new("memory", SWAP_V1, bytes).or(Missing::SwapAccount));
    let both = if raises { [swap, limit] } else { [limit, swap] };
    Ok(both.into_iter().flatten().collect())
}

fn v2(memory: &Memory) -> Settings {
    let mut settings = Vec::new();
    let swap = convert::swap(memory.swap, memory.limit)
        .map_err(|reason| Error::invalid("memory.swap", memory.swap.unwrap_or(0), reason))?;
    let swap_max = |value: String| Setting::new("memory", "memory.swap.max", value);
    match swap {
        Swap::Unset => {}
        // Where swap is not counted, no limit is what there is, and none of it can be used where there is none.
        Swap::Max => settings.push(swap_max("max".to_owned()).if_there()),
        Swap::Bytes(0) => settings.push(swap_max("0".to_owned()).if_there()),
        Swap::Bytes(bytes) => settings.push(swap_max(bytes.to_string()).or(Missing::SwapAccount)),
    }
    if let Some(bytes) = number_or_max("memory.limit", memory.limit)? {
        settings.push(Setting::new("memory", "memory.max", bytes));
    }
    if let Some(bytes) = number_or_max("memory.reservation", memory.reservation)? {
        settings.push(Setting::new("memory", "memory.low", bytes));
    }
    let refuse = |file: &str, value: String| Err(unknown("memory", file, value, Missing::NotOnV2));
    if let Some(bytes) = memory.kernel_tcp.filter(|bytes| *bytes != 0) {
        return refuse("memory.kmem.tcp.limit_in_bytes", bytes.to_string());
    }
    if let Some(percent) = memory.swappiness {
        return refuse("memory.swappiness", percent.to_string());
    }
    if memory.disable_oom_killer == Some(true) {
        return refuse("memory.oom_control", "1".to_owned());
    }
    // Version 2 counts children always.
    if memory.use_hierarchy == Some(false) {
        return refuse("memory.use_hierarchy", "0".to_owned());
    }
    Ok(settings)
}

/// Version 1 takes -1 for no limit; absent and 0 leave it as it is.
fn signed(what: &str, value: Option<i64>) -> Result<Option<String>, Error> {
    Ok(number_or_max(what, value)?.map(|text| if text == "max" { "-1".to_owned() } else { text }))
}

fn number(text: Option<String>) -> Option<u64> {
    text.and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(settings: &[Setting]) -> Vec<(&str, &str)> {
        settings.iter().map(|setting| (setting.file.as_str(), setting.value.as_str())).collect()
    }

    /// A group whose files have these values.
    fn group(files: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |asked| files.iter().find(|(file, _)| *file == asked).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn version_2_has_swap_alone_and_reservation_as_low() {
        let memory = Memory {
            limit: Some(100),
            swap: Some(150),
            reservation: Some(80),
            disable_oom_killer: Some(false),
            use_hierarchy: Some(true),
            ..Memory::default()
        };
        let settings = settings(&memory, Version::V2, &group(&[])).unwrap();
        assert_eq!(
            written(&settings),
            [("memory.swap.max", "50"), ("memory.max", "100"), ("memory.low", "80")]
        );
    }

    #[test]
    fn no_limit_is_max_on_version_2_and_minus_one_on_version_1() {
        let memory = Memory { limit: Some(-1), ..Memory::default() };
        let two = settings(&memory, Version::V2, &group(&[])).unwrap();
        assert_eq!(written(&two), [("memory.swap.max", "max"), ("memory.max", "max")]);
        let counted = group(&[(SWAP_V1, "200"), (LIMIT_V1, "100")]);
        let one = settings(&memory, Version::V1, &counted).unwrap();
        assert_eq!(written(&one), [(SWAP_V1, "-1"), (LIMIT_V1, "-1")]);
        let uncounted = settings(&memory, Version::V1, &group(&[(LIMIT_V1, "100")])).unwrap();
        assert_eq!(written(&uncounted), [(LIMIT_V1, "-1")]);
    }

    #[test]
    fn version_1_makes_room_first() {
        let memory = Memory { limit: Some(100), swap: Some(150), ..Memory::default() };
        let order = |now| {
            let settings = settings(&memory, Version::V1, &group(now)).unwrap();
            settings.into_iter().map(|setting| setting.file).collect::<Vec<_>>()
        };
        assert_eq!(
            order(&[(LIMIT_V1, "9223372036854771712"), (SWAP_V1, "9223372036854771712")]),
            [LIMIT_V1, SWAP_V1]
        );
        assert_eq!(order(&[(LIMIT_V1, "50"), (SWAP_V1, "60")]), [SWAP_V1, LIMIT_V1], "raised");
        assert_eq!(order(&[(LIMIT_V1, "500"), (SWAP_V1, "600")]), [LIMIT_V1, SWAP_V1], "lowered");
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let of = |memory: Memory, version| settings(&memory, version, &group(&[])).unwrap_err().to_string();
        let swap = |limit, swap| Memory { limit, swap, ..Memory::default() };
        assert_eq!(
            of(swap(Some(100), Some(50)), Version::V1),
            "memory.swap: `50` is below the limit of memory, which it contains"
        );
        assert!(of(swap(None, Some(50)), Version::V2).contains("wants one of memory"));
        assert!(of(swap(Some(-2), None), Version::V2).contains("below -1"));
        let swappiness = |percent| Memory { swappiness: Some(percent), ..Memory::default() };
        assert!(of(swappiness(101), Version::V1).contains("is above 100"));
        assert_eq!(
            of(swappiness(10), Version::V2),
            "write `10` to `memory.swappiness`: cgroup version 2 has nothing like it"
        );
        let kernel = |bytes| Memory { kernel: Some(bytes), ..Memory::default() };
        assert!(of(kernel(1 << 20), Version::V1).contains("limits nothing"));
        assert!(of(kernel(1 << 20), Version::V2).contains("limits nothing"));
        assert!([0, -1].iter().all(|none| settings(&kernel(*none), Version::V1, &group(&[])).is_ok()));
        let oom = Memory { disable_oom_killer: Some(true), ..Memory::default() };
        assert!(of(oom, Version::V2).contains("memory.oom_control"));
    }

    #[test]
    fn a_limit_below_the_use_is_refused_if_that_is_asked() {
        let memory = |limit, check| Memory {
            limit: Some(limit),
            check_before_update: Some(check),
            ..Memory::default()
        };
        let used = group(&[("memory.current", "100"), ("memory.usage_in_bytes", "100")]);
        for version in [Version::V1, Version::V2] {
            assert!(matches!(
                settings(&memory(100, true), version, &used),
                Err(Error::BelowUse { limit_bytes: 100, used_bytes: 100, .. })
            ));
            assert!(settings(&memory(100, false), version, &used).is_ok());
            assert!(settings(&memory(101, true), version, &used).is_ok());
            assert!(settings(&memory(-1, true), version, &used).is_ok());
        }
    }
}
