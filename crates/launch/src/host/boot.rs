//! Which start of the machine this is.

use super::proc_file;
use std::sync::OnceLock;

/// The boot id, random(4): another one means that everything in the kernel is gone. Empty where /proc has none.
pub fn id() -> String {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let read = proc_file::read("/proc/sys/kernel/random/boot_id");
        read.map_or_else(|_| String::new(), |id| String::from_utf8_lossy(&id).trim().to_owned())
    })
    .clone()
}
