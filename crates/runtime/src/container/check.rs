//! `check`: every fault of a configuration at once, and nothing made.

use super::bundle::{Bundle, Raw, settle};
use super::create::{Request, attachment, record};
use super::error::Error;
use super::id::Id;
use super::{cgroup, create};
use crate::compile::{Compiled, Life, compile};
use crate::error::Invalid;
use insula_launch::host::Host;
use insula_oci::faults;

/// All faults of the configuration in this bundle: of its values, and of what they mean together on this machine, by the
/// same compilation that `create` begins with. None of it is done. Errors: a configuration that cannot be read, or is no
/// JSON.
pub fn check(directory: &str, config: Option<&str>) -> Result<Vec<Invalid>, Error> {
    let Raw { path, file, bytes } = Raw::read(directory, config)?;
    let found = faults(&bytes).map_err(|error| Error::Config(file, error))?;
    let wrong = found.wrong.iter();
    let mut all: Vec<Invalid> =
        wrong.map(|one| Invalid { field: one.field.clone(), reason: one.reason.clone() }).collect();
    if let Some(spec) = &found.rest {
        let mut spec = spec.clone();
        settle(&mut spec, &path);
        // A fault of a field that was left out may be the fault of leaving it out.
        for fault in of(&Bundle { path, bytes: Vec::new(), spec })? {
            let field = found.path(&fault.field);
            if !found.tells(&field) {
                all.push(Invalid { field, ..fault });
            }
        }
    }
    Ok(all)
}

/// What the compilation says.
fn of(bundle: &Bundle) -> Result<Vec<Invalid>, Error> {
    let id = Id::parse("check")?;
    let mut all = Vec::new();
    let linux = bundle.spec.linux.clone().unwrap_or_default();
    if let Err(error) = cgroup::name(&linux, &id) {
        all.push(Invalid { field: "linux.cgroupsPath".to_owned(), reason: error.to_string() });
    }
    let attachment = attachment(&record(&id, bundle), &Request::default(), Life::Create, None);
    all.extend(compile(&bundle.spec, &Host::new(), &attachment).err().unwrap_or_default());
    Ok(all)
}

/// What `create`, or `run`, would do, as far as its plan goes: nothing of it is done, and the control group that it would
/// make is only named.
pub fn explain(id: &Id, request: &create::Request, life: Life) -> Result<Compiled, Error> {
    let bundle = Bundle::read(&request.bundle, request.config.as_deref())?;
    let linux = bundle.spec.linux.clone().unwrap_or_default();
    let place = cgroup::would_be(&cgroup::name(&linux, id)?);
    let attachment = attachment(&record(id, &bundle), request, life, place);
    compile(&bundle.spec, &Host::new(), &attachment).map_err(Error::Invalid)
}
