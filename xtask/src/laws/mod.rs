//! What holds in this tree and no compiler checks. Each law is a file: what it reads, what it says, its own tests.

mod allowed;
mod arrows;
mod breach;
mod circles;
mod graph;
mod size;
mod source;
mod token;
mod words;

use self::breach::Breach;
use crate::stop::Stop;
use crate::tell;
use crate::tree::{self, File};

/// `laws`
pub fn command() -> Result<(), Stop> {
    let root = tree::root();
    let files = tree::read(&root);
    let files =
        files.map_err(|error| Stop::Failed(format!("read the tree `{}`: {error}", root.display())))?;
    let breaches = breaches(&files);
    for breach in &breaches {
        tell::say(&format!("{breach}\n"));
    }
    match breaches.len() {
        0 => Ok(()),
        1 => Err(Stop::Failed("1 breach of the laws (CONTRIBUTING.md says what they are for)".into())),
        count => Err(Stop::Failed(format!(
            "{count} breaches of the laws (CONTRIBUTING.md says what they are for)"
        ))),
    }
}

/// All breaches of all laws, in the order of their places.
fn breaches(files: &[File]) -> Vec<Breach> {
    let sources = source::sources(files);
    let mut found = arrows::breaches(files);
    found.extend(circles::breaches(&sources));
    found.extend(words::breaches(files, &sources, words::FORBIDDEN));
    found.extend(size::breaches(&sources, allowed::LONG));
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::made_up;

    #[test]
    fn this_tree_is_readable_and_its_xtask_keeps_the_laws() {
        let files = tree::read(&tree::root()).expect("read the tree");
        let own: Vec<Breach> =
            breaches(&files).into_iter().filter(|b| b.place.starts_with("xtask/")).collect();
        assert_eq!(own, []);
    }

    #[test]
    fn a_tree_without_faults_has_no_breaches() {
        let tree = made_up(&[
            ("crates/sys/Cargo.toml", "[package]\nname = \"insula-sys\"\n"),
            ("crates/sys/src/lib.rs", "//! x\npub fn f() { unsafe { g() } }\n"),
            (
                "crates/cli/Cargo.toml",
                "[package]\nname = \"insula\"\n[dependencies]\ninsula-sys.workspace = true\n",
            ),
            ("crates/cli/src/main.rs", "#![forbid(unsafe_code)]\nmod tell;\nfn main() { tell::say() }\n"),
            ("crates/cli/src/tell.rs", "pub fn say() { println!(\"x\") }\n"),
        ]);
        assert_eq!(breaches(&tree), []);
    }
}
