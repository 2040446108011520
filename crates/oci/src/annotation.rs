//! The annotations of `config.json` that insula gives a meaning to.
//!
//! The specification leaves annotations to the implementations (config.md, "Annotations"): keys in reverse domain
//! notation, values that are strings. Another runtime that runs the same bundle ignores these.

/// What the root is, where it is no directory of the bundle's: the one known value is [`ROOT_HOST`].
pub const ROOT: &str = "org.insula.root";

/// Value of [`ROOT`]: a copy-on-write view of the machine's own root.
pub const ROOT_HOST: &str = "host";

/// The directory, an absolute path on the host, in which the changes to the copy-on-write root are kept. Without it they
/// vanish with the container.
pub const KEEP: &str = "org.insula.keep";

/// [`TRUE`] puts a pid 1 that reaps and forwards signals in front of the program.
pub const INIT: &str = "org.insula.init";

/// The value that switches an annotation on.
pub const TRUE: &str = "true";
