//! The law of the modules: inside a crate too, no two files know each other, nor any longer circle.
//!
//! A module is a file. An arrow is a path in its code that leads to another file of the crate: in a `use`, or where it
//! stands. `pub use` of a child, and `mod`, are no arrows: a parent may show what its children hold. A path through such
//! a `pub use` leads to the file that holds the thing.

use std::collections::BTreeMap;

use super::breach::Breach;
use super::graph::{Graph, circles};
use super::source::Source;
use super::token::{Token, behind_group};

/// The path of a module from the root of its crate; the root itself is empty.
type Module = Vec<String>;

/// A path in the code of a module, made absolute, and where it stands.
#[derive(Debug)]
struct Mention {
    path: Module,
    line: usize,
    /// It is a `use` that shows the thing to others, under this name (`*` for all).
    shown_as: Option<String>,
    is_use: bool,
}

/// All circles of all crates.
pub fn breaches(sources: &[Source]) -> Vec<Breach> {
    let mut packages: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.inside.starts_with("src/") && !source.code.is_empty())
    {
        packages.entry(&source.package).or_default().push(source);
    }
    packages.values().flat_map(|files| circles_of(files)).collect()
}

fn circles_of(files: &[&Source]) -> Vec<Breach> {
    // Where there are a library and a program, the program's root knows the library by name, not by `crate`.
    let has_library = files.iter().any(|file| file.inside == "src/lib.rs");
    let modules: BTreeMap<Module, &Source> = files
        .iter()
        .filter(|file| file.inside != "src/main.rs" || !has_library)
        .filter(|file| !file.inside.starts_with("src/bin/"))
        .map(|file| (module_of(&file.inside), *file))
        .collect();
    let mentions: BTreeMap<&Module, Vec<Mention>> =
        modules.iter().map(|(module, file)| (module, mentions(module, &file.code, &modules))).collect();
    let mut graph = Graph::new();
    let mut lines: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (module, found) in &mentions {
        for mention in found {
            let Some(target) = resolve(&mention.path, &modules, &mentions, 0) else { continue };
            let shows_child = mention.shown_as.is_some() && target.starts_with(module);
            if target == **module || shows_child {
                continue;
            }
            let (from, to) = (modules[*module].path.clone(), modules[&target].path.clone());
            lines.entry((from.clone(), to.clone())).or_insert(mention.line);
            graph.entry(from).or_default().insert(to);
        }
    }
    circles(&graph).iter().map(|circle| describe(circle, &lines)).collect()
}

fn describe(circle: &[String], lines: &BTreeMap<(String, String), usize>) -> Breach {
    let next = |index: usize| &circle[(index + 1) % circle.len()];
    let mut names: Vec<&str> = circle.iter().map(|file| short(file)).collect();
    names.push(short(&circle[0]));
    let places: Vec<String> = circle
        .iter()
        .enumerate()
        .map(|(index, file)| format!("{file}:{}", lines[&(file.clone(), next(index).clone())]))
        .collect();
    Breach::new(&circle[0], format!("a circle of modules: {} ({})", names.join(" -> "), places.join(", ")))
}

fn short(path: &str) -> &str {
    path.split_once("/src/").map_or(path, |(_, rest)| rest).trim_end_matches(".rs").trim_end_matches("/mod")
}

fn module_of(inside: &str) -> Module {
    let inner = inside.strip_prefix("src/").unwrap_or(inside).trim_end_matches(".rs");
    let mut parts: Module = inner.split('/').map(str::to_string).collect();
    match parts.last().map(String::as_str) {
        Some("mod") => {
            parts.pop();
        }
        Some("lib" | "main") if parts.len() == 1 => parts.clear(),
        _ => {}
    }
    parts
}

/// The file that a path leads to: the longest part of it that is a module; and on, where that module only shows it.
fn resolve(
    path: &[String],
    modules: &BTreeMap<Module, &Source>,
    mentions: &BTreeMap<&Module, Vec<Mention>>,
    depth: usize,
) -> Option<Module> {
    let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let module = path[..length].to_vec();
    let Some(name) = path.get(length) else { return Some(module) };
    // Two files may show each other's things; the bound ends that.
    if depth < 8 {
        let shown = mentions.get(&module).into_iter().flatten();
        let mut shown = shown.filter(|mention| mention.is_use && mention.path != module);
        if let Some(mention) = shown.find(|mention| {
            mention.shown_as.as_deref().or(mention.path.last().map(String::as_str)) == Some(name)
        }) {
            let on: Module = mention.path.iter().chain(&path[length + 1..]).cloned().collect();
            return resolve(&on, modules, mentions, depth + 1);
        }
        // Behind `pub use child::*` the thing may be anywhere: no arrow is better than a wrong one.
        let everything = |mention: &Mention| mention.shown_as.as_deref() == Some("*");
        let defines =
            || modules[&module].code.windows(2).any(|pair| pair[1].is(name) && is_definition(&pair[0]));
        if mentions.get(&module).into_iter().flatten().any(everything) && !defines() {
            return None;
        }
    }
    Some(module)
}

