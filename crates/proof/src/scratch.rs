//! A directory for one test, gone when the test ends.

use std::env;
use std::fs::{self, DirBuilder};
use std::ops::Deref;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A directory that no other test has, removed with all that is in it when dropped. It reads as a [`Path`].
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one under `TMPDIR`, else `/tmp`. Any user may pass through it.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    #[must_use]
    pub fn new() -> Scratch {
        let path = env::temp_dir().join(format!("insula-proof-{}", unique()));
        if let Err(error) = DirBuilder::new().mode(0o755).create(&path) {
            panic!("make the scratch directory `{}`: {error}", path.display());
        }
        Scratch(path)
    }

    /// Writes a file here, with the directories above it, and returns its path.
    ///
    /// # Panics
    ///
    /// Where it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        let written = match path.parent() {
            Some(above) => fs::create_dir_all(above).and_then(|()| fs::write(&path, content)),
            None => fs::write(&path, content),
        };
        if let Err(error) = written {
            panic!("write `{}`: {error}", path.display());
        }
        path
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for Scratch {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What a test left mounted or undeletable here is the census's to report; a panic in a drop hides the first one.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A word that no other test has, also none in another pid namespace, where the same pids come again.
pub fn unique() -> String {
    static START: OnceLock<u128> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let start = START.get_or_init(|| {
        // A clock before 1970 is as good a word as any.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos())
    });
    format!("{}-{start:x}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
