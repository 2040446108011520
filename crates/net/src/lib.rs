//! Network devices, their addresses, and the ids of network namespaces: a synchronous rtnetlink(7) of our own.
#![forbid(unsafe_code)]
