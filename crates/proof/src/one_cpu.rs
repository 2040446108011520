//! Scripts that go on with one CPU.

/// Words for `sh -c`: goes on with one CPU, with the program and its words behind `sh`.
///
/// From Linux 6.18 on each CPU numbers new namespaces by itself, and the kernel mounts a mount namespace only in one with a
/// lower number: without this a tenth of such mounts fail, with every tool. Where the kernel tells no numbers, as the old one
/// that is played, trying again is all that can be done, and may be in vain as often as one likes.
pub const ON_ONE_CPU: &str =
    r#"exec taskset -c "$(sed -En 's/^Cpus_allowed_list:\s+([0-9]+).*/\1/p' /proc/self/status)" "$@""#;
