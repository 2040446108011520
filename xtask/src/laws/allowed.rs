//! What may be longer than the law of size says. Each needs a reason that holds; one that is no longer needed is a breach.

/// One exception: a file, a function in it or none for the file itself, and why.
pub struct Allowed {
    pub path: &'static str,
    pub function: Option<&'static str>,
    pub reason: &'static str,
}

/// The exceptions in this tree.
pub const LONG: &[Allowed] = &[];
