//! Which start of the machine this is.

use std::sync::OnceLock;

/// The boot id, random(4): another one means that everything in the kernel is gone. Empty where /proc has none.
pub fn id() -> String {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| String::new(), |id| id.trim().to_owned())
    })
    .clone()
}
