//! Enters a namespace, setns(2).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::kit::Slot;
use crate::plan::Kind;
use crate::why::{self, Act, Around};
use insula_sys::birth::setns;
use rustix::io::Errno;
use std::borrow::Cow;
use std::fmt;

/// The step.
#[derive(Debug)]
pub struct Enter {
    /// What kind it must be; setns(2) checks it.
    pub kind: Kind,
    /// The open namespace file.
    pub slot: Slot,
    /// Its path or name, for people.
    pub from: String,
}

impl Enter {
    pub(super) fn run(&self, at: &mut Child<'_>) -> Done {
        let kind = i32::try_from(self.kind.flag()).unwrap_or(0);
        at.kit.get(self.slot).and_then(|fd| setns(fd, kind)).map_err(Call::Setns.failed())
    }
}

impl fmt::Display for Enter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enter the {} namespace `{}`", self.kind.name(), self.from)
    }
}

impl Describe for Enter {
    const NAME: &'static str = "enter";

    fn why(&self) -> Cow<'static, str> {
        match self.kind {
            Kind::Pid => "this process stays where it is: only its children are born there".into(),
            _ => "what follows is done in it".into(),
        }
    }

    fn act(&self, fault: &Fault, around: &Around<'_>) -> Option<Act> {
        let (file, with_user) = (around.kit.copy(self.slot), around.enters_user);
        let enter = why::Enter { kind: Some(self.kind), file, target: None, with_user };
        (fault.call == Call::Setns).then_some(Act::Enter(enter))
    }

    fn hint(&self, fault: &Fault) -> Option<Cow<'static, str>> {
        refused(fault.errno).map(Cow::from)
    }
}

/// What to do where a namespace may not be entered, setns(2).
pub(crate) fn refused(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::PERM => {
            Some("entering wants CAP_SYS_ADMIN in the user namespace that owns it and in our own (setns(2))")
        }
        Errno::INVAL => Some("it is no namespace of this kind"),
        _ => None,
    }
}
