//! What can go wrong while a container is watched: what was tried, and what the system said.

use std::fmt;
use std::io;

/// A failure of the watch. The container may still be alive: the caller ends it.
#[derive(Debug)]
pub enum Error {
    /// `-i` and `-t` were asked for, but the standard input is no terminal.
    NotATty,
    /// The signals could not be blocked and routed to a signalfd.
    Signals(io::Error),
    /// This signal could not be sent to the container.
    Forward(i32, io::Error),
    /// poll(2) failed.
    Poll(io::Error),
    /// waitid(2) on the container's pidfd failed.
    Wait(io::Error),
    /// The caller's terminal could not be put into raw mode.
    RawMode(io::Error),
    /// The process that guards the caller's terminal could not be started.
    Guard(io::Error),
    /// The container's console could not be prepared, read or written.
    Console(io::Error),
    /// The standard input could not be read.
    Input(io::Error),
    /// The standard output could not be written.
    Output(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The wording of docker(1), which people search for.
            Self::NotATty => f.write_str("the input device is not a TTY"),
            Self::Signals(error) => write!(f, "route signals to the container: {error}"),
            Self::Forward(signal, error) => write!(f, "send signal {signal} to the container: {error}"),
            Self::Poll(error) => write!(f, "poll the container and its console: {error}"),
            Self::Wait(error) => write!(f, "wait for the container: {error}"),
            Self::RawMode(error) => write!(f, "set the terminal to raw mode: {error}"),
            Self::Guard(error) => write!(f, "start the guard of the terminal: {error}"),
            Self::Console(error) => write!(f, "relay the container's console: {error}"),
            Self::Input(error) => write!(f, "read the standard input: {error}"),
            Self::Output(error) => write!(f, "write the container's output: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotATty => None,
            Self::Forward(_, error)
            | Self::Signals(error)
            | Self::Poll(error)
            | Self::Wait(error)
            | Self::RawMode(error)
            | Self::Guard(error)
            | Self::Console(error)
            | Self::Input(error)
            | Self::Output(error) => Some(error),
        }
    }
}

impl Error {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotATty => Some("leave out `-t` to pipe the input, or `-i` if the container reads none"),
            _ => None,
        }
    }
}
