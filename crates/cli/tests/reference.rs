//! `docs/reference.md` is what `insula reference` prints. `INSULA_BLESS=1` writes it anew.
#![forbid(unsafe_code)]

use insula_proof::snapshot;

#[test]
fn the_reference_in_docs_is_what_insula_prints() {
    let output = insula_proof::insula().arg("reference").output().expect("start insula");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("text in UTF-8");
    snapshot::assert("docs/reference.md", &text);
}
