//! The namespaces behind names: those of `insula ns` and `ip netns`, else those of a running container of this user.

use super::error::Error as FlagError;
use super::namespace::Choice;
use super::request::Request;
use crate::value::reason::Reason;
use insula_launch::plan::Kind;
use insula_namespaces::detail::{self, Range};
use insula_namespaces::names::{self, Named};
use insula_oci::{Namespace, NamespaceKind, Spec};
use insula_runtime::{compile, named};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{fstat, stat};
use std::collections::BTreeMap;

/// Why a name does not serve.
#[derive(Debug)]
pub enum Error {
    /// There is none such.
    Flag(FlagError),
    /// It does not lead to its namespaces.
    Name(insula_namespaces::error::Error),
}

/// What was found.
#[derive(Debug, Default)]
pub struct Joins {
    /// The path of each.
    pub paths: BTreeMap<NamespaceKind, String>,
    /// The user namespace that is entered with them.
    pub owner: Option<Owner>,
    /// What a process keeps has no path of its own: it is open here, and the path leads through us.
    pub held: Vec<OwnedFd>,
}

/// A user namespace that is entered.
#[derive(Debug)]
pub struct Owner {
    /// Its path.
    pub path: String,
    /// Is this group mapped in it? `tty`'s, which a devpts is given to.
    pub maps_tty: bool,
}

/// The group `tty` of the OCI's default devpts.
const TTY: u32 = 5;

/// Finds what the names of a request stand for.
pub fn find(request: &Request) -> Result<Joins, Error> {
    let asked = &request.namespaces;
    let kinds = [
        ("--net", NamespaceKind::Network, &asked.net, "net"),
        ("--pid", NamespaceKind::Pid, &asked.pid, "pid"),
        ("--ipc", NamespaceKind::Ipc, &asked.ipc, "ipc"),
        ("--uts", NamespaceKind::Uts, &asked.uts, "uts"),
        ("--cgroupns", NamespaceKind::Cgroup, &asked.cgroup, "cgroup"),
    ];
    let mut joins = Joins::default();
    for (flag, kind, choice, file) in kinds {
        let Choice::Named(name) = choice else { continue };
        let named = names::read(name).map_err(Error::Name)?;
        let has = |named: &Named| named.kinds().contains(&compile::kind(kind));
        let path = if let Some(named) = named.as_ref().filter(|named| has(named)) {
            joins.owned(named)?;
            joins.path(named, compile::kind(kind))?
        } else if let Some(pid) = named::process(name) {
            format!("/proc/{pid}/ns/{file}")
        } else if let Some(named) = named {
            // It says what the name lacks, or what is wrong with it.
            joins.path(&named, compile::kind(kind))?
        } else {
            let reason = Reason::of(name, "is the name of no running container, and of no namespaces");
            let form = "a name that was given with `--name`, or one that `insula ns ls` shows";
            return Err(Error::Flag(FlagError::value(flag, name, reason, form)));
        };
        joins.paths.insert(kind, path);
    }
    Ok(joins)
}

impl Joins {
    /// The path of a namespace of a name, which is proven to be the one that is meant.
    fn path(&mut self, named: &Named, kind: Kind) -> Result<String, Error> {
        let file = named.open(kind).map_err(Error::Name)?;
        if let Some(path) = named.path(kind).and_then(|path| path.into_os_string().into_string().ok()) {
            return Ok(path);
        }
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        self.held.push(file);
        Ok(path)
    }

    /// A set with a user namespace of its own is entered with that: its others belong to it.
    fn owned(&mut self, named: &Named) -> Result<(), Error> {
        if self.owner.is_some() || !named.kinds().contains(&Kind::User) {
            return Ok(());
        }
        let file = named.open(Kind::User).map_err(Error::Name)?;
        let is_own = match (fstat(&file), stat("/proc/self/ns/user")) {
            (Ok(theirs), Ok(own)) => (theirs.st_dev, theirs.st_ino) == (own.st_dev, own.st_ino),
            _ => false,
        };
        if !is_own {
            let has_tty = |range: &Range| range.inside <= TTY && TTY - range.inside < range.length;
            let maps_tty = detail::id_maps(file.as_fd()).is_ok_and(|user| user.gid_map.iter().any(has_tty));
            self.owner = Some(Owner { path: self.path(named, Kind::User)?, maps_tty });
        }
        Ok(())
    }
}

/// Has the spec enter a user namespace in place of making one.
pub fn with_owner(spec: &mut Spec, path: String) {
    let Some(linux) = &mut spec.linux else { return };
    linux.namespaces.retain(|namespace| namespace.kind != NamespaceKind::User);
    linux.namespaces.push(Namespace { kind: NamespaceKind::User, path: Some(path) });
    linux.uid_mappings.clear();
    linux.gid_mappings.clear();
}
