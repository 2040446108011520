//! What an expression says of a row.

use super::error::Mismatch;
use super::parser::Node;
use super::value::{Kind, Type, Value};

type Columns<'c> = &'c dyn Fn(usize) -> (Type, Option<String>);

pub fn holds(node: &Node, columns: Columns<'_>) -> Result<bool, Mismatch> {
    match node {
        Node::And(left, right) => Ok(holds(left, columns)? && holds(right, columns)?),
        Node::Or(left, right) => Ok(holds(left, columns)? || holds(right, columns)?),
        Node::Not(operand) => Ok(!holds(operand, columns)?),
        Node::Literal(_) | Node::Column(_) => Ok(value(node, columns)?.is_true()),
        Node::Match(left, pattern, wanted) => {
            // A literal that is no text has no pattern to match.
            let left = match value(left, columns)? {
                literal if literal.kind() != Kind::Text && !matches!(**left, Node::Column(_)) => {
                    return Err(Mismatch);
                }
                value => value.cast(Kind::Text)?,
            };
            let Value::Text(text) = left else { return Err(Mismatch) };
            Ok(pattern.matches(text.as_deref().unwrap_or("")) == *wanted)
        }
        Node::Compare(operator, left, right) => {
            let one = value(left, columns)?;
            let two = value(right, columns)?;
            let kind = common(left, &one, right, &two);
            one.cast(kind)?.compare(*operator, &two.cast(kind)?)
        }
    }
}

/// The value of a node; that of an operator is what it says of the row.
fn value(node: &Node, columns: Columns<'_>) -> Result<Value, Mismatch> {
    match node {
        Node::Literal(value) => Ok(value.clone()),
        Node::Column(number) => {
            let (kind, text) = columns(*number);
            let text = text.map(|text| text.trim().to_owned());
            match kind {
                Type::Text => Ok(Value::Text(text)),
                Type::Number => match text {
                    None => Ok(Value::Number(None)),
                    text => Value::Text(text).cast(Kind::Number),
                },
            }
        }
        _ => Ok(Value::Bool(Some(holds(node, columns)?))),
    }
}

/// As what two values are compared: as the literal is rather than the column, as floats where one is.
fn common(left: &Node, one: &Value, right: &Node, two: &Value) -> Kind {
    let (one, two) = (one.kind(), two.kind());
    let is_column = |node: &Node| matches!(node, Node::Column(_));
    let kind = if is_column(left) && !is_column(right) { two } else { one };
    match kind {
        Kind::Number if one == Kind::Float || two == Kind::Float => Kind::Float,
        kind => kind,
    }
}
