//! The arithmetic of id maps: ranges, and the one id that takes precedence over them.
//!
//! unshare(1): the own id is mapped first, and a range that overlaps it, inside or outside, gets a hole and loses its
//! topmost id.

use insula_launch::step::map_ids::IdMap;

/// The most lines that the kernel takes, `UID_GID_MAP_MAX_EXTENTS`, user_namespaces(7).
pub(super) const MOST_LINES: usize = 340;
/// What one write(2) of a map may not reach: a page, user_namespaces(7).
pub(super) const PAGE_BYTES: usize = 4096;

/// A range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange {
    /// The first id inside; `None`: from 0 on, the own id apart.
    pub inside: Option<u32>,
    /// The first id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// The lines of a map: `own` (the id inside, and what it is outside) first, then the ranges with their holes.
pub(super) fn lines(own: Option<(u32, u32)>, ranges: &[IdRange]) -> Vec<IdMap> {
    let first = own.map(|(inside, outside)| IdMap { inside, outside, size: 1 });
    first.into_iter().chain(ranges.iter().flat_map(|range| with_hole(own, *range))).collect()
}

/// A range without the ids of `own`: from its begin to the nearer of the two, from there to the other, and the rest.
fn with_hole(own: Option<(u32, u32)>, range: IdRange) -> impl Iterator<Item = IdMap> {
    // 2^32-1 is no id: nothing of a range that `no_range` lets pass is there.
    let (own_inside, own_outside) = own.unwrap_or((u32::MAX, u32::MAX));
    let first_inside = range.inside.unwrap_or(0);
    let beside = |id: u32, first: u32| id >= first && id <= first.wrapping_add(range.count);
    let overlaps = beside(own_outside, range.outside) || beside(own_inside, first_inside);
    let count = match (own, range.inside) {
        (Some(_), Some(_)) if overlaps => range.count.saturating_sub(1),
        _ => range.count,
    };
    let to_outside = own_outside.saturating_sub(range.outside).min(count);
    let to_inside = own_inside.saturating_sub(first_inside).min(count);
    // The id behind a part; the own one is left out.
    let behind = |part: IdMap, size: u32| {
        let (inside, outside) = (part.inside.wrapping_add(part.size), part.outside.wrapping_add(part.size));
        IdMap {
            inside: inside.wrapping_add(u32::from(inside == own_inside)),
            outside: outside.wrapping_add(u32::from(outside == own_outside)),
            size,
        }
    };
    let low = IdMap { inside: first_inside, outside: range.outside, size: to_inside.min(to_outside) };
    let middle = behind(low, to_outside.abs_diff(to_inside));
    let high = behind(middle, count - low.size - middle.size);
    [low, middle, high].into_iter().filter(|part| part.size > 0)
}

/// What is wrong with the first range that is none: no id in it, or some above the last id. Its lines would wrap around
/// and map ids that nobody asked for.
pub(super) fn no_range(ranges: &[IdRange]) -> Option<(String, String)> {
    let line = |range: &IdRange| IdMap {
        inside: range.inside.unwrap_or(0),
        outside: range.outside,
        size: range.count,
    };
    senseless(ranges.iter().map(line))
}

fn senseless(lines: impl IntoIterator<Item = IdMap>) -> Option<(String, String)> {
    let is_none =
        |line: &IdMap| last(line.inside, line.size).is_none() || last(line.outside, line.size).is_none();
    let line = lines.into_iter().find(is_none)?;
    Some((shown(line), "a range has at least one id, and ids end at 4294967294".to_owned()))
}

/// What is wrong with a map that the kernel will refuse with EINVAL: the lines, and the reason.
pub(super) fn refused(lines: &[IdMap]) -> Option<(String, String)> {
    let text = lines.iter().map(|line| shown(*line).len() + 1).sum::<usize>();
    if lines.len() > MOST_LINES || text >= PAGE_BYTES {
        let reason =
            format!("the kernel takes at most {MOST_LINES} lines and less than {PAGE_BYTES} bytes of map");
        return Some((format!("{} lines", lines.len()), reason));
    }
    if let Some(wrong) = senseless(lines.iter().copied()) {
        return Some(wrong);
    }
    let mut pairs = lines.iter().enumerate().flat_map(|(i, a)| lines[..i].iter().map(move |b| (b, a)));
    pairs.find_map(|(a, b)| {
        let (inside, outside) =
            (common(a.inside, a.size, b.inside, b.size), common(a.outside, a.size, b.outside, b.size));
        let (ids, side) = inside.map(|ids| (ids, "inside")).or(outside.map(|ids| (ids, "outside")))?;
        let which = if ids.0 == ids.1 { ids.0.to_string() } else { format!("{}–{}", ids.0, ids.1) };
        Some((
            format!("{} and {}", shown(*a), shown(*b)),
            format!("both map {which} {side}: two lines of a map may not overlap"),
        ))
    })
}

