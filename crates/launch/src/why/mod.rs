//! Why something was refused: the cause, found by looking at the process that failed, and the cure.
//!
//! A step that fails says what it has tried ([`Act`]). [`find`] looks at the process while it still waits ([`Subject`]), in
//! a file for each field: each of its causes has a key for programs, a sentence with the value that was found, and a cure.
//! What is not seen is not said: then the step's own hint stands.

mod act;
pub mod confined;
pub mod entering;
pub mod features;
pub mod groups;
pub mod identity;
pub mod ids;
mod key;
pub mod looking;
pub mod mounts;
pub mod namespaces;
pub mod newuidmap;
mod probe;
pub mod processes;
pub mod rights;
mod root;
mod status;
mod subject;
pub mod user_namespace;

pub use act::{Act, Around, Enter, Ids, Maps, Refusal, Writer};
pub use mounts::Attempt;
pub use status::Status;
pub use subject::{Caller, Subject, sysctl};

use crate::fault::Fault;
use crate::kind::Kind;
use confined::Confined;
use entering::Entering;
use features::Feature;
use groups::Group;
use identity::Identity;
use ids::IdMaps;
use looking::Looking;
use mounts::{Filesystem, Idmap, Locked, Mounting, Overlay, Pivot, Place, Revealing};
use namespaces::NewNamespace;
use newuidmap::Newuidmap;
use processes::NoProcess;
use rights::Right;
use rustix::io::Errno;
use std::fmt;

/// Gathers the fields: each is an enum of its own, with keys, sentences and cures.
macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident($causes:ty),)*) => {
        /// A cause, by its field.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Cause { $($(#[$doc])* $field($causes),)* }

        impl Cause {
            /// The word for programs: kebab-case, and always the same.
            pub fn key(&self) -> &'static str {
                match self { $(Cause::$field(cause) => cause.key(),)* }
            }

            /// What to do about it.
            pub fn cure(&self) -> String {
                match self { $(Cause::$field(cause) => cause.cure(),)* }
            }

            /// Every key there is.
            pub fn keys() -> impl Iterator<Item = &'static str> {
                [$(<$causes>::KEYS),*].into_iter().flatten().copied()
            }
        }

        impl fmt::Display for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Cause::$field(cause) => cause.fmt(f),)* }
            }
        }

        $(impl From<$causes> for Cause {
            fn from(cause: $causes) -> Cause { Cause::$field(cause) }
        })*
    };
}

fields! {
    /// A filter of system calls or a security module.
    Confined(Confined),
    /// A new namespace was refused.
    NewNamespace(NewNamespace),
    /// A new process was refused.
    NoProcess(NoProcess),
    /// An id map was refused.
    IdMaps(IdMaps),
    /// newuidmap(1) or newgidmap(1) refused one.
    Newuidmap(Newuidmap),
    /// Other ids were refused.
    Identity(Identity),
    /// A namespace could not be entered.
    Entering(Entering),
    /// A process could not be looked into.
    Looking(Looking),
    /// A file system cannot be mounted here.
    Filesystem(Filesystem),
    /// A mount's ids cannot be translated.
    Idmap(Idmap),
    /// A mount is locked, or in use.
    Locked(Locked),
    /// An overlay's layers.
    Overlay(Overlay),
    /// The change of root.
    Pivot(Pivot),
    /// A path.
    Place(Place),
    /// A new proc or sysfs would show what is hidden.
    Revealing(Revealing),
    /// The kernel lacks something.
    Feature(Feature),
    /// A right is lacking.
    Right(Right),
    /// A control group.
    Group(Group),
}

impl From<Mounting> for Cause {
    fn from(cause: Mounting) -> Cause {
        match cause {
            Mounting::Filesystem(cause) => cause.into(),
            Mounting::Idmap(cause) => cause.into(),
            Mounting::Locked(cause) => cause.into(),
            Mounting::Overlay(cause) => cause.into(),
            Mounting::Pivot(cause) => cause.into(),
            Mounting::Place(cause) => cause.into(),
            Mounting::Revealing(cause) => cause.into(),
        }
    }
}

/// Looks for the cause. `None`: nothing that is seen explains it.
pub fn find(refusal: &Refusal, subject: &Subject) -> Option<Cause> {
    let Refusal { act, fault } = refusal;
    // What stands before the kernel's own rules, if it can be shown; what can only be supposed comes last.
    if let Some(filter) = confined::filtered(act, *fault, subject) {
        return Some(filter.into());
    }
    if matches!(fault.errno, Errno::PERM | Errno::ACCESS)
        && let Some(restriction) = confined::under_unprivileged_profile(subject)
    {
        return Some(restriction.into());
    }
    by_the_rules(act, *fault, subject)
        .or_else(|| features::call(*fault, subject).map(Cause::from))
        .or_else(|| Some(confined::remains(*fault, subject)?.into()))
}

/// By the kernel's own rules for what was tried.
fn by_the_rules(act: &Act, fault: Fault, subject: &Subject) -> Option<Cause> {
    match act {
        Act::Make(kinds) => {
            let unborn = || processes::unborn(fault, subject).map(Cause::from);
            let restricted = || {
                let wanted =
                    kinds.contains(&Kind::User) && matches!(fault.errno, Errno::PERM | Errno::ACCESS);
                wanted.then(|| confined::restricts_user_namespaces(subject)).flatten().map(Cause::from)
            };
            let found = namespaces::made(kinds, fault, subject).map(Cause::from);
            found.or_else(restricted).or_else(unborn)
        }
        Act::Fork => processes::unborn(fault, subject).map(Cause::from),
        Act::Map(maps) if maps.writer == Writer::Helper => {
            newuidmap::refused(maps, fault, subject).map(Cause::from)
        }
        Act::Map(maps) => ids::mapped(maps, fault, subject).map(Cause::from),
        Act::Setgroups(allow) => ids::groups_file(*allow, fault, subject).map(Cause::from),
        Act::SetIds { uid, gids } => identity::refused(*uid, gids, fault, subject).map(Cause::from),
        Act::Look(pid) => looking::refused(*pid, subject).map(Cause::from),
        Act::Enter(enter) => entering::refused(enter, fault, subject).map(Cause::from),
        Act::Mount(attempt) => {
            // The kernel asks for the right first.
            let right = rights::lacking(fault, subject).map(Cause::from);
            right.or_else(|| mounts::refused(attempt, fault, subject).map(Cause::from))
        }
        Act::Call { name, flags } => match fault.errno {
            Errno::NOSYS => features::of_call(name, subject).map(Cause::from),
            errno => features::flags(name, *flags, errno).map(Cause::from),
        },
        Act::JoinGroup => groups::joined(fault.errno, subject).map(Cause::from),
        Act::Other => rights::lacking(fault, subject).map(Cause::from),
    }
}
