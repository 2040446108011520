//! What the parts of the compiler share: the spec, the host, and the plan in the making.

use crate::error::Invalid;
use insula_launch::host::Host;
use insula_launch::kit::Slots;
use insula_launch::plan::{Birth, Newborn, Plan};
use insula_launch::resolve::Target;
use insula_launch::step::Step;
use insula_oci::{Linux, NamespaceKind, Spec};
use std::ffi::CString;

/// What the parts of the compiler share.
pub(crate) struct Draft<'a> {
    pub(super) spec: &'a Spec,
    pub(super) linux: &'a Linux,
    pub(super) host: &'a Host,
    /// The process joins a container that is there.
    pub(super) joins: bool,
    pub(super) slots: Slots,
    /// The parent's steps: they stand first, so that the baton changes hands once.
    pub(super) parent: Vec<Step>,
    /// What becomes read-only when all is mounted.
    pub(super) read_only: Vec<Target>,
    /// The child's steps.
    pub(super) child: Vec<Step>,
    pub(super) faults: Vec<Invalid>,
}

impl<'a> Draft<'a> {
    /// Nothing yet. `linux` is the spec's, or one with nothing in it; `joins`: for a process in a container that is there.
    pub(super) fn new(spec: &'a Spec, linux: &'a Linux, host: &'a Host, joins: bool) -> Draft<'a> {
        Draft {
            spec,
            linux,
            host,
            joins,
            slots: Slots::default(),
            parent: Vec::new(),
            read_only: Vec::new(),
            child: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The plan, unless there are faults: the parent's steps first.
    pub(super) fn into_plan(mut self, birth: Newborn) -> Result<Plan, Vec<Invalid>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let mut steps = self.parent;
        steps.append(&mut self.child);
        Ok(Plan { birth: Birth::Clone(birth), steps, slots: self.slots })
    }

    pub(super) fn fault(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.faults.push(Invalid { field: field.into(), reason: reason.into() });
    }

    pub(super) fn makes(&self, kind: NamespaceKind) -> bool {
        self.linux.namespaces.iter().any(|n| n.kind == kind && n.path.is_none())
    }

    /// Is the process in a user namespace of its own, made or joined?
    pub(super) fn in_user_namespace(&self) -> bool {
        self.linux.namespaces.iter().any(|n| n.kind == NamespaceKind::User)
    }

    /// Must the parent clone from the host's tree, because the child's copies of the mounts are locked?
    pub(super) fn parent_clones(&self) -> bool {
        self.in_user_namespace() && self.host.ids().may_mount()
    }

    /// A path as a C string; a NUL in it is a fault of `field`.
    pub(super) fn c_string(&mut self, field: &str, text: &str) -> CString {
        CString::new(text).unwrap_or_else(|_| {
            self.fault(field, "it holds a NUL byte");
            CString::default()
        })
    }

    /// A path inside the container.
    pub(super) fn target(&mut self, field: &str, path: &str) -> Option<Target> {
        let target = Target::new(path).filter(|_| path.starts_with('/'));
        if target.is_none() {
            self.fault(field, "it must be an absolute path without `..` and NUL bytes");
        }
        target
    }
}
