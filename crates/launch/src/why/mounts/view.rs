//! The files and mounts of the process that was refused, as that process sees them.

use super::super::subject::Subject;
use super::super::user_namespace::UserNamespace;
use crate::host::table::{self, Mounted};
use crate::resolve;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, Stat, StatxAttributes, StatxFlags, fstat, open, statx};
use rustix::io::Errno;
use std::ffi::CString;

/// `AT_STATX_DONT_SYNC`: what is known already will do, no server is asked.
const DONT_SYNC: AtFlags = AtFlags::from_bits_retain(0x4000);

/// What it sees.
#[derive(Debug)]
pub struct View<'a> {
    /// The process.
    pub subject: &'a Subject,
    /// Its table of mounts.
    pub table: Vec<Mounted>,
    root: Option<OwnedFd>,
    cwd: Option<OwnedFd>,
}

impl View<'_> {
    /// Of this process.
    pub fn of(subject: &Subject) -> View<'_> {
        // Its status is read from a /proc that is proven to be one; without it nothing there is believed.
        if subject.status().is_none() {
            return View { subject, table: Vec::new(), root: None, cwd: None };
        }
        let process = subject.pid().map_or_else(|| "self".to_owned(), |pid| pid.to_string());
        let directory = |name: &str| {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            open(format!("/proc/{process}/{name}"), flags, Mode::empty()).ok()
        };
        View { subject, table: table::of(&process), root: directory("root"), cwd: directory("cwd") }
    }

    /// A path, to be looked at: `O_PATH`, links followed as the process follows them.
    pub fn open(&self, path: &str) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        if self.subject.is_us() {
            return open(path, flags, Mode::empty());
        }
        let (from, rest) = match path.strip_prefix('/') {
            Some(rest) => (&self.root, rest),
            None => (&self.cwd, path),
        };
        let from = from.as_ref().ok_or(Errno::ACCESS)?;
        let rest = if rest.is_empty() { "." } else { rest };
        let rest = CString::new(rest).map_err(|_| Errno::INVAL)?;
        // Links are followed within its root. One from its working directory upwards cannot be: then nothing is said.
        resolve::open(rustix::fd::AsFd::as_fd(from), &rest, OFlags::PATH)
    }

    /// What is there.
    pub fn stat(&self, path: &str) -> Result<Stat, Errno> {
        self.open(path).and_then(fstat)
    }

    /// The mount that a path is on.
    pub fn mount(&self, path: &str) -> Option<&Mounted> {
        self.mount_of(&self.open(path).ok()?)
    }

    /// The mount that a descriptor of a path is on, by its id (proc_pid_fdinfo(5)).
    pub fn mount_of(&self, file: &OwnedFd) -> Option<&Mounted> {
        let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
        let id: u32 = text.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().parse().ok()?;
        self.table.iter().find(|mount| mount.id == id)
    }

    /// Whether the path is where something is mounted.
    pub fn is_mount_point(&self, path: &str) -> Option<bool> {
        let file = self.open(path).ok()?;
        let found = statx(&file, c"", AtFlags::EMPTY_PATH | DONT_SYNC, StatxFlags::empty()).ok()?;
        found
            .stx_attributes_mask
            .contains(StatxAttributes::MOUNT_ROOT)
            .then(|| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
    }

    /// The path from the process's root directory, without links, as far as that can be known.
    pub fn whole(&self, path: &str) -> Option<String> {
        let file = self.open(path).ok()?;
        let link = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        let link = link.into_os_string().into_string().ok()?;
        // What we see from our root is what it sees where both have the same root.
        Some(link)
    }

    /// The mounts below a path, on the same mount or on those.
    pub fn below(&self, path: &str) -> Vec<&Mounted> {
        let Some(top) = self.mount(path) else { return Vec::new() };
        let Some(whole) = self.whole(path) else { return Vec::new() };
        let prefix = if whole == "/" { whole } else { format!("{whole}/") };
        let mut parents = vec![top.id];
        let mut found = Vec::new();
        // A mount stands behind the one that it is on only mostly: looked through until nothing is added.
        loop {
            let before = found.len();
            for mount in &self.table {
                let is_new = mount.id != top.id && !found.iter().any(|known: &&Mounted| known.id == mount.id);
                if is_new && parents.contains(&mount.parent) && mount.point.starts_with(&prefix) {
                    parents.push(mount.id);
                    found.push(mount);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Is the process in a user namespace that the machine did not start with?
    pub fn is_in_user_namespace(&self) -> bool {
        UserNamespace::of(self.subject).is_some_and(|userns| !userns.is_initial())
    }
}
