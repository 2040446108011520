//! Which line stands below which, where a tree is asked for: a line comes after the one above it.

use super::line::Line;
use insula_launch::plan::Kind;
use std::collections::HashMap;

/// What the lines hang together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// The user namespace that owns it.
    Owner,
    /// The parent of its pid or user namespace, and else its owner.
    Parent,
}

/// Puts the lines in order, and says of each which is above it.
pub fn arrange(lines: Vec<Line>, tree: Tree) -> Vec<Line> {
    // Whose namespace it is: the first name counts where it has several.
    let mut whose: HashMap<(Kind, u64), usize> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        for part in line.parts.iter().filter(|part| matches!(part.kind, Kind::User | Kind::Pid)) {
            whose.entry((part.kind, part.inode)).or_insert(at);
        }
    }
    let above: Vec<Option<usize>> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| {
            // One that has no line is passed over.
            let find = |kind, inodes: &[u64]| {
                let mut found = inodes.iter().filter_map(|inode| whose.get(&(kind, *inode)).copied());
                found.find(|above| *above != at)
            };
            let owner = || find(Kind::User, &line.owners);
            match tree {
                Tree::Owner => owner(),
                Tree::Parent => {
                    let kind = if line.part(Kind::Pid).is_some() { Kind::Pid } else { Kind::User };
                    find(kind, &line.parents).or_else(owner)
                }
            }
        })
        .collect();
    let mut place: Vec<Option<usize>> = vec![None; lines.len()];
    let mut order = Vec::with_capacity(lines.len());
    for start in 0..lines.len() {
        // Those above first; a circle, which no kernel has, ends where it began.
        let mut chain = vec![start];
        while let Some(next) = chain.last().and_then(|at| above[*at]) {
            if place[next].is_some() || chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        for at in chain.into_iter().rev().filter(|at| place[*at].is_none()).collect::<Vec<_>>() {
            place[at] = Some(order.len());
            order.push(at);
        }
    }
    let mut lines: Vec<Option<Line>> = lines.into_iter().map(Some).collect();
    let arranged = order.iter().filter_map(|at| {
        let mut line = lines[*at].take()?;
        line.above = above[*at].and_then(|above| place[above]).filter(|above| Some(*above) < place[*at]);
        Some(line)
    });
    arranged.collect()
}

#[cfg(test)]
mod tests {
    use super::super::line::Part;
    use super::*;

    fn line(name: &str, user: Option<u64>, owners: &[u64]) -> Line {
        let parts = user.map(|inode| Part { kind: Kind::User, inode, id: None }).into_iter().collect();
        Line { name: Some(name.to_owned()), parts, owners: owners.to_vec(), ..Line::default() }
    }

    #[test]
    fn a_line_comes_after_the_one_above_it() {
        let lines = vec![
            line("a", None, &[8, 7]),
            line("b", Some(7), &[6]),
            line("c", Some(6), &[1]),
            line("d", None, &[1]),
        ];
        let arranged = arrange(lines, Tree::Owner);
        let said: Vec<_> =
            arranged.iter().map(|line| (line.name.as_deref().unwrap_or(""), line.above)).collect();
        assert_eq!(said, [("c", None), ("b", Some(0)), ("a", Some(1)), ("d", None)]);
    }

    #[test]
    fn a_line_that_owns_itself_stands_alone() {
        let arranged = arrange(vec![line("a", Some(7), &[7])], Tree::Owner);
        assert_eq!(arranged[0].above, None);
    }
}
