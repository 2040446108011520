//! `exec`: another process in a container that runs. It begins with the rights of the container's configuration.

use crate::error::Error;
use crate::explain;
use crate::flags::{Flag, Given, Order};
use crate::global::Global;
use crate::tell;
use crate::verb::Verb;
use insula_oci::{Capability, Process};
use insula_runtime::container::Subgroups;
use insula_runtime::container::exec::{Joined, Request, exec as join, explain as would, target};
use insula_runtime::foreground::{Ended, Foreground, Signals};
use rustix::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

/// `exec`.
pub const VERB: Verb = Verb {
    name: "exec",
    about: "Run another program in a container",
    usage: "ID COMMAND [ARG…]",
    flags: &[
        Flag::value("console-socket", "SOCKET", "Send the terminal's other end there"),
        Flag::value("pidfd-socket", "SOCKET", "Send a descriptor of the process there"),
        Flag::value("cwd", "DIR", "The working directory in the container"),
        Flag::value("env", "NAME=VALUE", "A variable more; can be given several times").short('e'),
        Flag::switch("tty", "Give it a terminal").short('t'),
        Flag::value("user", "UID[:GID]", "Who it is").short('u'),
        Flag::value("additional-gids", "GID", "A group more; can be given several times").short('g'),
        Flag::value("process", "FILE", "The process as JSON, config.md \"Process\"").short('p'),
        Flag::switch("detach", "Do not wait for its end").short('d'),
        Flag::value("pid-file", "FILE", "Write the process's id there"),
        Flag::switch("no-new-privs", "It can gain no rights by execve(2)"),
        Flag::value("process-label", "LABEL", "The SELinux context of the process"),
        Flag::value("apparmor", "PROFILE", "The AppArmor profile of the process"),
        Flag::value("cap", "CAPABILITY", "A capability more; can be given several times").short('c'),
        Flag::value("preserve-fds", "N", "Let the program inherit N descriptors from 3 on"),
        Flag::value(
            "cgroup",
            "[CTRL:]PATH",
            "Join a group below the container's, in all hierarchies or in those of CTRL[,CTRL…]",
        ),
        Flag::switch("ignore-paused", "Join a paused container too"),
        explain::FLAG,
    ],
    order: Order::StopAfter(1),
    go: exec,
    failed: tell::EXEC_FAILED,
};

fn exec(global: &Global, given: &Given) -> Result<ExitCode, Error> {
    let Some((id, command)) = given.words.split_first() else {
        return Err(Error::Words { verb: "exec".to_owned(), wanted: "a minimum of 1 argument", got: 0 });
    };
    let own = |flag: &str| given.value(flag).filter(|value| !value.is_empty()).map(str::to_owned);
    let request = Request {
        console_socket: own("console-socket"),
        pidfd_socket: own("pidfd-socket"),
        pid_file: own("pid-file"),
        preserve_fds: given.number("preserve-fds")?.unwrap_or(0),
        subgroups: Subgroups::parse(given.values("cgroup").filter(|value| !value.is_empty()))?,
        ignore_paused: given.has("ignore-paused"),
    };
    let detach = given.has("detach");
    let (found, spec) = target(&global.find(id)?, &request)?;
    let process = match given.value("process") {
        Some(file) => read_process(file)?,
        None => process(given, command, spec.process.clone().unwrap_or_default())?,
    };
    if process.terminal && detach && request.console_socket.is_none() {
        let reason = "cannot allocate tty if runc will detach without setting console socket".to_owned();
        return Err(Error::Flag { flag: "--console-socket".to_owned(), reason });
    }
    if let Some(form) = explain::form(given)? {
        return Ok(explain::out(&would(&found, spec, process, &request)?.plan, form));
    }
    let signals = if detach { None } else { Some(Signals::block().map_err(Error::Watch)?) };
    let mut joined = join(&found, spec, process, &request)?;
    let Some(signals) = signals else { tell::leave(0) };
    tell::leave(watch(&mut joined, signals)?)
}

fn watch(joined: &mut Joined, signals: Signals) -> Result<u8, Error> {
    let foreground = Foreground {
        child: joined.running.pidfd.as_fd(),
        interactive: joined.console.is_some(),
        console: joined.console.take(),
        stop_signal: libc::SIGTERM,
        stop_timeout: Duration::MAX,
        timeout: None,
    };
    Ok(match foreground.watch(signals).map_err(Error::Watch)? {
        Ended::Exited(code) => code,
        Ended::Signaled(signal) => 128u8.saturating_add(u8::try_from(signal).unwrap_or(0)),
        Ended::TimedOut => tell::EXEC_FAILED,
    })
}

fn read_process(file: &str) -> Result<Process, Error> {
    let failed = |why: String| Error::File("read the process", file.to_owned(), why);
    // The caller's own file, which may be a pipe: `--process /dev/stdin`.
    let text = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

/// The container's own process with what the flags change of it.
fn process(given: &Given, command: &[String], mut process: Process) -> Result<Process, Error> {
    if command.is_empty() {
        return Err(Error::Words { verb: "exec".to_owned(), wanted: "a program to run", got: 0 });
    }
    process.args = command.to_vec();
    process.terminal = given.has("tty");
    process.console_size = None;
    if let Some(cwd) = given.value("cwd") {
        process.cwd = cwd.to_owned();
    }
    process.env.extend(given.values("env").map(str::to_owned));
    if given.has("no-new-privs") {
        process.no_new_privileges = true;
    }
    let own = |flag: &str| given.value(flag).filter(|value| !value.is_empty()).map(str::to_owned);
    process.apparmor_profile = own("apparmor").or(process.apparmor_profile);
    process.selinux_label = own("process-label").or(process.selinux_label);
    for name in given.values("cap") {
        let wrong = || Error::Flag { flag: "--cap".to_owned(), reason: format!("`{name}` is no capability") };
        let capability: Capability = name.parse().map_err(|_| wrong())?;
        let sets = process.capabilities.get_or_insert_with(Default::default);
        // As runc since 1.2: what a caller asks for is not handed on to what the program executes.
        for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
            set.insert(capability);
        }
    }
    if let Some(user) = given.value("user").filter(|user| !user.is_empty()) {
        let (uid, gid) = user.split_once(':').map_or((user, None), |(uid, gid)| (uid, Some(gid)));
        let id = |text: &str| {
            let reason = format!("`{text}` is no id: it is UID[:GID] in numbers");
            text.parse::<u32>().map_err(|_| Error::Flag { flag: "--user".to_owned(), reason })
        };
        process.user.uid = id(uid)?;
        if let Some(gid) = gid {
            process.user.gid = id(gid)?;
        }
    }
    for gid in given.values("additional-gids") {
        let reason = format!("`{gid}` is no id");
        process
            .user
            .additional_gids
            .push(gid.parse().map_err(|_| Error::Flag { flag: "--additional-gids".to_owned(), reason })?);
    }
    Ok(process)
}
