//! Control groups, cgroups(7): made, limited, joined and removed, on version 2, version 1 and both at once.
#![forbid(unsafe_code)]
