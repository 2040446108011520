//! Abbreviations as ip(8) has them: any beginning of a word; where several begin so, the first of the table.

/// Is `word` a beginning of `full`, and not empty?
pub fn abbreviates(word: &str, full: &str) -> bool {
    !word.is_empty() && full.starts_with(word)
}
