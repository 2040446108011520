//! A process that may not be looked into.

use crate::caller::{Caller, Started};
use crate::told::{Told, refused, shell};
use insula_proof as proof;
use std::process::Command;

const ROOT: &[&str] = &["--user", "--map-root-user"];

fn a_process_of_the_user_namespace_above_is_closed(caller: &Caller) {
    let script = r#"sleep 60 & target=$!
        "$0" unshare --map-root-user "$0" nsenter --target $target --net true; kill $target"#;
    Told::by(&shell(caller, script)).is("is in a user namespace that is neither", "from that user namespace");
}

fn a_process_with_more_capabilities_is_closed(caller: &Caller) {
    proof::need!(program "setpriv");
    let script = r#"sleep 60 & target=$!
        setpriv --bounding-set -all "$0" nsenter --target $target --net true; kill $target"#;
    refused(caller, ROOT, script).is("has capabilities that this one has not", "be root there");
}

by_everyone!(a_process_of_the_user_namespace_above_is_closed, a_process_with_more_capabilities_is_closed);

#[test]
fn a_process_of_another_user_is_closed() {
    proof::need!(root);
    let caller = proof::or_skip!(Caller::user());
    let other = Started::new(Command::new("sleep").arg("60"));
    let pid = other.child.id().to_string();
    let told = Told::by(&shell(&caller, &format!(r#""$0" nsenter --target {pid} --net true"#)));
    told.is(
        &format!("process {pid} is user 0's, and this one is user {}", caller.uid()),
        "be root, or that user",
    );
}

#[test]
fn a_process_that_has_closed_itself_is_told() {
    let caller = proof::or_skip!(Caller::user());
    // A program that may be executed and not be read.
    let script = r#"cp "$(command -v sleep)" closed && chmod 0111 closed || exit 9
        ./closed 60 & target=$!
        until [ "$(cat /proc/$target/comm)" = closed ]; do :; done
        "$0" nsenter --target $target --net true; kill $target"#;
    Told::by(&shell(&caller, script)).is("has closed itself to all but root", "be root there");
}