fn shown(line: IdMap) -> String {
    format!("{}:{}:{}", line.inside, line.outside, line.size)
}

/// The last id of a range, if it is one.
fn last(first: u32, size: u32) -> Option<u32> {
    first.checked_add(size.checked_sub(1)?).filter(|last| *last < u32::MAX)
}

/// The ids that two ranges share.
fn common(a: u32, a_size: u32, b: u32, b_size: u32) -> Option<(u32, u32)> {
    let (first, last) = (a.max(b), last(a, a_size)?.min(last(b, b_size)?));
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Root's own id 0 as `own`, and ranges `inside:outside:count`; what unshare(1) writes for the same.
    #[test]
    fn the_own_id_makes_a_hole() {
        type Row = (Option<u32>, (Option<u32>, u32, u32), &'static [(u32, u32, u32)]);
        let table: [Row; 13] = [
            (None, (Some(5), 100, 3), &[(5, 100, 3)]),
            (None, (None, 100_000, 65_536), &[(0, 100_000, 65_536)]),
            (Some(0), (None, 100_000, 65_536), &[(0, 0, 1), (1, 100_000, 65_536)]),
            (Some(7), (None, 100_000, 65_536), &[(7, 0, 1), (0, 100_000, 7), (8, 100_007, 65_529)]),
            (Some(0), (Some(20), 200, 5), &[(0, 0, 1), (20, 200, 5)]),
            (Some(7), (Some(0), 5, 10), &[(7, 0, 1), (0, 5, 7), (8, 12, 2)]),
            (Some(0), (Some(0), 0, 10), &[(0, 0, 1), (1, 1, 9)]),
            (Some(5), (Some(0), 0, 10), &[(5, 0, 1), (0, 1, 5), (6, 6, 4)]),
            (Some(15), (Some(10), 0, 10), &[(15, 0, 1), (10, 1, 5), (16, 6, 4)]),
            // The id right behind a range costs it one as well.
            (Some(10), (Some(0), 100, 10), &[(10, 0, 1), (0, 100, 9)]),
            (Some(11), (Some(0), 100, 10), &[(11, 0, 1), (0, 100, 10)]),
            (
                Some(100_005),
                (Some(100_000), 100_000, 65_536),
                &[(100_005, 0, 1), (100_000, 100_000, 5), (100_006, 100_005, 65_530)],
            ),
            (Some(4), (Some(100), 0, 10), &[(4, 0, 1), (100, 1, 9)]),
        ];
        for (own, (inside, outside, count), expected) in table {
            let made = lines(own.map(|id| (id, 0)), &[IdRange { inside, outside, count }]);
            let made: Vec<(u32, u32, u32)> =
                made.iter().map(|line| (line.inside, line.outside, line.size)).collect();
            assert_eq!(made, expected, "{own:?} {inside:?}:{outside}:{count}");
        }
    }

    #[test]
    fn what_the_kernel_would_refuse_is_told_with_the_lines() {
        let told = |rows: &[(u32, u32, u32)]| {
            let rows: Vec<IdMap> =
                rows.iter().map(|&(inside, outside, size)| IdMap { inside, outside, size }).collect();
            refused(&rows).map(|(what, reason)| format!("{what}: {reason}"))
        };
        assert_eq!(told(&[(0, 0, 5), (5, 5, 5)]), None);
        assert_eq!(
            told(&[(0, 100, 10), (5, 200, 10)]).as_deref(),
            Some("0:100:10 and 5:200:10: both map 5–9 inside: two lines of a map may not overlap")
        );
        assert_eq!(
            told(&[(0, 100, 10), (20, 109, 1)]).as_deref(),
            Some("0:100:10 and 20:109:1: both map 109 outside: two lines of a map may not overlap")
        );
        assert!(
            told(&[(0, 0, 0)]).is_some_and(|text| text.starts_with("0:0:0: a range has at least one id"))
        );
        assert!(told(&[(u32::MAX - 1, 0, 2)]).is_some());
        let most: Vec<(u32, u32, u32)> = (0..340).map(|n| (n, n, 1)).collect();
        assert_eq!(told(&most), None);
        let more: Vec<(u32, u32, u32)> = (0..341).map(|n| (n, n, 1)).collect();
        assert!(told(&more).is_some_and(|text| text.starts_with("341 lines")));
    }
}
