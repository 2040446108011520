//! The flags of `insula ns pid`.

use clap::{Arg, ArgAction, Command, value_parser};

const WORDS: &str = "\
A process has a pid in its own pid namespace and in each above it, and in no other. Without NS all of them are listed, the \
namespace that insula is called in first. With NS, the pid that it has there is printed; with --from NS, ours for what NS \
calls PID. PID may be that of a thread.

NS is a name, the pid of a process (its pid namespace), the path of a namespace file, or `host`.

Exit code: 0; 1 there is no such process, or it is not visible there; 125 otherwise.";

/// The command as clap knows it.
pub fn command() -> Command {
    Command::new("pid")
        .bin_name("insula ns pid")
        .about("Translate a pid into another pid namespace, or back")
        .after_help(WORDS)
        .arg(
            Arg::new("PID")
                .required(true)
                .value_parser(value_parser!(i32).range(1..))
                .help("A process, by its pid here; with --from, by its pid there"),
        )
        .arg(Arg::new("NS").conflicts_with("from").help("Where its pid is asked for"))
        .arg(
            Arg::new("from")
                .long("from")
                .value_name("NS")
                .help("PID is what this namespace calls it: print ours"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON"))
}
