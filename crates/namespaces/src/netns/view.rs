//! What a program sees in a named network namespace besides its devices: settings of the namespace's own.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Where a namespace's own settings lie, in a directory of its name.
pub const SETTINGS: &str = "/etc/netns";
/// Over what they are put.
const ETC: &str = "/etc";
/// The longest name that has settings: with a longer one `ip` does not look for any.
const MOST_BYTES: usize = 254;

/// A named network namespace, as a program sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The name.
    pub name: OsString,
    /// The files and directories in /etc/netns/NAME, in the directory's order: each is put over its namesake in /etc.
    pub settings: Vec<OsString>,
}

impl View {
    /// Looks at what there is for a name. Settings that may not be read are none, as for `ip`.
    pub fn of(name: &OsStr) -> View {
        let entries = (name.len() <= MOST_BYTES).then(|| std::fs::read_dir(Path::new(SETTINGS).join(name)));
        let settings = entries.into_iter().flatten().flatten().flatten().map(|entry| entry.file_name());
        View { name: name.to_owned(), settings: settings.collect() }
    }

    /// What is put over what.
    pub(super) fn over(&self) -> impl Iterator<Item = (CString, CString)> + '_ {
        let own = Path::new(SETTINGS).join(&self.name);
        self.settings
            .iter()
            .filter_map(move |file| Some((text(&own.join(file))?, text(&Path::new(ETC).join(file))?)))
    }
}

/// A path for the kernel. No name in a directory has a NUL.
fn text(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}
