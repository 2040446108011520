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
