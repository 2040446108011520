//! Which start of the machine this is.

/// The boot id, random(4): another one means that everything in the kernel is gone. Empty where /proc has none.
pub fn id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| String::new(), |id| id.trim().to_owned())
}
