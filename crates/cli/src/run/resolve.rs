//! From names to things: accounts, namespaces, devices and id maps, as this machine has them now.

use super::error::Error as FlagError;
use super::joined::{self, Joins};
use super::namespace::{Choice, UserNs};
use super::request::Request;
use super::root::Root;
use super::spec::{self, IdMaps, Node, Surroundings};
use super::user::Accounts;
use super::{is_host_view, path};
use crate::value::reason::Reason;
use insula_launch::error::Named;
use insula_launch::host::Host;
use insula_launch::resolve as in_root;
use insula_oci::process::ConsoleSize;
use insula_oci::{DeviceKind, IdMapping, Mount, NamespaceKind, Spec, escaped};
use insula_runtime::ids::{self, Maps};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, fstat, major, minor, open, stat};
use rustix::io::Errno;
use rustix::termios::tcgetwinsize;
use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;
use std::io::Read;

/// The most that is read of an account file: 1 MiB.
const MAX_ACCOUNTS_BYTES: u64 = 1 << 20;

/// What cannot be resolved.
#[derive(Debug)]
pub enum Error {
    /// A flag.
    Flag(FlagError),
    /// The root directory.
    Root(String, Errno),
    /// A file of the root that names users.
    Accounts(&'static str, Errno),
    /// `--userns=host` without the right to make namespaces.
    NeedsUserNamespace,
    /// A name does not lead to its namespaces.
    Name(insula_namespaces::error::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Flag(error) => error.fmt(f),
            Error::Root(path, errno) => write!(f, "root `{}`: {}", escaped(path), Named(*errno)),
            Error::Accounts(path, errno) => write!(f, "read `{path}` of the root: {}", Named(*errno)),
            Error::Name(error) => write!(f, "{}", escaped(&error.to_string())),
            Error::NeedsUserNamespace => {
                f.write_str("`--userns host`: only root can make namespaces without one")
            }
        }
    }
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Error::Name(error) => return error.hint().map(Cow::Owned),
            Error::Root(_, Errno::NOTDIR) => Some("ROOT is `host` or a directory with a root file system"),
            Error::Root(_, Errno::ACCESS) => Some("this user may not enter it"),
            Error::Accounts(_, Errno::FBIG) => Some("an account file of more than 1 MiB is refused"),
            Error::Accounts(_, Errno::INVAL) => {
                Some("it must be a regular file; links out of the root are not followed")
            }
            Error::NeedsUserNamespace => Some("leave it out, or run as root"),
            _ => None,
        };
        hint.map(Cow::Borrowed)
    }
}

/// Makes the spec of a request, on this host. The second: namespaces to which some of its paths lead through this process,
/// open as long as the spec is to be performed.
pub fn spec(request: &Request, host: &Host) -> Result<(Spec, Vec<OwnedFd>), Error> {
    let cwd = std::env::current_dir().ok().and_then(|cwd| cwd.into_os_string().into_string().ok());
    let caller_cwd = cwd.unwrap_or_else(|| "/".to_owned());
    let (root_path, default_cwd) = match &request.root {
        Root::Host => ("/".to_owned(), caller_cwd.clone()),
        Root::Directory(directory) => (path::from(&caller_cwd, directory), String::new()),
    };
    let root = open_root(&root_path)?;
    let passwd = account_file(&root, c"etc/passwd", "/etc/passwd")?;
    let group = account_file(&root, c"etc/group", "/etc/group")?;
    let ids = host.ids();
    let id_maps = id_maps(request, host)?;
    let keeps = request.namespaces.user == UserNs::KeepId;
    let Joins { paths: joins, owner, held } = joined::find(request).map_err(|error| match error {
        joined::Error::Flag(error) => Error::Flag(error),
        joined::Error::Name(error) => Error::Name(error),
    })?;
    let surroundings = Surroundings {
        accounts: Accounts { passwd: &passwd, group: &group },
        caller_cwd,
        default_cwd,
        default_user: if keeps { (ids.uid, ids.gid) } else { (0, 0) },
        denies_setgroups: id_maps.as_ref().is_some_and(|maps| !ids.may_map_any() && maps.gids.len() == 1),
        binds_sys: request.namespaces.net != Choice::New && id_maps.is_some(),
        id_maps,
        joins,
        devices: devices(request)?,
        root_path,
    };
    let mut spec = spec::build(request, &surroundings).map_err(Error::Flag)?;
    let maps_tty = match &owner {
        Some(owner) => owner.maps_tty,
        None => surroundings.id_maps.as_ref().is_none_or(|maps| is_mapped(&maps.gids, 5)),
    };
    if let Some(owner) = owner {
        joined::with_owner(&mut spec, owner.path);
    }
    fit(&mut spec, request, host, surroundings.id_maps.as_ref());
    for mount in spec.mounts.iter_mut().filter(|mount| mount.kind.as_deref() == Some("devpts")) {
        if !maps_tty {
            mount.options.retain(|option| option != "gid=5");
        }
    }
    Ok((spec, held))
}

