//! Directories and links in the new root: what a mount cannot bring along.

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::resolve::{self, Make, Target};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::symlinkat;
use rustix::io::Errno;
use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;

/// A thing to make.
#[derive(Debug)]
pub enum Entry {
    /// A directory, 0755, with its parents.
    Directory(Target),
    /// A symbolic link in a directory that is made if it is missing; one that exists is left as it is.
    Link {
        /// The directory that it stands in.
        directory: Target,
        /// Its name there.
        name: CString,
        /// Where it leads.
        to: CString,
    },
}

/// The step.
#[derive(Debug)]
pub struct Skeleton {
    /// What is made, in order.
    pub entries: Vec<Entry>,
    /// What it is for, in words: "in /dev".
    pub label: &'static str,
}

impl Skeleton {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let root = at.root.as_ref().ok_or(Fault { call: Call::Check, errno: Errno::BADF })?.as_fd();
        // Links stand together: their directory is opened once.
        let mut opened: Option<(&Target, OwnedFd)> = None;
        for entry in &self.entries {
            match entry {
                Entry::Directory(target) => drop(resolve::make(root, target, Make::Directory)?),
                Entry::Link { directory, name, to } => {
                    let dir = match opened.take().filter(|(known, _)| *known == directory) {
                        Some((_, dir)) => dir,
                        None => resolve::make(root, directory, Make::Directory)?,
                    };
                    let done = symlinkat(to.as_c_str(), &dir, name.as_c_str());
                    opened = Some((directory, dir));
                    match done {
                        Ok(()) | Err(Errno::EXIST) => {}
                        Err(errno) => return Err(Fault { call: Call::Symlinkat, errno }),
                    }
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Skeleton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |wanted: fn(&Entry) -> bool| self.entries.iter().filter(|e| wanted(e)).count();
        let directories = count(|e| matches!(e, Entry::Directory(_)));
        let links = count(|e| matches!(e, Entry::Link { .. }));
        f.write_str("make")?;
        if directories > 0 {
            write!(f, " {directories} {}", if directories == 1 { "directory" } else { "directories" })?;
        }
        if links > 0 {
            let and = if directories > 0 { " and" } else { "" };
            write!(f, "{and} {links} {}", if links == 1 { "link" } else { "links" })?;
        }
        write!(f, " {}", self.label)
    }
}

impl Describe for Skeleton {
    const NAME: &'static str = "skeleton";

    fn why(&self) -> Cow<'static, str> {
        "programs expect them by name".into()
    }
}
