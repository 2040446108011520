//! The grammar of expressions, by precedence climbing.

use super::error::Error;
use super::lexer::{Operator, Placed, Token};
use super::value::Value;
use insula_sys::regex::Regex;

/// The most values and operators in one expression.
const MOST_NODES: usize = 256;
/// The most brackets and `!` within each other: they have no nodes of their own.
const DEEPEST: usize = 128;
/// The longest regular expression, in bytes.
const MOST_PATTERN_BYTES: usize = 256;
/// The largest number of repetitions in one.
const MOST_REPETITIONS: u32 = 1024;

#[derive(Debug)]
pub enum Node {
    Literal(Value),
    /// A column, by its number among the names.
    Column(usize),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Compare(Operator, Box<Node>, Box<Node>),
    /// The value, the expression, and whether a match is wanted.
    Match(Box<Node>, Regex, bool),
}

pub fn parse(tokens: &[Placed], length: usize, names: &mut Vec<String>) -> Result<Node, Error> {
    let mut parser = Parser { tokens, length, at: 0, nodes: 0, depth: 0, names };
    let root = parser.logical()?;
    match parser.peek() {
        None => Ok(root),
        Some(_) => Err(parser.error("expected `and`, `or`, a comparison or the end")),
    }
}

struct Parser<'t> {
    tokens: &'t [Placed],
    length: usize,
    at: usize,
    nodes: usize,
    depth: usize,
    names: &'t mut Vec<String>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn error(&self, reason: &str) -> Error {
        let at = self.tokens.get(self.at).map_or(self.length, |placed| placed.at);
        Error { at, reason: reason.to_owned() }
    }

    /// Counts a value or an operator.
    fn node(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > MOST_NODES { Err(self.error("too many values and operators")) } else { Ok(()) }
    }

    fn logical(&mut self) -> Result<Node, Error> {
        let mut left = self.comparison()?;
        while let Some(token @ (Token::And | Token::Or)) = self.peek().cloned() {
            self.at += 1;
            let right = Box::new(self.comparison()?);
            self.node()?;
            left = match token {
                Token::And => Node::And(Box::new(left), right),
                _ => Node::Or(Box::new(left), right),
            };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Node, Error> {
        let mut left = self.unary()?;
        while let Some(Token::Compare(operator)) = self.peek() {
            let operator = *operator;
            self.at += 1;
            left = match operator {
                Operator::Matches | Operator::MatchesNot => {
                    let pattern = self.pattern()?;
                    Node::Match(Box::new(left), pattern, operator == Operator::Matches)
                }
                _ => Node::Compare(operator, Box::new(left), Box::new(self.unary()?)),
            };
            self.node()?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("too many brackets within each other"));
        }
        let node = match self.peek() {
            Some(Token::Not) => {
                self.at += 1;
                let operand = self.unary()?;
                self.node()?;
                Node::Not(Box::new(operand))
            }
            Some(Token::Open) => {
                self.at += 1;
                let inside = self.logical()?;
                if self.peek() != Some(&Token::Close) {
                    return Err(self.error("expected `)`"));
                }
                self.at += 1;
                inside
            }
            _ => self.value()?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn value(&mut self) -> Result<Node, Error> {
        let node = match self.peek() {
            Some(Token::Number(number)) => Node::Literal(Value::Number(Some(*number))),
            Some(Token::Float(float)) => Node::Literal(Value::Float(Some(*float))),
            Some(Token::True) => Node::Literal(Value::Bool(Some(true))),
            Some(Token::False) => Node::Literal(Value::Bool(Some(false))),
            Some(Token::Text(text)) => Node::Literal(Value::Text(Some(text.clone()))),
            Some(Token::Column(name)) => {
                let name = name.clone();
                self.names.push(name);
                Node::Column(self.names.len() - 1)
            }
            _ => return Err(self.error("expected a column, a number, a string, `!` or `(`")),
        };
        self.node()?;
        self.at += 1;
        Ok(node)
    }

    /// The string after `=~` and `!~`.
    fn pattern(&mut self) -> Result<Regex, Error> {
        let Some(Token::Text(text)) = self.peek() else {
            return Err(self.error("expected a regular expression in quotes"));
        };
        if text.len() > MOST_PATTERN_BYTES || is_costly(text) {
            return Err(self.error("too costly a regular expression"));
        }
        let regex = Regex::new(text).map_err(|words| self.error(&words))?;
        self.node()?;
        self.at += 1;
        Ok(regex)
    }
}

/// Repetitions of repetitions, and large counts, take the C library gigabytes to compile.
fn is_costly(pattern: &str) -> bool {
    let repeats = |byte: u8| byte == b'+' || byte == b'*';
    let bytes = pattern.as_bytes();
    let doubled = bytes.windows(2).any(|pair| repeats(pair[0]) && repeats(pair[1]));
    let nested = bytes.windows(2).enumerate().any(|(at, pair)| {
        pair[0] == b')'
            && repeats(pair[1])
            && bytes[..at].iter().rev().take_while(|byte| **byte != b'(').any(|byte| repeats(*byte))
    });
    let counts = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let numbers = counts.flat_map(|count| count.split(|char: char| !char.is_ascii_digit()));
    let large = numbers.filter(|number| !number.is_empty());
    doubled
        || nested
        || large.into_iter().any(|number| number.parse::<u32>().map_or(true, |n| n > MOST_REPETITIONS))
}
