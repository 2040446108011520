//! Looks at what a request names, and opens it: everything that could fail before anything has changed.

use super::doors::{Door, Doors};
use super::facts::{Facts, Found, Join, OwnView, Rights, TargetFacts};
use super::request::{Directory, Id, Request, Source};
use super::target::{Target, directory};
use super::{cgroup, environ, selinux, source};
use crate::error::Error;
use crate::names;
use crate::unshare::denies_setgroups;
use insula_launch::plan::Kind;
use insula_launch::step::same_namespaces::Seen;
use insula_sys::nsfs::{Whose, of_process};
use insula_sys::prctl::capget;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, fstat, open, statat};
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use std::ffi::{CString, OsStr};

/// `CAP_SYS_CHROOT`, capabilities(7).
const CAP_SYS_CHROOT: u32 = 18;
/// `CAP_SYS_ADMIN`.
const CAP_SYS_ADMIN: u32 = 21;

/// Opens and looks; what is returned together fits together.
pub fn look(request: &Request) -> Result<(Facts, Doors), Error> {
    let mut at = Look::new(request)?;
    at.namespaces()?;
    at.directories()?;
    if request.follow_context && selinux::is_enabled() {
        let (context, file) = selinux::follow(at.target("--follow-context")?)?;
        at.facts.context = Some(context);
        at.doors.keep(Door::ExecContext, file);
    }
    if request.join_cgroup {
        let (files, names) = cgroup::procs(at.target("--join-cgroup")?)?;
        at.facts.cgroups = Some((files.len(), names));
        files.into_iter().enumerate().for_each(|(i, file)| at.doors.keep(Door::Cgroup(i), file));
    }
    at.facts.denies_setgroups = request.own_may_stay && at.facts.rights.sys_admin && denies_setgroups();
    at.facts.environment = match request.target_environment {
        true => environ::of(at.target("--env")?)?,
        false => request.environment.clone(),
    };
    if [request.uid, request.gid].contains(&Some(Id::Follow)) {
        at.target("follow")?;
    }
    if request.program.is_empty() {
        at.facts.shell = at.shell();
    }
    Ok(at.done())
}

/// What was found so far.
struct Look<'a> {
    request: &'a Request,
    target: Option<Target>,
    facts: Facts,
    doors: Doors,
}

impl<'a> Look<'a> {
    fn new(request: &'a Request) -> Result<Look<'a>, Error> {
        // A target that nothing is taken from is not looked for, unless it has to be the one that is meant.
        let target = request.target.filter(|target| target.inode.is_some() || takes_from_target(request));
        let target = target.map(Target::open).transpose()?;
        let (effective, _, _) = capget().unwrap_or_default();
        let has = |capability: u32| effective & (1 << capability) != 0;
        let rights = Rights { sys_admin: has(CAP_SYS_ADMIN), sys_chroot: has(CAP_SYS_CHROOT) };
        Ok(Look { request, target, facts: Facts { rights, ..Facts::default() }, doors: Doors::default() })
    }

    /// The target, which `what` needs.
    fn target(&self, what: &str) -> Result<&Target, Error> {
        self.target.as_ref().ok_or_else(|| Error::Asked {
            what: what.to_owned(),
            reason: match &self.request.set {
                None => "this is taken from a process, and none is named".to_owned(),
                Some((name, _)) => {
                    format!("this is taken from a process, and `{}` is a name", name.to_string_lossy())
                }
            },
            hint: Some("`--target PID` names it".to_owned()),
        })
    }

    /// All that are to be entered.
    fn namespaces(&mut self) -> Result<(), Error> {
        let request = self.request;
        for (kind, from) in &request.joins {
            match from {
                Source::Target => {
                    let seen = self.target(&flag(*kind))?.see(*kind)?;
                    let seen = seen.ok_or_else(|| no_such_kind(*kind))?;
                    self.facts.joins.push(Join { seen, found: Found::AtTarget });
                }
                Source::File(path) => self.keep(*kind, source::by_file(*kind, path)?)?,
                Source::Id(id) => self.keep(*kind, source::by_id(*kind, *id)?)?,
            }
        }
        self.see_ourselves()?;
        if let Some((name, kinds)) = &request.set {
            self.set(name, kinds)?;
        }
        if request.all {
            self.all()?;
        }
        if request.user_parent {
            self.user_parent()?;
        }
        if let Some(number) = request.net_socket {
            let opened = source::of_socket(self.target("--net-socket")?, number)?;
            self.keep(Kind::Net, opened)?;
        }
        Ok(())
    }

    /// A namespace that is open, in place of what was found of its kind before.
    fn keep(&mut self, kind: Kind, (file, shown): (OwnedFd, String)) -> Result<(), Error> {
        let seen = source::seen(kind, &file, &shown)?;
        self.facts.joins.retain(|join| join.seen.kind != kind);
        self.facts.joins.push(Join { seen, found: Found::Open(shown) });
        self.doors.keep(Door::Namespace(kind), file);
        Ok(())
    }

    /// Those of a name, all opened at once. One's own user namespace is entered only where that is asked for by its kind,
    /// and then refused by setns(2).
    fn set(&mut self, name: &OsStr, kinds: &[Kind]) -> Result<(), Error> {
        let shown = name.to_string_lossy();
        for (kind, file) in names::open_all(name, kinds)? {
            if self.facts.joins.iter().any(|join| join.seen.kind == kind) {
                continue;
            }
            let seen = source::seen(kind, &file, &shown)?;
            if kind == Kind::User && kinds.is_empty() && self.own(kind) == Some(seen) {
                continue;
            }
            self.keep(kind, (file, shown.clone().into_owned()))?;
        }
        Ok(())
    }

    /// `--all`: what is not named comes from the target. To enter one's own user namespace would give back capabilities
    /// that were dropped, so setns(2) refuses it.
    fn all(&mut self) -> Result<(), Error> {
        for kind in Kind::ALL {
            if self.facts.joins.iter().any(|join| join.seen.kind == kind) {
                continue;
            }
            let Some(seen) = self.target("--all")?.see(kind)? else { continue };
            if kind == Kind::User && self.own(kind) == Some(seen) {
                continue;
            }
            self.facts.joins.push(Join { seen, found: Found::AtTarget });
        }
        Ok(())
    }

    fn user_parent(&mut self) -> Result<(), Error> {
        let opened = match self.doors.get(Door::Namespace(Kind::User)) {
            Some(file) => source::parent(file, "this file")?,
            None => {
                let target = self.target("--user-parent")?;
                let of_pidfd = target
                    .pidfd
                    .as_ref()
                    .and_then(|fd| of_process(fd.as_fd(), Kind::User.flag(), Whose::Own).ok());
                let user = match of_pidfd {
                    Some(user) => user,
                    None => target.open_file("ns/user", OFlags::RDONLY)?,
                };
                source::parent(&user, &format!("process {}", target.pid))?
            }
        };
        self.keep(Kind::User, opened)
    }

    /// Opens the view of ourselves.
    fn see_ourselves(&mut self) -> Result<(), Error> {
        if self.request.joins.is_empty()
            && !self.request.all
            && !self.request.user_parent
            && self.request.net_socket.is_none()
            && self.request.set.is_none()
        {
            return Ok(());
        }
        let (view, file) = match directory("/proc/self")? {
            Some(directory) => (OwnView::Directory, Some(directory)),
            None => {
                let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).ok();
                let answers = |fd: &OwnedFd| of_process(fd.as_fd(), Kind::User.flag(), Whose::Own).is_ok();
                (OwnView::Pidfd, pidfd.filter(answers))
            }
        };
        if let Some(file) = file {
            self.facts.own_view = view;
            self.doors.keep(Door::Own, file);
        }
        Ok(())
    }