fn open_root(path: &str) -> Result<OwnedFd, Error> {
    // O_NONBLOCK and O_DIRECTORY: what is named may be a FIFO.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).map_err(|errno| Error::Root(path.to_owned(), errno))
}

/// Reads a file that belongs to the root's owner, bounded and without waiting. A missing one is empty.
fn account_file(root: &OwnedFd, path: &CStr, shown: &'static str) -> Result<String, Error> {
    let error = |errno| Error::Accounts(shown, errno);
    let file = match in_root::open(root.as_fd(), path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(String::new()),
        file => file.map_err(error)?,
    };
    if FileType::from_raw_mode(fstat(&file).map_err(error)?.st_mode) != FileType::RegularFile {
        return Err(error(Errno::INVAL));
    }
    let mut bytes = Vec::with_capacity(8 << 10);
    let read = std::fs::File::from(file).take(MAX_ACCOUNTS_BYTES + 1).read_to_end(&mut bytes);
    let read = read.map_err(|e| error(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
    if u64::try_from(read).is_ok_and(|read| read > MAX_ACCOUNTS_BYTES) {
        return Err(error(Errno::FBIG));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn id_maps(request: &Request, host: &Host) -> Result<Option<IdMaps>, Error> {
    let choice = match request.namespaces.user {
        UserNs::Auto => ids::Choice::Auto,
        UserNs::Identity => ids::Choice::Identity,
        UserNs::KeepId => ids::Choice::KeepId,
        UserNs::Host if host.ids().may_mount() => return Ok(None),
        UserNs::Host => return Err(Error::NeedsUserNamespace),
    };
    let Maps { uid, gid } = ids::choose(host, choice);
    Ok(Some(IdMaps { uids: uid, gids: gid }))
}

fn devices(request: &Request) -> Result<Vec<Node>, Error> {
    let mut nodes = Vec::new();
    for device in &request.devices {
        let refuse = |words: &str| {
            let reason = Reason::of(&device.source, words);
            Error::Flag(FlagError::value("--device", &device.source, reason, "the path of a device node"))
        };
        let stat = stat(device.source.as_str()).map_err(|_| refuse("does not exist"))?;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::CharacterDevice => DeviceKind::Char,
            FileType::BlockDevice => DeviceKind::Block,
            _ => return Err(refuse("is no device")),
        };
        nodes.push(Node {
            kind,
            major: major(stat.st_rdev),
            minor: minor(stat.st_rdev),
            mode: stat.st_mode & 0o777,
        });
    }
    Ok(nodes)
}

/// Fits the spec to what this host and these maps allow.
fn fit(spec: &mut Spec, request: &Request, host: &Host, maps: Option<&IdMaps>) {
    let shifted = maps.is_some_and(|maps| {
        host.ids().may_mount() && maps.uids.iter().any(|map| map.container_id != map.host_id)
    });
    fit_devices(spec, request);
    join_owner(spec);
    if joins_owner(spec) && request.namespaces.net != Choice::Host {
        // Root where the network namespace belongs may show it: a sysfs of its own after all.
        let own = insula_runtime::defaults::mounts(request.shm_size_bytes)
            .into_iter()
            .find(|m| m.destination == "/sys");
        for (mount, own) in spec.mounts.iter_mut().filter(|mount| mount.destination == "/sys").zip(own) {
            *mount = own;
        }
    }
    let kept = &request.namespaces;
    for mount in &mut spec.mounts {
        let is_bind = mount.kind.as_deref() == Some("bind");
        let said = mount.options.iter().any(|option| option.ends_with("idmap"));
        // Files of a volume look right on both sides: their ids are translated like the container's own.
        if shifted && is_bind && !said && !mount.destination.starts_with("/sys") && !is_device(mount) {
            mount.options.push("idmap".to_owned());
        }
        // What is mounted below a volume is part of it.
        if mount.options.iter().any(|option| option == "rbind") {
            for option in mount.options.iter_mut().filter(|option| *option == "idmap") {
                *option = "ridmap".to_owned();
            }
        }
    }
    let private =
        [(&kept.pid, "/proc", true), (&kept.ipc, "/dev/mqueue", false), (&kept.ipc, "/dev/shm", false)];
    for (choice, destination, recursive) in private {
        // A file system that shows a namespace can be mounted only by its owner; the host's is bound instead.
        if *choice != Choice::New && maps.is_some() && !joins_owner(spec) {
            bind_hosts(spec, destination, recursive);
        }
    }
    if kept.net != Choice::New && kept.net != Choice::Host && maps.is_some() && !joins_owner(spec) {
        // The host's /sys shows the host's devices, which are not those of the network that is entered.
        if let Some(linux) = &mut spec.linux {
            linux.masked_paths.extend(["/sys/class/net", "/sys/devices/virtual/net"].map(str::to_owned));
        }
    }
    if let Some(process) = spec.process.as_mut().filter(|process| process.terminal) {
        let size = [rustix::stdio::stdin(), rustix::stdio::stdout()]
            .into_iter()
            .find_map(|fd| tcgetwinsize(fd).ok());
        process.console_size =
            size.map(|size| ConsoleSize { height: size.ws_row.into(), width: size.ws_col.into() });
    }
    if kept.net != Choice::New && is_host_view(spec) {
        bind_resolver(spec);
    }
}

fn is_device(mount: &Mount) -> bool {
    let Some(source) = mount.source.as_deref() else { return false };
    stat(source).is_ok_and(|stat| {
        matches!(FileType::from_raw_mode(stat.st_mode), FileType::CharacterDevice | FileType::BlockDevice)
    })
}

/// A device under another name than on the host is a bind mount: `linux.devices` has one path for both.
fn fit_devices(spec: &mut Spec, request: &Request) {
    for device in request.devices.iter().filter(|device| device.source != device.destination) {
        if let Some(linux) = &mut spec.linux {
            linux.devices.retain(|known| known.path != device.destination);
        }
        spec.mounts.push(Mount {
            destination: device.destination.clone(),
            kind: Some("bind".to_owned()),
            source: Some(device.source.clone()),
            options: vec!["bind".to_owned(), "nosuid".to_owned(), "noexec".to_owned()],
            ..Mount::default()
        });
    }
}

fn is_mapped(maps: &[IdMapping], id: u32) -> bool {
    maps.iter().any(|map| id >= map.container_id && id - map.container_id < map.size)
}

fn bind_hosts(spec: &mut Spec, destination: &str, recursive: bool) {
    let exists = stat(destination).is_ok();
    spec.mounts.retain(|mount| exists || mount.destination != destination);
    for mount in spec.mounts.iter_mut().filter(|mount| mount.destination == destination) {
        mount.kind = Some("bind".to_owned());
        mount.source = Some(destination.to_owned());
        let bind = if recursive { "rbind" } else { "bind" };
        mount.options = [bind, "nosuid", "noexec", "nodev"].map(str::to_owned).to_vec();
    }
}

/// With the host's network its resolver's file is wanted, which often lies in /run, where the view has nothing.
fn bind_resolver(spec: &mut Spec) {
    let Ok(file) = open("/etc/resolv.conf", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else { return };
    // The path without links, as the kernel knows it.
    let Ok(real) = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) else { return };
    let Some(real) = real.to_str().map(str::to_owned) else { return };
    if real.starts_with("/run/") && stat(real.as_str()).is_ok() {
        spec.mounts.push(Mount {
            destination: real.clone(),
            kind: Some("bind".to_owned()),
            source: Some(real),
            options: ["bind", "ro", "nosuid", "nodev", "noexec", "noidmap"].map(str::to_owned).to_vec(),
            ..Mount::default()
        });
    }
}

/// A namespace of another user namespace is entered with its owner, which `/proc/PID/ns` has beside it: a container's
/// pid or network namespace can be shown in /proc and /sys only by who is root where they belong.
fn join_owner(spec: &mut Spec) {
    let Some(linux) = &mut spec.linux else { return };
    let own = stat("/proc/self/ns/user").map(|stat| (stat.st_dev, stat.st_ino));
    let beside = linux.namespaces.iter().find_map(|namespace| {
        let (directory, _) = namespace.path.as_deref()?.rsplit_once('/')?;
        let path = format!("{directory}/user");
        let theirs = stat(path.as_str()).map(|stat| (stat.st_dev, stat.st_ino));
        (directory.starts_with("/proc/") && theirs.is_ok() && theirs != own).then_some(path)
    });
    if let Some(path) = beside {
        joined::with_owner(spec, path);
    }
}

/// Is the owner of what is joined joined too?
fn joins_owner(spec: &Spec) -> bool {
    let mut namespaces = spec.linux.iter().flat_map(|linux| &linux.namespaces);
    namespaces.any(|namespace| namespace.kind == NamespaceKind::User && namespace.path.is_some())
}
