//! The moment at which a container is made: the storey above writes it down, and only then does the child go on.

use super::{Describe, Errand, Parent};
use crate::fault::Done;
use std::borrow::Cow;
use std::fmt;

/// The step. What is done in it the caller of [`perform_with`](crate::perform::perform_with) says.
#[derive(Debug)]
pub struct Commit;

impl Commit {
    pub(super) fn run(&self, at: &mut Parent<'_>) -> Done {
        match at.commit.as_mut() {
            Some(commit) => (commit.0)(Errand::Commit, at.kit, at.pid),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write down which process it is, and tell who asked")
    }
}

impl Describe for Commit {
    const NAME: &'static str = "commit";

    fn why(&self) -> Cow<'static, str> {
        "all is made, and nothing of the image has run: whoever comes after our death finds it by what is written".into()
    }
}
