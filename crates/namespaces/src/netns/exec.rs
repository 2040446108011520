//! Runs a program in a named network namespace, with what it should see of it: the plan, and what it needs open.

use super::directory;
use super::view::View;
use crate::error::Error;
use insula_launch::kit::{Kit, Slot, Slots};
use insula_launch::plan::{Birth, Kind, Plan};
use insula_launch::step::propagation::Mode;
use insula_launch::step::{BindOver, Enter, Execvp, Propagation, Step, Sysfs, Unshare};
use insula_oci::escaped;
use rustix::fd::OwnedFd;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

/// What is asked.
#[derive(Debug)]
pub struct Request {
    /// The namespaces, entered one after the other: the program is in the last, and what it does not put over its own of
    /// the settings of those before is still there.
    pub views: Vec<View>,
    /// The program and its arguments.
    pub words: Vec<CString>,
    /// Its environment.
    pub environment: Vec<CString>,
    /// Where it is looked for, if its name has no slash: the value of `PATH`.
    pub path: Option<CString>,
    /// What a complaint begins with: the name of the command.
    pub called: &'static str,
}

/// What a plan needs open.
#[derive(Debug, Default)]
pub struct Opens {
    namespaces: Vec<(Slot, View)>,
    tell: Option<Slot>,
}

/// The plan. `None`: there is no program.
pub fn compile(request: Request) -> Option<(Plan, Opens)> {
    let mut slots = Slots::default();
    let mut steps: Vec<Step> = Vec::new();
    let mut opens = Opens::default();
    for view in request.views {
        let slot = slots.another();
        // First: the new sysfs shows the devices of the namespace that its mounter is in.
        let from = directory::path(&view.name).to_string_lossy().into_owned();
        steps.push(Enter { kind: Kind::Net, slot, from }.into());
        steps.push(Unshare { kinds: vec![Kind::Mnt] }.into());
        // Before the first mount.
        steps.push(Propagation(Mode::Slave).into());
        let source = CString::new(view.name.as_bytes()).ok()?;
        steps.push(Sysfs { source }.into());
        for (source, target) in view.over() {
            let tell = *opens.tell.get_or_insert_with(|| slots.another());
            let [shown, over] = [&source, &target].map(|path| path.to_string_lossy());
            let complaint =
                format!("{}: warning: put `{}` over `{}`", request.called, escaped(&shown), escaped(&over));
            steps.push(BindOver { source, target, tell, complaint }.into());
        }
        opens.namespaces.push((slot, view));
    }
    steps.push(Execvp::new(request.words, request.environment, request.path.as_deref())?.into());
    Some((Plan { birth: Birth::Here, steps, slots }, opens))
}

/// Opens it. `tell` is where a step of the plan complains.
pub fn prepare(plan: &Plan, opens: &Opens, tell: impl FnOnce() -> Option<OwnedFd>) -> Result<Kit, Error> {
    let mut kit = Kit::with(&plan.slots);
    let failed = |errno| Error::File("keep open", "a namespace".to_owned(), errno);
    for (slot, view) in &opens.namespaces {
        kit.put(*slot, directory::open_named(&view.name)?).map_err(failed)?;
    }
    if let Some(slot) = opens.tell
        && let Some(tell) = tell()
    {
        kit.put(slot, tell).map_err(failed)?;
    }
    Ok(kit)
}
