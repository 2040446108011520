//! Expressions that choose rows, scols-filter(5): `TYPE == "net" and NPROCS > 1`. The language and its quirks are those
//! of libsmartcols 2.42.
//!
//! `and` and `or` bind equally, from left to right, and weaker than comparisons; `!` takes the one value or bracket after
//! it. The side that is a literal says as what both are compared; of two columns or two literals the left one does.

mod error;
mod eval;
mod lexer;
mod parser;
mod value;

pub use error::{Error, Mismatch};
pub use value::Type;

/// An expression.
#[derive(Debug)]
pub struct Filter {
    root: parser::Node,
    /// The columns that it names, as they were written.
    names: Vec<String>,
}

impl Filter {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Filter, Error> {
        let tokens = lexer::tokens(text)?;
        let mut names = Vec::new();
        let root = parser::parse(&tokens, text.len(), &mut names)?;
        Ok(Filter { root, names })
    }

    /// The columns that it names, as they were written, in the order of their places.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Is it true for a row? `column` gives type and value of a column by its number in [`Filter::names`]; it is asked
    /// only for what the answer hangs on.
    pub fn holds(&self, column: &dyn Fn(usize) -> (Type, Option<String>)) -> Result<bool, Mismatch> {
        eval::holds(&self.root, column)
    }
}

#[cfg(test)]
mod tests;
