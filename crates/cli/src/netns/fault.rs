//! What is told of a failure, and the exit code that `ip` has for it.

use insula_launch::why::Cause;
use insula_namespaces::error::Error;
use insula_oci::escaped;
use rustix::io::Errno;

use crate::tell;

/// The exit codes of ip(8).
pub mod code {
    /// It failed.
    pub const FAILED: u8 = 1;
    /// The kernel refused a request about ids.
    pub const REFUSED: u8 = 2;
    /// The command line is wrong, or a namespace that something should be done in cannot be entered.
    pub const WRONG: u8 = 255;
}

/// A failure.
#[derive(Debug)]
pub struct Fault {
    told: Told,
    /// The exit code.
    pub code: u8,
}

/// What is told of it.
#[derive(Debug)]
enum Told {
    /// Nothing: it has been told, or what was started has told it itself.
    Nothing,
    /// A message, the cause if it was found, and what to do about it.
    Error(String, Option<Box<Cause>>, Option<String>),
    /// A text as it is.
    Text(&'static str),
}

impl Fault {
    /// The command line is wrong.
    pub fn wrong(message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault { told: Told::Error(message.into(), None, Some(hint.into())), code: code::WRONG }
    }

    /// The same, and `ip` has the code of a failure for it.
    pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault::wrong(message, hint).with(code::FAILED)
    }

    /// Something failed.
    pub fn of(error: &Error) -> Fault {
        let cause = error.found();
        // Who may not name namespaces hears what goes without names.
        let is_of_names = matches!(error, Error::Netns(_, _, Errno::ACCESS | Errno::PERM));
        let cure = cause.as_ref().filter(|_| !is_of_names).map(Cause::cure);
        let hint = cure.or_else(|| error.hint());
        let told = Told::Error(error.to_string(), cause.map(Box::new), hint);
        Fault { told, code: code::FAILED }
    }

    /// A message without a hint.
    pub fn bare(message: impl Into<String>, code: u8) -> Fault {
        Fault { told: Told::Error(message.into(), None, None), code }
    }

    /// Only an exit code.
    pub fn quiet(code: u8) -> Fault {
        Fault { told: Told::Nothing, code }
    }

    /// Help was asked by a word, which for `ip` is a wrong command line.
    pub fn help(text: &'static str) -> Fault {
        Fault { told: Told::Text(text), code: code::WRONG }
    }

    /// The same with another code.
    pub fn with(self, code: u8) -> Fault {
        Fault { code, ..self }
    }

    /// Tells it on standard error.
    pub fn tell(&self) {
        match &self.told {
            Told::Nothing => {}
            Told::Error(message, cause, hint) => {
                tell::refusal(&escaped(message).to_string(), cause.as_deref(), hint.as_deref(), self.code);
            }
            Told::Text(text) => tell::aside(text),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::of(&error)
    }
}

impl From<insula_net::error::Error> for Fault {
    fn from(error: insula_net::error::Error) -> Fault {
        Fault::of(&Error::Net(error))
    }
}
