//! The words of an expression.

use super::error::Error;

/// A word and where it begins, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub token: Token,
    pub at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Compare(Operator),
    True,
    False,
    Number(u64),
    Float(f64),
    /// Without its quotes.
    Text(String),
    Column(String),
}

/// What compares two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Le,
    Lt,
    Ge,
    Gt,
    Matches,
    MatchesNot,
}

/// The longest expression, in bytes.
const MOST_BYTES: usize = 1024;

/// Words that are letters, in both of their spellings.
const WORDS: &[(&str, &str, Token)] = &[
    ("and", "AND", Token::And),
    ("or", "OR", Token::Or),
    ("not", "NOT", Token::Not),
    ("eq", "EQ", Token::Compare(Operator::Eq)),
    ("ne", "NE", Token::Compare(Operator::Ne)),
    ("le", "LE", Token::Compare(Operator::Le)),
    ("lt", "LT", Token::Compare(Operator::Lt)),
    ("ge", "GE", Token::Compare(Operator::Ge)),
    ("gt", "GT", Token::Compare(Operator::Gt)),
    ("true", "TRUE", Token::True),
    ("false", "FALSE", Token::False),
];

/// Words that are signs; a longer one stands before its beginning.
const SIGNS: &[(&str, Token)] = &[
    ("&&", Token::And),
    ("||", Token::Or),
    ("==", Token::Compare(Operator::Eq)),
    ("!=", Token::Compare(Operator::Ne)),
    ("<=", Token::Compare(Operator::Le)),
    (">=", Token::Compare(Operator::Ge)),
    ("=~", Token::Compare(Operator::Matches)),
    ("!~", Token::Compare(Operator::MatchesNot)),
    ("<", Token::Compare(Operator::Lt)),
    (">", Token::Compare(Operator::Gt)),
    ("!", Token::Not),
    ("(", Token::Open),
    (")", Token::Close),
];

/// Cuts an expression into its words.
pub fn tokens(text: &str) -> Result<Vec<Placed>, Error> {
    if text.len() > MOST_BYTES {
        return Err(Error { at: MOST_BYTES, reason: format!("longer than {MOST_BYTES} bytes") });
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\n') {
            at += 1;
            continue;
        }
        let (token, length) = one(&text[at..], first).map_err(|reason| Error { at, reason })?;
        tokens.push(Placed { token, at });
        at += length;
    }
    Ok(tokens)
}

/// The word at the start of `text`, and its length in bytes.
fn one(text: &str, first: char) -> Result<(Token, usize), String> {
    if let Some((sign, token)) = SIGNS.iter().find(|(sign, _)| text.starts_with(sign)) {
        return Ok((token.clone(), sign.len()));
    }
    match first {
        '"' | '\'' => quoted(text, first),
        '0'..='9' => number(text),
        'a'..='z' | 'A'..='Z' => Ok(word(text)),
        _ => Err(format!("nothing begins with `{}`", insula_oci::escaped(&first.to_string()))),
    }
}

fn quoted(text: &str, quote: char) -> Result<(Token, usize), String> {
    let inside = &text[1..];
    match inside.find([quote, '\n']) {
        Some(end) if inside[end..].starts_with(quote) => {
            Ok((Token::Text(inside[..end].trim().to_owned()), end + 2))
        }
        _ => Err("a string without an end".to_owned()),
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn number(text: &str) -> Result<(Token, usize), String> {
    let whole = digits(text);
    if let Some(rest) = text[whole..].strip_prefix('.')
        && digits(rest) > 0
    {
        let length = whole + 1 + digits(rest);
        return text[..length]
            .parse()
            .map(|float| (Token::Float(float), length))
            .map_err(|_| "no number".to_owned());
    }
    let suffix = text[whole..].chars().next().and_then(|letter| "KMGTPEZY".find(letter));
    let Some(power) = suffix else {
        // As strtoumax(3): what is too large is the largest.
        return Ok((Token::Number(text[..whole].parse().unwrap_or(u64::MAX)), whole));
    };
    let length = whole + 1 + if text[whole + 1..].starts_with("iB") { 2 } else { 0 };
    let factor = u32::try_from(power + 1).ok().and_then(|power| 1024u64.checked_pow(power));
    let value = text[..whole].parse::<u64>().ok();
    match value.zip(factor).and_then(|(value, factor)| value.checked_mul(factor)) {
        Some(value) => Ok((Token::Number(value), length)),
        None if value == Some(0) => Ok((Token::Number(0), length)),
        None => Err(format!("`{}` is too large a number", &text[..length])),
    }
}

fn word(text: &str) -> (Token, usize) {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.%:/-".contains(byte);
    let length = text.bytes().take_while(fits).count();
    let word = &text[..length];
    let known = WORDS.iter().find(|(small, large, _)| word == *small || word == *large);
    (known.map_or_else(|| Token::Column(word.to_owned()), |(.., token)| token.clone()), length)
}
