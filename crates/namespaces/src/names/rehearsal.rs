//! What a rehearsal of `new` needs: the plan, and in place of the store's files such as end with the process.

use super::compile::compile;
use super::make::{facts, store_path};
use super::request::Request;
use super::rights::may_mount;
use super::word;
use crate::error::Error;
use insula_launch::error::preparing;
use insula_launch::kit::Kit;
use insula_launch::plan::Plan;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::pipe::{PipeFlags, pipe_with};

/// The plan by which `name` would be made here and now, and what it has open. Nothing is written down, nothing is mounted:
/// the record is a file in memory, and nobody serves the socket.
///
/// # Errors
///
/// A request that contradicts itself; a descriptor that cannot be had.
pub fn rehearsal(name: &str, request: &Request) -> Result<(Plan, Kit), Error> {
    word::check(name).map_err(|trouble| Error::name(name, trouble))?;
    let pinned = may_mount() && !request.keeper;
    let compiled = compile(name, request, &facts(&store_path()?, pinned, false))?;
    let mut kit = Kit::with(&compiled.plan.slots);
    let mut put = |slot, file| kit.put(slot, file).map_err(preparing("keep a descriptor"));
    let (lifeline, _) = pipe_with(PipeFlags::CLOEXEC).map_err(preparing("make the lifeline"))?;
    let init = insula_launch::init::sealed().map_err(preparing("put the init into a sealed memory file"))?;
    let record = memfd_create("record", MemfdFlags::CLOEXEC).map_err(preparing("make a record in memory"))?;
    put(compiled.init, init)?;
    put(compiled.lifeline, lifeline)?;
    put(compiled.record, record)?;
    if let Some(slot) = compiled.socket {
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        put(slot, socket.map_err(preparing("make the socket"))?)?;
    }
    Ok((compiled.plan, kit))
}
