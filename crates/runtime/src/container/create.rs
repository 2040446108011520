//! `create`: everything of a container but its program (runtime.md, "Create"). `run` is the same without the wait.

use super::bundle::Bundle;
use super::cgroup::{self, Ours};
use super::directory::{Directory, Fifos};
use super::error::Error;
use super::id::Id;
use super::record::{Process, Record};
use super::root::StateRoot;
use super::{clock, devices, shield};
use crate::compile::{Attachment, CgroupPlace, Compiled, Life, compile};
use crate::enter::{self, Doors};
use insula_launch::fault::{Call, Fault};
use insula_launch::host::{Host, boot};
use insula_launch::kit::Kit;
use insula_launch::perform::Running;
use insula_launch::step::{Errand, OnCommit};
use insula_oci::{Hooks, NamespaceKind, Resources, State, Status};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, geteuid, pidfd_open};
use std::path::PathBuf;

/// What `create` and `run` are asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The bundle's directory.
    pub bundle: String,
    /// Another file than its `config.json`.
    pub config: Option<String>,
    /// The socket that is sent the terminal's other end.
    pub console_socket: Option<String>,
    /// The socket that is sent a descriptor of the process.
    pub pidfd_socket: Option<String>,
    /// Where the process's id is written.
    pub pid_file: Option<String>,
    /// Descriptors from 3 on that the program inherits, besides the three standard ones.
    pub preserve_fds: u32,
    /// No keyring of its own.
    pub no_new_keyring: bool,
    /// No pivot_root(2): chroot(2).
    pub no_pivot: bool,
    /// Standard streams become /dev/null, where nobody will serve them: `run --detach` of a terminal does not.
    pub ends_with_us: bool,
}

/// A container that was made.
#[derive(Debug)]
pub struct Created {
    /// Its directory, locked.
    pub directory: Directory,
    /// Its record.
    pub record: Record,
    /// Its process, our child.
    pub running: Running,
    /// The terminal's other end, if it has a terminal and nobody was to be sent it.
    pub console: Option<OwnedFd>,
    /// Its bundle.
    pub bundle: Bundle,
}

/// Makes a container. With [`Life::Create`] its process waits for `start`; with [`Life::Run`] it runs when this returns.
pub fn create(root: &StateRoot, id: &Id, request: &Request, life: Life) -> Result<Created, Error> {
    let bundle = Bundle::read(&request.bundle, request.config.as_deref())?;
    shield::before_create(&bundle.spec, life).map_err(Error::Launch)?;
    let directory = root.add(id)?;
    let record = record(id, &bundle);
    let mut act = Act { directory: &directory, record, cgroup: None };
    match act.make(&bundle, request, life) {
        Ok((running, console)) => {
            let record = act.record;
            Ok(Created { directory, record, running, console, bundle })
        }
        Err(error) => {
            // Nothing of it is left: the process is gone, so the group is empty.
            if let Some(cgroup) = act.cgroup.take() {
                cgroup.undo();
            }
            match directory.remove() {
                Ok(()) => Err(error),
                Err(second) => Err(Error::Several(vec![error, second])),
            }
        }
    }
}

pub(super) fn record(id: &Id, bundle: &Bundle) -> Record {
    let spec = &bundle.spec;
    let linux = spec.linux.as_ref();
    let own_pids = linux.is_some_and(|linux| {
        linux.namespaces.iter().any(|one| one.kind == NamespaceKind::Pid && one.path.is_none())
    });
    Record {
        oci_version: spec.oci_version.clone(),
        id: id.to_string(),
        bundle: bundle.path.clone(),
        rootfs: spec.root.as_ref().map(|root| root.path.clone()).unwrap_or_default(),
        created: clock::now(),
        owner: geteuid().as_raw(),
        boot: boot::id(),
        process: None,
        cgroup: None,
        annotations: spec.annotations.clone(),
        has_poststop: spec.hooks.as_ref().is_some_and(|hooks| !hooks.poststop.is_empty()),
        has_poststart: spec.hooks.as_ref().is_some_and(|hooks| !hooks.poststart.is_empty()),
        own_pids,
    }
}

/// The making, and what has to be taken back if it fails.
struct Act<'a> {
    directory: &'a Directory,
    record: Record,
    cgroup: Option<Ours>,
}

