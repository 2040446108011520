//! What can be wrong with a name, each with its cure.

use insula_launch::plan::Kind;
use std::fmt;

/// Why a namespace of a name cannot be the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// The machine has started anew since.
    OtherBoot,
    /// Nothing is mounted at its file any more.
    Unmounted,
    /// Another namespace is there now.
    Another,
    /// The first process of the pid namespace has ended, and with it all others.
    InitEnded,
    /// The process that held it has ended.
    KeeperEnded,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stale::OtherBoot => "the machine has started anew since it was made",
            Stale::Unmounted => "it was unmounted",
            Stale::Another => "another namespace is there now",
            Stale::InitEnded => "its first process has ended, and with it all others",
            Stale::KeeperEnded => "the process that held it has ended",
        })
    }
}

impl Stale {
    /// A word for data.
    pub fn key(self) -> &'static str {
        match self {
            Stale::OtherBoot => "other-boot",
            Stale::Unmounted => "unmounted",
            Stale::Another => "another-namespace",
            Stale::InitEnded => "init-ended",
            Stale::KeeperEnded => "keeper-ended",
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It can be no name: the reason.
    Unspeakable(&'static str),
    /// Nothing has this name.
    Nothing,
    /// Something has it already.
    Taken,
    /// Another command is at work on it.
    Busy,
    /// A command that was killed has left it half made or half removed.
    Left,
    /// What is written down of it cannot be read.
    Unreadable,
    /// It has no namespace of this kind.
    Lacks(Kind),
    /// The namespace of this kind is not the one that was named.
    Stale(Kind, Stale),
    /// Processes run in its pid namespace.
    Populated(Vec<u32>),
    /// Who holds it does not answer: what was tried.
    Silent(&'static str),
    /// The store of names belongs to another user, or others may write to it: its path.
    Foreign(String),
    /// Its namespaces, or some of them, could not be let go: how many mounts resist.
    Resists(String),
}

/// As many processes are told by their pids.
const MOST_SHOWN: usize = 12;

impl Trouble {
    /// Tells it of a name.
    pub fn tell(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Unspeakable(reason) => write!(f, "`{name}` can be no name: {reason}"),
            Trouble::Nothing => write!(f, "nothing has the name `{name}`"),
            Trouble::Taken => write!(f, "the name `{name}` is taken"),
            Trouble::Busy => write!(f, "another command is at work on the name `{name}`"),
            Trouble::Left => {
                write!(f, "the name `{name}` was left half made or half removed by a command that was killed")
            }
            Trouble::Unreadable => write!(f, "what is written down of the name `{name}` cannot be read"),
            Trouble::Lacks(kind) => write!(f, "the name `{name}` has no {} namespace", kind.name()),
            Trouble::Stale(kind, why) => {
                write!(f, "the {} namespace of `{name}` is not there any more: {why}", kind.name())
            }
            Trouble::Populated(pids) => {
                let run = if pids.len() == 1 { "process runs" } else { "processes run" };
                write!(f, "`{name}` is not removed: {} {run} in its pid namespace:", pids.len())?;
                pids.iter().take(MOST_SHOWN).try_for_each(|pid| write!(f, " {pid}"))?;
                f.write_str(if pids.len() > MOST_SHOWN { " …" } else { "" })
            }
            Trouble::Silent(what) => write!(f, "the process that holds `{name}` does not answer: {what}"),
            Trouble::Foreign(path) => {
                write!(f, "`{path}` belongs to another user, or others may write to it")
            }
            Trouble::Resists(path) => {
                write!(f, "`{name}` is not removed: a mount on `{path}` cannot be taken off from here")
            }
        }
    }

    /// What to do about it.
    pub fn hint(&self, name: &str) -> Option<String> {
        Some(match self {
            Trouble::Unspeakable(_) => "a name is 1 to 128 letters, digits, `_`, `.`, `+` and `-`; it begins with a letter, a digit \
                                        or `_`, and is no number and none of `host`, `none`, `private`"
                .to_owned(),
            Trouble::Nothing => "`insula ns ls` shows the names, each user's own".to_owned(),
            Trouble::Taken => format!("choose another, or `insula ns rm {name}` first"),
            Trouble::Busy => "try again when that has ended".to_owned(),
            Trouble::Left => format!("`insula ns gc` clears it, and `insula ns new {name}` makes it anew"),
            Trouble::Unreadable => format!("`insula ns rm --force {name}` removes it"),
            Trouble::Lacks(_) => format!("`insula ns show {name}` tells which it has"),
            Trouble::Stale(_, Stale::InitEnded) => {
                format!("no process can be born in it; `insula ns rm {name}` lets the rest go")
            }
            Trouble::Stale(..) => {
                format!("`insula ns rm {name}` or `insula ns gc` removes what is left of the name; it is never entered")
            }
            Trouble::Populated(_) => "`--force` kills them; without their pid namespace they cannot be".to_owned(),
            Trouble::Silent(_) => format!("it may be stopped: continue it; or `insula ns rm --force {name}` ends it"),
            Trouble::Foreign(path) => format!("remove `{path}` if it is not meant to be there"),
            Trouble::Resists(_) => "it came from another mount namespace with more rights, or something is below it: remove the name \
                                    where it was made"
                .to_owned(),
        })
    }
}
