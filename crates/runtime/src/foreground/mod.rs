//! The watch over one foreground container, as `docker run [-i] [-t]` has it: signals go in, the console's bytes go
//! both ways, the end comes out.
//!
//! ```text
//!               signalfd ──► meaning ──► pidfd_send_signal ──► container's pid 1 ──► program
//! caller's stdin (raw) ──► 16 KiB ──► pty master ◄──► /dev/console of the container     (-i -t)
//! caller's stdout      ◄── 16 KiB ◄── pty master                                          (-t)
//! ```
//!
//! Without `-t` the program has inherited the descriptors 0 to 2, and only signals pass here. One thread, one poll(2)
//! loop, and no descriptor in it blocks. Three parts can be read alone: `signals` (what each one means), `terminal`
//! (raw mode, and how it is undone even after SIGKILL), `stream` (how to write without blocking and without O_NONBLOCK
//! on what the shell shares with us).

mod ended;
mod error;
mod relay;
mod signals;
mod stream;
mod terminal;
mod watch;

pub use ended::Ended;
pub use error::Error;
pub use signals::Signals;
pub use terminal::check_tty;
pub use watch::Foreground;