    /// Our own namespace of a kind.
    fn own(&self, kind: Kind) -> Option<Seen> {
        let file = self.doors.get(Door::Own)?;
        let stat = match self.facts.own_view {
            OwnView::Directory => statat(file, kind.file(), AtFlags::empty()).ok()?,
            _ => fstat(of_process(file.as_fd(), kind.flag(), Whose::Own).ok()?).ok()?,
        };
        Some(Seen { kind, device: stat.st_dev, inode: stat.st_ino })
    }

    fn directories(&mut self) -> Result<(), Error> {
        let request = self.request;
        let both = [
            (Door::Root, &request.root, "root", "--root"),
            (Door::WorkingDirectory, &request.working_directory, "cwd", "--wd"),
        ];
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        for (door, asked, name, flag) in both {
            let opened = match asked {
                None => continue,
                Some(Directory::Target) => self.target(flag)?.open_file(name, flags)?,
                Some(Directory::Path(path)) => open(path, flags, Mode::empty())
                    .map_err(|errno| Error::File("open the directory", path.display().to_string(), errno))?,
            };
            self.doors.keep(door, opened);
        }
        Ok(())
    }

    /// `$SHELL`, else that of the account, else /bin/sh. An account of ours is none in another mount namespace or root.
    fn shell(&self) -> CString {
        let of_environment = self.facts.environment.iter().find_map(|variable| {
            let value = variable.as_bytes().strip_prefix(b"SHELL=")?;
            CString::new(value).ok().filter(|value| !value.is_empty())
        });
        let elsewhere =
            self.request.root.is_some() || self.facts.joins.iter().any(|join| join.seen.kind == Kind::Mnt);
        of_environment.unwrap_or_else(|| match elsewhere || self.request.account_shell.is_empty() {
            true => c"/bin/sh".to_owned(),
            false => self.request.account_shell.clone(),
        })
    }

    fn done(mut self) -> (Facts, Doors) {
        if let Some(target) = self.target {
            self.facts.target = Some(TargetFacts {
                pid: target.pid,
                by_pidfd: target.pidfd.is_some(),
                by_directory: target.directory.is_some(),
            });
            target.pidfd.into_iter().for_each(|fd| self.doors.keep(Door::Pidfd, fd));
            target.directory.into_iter().for_each(|fd| self.doors.keep(Door::Target, fd));
        }
        (self.facts, self.doors)
    }
}

/// Is there anything that comes from the target?
fn takes_from_target(request: &Request) -> bool {
    request.all
        || request.joins.iter().any(|(_, from)| *from == Source::Target)
        || request.user_parent
        || request.net_socket.is_some()
        || request.join_cgroup
        || request.target_environment
        || request.follow_context
        || [&request.root, &request.working_directory].contains(&&Some(Directory::Target))
        || [request.uid, request.gid].contains(&Some(Id::Follow))
}

fn flag(kind: Kind) -> String {
    format!("--{}", if kind == Kind::Mnt { "mount" } else { kind.name() })
}

fn no_such_kind(kind: Kind) -> Error {
    Error::Asked {
        what: flag(kind),
        reason: format!("this kernel has no {} namespaces", kind.name()),
        hint: Some("`ls /proc/self/ns` shows which it has".to_owned()),
    }
}
