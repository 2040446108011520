//! Rust text as tokens: enough for the laws, and unlike a syntax tree it sees inside macro calls too.

use std::ops::Range;

/// One token. Comments are dropped; a string or number is `literal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
    pub literal: bool,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        !self.literal && self.text == text
    }

    pub fn is_name(&self) -> bool {
        !self.literal && self.text.starts_with(|c: char| c == '_' || c.is_alphabetic())
    }
}

/// Reads a whole file.
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader { chars: &chars, at: 0, line: 1, tokens: Vec::new() };
    if text.starts_with("#!/") {
        reader.skip_line();
    }
    while reader.at < chars.len() {
        reader.step();
    }
    reader.tokens
}

struct Reader<'t> {
    chars: &'t [char],
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn next(&mut self) -> char {
        let c = self.peek(0);
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        c
    }

    fn skip_line(&mut self) {
        while self.at < self.chars.len() && self.peek(0) != '\n' {
            self.at += 1;
        }
    }

    fn push(&mut self, text: String, line: usize, literal: bool) {
        self.tokens.push(Token { text, line, literal });
    }

    fn step(&mut self) {
        let line = self.line;
        match self.peek(0) {
            '/' if self.peek(1) == '/' => self.skip_line(),
            '/' if self.peek(1) == '*' => self.block_comment(),
            '"' => {
                self.quoted('"');
                self.push(String::new(), line, true);
            }
            '\'' => self.quote_mark(),
            c if c.is_whitespace() => {
                self.next();
            }
            c if c.is_ascii_digit() => {
                self.word();
                self.push(String::new(), line, true);
            }
            c if c == '_' || c.is_alphabetic() => self.name_or_string(),
            ':' if self.peek(1) == ':' => {
                self.at += 2;
                self.push("::".into(), line, false);
            }
            c => {
                self.next();
                self.push(c.into(), line, false);
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => {
                    depth += 1;
                    self.at += 2;
                }
                ('*', '/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {
                    self.next();
                }
            }
        }
    }

    /// From the opening quote to behind the closing one.
    fn quoted(&mut self, quote: char) {
        self.next();
        while self.at < self.chars.len() {
            match self.next() {
                '\\' => {
                    self.next();
                }
                c if c == quote => return,
                _ => {}
            }
        }
    }

    /// A character, or a lifetime.
    fn quote_mark(&mut self) {
        let line = self.line;
        if self.peek(1) == '\\' || self.peek(2) == '\'' {
            self.quoted('\'');
            self.push(String::new(), line, true);
        } else {
            self.next();
            self.word();
            self.push("'".into(), line, true);
        }
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek(0) == '_' || self.peek(0).is_alphanumeric() {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// A name, a raw name, or a string with a prefix: b"", c"", r"", br#""#.
    fn name_or_string(&mut self) {
        let line = self.line;
        let word = self.word();
        let raw = matches!(word.as_str(), "r" | "br" | "cr");
        let hashes = (0..).take_while(|ahead| self.peek(*ahead) == '#').count();
        if raw && self.peek(hashes) == '"' {
            self.at += hashes + 1;
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            while self.at < self.chars.len() && !self.chars[self.at..].starts_with(&close) {
                self.next();
            }
            self.at += close.len();
            self.push(String::new(), line, true);
        } else if matches!(word.as_str(), "b" | "c") && self.peek(0) == '"' {
            self.quoted('"');
            self.push(String::new(), line, true);
        } else if word == "b" && self.peek(0) == '\'' {
            self.quoted('\'');
            self.push(String::new(), line, true);
        } else if word == "r" && hashes == 1 {
            self.at += 1;
            let name = self.word();
            self.push(name, line, false);
        } else {
            self.push(word, line, false);
        }
    }
}

/// The index behind the bracket that closes the one at `open`.
pub fn behind_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|bracket| token.is(bracket)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|bracket| token.is(bracket)) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return index + 1;
            }
        }
    }
    tokens.len()
}

/// The index behind the item that starts at `start`: behind its `;`, or behind its braces.
pub fn behind_item(tokens: &[Token], start: usize) -> usize {
    let mut index = start;
    while index < tokens.len() {
        let token = &tokens[index];
        if token.is(";") {
            return index + 1;
        }
        if token.is("{") {
            return behind_group(tokens, index);
        }
        index = if token.is("(") || token.is("[") { behind_group(tokens, index) } else { index + 1 };
    }
    tokens.len()
}

/// The token ranges of what is compiled for tests alone: items behind `#[cfg(test)]` or `#[test]`.
pub fn test_ranges(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        if !tokens[index].is("#") {
            index += 1;
            continue;
        }
        let start = index;
        let inner = tokens.get(index + 1).is_some_and(|token| token.is("!"));
        let open = index + 1 + usize::from(inner);
        let end = behind_group(tokens, open);
        let inside =
            &tokens[(open + 1).min(tokens.len())..end.saturating_sub(1).max(open + 1).min(tokens.len())];
        if !is_test_attribute(inside) {
            index = end;
            continue;
        }
        if inner {
            return std::iter::once(0..tokens.len()).collect();
        }
        let mut item = end;
        while tokens.get(item).is_some_and(|token| token.is("#")) {
            item = behind_group(tokens, item + 1);
        }
        index = behind_item(tokens, item);
        ranges.push(start..index);
    }
    ranges
}

/// `test`, `cfg(test)`, `cfg(all(test, …))`; not `cfg(not(test))`, nor `cfg(any(test, …))`, which others compile too.
fn is_test_attribute(inside: &[Token]) -> bool {
    let words: Vec<&str> = inside.iter().map(|token| token.text.as_str()).collect();
    match words.as_slice() {
        ["test"] | ["cfg", "(", "test", ")"] => true,
        ["cfg", "(", "all", "(", rest @ ..] => {
            rest.contains(&"test") && !rest.contains(&"not") && !rest.contains(&"any")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().filter(|token| !token.literal).map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        assert_eq!(words("a /* b /* c */ d */ e // f\ng"), ["a", "e", "g"]);
        assert_eq!(
            words(r##"x("un\"safe", r#"un"safe"#, b'"', 'a', '\'', "y") z"##),
            ["x", "(", ",", ",", ",", ",", ",", ")", "z"]
        );
        assert_eq!(words("fn f<'a>(x: &'a str) {}").last().map(String::as_str), Some("}"));
        assert_eq!(words("r#type::x 0x1f 1_000u32"), ["type", "::", "x"]);
    }

    #[test]
    fn lines_are_counted_through_strings() {
        let found = tokens("a\n\"x\ny\"\nb");
        assert_eq!(found.last().map(|token| token.line), Some(4));
    }

    #[test]
    fn tests_are_found() {
        let text = "fn a() {}\n#[cfg(test)]\n#[expect(x)]\nmod tests { fn b() {} }\nfn c() {}";
        let all = tokens(text);
        let ranges = test_ranges(&all);
        assert_eq!(ranges.len(), 1);
        assert!(all[ranges[0].clone()].iter().any(|token| token.is("b")));
        assert!(!all[ranges[0].clone()].iter().any(|token| token.is("c")));
        assert!(test_ranges(&tokens("#[cfg(not(test))] fn a() {}")).is_empty());
    }
}
