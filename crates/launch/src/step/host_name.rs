//! The names of the UTS namespace, uts_namespaces(7).

use super::{Child, Describe};
use crate::fault::{Call, Done, Fault};
use crate::why::{Act, Around};
use rustix::system::{setdomainname, sethostname};
use std::borrow::Cow;
use std::fmt;

/// Sets the host name.
#[derive(Debug)]
pub struct HostName(pub String);

impl HostName {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        sethostname(self.0.as_bytes()).map_err(Call::Sethostname.failed())
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set the host name `{}`", self.0)
    }
}

impl Describe for HostName {
    const NAME: &'static str = "host-name";

    fn why(&self) -> Cow<'static, str> {
        "the new UTS namespace still has the host's".into()
    }

    fn act(&self, _fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        Some(Act::Other)
    }
}

/// Sets the NIS domain name.
#[derive(Debug)]
pub struct DomainName(pub String);

impl DomainName {
    pub(super) fn run(&self, _at: &mut Child<'_>) -> Done {
        setdomainname(self.0.as_bytes()).map_err(Call::Setdomainname.failed())
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set the domain name `{}`", self.0)
    }
}

impl Describe for DomainName {
    const NAME: &'static str = "domain-name";

    fn why(&self) -> Cow<'static, str> {
        "the new UTS namespace still has the host's".into()
    }

    fn act(&self, _fault: &Fault, _around: &Around<'_>) -> Option<Act> {
        Some(Act::Other)
    }
}
