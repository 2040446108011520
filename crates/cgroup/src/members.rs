//! Who is in a group: its processes, those of the groups below it, and those groups.

use crate::directory::Directory;
use crate::error::Error;
use crate::group::Group;
use crate::path::Path;
use rustix::io::Errno;
use std::collections::BTreeMap;

/// A process in a group, or below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id, in our pid namespace; 0 stands for all those that have none there.
    pub pid: i32,
    /// Where below the group it is.
    pub below: Path,
}

/// The processes of a group and of all below it, each once, by pid. In a group that was made and joined as one they are the
/// same in every hierarchy; one that is only in some of them counts too, for it keeps those directories busy.
pub fn members(group: &Group) -> Result<Vec<Member>, Error> {
    let mut all = BTreeMap::new();
    for place in group.places() {
        for (below, directory) in directories(&place.directory)? {
            for pid in processes(&directory)? {
                all.entry(pid).or_insert_with(|| below.clone());
            }
        }
    }
    Ok(all.into_iter().map(|(pid, below)| Member { pid, below }).collect())
}

/// The groups below a group, in any hierarchy, sorted.
pub fn below(group: &Group) -> Result<Vec<Path>, Error> {
    let mut all = Vec::new();
    for place in group.places() {
        all.extend(
            directories(&place.directory)?.into_iter().map(|(path, _)| path).filter(|path| !path.is_root()),
        );
    }
    all.sort_by_key(|path| path.names().to_vec());
    all.dedup();
    Ok(all)
}

/// A directory, and all below it.
pub(crate) fn directories(directory: &Directory) -> Result<Vec<(Path, Directory)>, Error> {
    let tree = directory.tree().map_err(|errno| refused("list the groups below", directory, errno))?;
    let open = |path: Path| match directory.at(&path) {
        Ok(found) => Some(Ok((path, found))),
        // Removed meanwhile.
        Err(Errno::NOENT | Errno::NODEV) => None,
        Err(errno) => Some(Err(refused("open a group below", directory, errno))),
    };
    tree.into_iter().filter_map(open).collect()
}

/// The processes of one directory.
pub(crate) fn processes(directory: &Directory) -> Result<Vec<i32>, Error> {
    match directory.processes() {
        // Removed meanwhile; or threaded: then its processes are those of the domain above, which lists them.
        Err(Errno::NOENT | Errno::NODEV | Errno::OPNOTSUPP) => Ok(Vec::new()),
        other => other.map_err(|errno| refused("list the processes of", directory, errno)),
    }
}

fn refused(doing: &'static str, directory: &Directory, errno: Errno) -> Error {
    Error::Call { doing, path: directory.shown().to_owned(), errno, cause: None }
}