fn is_definition(token: &Token) -> bool {
    ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mut", "mod"]
        .iter()
        .any(|word| token.is(word))
}

/// Every path in this code that may lead to another file of the crate.
fn mentions(module: &Module, code: &[Token], modules: &BTreeMap<Module, &Source>) -> Vec<Mention> {
    let mut found = Vec::new();
    // Modules in braces in this file: their `super` and `self` are below this module, and no files.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut index = 0;
    while index < code.len() {
        inline.retain(|(_, end)| index < *end);
        let mut here = module.clone();
        here.extend(inline.iter().map(|(name, _)| name.clone()));
        let token = &code[index];
        if token.is("mod") && code.get(index + 2).is_some_and(|next| next.is("{")) {
            inline.push((code[index + 1].text.clone(), behind_group(code, index + 2)));
            index += 3;
        } else if token.is("use") {
            let shown = index > 0 && (code[index - 1].is("pub") || code[index - 1].is(")"));
            index = read_use(&here, code, index + 1, shown, modules, &mut found);
        } else if starts_path(code, index) {
            let (words, end) = read_path(code, index);
            let calls_macro = code.get(end).is_some_and(|next| next.is("!"));
            if let Some(path) =
                absolute(&here, &words, modules).filter(|path| !(calls_macro && path.len() == 1))
            {
                found.push(Mention { path, line: token.line, shown_as: None, is_use: false });
            }
            index = end;
        } else {
            index += 1;
        }
    }
    found
}

fn starts_path(code: &[Token], index: usize) -> bool {
    let before = index.checked_sub(1).map(|index| &code[index]);
    code[index].is_name()
        && code.get(index + 1).is_some_and(|next| next.is("::"))
        && !before.is_some_and(|token| token.is("::") || token.is("."))
}

fn read_path(code: &[Token], start: usize) -> (Vec<String>, usize) {
    let mut words = vec![code[start].text.clone()];
    let mut index = start + 1;
    while code.get(index).is_some_and(|token| token.is("::"))
        && code.get(index + 1).is_some_and(Token::is_name)
    {
        words.push(code[index + 1].text.clone());
        index += 2;
    }
    (words, index)
}

/// One `use`, with its braces; returns the index behind its `;`.
fn read_use(
    here: &Module,
    code: &[Token],
    start: usize,
    shown: bool,
    modules: &BTreeMap<Module, &Source>,
    found: &mut Vec<Mention>,
) -> usize {
    let end = (start..code.len()).find(|index| code[*index].is(";")).unwrap_or(code.len());
    let mut leaves = Vec::new();
    use_tree(&code[start..end], &[], &mut leaves);
    for (words, name, line) in leaves {
        if let Some(path) = absolute(here, &words, modules) {
            let shown_as = shown.then_some(name);
            found.push(Mention { path, line, shown_as, is_use: true });
        }
    }
    end + 1
}

type Leaf = (Vec<String>, String, usize);

fn use_tree(tokens: &[Token], prefix: &[String], leaves: &mut Vec<Leaf>) {
    let mut index = 0;
    while index < tokens.len() {
        let mut path = prefix.to_vec();
        let mut name = None;
        let line = tokens[index].line;
        let mut braces = false;
        while index < tokens.len() && !tokens[index].is(",") {
            let token = &tokens[index];
            if token.is("{") {
                let end = behind_group(tokens, index);
                use_tree(&tokens[index + 1..end - 1], &path, leaves);
                braces = true;
                index = end;
            } else if token.is("as") {
                name = tokens.get(index + 1).map(|token| token.text.clone());
                index += 2;
            } else {
                if token.is("*") {
                    name = Some("*".into());
                } else if token.is_name() && (path.is_empty() || !token.is("self")) {
                    path.push(token.text.clone());
                }
                index += 1;
            }
        }
        index += 1;
        if !braces && !path.is_empty() {
            let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
            leaves.push((path, name, line));
        }
    }
}

