//! The formulas between version 1's numbers and version 2's.

/// The least and the most of `cpu.shares` (the kernel's MIN_SHARES and MAX_SHARES).
pub const SHARES: (u64, u64) = (2, 262_144);

/// The least and the most of `cpu.weight`.
pub const WEIGHT: (u64, u64) = (1, 10_000);

/// `cpu.shares` as `cpu.weight`, by the formula of runc 1.3.2 and crun 1.23 and later: a quadratic one in the logarithms,
/// which keeps both ends and the default (2 → 1, 1024 → 100, 262144 → 10000). The older one was linear, and gave 1024,
/// the default, a weight of 39.
///
/// `weight = ⌈10^((l² + 125 l) / 612 − 7/34)⌉` with `l = log2(shares)`.
pub fn weight_of_shares(shares: u64) -> u64 {
    let Ok(within) = u32::try_from(shares.min(SHARES.1)) else { return WEIGHT.1 };
    if shares <= SHARES.0 {
        return WEIGHT.0;
    }
    if shares >= SHARES.1 {
        return WEIGHT.1;
    }
    let l = f64::from(within).log2();
    let exponent = (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the exponent is within 0 and 4, so the power is a whole number from 1 to 10000"
    )]
    let weight = 10_f64.powf(exponent).ceil() as u64;
    weight
}

/// The least `cpu.shares` that have at least this `cpu.weight`: the way back, for version 1.
pub fn shares_of_weight(weight: u64) -> u64 {
    let (mut low, mut high) = SHARES;
    while low < high {
        let middle = low.midpoint(high);
        if weight_of_shares(middle) >= weight { high = middle } else { low = middle + 1 }
    }
    low
}

/// `blkio.weight` (10 to 1000) as `io.weight` (1 to 10000): linear, as runc does it.
pub fn io_weight(blkio_weight: u16) -> u64 {
    1 + u64::from(blkio_weight.clamp(10, 1000) - 10) * 9999 / 990
}

/// The limit of swap alone, for version 2, out of memory and swap together, as the specification has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// Left as it is.
    Unset,
    /// No limit.
    Max,
    /// Bytes.
    Bytes(u64),
}

/// `memory.swap` and `memory.limit` as `memory.swap.max`; `Err` says what is wrong.
pub fn swap(swap: Option<i64>, limit: Option<i64>) -> Result<Swap, &'static str> {
    let (swap, limit) = (swap.unwrap_or(0), limit.unwrap_or(0));
    match (swap, limit) {
        // Memory without limit and nothing said of swap: no limit either, as version 1 needs it.
        (0, -1) | (-1, _) => Ok(Swap::Max),
        (0, _) => Ok(Swap::Unset),
        (i64::MIN..-1, _) => Err("is below -1, which is no limit"),
        (_, 0 | -1) => Err("is a limit of memory and swap together, and wants one of memory"),
        (_, i64::MIN..-1) => Err("wants a limit of memory that is a size"),
        _ => match u64::try_from(swap - limit) {
            Ok(bytes) => Ok(Swap::Bytes(bytes)),
            Err(_) => Err("is below the limit of memory, which it contains"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_weight_by_the_newest_formula() {
        // The ends and the default, and runc's own examples (opencontainers/runc pull request 4785).
        for (shares, weight) in [
            (0, 1),
            (1, 1),
            (2, 1),
            (1024, 100),
            (262_144, 10_000),
            (262_145, 10_000),
            (u64::MAX, 10_000),
            (3, 2),
            (512, 59),
            (2048, 174),
            (102, 17),
        ] {
            assert_eq!(weight_of_shares(shares), weight, "{shares}");
        }
    }

    #[test]
    fn weight_never_falls_as_shares_rise_and_stays_in_its_range() {
        let mut before = 0;
        for shares in 2..=SHARES.1 {
            let weight = weight_of_shares(shares);
            assert!(weight >= before && (WEIGHT.0..=WEIGHT.1).contains(&weight), "{shares}: {weight}");
            before = weight;
        }
    }

    #[test]
    fn weight_goes_back_to_the_least_shares_that_have_it() {
        for (weight, shares) in [(1, 2), (100, 1024), (10_000, 262_144)] {
            let found = shares_of_weight(weight);
            assert!(weight_of_shares(found) >= weight, "{weight}: {found}");
            assert!(found <= shares, "{weight}: {found}");
            assert!(found == 2 || weight_of_shares(found - 1) < weight, "{weight}: {found} is not the least");
        }
    }

    #[test]
    fn blkio_weight_becomes_io_weight() {
        for (blkio, io) in [(10, 1), (100, 910), (500, 4950), (1000, 10_000)] {
            assert_eq!(io_weight(blkio), io, "{blkio}");
        }
    }

    #[test]
    fn swap_is_what_is_left_of_both() {
        for (both, limit, alone) in [
            (None, None, Ok(Swap::Unset)),
            (None, Some(100), Ok(Swap::Unset)),
            (None, Some(-1), Ok(Swap::Max)),
            (Some(-1), Some(100), Ok(Swap::Max)),
            (Some(-1), None, Ok(Swap::Max)),
            (Some(100), Some(100), Ok(Swap::Bytes(0))),
            (Some(300), Some(100), Ok(Swap::Bytes(200))),
        ] {
            assert_eq!(super::swap(both, limit), alone, "{both:?}, {limit:?}");
        }
        for (both, limit) in
            [(Some(50), Some(100)), (Some(50), None), (Some(50), Some(-1)), (Some(-2), Some(1))]
        {
            assert!(super::swap(both, limit).is_err(), "{both:?}, {limit:?}");
        }
    }
}
