//! The law of size: a file and a function that a person can hold in the head. Tables in a `const` or `static` do not
//! count, nor do tests.

use super::allowed::Allowed;
use super::breach::Breach;
use super::source::Source;
use super::token::{Token, behind_group};

/// Lines of a file, without its tests and tables.
const FILE_LINES: usize = 450;

/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES: usize = 80;

/// The files and functions that are too long, and the exceptions that nothing needs.
pub fn breaches(sources: &[Source], allowed: &[Allowed]) -> Vec<Breach> {
    let mut used = vec![false; allowed.len()];
    let mut permitted = |path: &str, function: Option<&str>| {
        let index = allowed.iter().position(|one| one.path == path && one.function == function);
        index.inspect(|index| used[*index] = true).is_some()
    };
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.code.is_empty()) {
        let lines = (source.lines - source.test_lines).saturating_sub(table_lines(&source.code));
        if lines > FILE_LINES && !permitted(&source.path, None) {
            found.push(Breach::new(
                &source.path,
                format!("{lines} lines of code, more than {FILE_LINES}: split it"),
            ));
        }
        for function in functions(&source.code) {
            if function.lines > FUNCTION_LINES && !permitted(&source.path, Some(&function.name)) {
                let words =
                    format!("`{}` has {} lines, more than {FUNCTION_LINES}", function.name, function.lines);
                found.push(Breach::new(format!("{}:{}", source.path, function.line), words));
            }
        }
    }
    for (one, used) in allowed.iter().zip(used) {
        let name = one.function.unwrap_or("the file");
        if !used {
            found.push(Breach::new(
                one.path,
                format!("{name} is allowed to be long and is not: drop the exception"),
            ));
        }
        if one.reason.trim().is_empty() {
            found.push(Breach::new(one.path, format!("{name} is allowed to be long without a reason")));
        }
    }
    found
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

fn functions(code: &[Token]) -> Vec<Function> {
    let mut found = Vec::new();
    for (index, token) in code.iter().enumerate() {
        // `fn(u8)` is a type, and has no name.
        let Some(name) = code.get(index + 1).filter(|next| token.is("fn") && next.is_name()) else {
            continue;
        };
        let Some(open) = body(code, index) else { continue };
        let end = behind_group(code, open);
        let span = code[end - 1].line + 1 - token.line;
        let lines = span.saturating_sub(table_lines(&code[open..end]));
        found.push(Function { name: name.text.clone(), line: token.line, lines });
    }
    found
}

/// The index of the brace that opens the body, if the function has one.
fn body(code: &[Token], start: usize) -> Option<usize> {
    let mut index = start;
    while index < code.len() {
        let token = &code[index];
        if token.is("{") {
            return Some(index);
        }
        if token.is(";") {
            return None;
        }
        index = if token.is("(") || token.is("[") { behind_group(code, index) } else { index + 1 };
    }
    None
}

/// How many lines the `const` and `static` items of more than one line take.
fn table_lines(code: &[Token]) -> usize {
    let mut sum = 0;
    let mut index = 0;
    while index < code.len() {
        let item = code[index].is("const") || code[index].is("static");
        let named =
            code.get(index + 1).is_some_and(|next| next.is_name() && !next.is("fn") && !next.is("unsafe"));
        let typed = [2, 3].iter().any(|ahead| code.get(index + ahead).is_some_and(|next| next.is(":")));
        if !(item && named && typed) {
            index += 1;
            continue;
        }
        let start = code[index].line;
        while index < code.len() && !code[index].is(";") {
            let opens = ["(", "[", "{"].iter().any(|bracket| code[index].is(bracket));
            // `const N: usize>` in generics ends at its bracket, not at a semicolon.
            if [")", "]", "}", ">"].iter().any(|bracket| code[index].is(bracket)) && code[index].line == start
            {
                break;
            }
            index = if opens { behind_group(code, index) } else { index + 1 };
        }
        let end = code.get(index).map_or(start, |token| token.line);
        if end > start {
            sum += end + 1 - start;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::source::sources;
    use super::*;
    use crate::tree::made_up;

    fn said(text: &str, allowed: &[Allowed]) -> Vec<String> {
        breaches(&sources(&made_up(&[("crates/x/src/a.rs", text)])), allowed)
            .iter()
            .map(Breach::to_string)
            .collect()
    }

    #[test]
    fn a_long_file_is_told() {
        assert_eq!(said(&"fn f() {}\n".repeat(450), &[]), [""; 0]);
        assert_eq!(
            said(&"fn f() {}\n".repeat(451), &[]),
            ["crates/x/src/a.rs: 451 lines of code, more than 450: split it"]
        );
    }

    #[test]
    fn tests_and_tables_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(500));
        let table = format!("const T: &[(u8, u8)] = &[\n{}];\n", "(1, 2),\n".repeat(500));
        assert_eq!(said(&format!("fn f() {{}}\n{table}{tests}"), &[]), [""; 0]);
        assert_eq!(said(&format!("fn f() {{\n{table}}}\n"), &[]), [""; 0]);
    }

    #[test]
    fn a_long_function_is_told() {
        assert_eq!(said(&format!("fn f() {{\n{}}}\n", "g();\n".repeat(78)), &[]), [""; 0]);
        let long = format!("\nfn f<const N: usize>() -> [u8; N] {{\n{}}}\n", "g();\n".repeat(79));
        assert_eq!(said(&long, &[]), ["crates/x/src/a.rs:2: `f` has 81 lines, more than 80"]);
    }

    #[test]
    fn an_exception_needs_a_reason_and_a_need() {
        let long = format!("fn f() {{\n{}}}\n", "g();\n".repeat(79));
        let path = "crates/x/src/a.rs";
        let one = |function, reason| [Allowed { path, function: Some(function), reason }];
        assert_eq!(said(&long, &one("f", "it is a list")), [""; 0]);
        assert_eq!(
            said(&long, &one("f", " ")),
            ["crates/x/src/a.rs: f is allowed to be long without a reason"]
        );
        assert_eq!(
            said("fn f() {}", &one("f", "it was")),
            ["crates/x/src/a.rs: f is allowed to be long and is not: drop the exception"]
        );
    }
}
