//! Text that a person has read once, kept in a file: a test says what has changed of it.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Set to 1, this variable writes the files anew instead of comparing.
pub const BLESS: &str = "INSULA_BLESS";

/// Panics with the difference if the file `path`, from the root of the tree, is not `now`. See [`BLESS`].
#[track_caller]
pub fn assert(path: &str, now: &str) {
    if let Err(words) = check(path, now) {
        panic!("{words}");
    }
}

/// The difference as words, for tests of several files that tell all of them at once.
pub fn check(path: &str, now: &str) -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os(BLESS).is_some_and(|bless| bless == "1") {
        return fs::write(&file, now).map_err(|error| format!("write `{path}`: {error}"));
    }
    let kept = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        kept => kept.map_err(|error| format!("read `{path}`: {error}"))?,
    };
    if kept == now {
        return Ok(());
    }
    let difference = difference(&kept, now);
    Err(format!("`{path}` is not what it was; {BLESS}=1 accepts this difference:\n{difference}"))
}

/// The lines that differ, `-` before and `+` now, each group with the line above it.
pub fn difference(before: &str, now: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let lengths = common_lengths(&old, &new);
    let mut text = String::new();
    let (mut i, mut j, mut shown) = (0, 0, true);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j, shown) = (i + 1, j + 1, false);
            continue;
        }
        if !shown && i > 0 {
            let _ = writeln!(text, "  {}", old[i - 1]);
        }
        shown = true;
        if j == new.len() || (i < old.len() && lengths[i + 1][j] >= lengths[i][j + 1]) {
            let _ = writeln!(text, "- {}", old[i]);
            i += 1;
        } else {
            let _ = writeln!(text, "+ {}", new[j]);
            j += 1;
        }
    }
    text
}

/// For each pair of places, how many lines the two rests have in common, in order.
fn common_lengths(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i][j] = if old[i] == new[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_line_that_is_new_is_shown_below_the_one_above_it() {
        assert_eq!(difference("a\nb\nc\n", "a\nb\nx\nc\n"), "  b\n+ x\n");
    }

    #[test]
    fn a_line_that_is_another_is_shown_as_both() {
        assert_eq!(difference("a\nb\nc\nd\n", "a\nx\nc\n"), "  a\n- b\n+ x\n  c\n- d\n");
    }

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(difference("a\n", "a\n"), "");
        assert_eq!(difference("", "a\n"), "+ a\n");
    }
}
