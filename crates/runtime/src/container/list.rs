//! `list`: all containers of a state root.

use super::error::Error;
use super::root::StateRoot;
use super::status::{Found, status};

/// Looks at each. One that is being deleted meanwhile is left out; what cannot be read is returned apart.
pub fn list(root: &StateRoot) -> Result<(Vec<Found>, Vec<Error>), Error> {
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for id in root.ids()? {
        match root.find(&id).and_then(|directory| status(&directory)) {
            Ok(found) => all.push(found),
            Err(Error::NoContainer(_)) => {}
            Err(error) => errors.push(error),
        }
    }
    Ok((all, errors))
}
