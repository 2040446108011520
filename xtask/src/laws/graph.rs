//! Arrows between names, and the circles in them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// For each node, the nodes it knows.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The shortest circle through each knot of nodes that reach each other: `[a, b]` is a -> b -> a.
pub fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for start in graph.keys() {
        if reported.contains(start.as_str()) {
            continue;
        }
        let Some(circle) = shortest(graph, start) else { continue };
        // All that reach this circle and are reached by it are one knot, told once.
        let knot = graph.keys().filter(|node| reaches(graph, start, node) && reaches(graph, node, start));
        reported.extend(knot.map(String::as_str));
        found.push(circle);
    }
    found
}

fn shortest(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in graph.get(node).into_iter().flatten() {
            if next == start {
                let mut circle = vec![node.to_string()];
                let mut at = node;
                while at != start {
                    at = came_from[at];
                    circle.push(at.to_string());
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next.as_str()) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    None
}

fn reaches(graph: &Graph, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut queue = vec![from];
    while let Some(node) = queue.pop() {
        if node == to {
            return true;
        }
        queue.extend(
            graph.get(node).into_iter().flatten().map(String::as_str).filter(|next| seen.insert(next)),
        );
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for (from, to) in arrows {
            graph.entry((*from).into()).or_default().insert((*to).into());
        }
        graph
    }

    #[test]
    fn a_tree_has_no_circle() {
        assert!(circles(&graph(&[("a", "b"), ("a", "c"), ("b", "c")])).is_empty());
    }

    #[test]
    fn each_knot_is_told_once_and_short() {
        let found = circles(&graph(&[
            ("a", "b"),
            ("b", "c"),
            ("c", "a"),
            ("b", "a"),
            ("x", "y"),
            ("y", "x"),
            ("x", "a"),
        ]));
        assert_eq!(found, [vec!["a", "b"], vec!["x", "y"]]);
    }
}
