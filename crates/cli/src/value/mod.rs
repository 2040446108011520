//! The small languages that flags of several commands are written in: a size, a signal. Each says what can be written.

pub mod reason;
pub mod signal;
pub mod size;
