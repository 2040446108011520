//! What can go wrong in a container's life. The words are those that callers of runc look for; what to do stands apart.

use crate::error::Invalid;
use insula_launch::error::{Failure, Named};
use insula_oci::{Status, escaped};
use rustix::io::Errno;
use std::fmt;

/// A command on a container that failed.
#[derive(Debug)]
pub enum Error {
    /// The id can be none.
    Id(String),
    /// There is no container of this id.
    NoContainer(String),
    /// There is one already.
    Exists(String),
    /// It is not in the state that the command wants: its id, its status, what was to be done.
    Status {
        /// The id.
        id: String,
        /// What it is.
        status: Status,
        /// The words of the refusal.
        words: &'static str,
    },
    /// Another command on the same container is at work.
    Busy(String),
    /// A call failed: what was tried, on which path, the errno.
    File(&'static str, String, Errno),
    /// The configuration cannot be read.
    Config(String, insula_oci::Error),
    /// The configuration is no regular file, or too large.
    NoConfig(String, &'static str),
    /// It has these faults.
    Invalid(Vec<Invalid>),
    /// The launch failed; nothing of it is left.
    Launch(Box<Failure>),
    /// A namespace to enter could not be opened.
    Namespace {
        /// Its path.
        path: String,
        /// Why.
        errno: Errno,
    },
    /// A control group refused.
    Cgroup(insula_cgroup::Error),
    /// Something that is done to a control group, and the container has none.
    NoCgroup {
        /// The container.
        id: String,
        /// The group that it had; `None`: none was made for it.
        name: Option<String>,
    },
    /// The group has processes or is frozen already.
    CgroupInUse {
        /// The group.
        name: String,
        /// What is wrong with it.
        words: &'static str,
    },
    /// A group of the container that cannot be joined: as it was asked for, and why.
    Subgroup(String, String),
    /// A record that cannot be understood: its path, and why.
    Record(String, String),
    /// The program is not the container's any more.
    Gone(String),
    /// No process could be signalled.
    Signal(i32, Errno),
    /// The console socket: its path, what was tried, the errno.
    Console(String, &'static str, Errno),
    /// The pidfd socket: its path, what was tried, the errno.
    Pidfd(String, &'static str, Errno),
    /// The agent of the seccomp filter cannot be reached: the path of its socket, the errno.
    Agent(String, Errno),
    /// A hook of the caller's failed behind the launch.
    Hook {
        /// Its name in the configuration.
        name: String,
        /// What failed.
        errno: Errno,
        /// How it ended.
        said: String,
    },
    /// A network device could not be moved.
    Devices(insula_net::error::Error),
    /// Several things failed, as of a removal.
    Several(Vec<Error>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Id(text) => write!(f, "invalid container id `{}`", escaped(text)),
            Error::NoContainer(id) => {
                write!(f, "container `{}` does not exist: container does not exist", escaped(id))
            }
            Error::Exists(id) => write!(f, "container with given ID already exists: `{}`", escaped(id)),
            Error::Status { id, status, words } => {
                write!(f, "{words} (`{}` is {})", escaped(id), status.as_str())
            }
            Error::Busy(id) => write!(f, "another command on container `{}` is at work", escaped(id)),
            Error::File(what, path, errno) => write!(f, "{what} `{}`: {}", escaped(path), Named(*errno)),
            Error::Config(path, error) => write!(f, "{}: {}", escaped(path), escaped(&error.to_string())),
            Error::NoConfig(path, why) => write!(f, "{}: {why}", escaped(path)),
            Error::Invalid(faults) => {
                for (i, fault) in faults.iter().enumerate() {
                    write!(f, "{}{fault}", if i == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
            Error::Launch(failure) => launch(f, failure),
            Error::Namespace { path, errno } => write!(f, "namespace `{}`: {}", escaped(path), Named(*errno)),
            Error::Cgroup(error) => write!(f, "{}", escaped(&error.to_string())),
            Error::NoCgroup { id, name: None } => {
                write!(f, "container's cgroup is not there: none was made for `{}`", escaped(id))
            }
            Error::NoCgroup { id, name: Some(name) } => {
                write!(f, "container's cgroup is not there: `{}` of `{}`", escaped(name), escaped(id))
            }
            Error::CgroupInUse { name, words } => {
                write!(f, "container's cgroup {words}: `{}`", escaped(name))
            }
            Error::Subgroup(asked, why) => write!(f, "--cgroup `{}`: {}", escaped(asked), escaped(why)),
            Error::Record(path, why) => write!(f, "{}: {}", escaped(path), escaped(why)),
            Error::Gone(id) => write!(f, "container not running: the process of `{}` is gone", escaped(id)),
            Error::Signal(signal, errno) => write!(f, "send signal {signal}: {}", Named(*errno)),
            Error::Console(path, what, errno) => {
                write!(f, "console socket `{}`: {what}: {}", escaped(path), Named(*errno))
            }
            Error::Pidfd(path, what, errno) => {
                write!(f, "pidfd socket `{}`: {what}: {}", escaped(path), Named(*errno))
            }
            Error::Agent(path, errno) => write!(
                f,
                "linux.seccomp.listenerPath: connect to the seccomp agent at `{}`: {}",
                escaped(path),
                Named(*errno)
            ),
            Error::Hook { name, errno, said } => {
                write!(f, "error running hook {name}: {} ({})", Named(*errno), escaped(said))
            }
            Error::Devices(error) => write!(f, "linux.netDevices: {}", escaped(&error.to_string())),
            Error::Several(errors) => {
                for (i, error) in errors.iter().enumerate() {
                    write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
        }
    }
}

/// A launch's failure, with runc's words in front where callers match them.
fn launch(f: &mut fmt::Formatter<'_>, failure: &Failure) -> fmt::Result {
    if failure.step_name() == Some("label") {
        let is_profile = failure.what.contains("AppArmor");
        f.write_str(match is_profile {
            true => "unable to apply apparmor profile: apparmor failed to apply profile: ",
            false => "can't set process label: ",
        })?;
    }
    let name = failure.what.split('`').nth(1).unwrap_or_default();
    match failure.of_program() {
        Some(Errno::NOENT) if !name.contains('/') && !name.is_empty() => {
            write!(f, "exec: \"{}\": executable file not found in $PATH: ", escaped(name))?;
        }
        Some(Errno::NOENT) => {
            write!(f, "exec: \"{}\": stat {0}: no such file or directory: ", escaped(name))?
        }
        Some(Errno::ACCESS) => write!(f, "exec: \"{}\": permission denied: ", escaped(name))?,
        _ => {}
    }
    write!(f, "{}", escaped(&failure.to_string()))
}

impl std::error::Error for Error {}

impl Error {
    /// The cause, where a look at what was refused has shown it.
    pub fn cause(&self) -> Option<String> {
        match self {
            Error::Launch(failure) => failure.found.as_ref().map(ToString::to_string),
            Error::Cgroup(error) => error.cause().map(|cause| cause.to_string()),
            Error::Several(errors) => errors.iter().find_map(Error::cause),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Id(_) => "an id is up to 128 letters, digits, `_`, `+`, `-` and `.`, and begins with one of the first three"
                .to_owned(),
            Error::Agent(_, Errno::CONNREFUSED) => {
                "nobody listens there, or it is no stream socket: start the agent first".to_owned()
            }
            Error::Agent(..) => {
                "an agent listens there on a unix stream socket before a container is made".to_owned()
            }
            Error::Exists(_) => "choose another id, or delete that container first".to_owned(),
            Error::Launch(failure) => return failure.hint.clone(),
            Error::Cgroup(error) => return error.hint(),
            Error::Devices(error) => return error.hint().map(|hint| hint.to_string()),
            Error::NoCgroup { name: None, .. } => {
                "who made it may make no control group here: be root, or give `linux.cgroupsPath` below a group that is yours"
                    .to_owned()
            }
            Error::NoCgroup { .. } => "somebody has removed it: delete the container and make it again".to_owned(),
            Error::CgroupInUse { .. } => {
                "another container has this `linux.cgroupsPath`, or one was not deleted".to_owned()
            }
            Error::Status { status: Status::Running | Status::Created | Status::Paused, words, .. }
                if words.contains("delete") =>
            {
                "`kill` it first, or `delete --force`".to_owned()
            }
            Error::Several(errors) => return errors.iter().find_map(Error::hint),
            _ => return None,
        })
    }

    /// Was it the program that could not be executed?
    pub fn of_program(&self) -> bool {
        matches!(self, Error::Launch(failure) if failure.of_program().is_some())
    }
}

impl From<crate::error::Error> for Error {
    fn from(error: crate::error::Error) -> Error {
        match error {
            crate::error::Error::Invalid(faults) => Error::Invalid(faults),
            crate::error::Error::Launch(failure) => Error::Launch(failure),
            crate::error::Error::Namespace { path, errno } => Error::Namespace { path, errno },
            other => Error::Record("container".to_owned(), other.to_string()),
        }
    }
}
