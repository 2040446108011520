//! Values of four types, and how one becomes another.

use super::error::Mismatch;
use super::lexer::Operator;

/// What a column's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Words.
    Text,
    /// Numbers from 0 to 2^64-1.
    Number,
}

/// A value; `None` where a column has none.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(Option<String>),
    Number(Option<u64>),
    Float(Option<f64>),
    Bool(Option<bool>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Float,
    Bool,
}

impl Value {
    pub fn kind(&self) -> Kind {
        match self {
            Value::Text(_) => Kind::Text,
            Value::Number(_) => Kind::Number,
            Value::Float(_) => Kind::Float,
            Value::Bool(_) => Kind::Bool,
        }
    }

    /// Is there something in it?
    pub fn is_true(&self) -> bool {
        match self {
            Value::Text(text) => text.as_ref().is_some_and(|text| !text.is_empty()),
            Value::Number(number) => number.is_some_and(|number| number != 0),
            Value::Float(float) => float.is_some_and(|float| float != 0.0),
            Value::Bool(bool) => bool.unwrap_or(false),
        }
    }

    /// The same as another type. A text that is no number is no number.
    pub fn cast(self, kind: Kind) -> Result<Value, Mismatch> {
        if self.kind() == kind {
            return Ok(self);
        }
        Ok(match (self, kind) {
            (Value::Text(text), Kind::Number) => Value::Number(text.map(|text| number(&text)).transpose()?),
            (Value::Text(text), Kind::Float) => Value::Float(text.map(|text| float(&text)).transpose()?),
            (Value::Text(text), _) => Value::Bool(text.map(|text| says_yes(&text))),
            (Value::Number(number), _) => from_number(number.unwrap_or(0), kind),
            (Value::Float(float), _) => from_float(float.unwrap_or(0.0), kind),
            (Value::Bool(bool), Kind::Text) => Value::Text(Some(bool.unwrap_or(false).to_string())),
            (Value::Bool(bool), _) => from_number(u64::from(bool.unwrap_or(false)), kind),
        })
    }

    /// Compares two values of one type. Numbers that are not there compare as nothing, not even as different; a text that
    /// is not there is before every other.
    pub fn compare(&self, operator: Operator, other: &Value) -> Result<bool, Mismatch> {
        let order = match (self, other) {
            (Value::Text(one), Value::Text(two)) => one.as_ref().partial_cmp(&two.as_ref()),
            (Value::Number(one), Value::Number(two)) => one.zip(*two).map(|(one, two)| one.cmp(&two)),
            (Value::Float(one), Value::Float(two)) => {
                one.zip(*two).and_then(|(one, two)| one.partial_cmp(&two))
            }
            (Value::Bool(one), Value::Bool(two)) => one.zip(*two).map(|(one, two)| one.cmp(&two)),
            _ => return Err(Mismatch),
        };
        Ok(order.is_some_and(|order| match operator {
            Operator::Eq => order.is_eq(),
            Operator::Ne => order.is_ne(),
            Operator::Le => order.is_le(),
            Operator::Lt => order.is_lt(),
            Operator::Ge => order.is_ge(),
            Operator::Gt => order.is_gt(),
            Operator::Matches | Operator::MatchesNot => false,
        }))
    }
}

fn number(text: &str) -> Result<u64, Mismatch> {
    text.trim_start().parse().map_err(|_| Mismatch)
}

fn float(text: &str) -> Result<f64, Mismatch> {
    text.trim_start().parse().map_err(|_| Mismatch)
}

/// `1`, `true`, or what begins with a `y`.
fn says_yes(text: &str) -> bool {
    text == "1" || text.eq_ignore_ascii_case("true") || text.starts_with(['y', 'Y'])
}

#[expect(clippy::cast_precision_loss, reason = "a number compared with a float is one, as near as it comes")]
fn from_number(number: u64, kind: Kind) -> Value {
    match kind {
        Kind::Text => Value::Text(Some(number.to_string())),
        Kind::Number => Value::Number(Some(number)),
        Kind::Float => Value::Float(Some(number as f64)),
        Kind::Bool => Value::Bool(Some(number > 0)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` cuts at the ends, as is wanted"
)]
fn from_float(float: f64, kind: Kind) -> Value {
    match kind {
        Kind::Text => Value::Text(Some(float.to_string())),
        Kind::Number => Value::Number(Some(float as u64)),
        Kind::Float => Value::Float(Some(float)),
        Kind::Bool => Value::Bool(Some(float > 0.0)),
    }
}
