//! The control group that all of an engine's containers are below, so that nothing of the engine is left in the machine's.

use insula_proof::patience;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A name that no other test has; what is made of it is removed from every hierarchy when this is dropped.
pub struct Parent(String);

impl Parent {
    /// The name of the directory that is one test's alone.
    pub fn of(scratch: &Path) -> Parent {
        let name = scratch.file_name().expect("a scratch directory has a name");
        Parent(name.to_string_lossy().into_owned())
    }

    /// As the engines take it, without a slash before it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Its directories, those that are there.
    fn directories(&self) -> Vec<PathBuf> {
        let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = hierarchies.map(|entry| entry.path().join(&self.0)).collect();
        found.push(Path::new("/sys/fs/cgroup").join(&self.0));
        found.retain(|path| path.is_dir());
        found
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        // The engine's processes are dead by now, but the kernel may still hold them in their groups.
        let end = Instant::now() + patience(Duration::from_secs(10));
        loop {
            self.directories().iter().for_each(|path| remove(path));
            if self.directories().is_empty() || Instant::now() > end {
                break;
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// Removes a control group and those below it; what is still in use stays.
fn remove(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(path);
}
