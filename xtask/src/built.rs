//! What cargo says that it built: the few things that are wanted of its messages in JSON, one a line.

use std::path::{Path, PathBuf};

/// A program that cargo built, or found built already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// `bin`, `test`, `example`.
    pub kind: String,
    pub name: String,
    pub file: PathBuf,
    /// The directory of its package, where cargo would start it.
    pub package: PathBuf,
}

/// All programs in the messages.
pub fn programs(messages: &str) -> Vec<Program> {
    let artifacts = messages.lines().filter(|line| line.starts_with(r#"{"reason":"compiler-artifact""#));
    let program = |line: &str| {
        // The target has its own name and kind; the package's come before.
        let (package, target) = line.split_once(r#""target":"#)?;
        Some(Program {
            kind: between(target, r#""kind":[""#)?.into(),
            name: between(target, r#""name":""#)?.into(),
            file: between(target, r#""executable":""#)?.into(),
            package: Path::new(between(package, r#""manifest_path":""#)?).parent()?.into(),
        })
    };
    artifacts.filter_map(program).collect()
}

/// The path of one program of this kind and name, if there is one.
pub fn program(messages: &str, kind: &str, name: &str) -> Option<PathBuf> {
    let found = programs(messages).into_iter().rfind(|one| one.kind == kind && one.name == name);
    found.map(|one| one.file)
}

/// The value of a variable that a build script has set for its crate.
pub fn variable<'m>(messages: &'m str, name: &str) -> Option<&'m str> {
    let scripts = messages.lines().filter(|line| line.starts_with(r#"{"reason":"build-script-executed""#));
    scripts.filter_map(|line| between(line, &format!(r#"["{name}",""#))).next()
}

/// What stands behind these words, up to the next quotation mark.
fn between<'m>(text: &'m str, words: &str) -> Option<&'m str> {
    let (_, rest) = text.split_once(words)?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = concat!(
        r#"{"reason":"compiler-artifact","manifest_path":"/t/cli/Cargo.toml","#,
        r#""target":{"kind":["lib"],"name":"insula"},"executable":null}"#,
        "\n",
        r#"{"reason":"compiler-artifact","manifest_path":"/t/cli/Cargo.toml","#,
        r#""target":{"kind":["bin"],"name":"insula"},"executable":"/t/insula"}"#,
        "\n",
        r#"{"reason":"build-script-executed","env":[["A","1"],["INIT","/t/out/init"]],"out_dir":"/t/out"}"#,
        "\n",
        r#"{"reason":"build-finished","success":true}"#,
    );

    #[test]
    fn the_program_is_found_among_the_messages() {
        assert_eq!(program(MESSAGES, "bin", "insula"), Some("/t/insula".into()));
        assert_eq!(program(MESSAGES, "example", "insula"), None);
        let all = programs(MESSAGES);
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].package, Path::new("/t/cli"));
    }

    #[test]
    fn what_a_build_script_set() {
        assert_eq!(variable(MESSAGES, "INIT"), Some("/t/out/init"));
        assert_eq!(variable(MESSAGES, "B"), None);
    }
}
