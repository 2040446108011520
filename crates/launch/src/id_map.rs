//! A line of a user namespace's id map, user_namespaces(7).

/// One line of a map: `size` ids from `inside` are those from `outside`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdMap {
    /// The first id in the new user namespace.
    pub inside: u32,
    /// The first id in the parent user namespace.
    pub outside: u32,
    /// How many.
    pub size: u32,
}
