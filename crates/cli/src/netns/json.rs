//! JSON exactly as ip(8) writes it: one array of flat objects, on one line or, with `-pretty`, on many.

use std::fmt::Write;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i32),
}

/// The array, and a newline.
pub fn array(rows: &[Vec<(&str, Value)>], pretty: bool) -> String {
    let (open, next, close) =
        if pretty { ("{\n        ", ",\n        ", "\n    }") } else { ("{", ",", "}") };
    let objects: Vec<String> = rows
        .iter()
        .map(|row| {
            let fields: Vec<String> = row.iter().map(|field| pair(field, pretty)).collect();
            format!("{open}{}{close}", fields.join(next))
        })
        .collect();
    match (pretty, objects.is_empty()) {
        (true, true) => "[ ]\n".to_owned(),
        (true, false) => format!("[ {} ]\n", objects.join(",")),
        (false, _) => format!("[{}]\n", objects.join(",")),
    }
}

fn pair((key, value): &(&str, Value), pretty: bool) -> String {
    let colon = if pretty { ": " } else { ":" };
    match value {
        Value::Text(text) => format!("{}{colon}{}", quoted(key), quoted(text)),
        Value::Number(number) => format!("{}{colon}{number}", quoted(key)),
    }
}

/// RFC 8259, with the short escapes that `ip` uses.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{8}' => quoted.push_str("\\b"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\0'..='\u{1f}' | '\u{7f}' => {
                // To write to a string cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_json_reader_must_not_take_literally_is_escaped() {
        assert_eq!(quoted("a\"b\\c\n\u{1}\u{7f}é"), r#""a\"b\\c\n\u0001\u007fé""#);
    }
}