impl Act<'_> {
    fn make(
        &mut self,
        bundle: &Bundle,
        request: &Request,
        life: Life,
    ) -> Result<(Running, Option<OwnedFd>), Error> {
        let none = insula_oci::Linux::default();
        let linux = bundle.spec.linux.as_ref().unwrap_or(&none);
        let name = cgroup::name(linux, self.directory.id())?;
        // First the compilation: a configuration with faults makes nothing. The group's size is not known yet, so that is
        // compiled again with it; but mostly it is right.
        let host = Host::new();
        let first = self.compile(bundle, request, life, None, &host)?;
        let agent = agent(&first)?;
        self.record.cgroup = Some(cgroup::intent(&name));
        self.directory.write_config(&bundle.bytes)?;
        self.directory.write_record(&self.record)?;
        let no_limits = Resources::default();
        self.cgroup = cgroup::make(name, linux.resources.as_ref().unwrap_or(&no_limits))?;
        self.record.cgroup = self.cgroup.as_ref().map(Ours::record);
        let mut doors = Doors { agent, ..Doors::default() };
        if let Some(cgroup) = &self.cgroup {
            doors.cgroup = cgroup.doors()?;
        }
        let place = self.cgroup.as_ref().map(|cgroup| CgroupPlace {
            name: cgroup.shown(),
            doors: doors.cgroup.len(),
            mounts: cgroup.mounts(),
        });
        let compiled = self.compile(bundle, request, life, place, &host)?;
        if life == Life::Create {
            let Fifos { go, answer } = self.directory.make_fifos()?;
            doors.start = Some((go, answer));
        }
        self.launch(&compiled, doors, request)
    }

    fn compile(
        &self,
        bundle: &Bundle,
        request: &Request,
        life: Life,
        cgroup: Option<CgroupPlace>,
        host: &Host,
    ) -> Result<Compiled, Error> {
        let attachment = attachment(&self.record, request, life, cgroup);
        compile(&bundle.spec, host, &attachment).map_err(Error::Invalid)
    }

    fn launch(
        &mut self,
        compiled: &Compiled,
        doors: Doors,
        request: &Request,
    ) -> Result<(Running, Option<OwnedFd>), Error> {
        let mut console = None;
        let mut refused = None;
        let mut moved = None;
        let mut commit = |errand: Errand<'_>, kit: &mut Kit, pid: i32| {
            let done = match errand {
                Errand::Devices(names) => devices::hand(names, pid).map(|devices| moved = Some(devices)),
                Errand::Commit => self.commit(pid, request).and_then(|()| {
                    console = compiled.console.and_then(|slot| kit.take(slot));
                    match (&console, &request.console_socket) {
                        (Some(master), Some(path)) => send_console(master, path),
                        _ => Ok(()),
                    }
                }),
            };
            done.map_err(|error| {
                refused = Some(error);
                Fault { call: Call::Write, errno: Errno::CANCELED }
            })
        };
        let running = enter::launch_with(compiled, doors, Some(OnCommit(&mut commit)));
        let first = match (running, refused) {
            (Ok(running), _) => return Ok((running, console.filter(|_| request.console_socket.is_none()))),
            (Err(_), Some(refused)) => refused,
            (Err(error), None) => error.into(),
        };
        // The namespace is kept by our descriptor: a device that has nobody is not lost with it.
        match moved.map_or(Ok(()), devices::Moved::back) {
            Ok(()) => Err(first),
            Err(second) => Err(Error::Several(vec![first, second])),
        }
    }

    /// All is made: who comes after us finds it by what is written here.
    fn commit(&mut self, pid: i32, request: &Request) -> Result<(), Error> {
        self.record.process = Some(Process::of(pid).ok_or_else(|| Error::Gone(self.record.id.clone()))?);
        self.directory.write_record(&self.record)?;
        request.pidfd_socket.as_deref().map_or(Ok(()), |path| send_pidfd(path, pid, b"standard"))?;
        request.pid_file.as_deref().map_or(Ok(()), |path| write_pid_file(path, pid))
    }
}

/// Connects to the agent that decides system calls, if the plan has one: before anything is made, as it may not be there.
pub(super) fn agent(compiled: &Compiled) -> Result<Option<OwnedFd>, Error> {
    let Some((_, path)) = &compiled.agent else { return Ok(None) };
    crate::socket::agent(path).map(Some).map_err(|errno| Error::Agent(path.clone(), errno))
}

/// What a configuration cannot say of how it is launched. The same at `create` and, to word a late failure, at `start`.
pub(super) fn attachment(
    record: &Record,
    request: &Request,
    life: Life,
    cgroup: Option<CgroupPlace>,
) -> Attachment {
    Attachment {
        die_with_parent: request.ends_with_us,
        preserve_fds: request.preserve_fds,
        keeps_keyring: request.no_new_keyring,
        no_pivot: request.no_pivot,
        life,
        cgroup,
        state: Some(State {
            oci_version: record.oci_version.clone(),
            id: record.id.clone(),
            status: Status::Creating,
            pid: None,
            bundle: record.bundle.clone(),
            annotations: record.annotations.clone(),
        }),
        ..Attachment::default()
    }
}

/// Writes the pid by a file beside it and a rename, so that no reader finds it half written.
pub fn write_pid_file(path: &str, pid: i32) -> Result<(), Error> {
    let path = PathBuf::from(path);
    let failed = |error: &std::io::Error| {
        Error::File("write", path.display().to_string(), Errno::from_io_error(error).unwrap_or(Errno::IO))
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let next = path.with_file_name(format!(".{name}.insula"));
    std::fs::write(&next, pid.to_string()).map_err(|error| failed(&error))?;
    std::fs::rename(&next, &path).map_err(|error| {
        // The rename's failure is the one that is told.
        let _ = std::fs::remove_file(&next);
        failed(&error)
    })
}

/// Sends the terminal's other end to whoever listens (runc's protocol: one message with one descriptor).
pub fn send_console(master: &OwnedFd, path: &str) -> Result<(), Error> {
    let failed = |what| move |errno| Error::Console(path.to_owned(), what, errno);
    let socket = crate::socket::connect(path).map_err(failed("connect"))?;
    crate::socket::send_fd(socket.as_fd(), b"/dev/ptmx", master.as_fd()).map_err(failed("send the terminal"))
}

/// Sends a descriptor of our child to whoever listens (runc's protocol: one message that says how the process was made, with
/// one descriptor).
pub fn send_pidfd(path: &str, pid: i32, kind: &'static [u8]) -> Result<(), Error> {
    let failed = |what| move |errno| Error::Pidfd(path.to_owned(), what, errno);
    let process = Pid::from_raw(pid).ok_or(Errno::SRCH).map_err(failed("find the process"))?;
    let pidfd = pidfd_open(process, PidfdFlags::empty()).map_err(failed("open the process"))?;
    let socket = crate::socket::connect(path).map_err(failed("connect"))?;
    crate::socket::send_fd(socket.as_fd(), kind, pidfd.as_fd()).map_err(failed("send the process"))
}

/// Hooks of a configuration, or none.
pub(super) fn hooks(bundle: &Bundle) -> Hooks {
    bundle.spec.hooks.clone().unwrap_or_default()
}