/// A path from the root of the crate, or none if it leads out of the crate.
fn absolute(here: &Module, words: &[String], modules: &BTreeMap<Module, &Source>) -> Option<Module> {
    let (first, rest) = words.split_first()?;
    let mut path = match first.as_str() {
        "crate" => Module::new(),
        "self" => here.clone(),
        "super" => here[..here.len().checked_sub(1)?].to_vec(),
        child => {
            let path: Module = here.iter().cloned().chain([child.to_string()]).collect();
            if !modules.contains_key(&path) {
                return None;
            }
            path
        }
    };
    for word in rest {
        if word == "super" {
            path.pop();
        } else {
            path.push(word.clone());
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use crate::tree::made_up;

    fn said(tree: &[(&str, &str)]) -> Vec<String> {
        super::breaches(&source::sources(&made_up(tree))).into_iter().map(|breach| breach.words).collect()
    }

    #[test]
    fn a_circle_by_use_is_told_with_its_files() {
        let found = said(&[
            ("crates/x/src/lib.rs", "mod a; mod b;"),
            ("crates/x/src/a.rs", "use crate::b::B;\npub struct A(B);"),
            ("crates/x/src/b.rs", "\nuse super::a::{self, A};\npub struct B(A);"),
        ]);
        assert_eq!(found, ["a circle of modules: a -> b -> a (crates/x/src/a.rs:1, crates/x/src/b.rs:2)"]);
    }

    #[test]
    fn a_circle_by_a_path_in_the_code() {
        let found = said(&[
            ("crates/x/src/lib.rs", "mod a; mod b; mod c;"),
            ("crates/x/src/a.rs", "fn f() { crate::b::g() }"),
            ("crates/x/src/b.rs", "pub fn g() { vec![super::c::h()] }"),
            ("crates/x/src/c.rs", "pub fn h() -> crate::a::T {}"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a circle of modules: a -> b -> c -> a "), "{found:?}");
    }

    #[test]
    fn a_parent_that_shows_its_children_is_none() {
        assert_eq!(
            said(&[
                ("crates/x/src/lib.rs", "mod step; mod error; pub use error::Error; pub use step::*;"),
                ("crates/x/src/error.rs", "pub enum Error {}"),
                ("crates/x/src/step/mod.rs", "mod one;\npub use self::one::One;\npub(crate) use one::two;"),
                (
                    "crates/x/src/step/one.rs",
                    "use crate::Error;\npub struct One; fn f() -> Result<(), Error> {}"
                ),
            ]),
            [""; 0]
        );
    }

    #[test]
    fn a_parent_that_calls_a_child_that_knows_it_is_one() {
        let found = said(&[
            ("crates/x/src/lib.rs", "mod step;"),
            ("crates/x/src/step/mod.rs", "mod one; pub struct Live; fn run() { one::run(&Live) }"),
            ("crates/x/src/step/one.rs", "use super::Live; pub fn run(_: &Live) {}"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a circle of modules: step -> step/one -> step "), "{found:?}");
    }

    #[test]
    fn a_path_through_a_private_use_leads_to_the_thing() {
        assert_eq!(
            said(&[
                ("crates/x/src/main.rs", "mod a; mod b; use b::B; fn main() { a::f(B) }"),
                ("crates/x/src/a.rs", "use crate::B; pub fn f(_: B) {}"),
                ("crates/x/src/b.rs", "pub struct B;"),
            ]),
            [""; 0]
        );
    }

    #[test]
    fn tests_and_comments_are_no_arrows() {
        assert_eq!(
            said(&[
                ("crates/x/src/lib.rs", "mod a; mod b;"),
                ("crates/x/src/a.rs", "use crate::b;"),
                (
                    "crates/x/src/b.rs",
                    "// crate::a::f\n/// [`crate::a`]\n#[cfg(test)]\nmod tests { use super::*; use crate::a; }"
                ),
            ]),
            [""; 0]
        );
    }

    #[test]
    fn super_in_a_module_in_braces_is_its_own_file() {
        assert_eq!(
            said(&[
                ("crates/x/src/lib.rs", "mod a; fn f() { a::g() }"),
                ("crates/x/src/a.rs", "mod inner { use super::T; } pub struct T; pub fn g() {}"),
            ]),
            [""; 0]
        );
    }
}
