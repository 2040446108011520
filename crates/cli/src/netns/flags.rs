//! The words of `netns` for help, manual, completions and reference. Parsing is ip(8)'s own: [`options`](super::options).

use clap::{Arg, ArgAction, Command};

/// What `netns help` prints, where `ip` prints it.
pub const USAGE: &str = "\
Usage:	netns list
	netns add NAME [--up]
	netns attach NAME PID
	netns set NAME NETNSID
	netns [-all] delete [NAME...] [--move-devices-back | --force]
	netns identify [PID]
	netns pids NAME
	netns [-all] [--explain] exec [NAME] cmd ...
	netns monitor
	netns list-id [target-nsid POSITIVE-INT] [nsid POSITIVE-INT]
NETNSID := auto | POSITIVE-INT
";

/// What `ip` prints without an object.
pub const IP_USAGE: &str = "\
Usage: ip [ OPTIONS ] netns { COMMAND | help }
       ip [ -force ] -batch filename
where  OPTIONS := { -a[ll] | -b[atch] filename | -fo[rce] | -j[son] | -p[retty] | -n[etns] name | -V[ersion] }
This ip is insula's. It has the object netns; `insula link` has devices, addresses and routes.
";

const VERBS: &str = "\
Commands, each of which may be abbreviated:
  list                       Names, each with the id that this network namespace has for it
  add NAME                   Make a network namespace and name it
  attach NAME PID            Name the network namespace of a process
  delete NAME...             Take names away; refused while hardware is behind one
  set NAME NSID|auto         Give a named network namespace an id in this one, for good
  identify [PID]             Names of the network namespace of a process, or of this one
  pids NAME                  Processes in a named network namespace
  exec NAME PROGRAM [ARG...] Run a program there: its own /sys, and /etc/netns/NAME/* over /etc/*
  monitor                    Names as they come (add) and go (delete)
  list-id [target-nsid N] [nsid N]
                             Ids that this network namespace has for others, or that the one of id N has

Without a command: list. Names are files in /run/netns and are ip(8)'s as well. Options stand before the \
command, with one dash or two, and may be abbreviated as ip(8)'s; its others (-details, -oneline, -family \
and the like) are taken and change nothing. The lines of a batch are ip(8)'s: `netns add NAME`. Exit codes \
are ip(8)'s: 0, or 1, or 2 where the kernel refuses an id, or 255 for a wrong command line and a namespace \
that cannot be entered.";

/// `insula netns`.
pub fn command() -> Command {
    options(Command::new("netns"))
        .about("Name network namespaces, and run programs in them, as ip-netns(8)")
        .override_usage("insula netns [OPTIONS] [COMMAND] [WORDS...]")
        .after_help(VERBS)
}

/// `insula ip`.
pub fn ip_command() -> Command {
    options(Command::new("ip"))
        .about("ip(8)'s command line for the object netns: for scripts that call `ip netns`")
        .override_usage("insula ip [OPTIONS] netns [COMMAND] [WORDS...]")
        .after_help(
            "A link of the name `ip` to insula answers as ip(8) where the object is netns: `insula netns --help` tells \
             of the commands. Of the other objects it says what insula has for them.",
        )
}

fn options(command: Command) -> Command {
    command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            switch("all")
                .short('a')
                .help("`exec` and `delete`: for each name; `exec` goes on after a failure"),
        )
        .arg(value("batch", "FILE").short('b').help("Read commands from a file, or from `-`"))
        .arg(switch("force").help("Go on after a failure in a batch; `delete` leaves hardware to the kernel"))
        .arg(switch("json").short('j').help("`list` and `list-id`: JSON"))
        .arg(switch("pretty").short('p').help("JSON on many lines"))
        .arg(
            value("netns", "NAME")
                .short('n')
                .action(ArgAction::Append)
                .help("Do it in this named network namespace; more than once: one after the other"),
        )
        .arg(
            Arg::new("explain")
                .long("explain")
                .value_name("FORMAT")
                .num_args(0..=1)
                .require_equals(true)
                .help("`exec`: print what would be done, and do none of it (text or json)"),
        )
        .arg(switch("move-devices-back").help("`delete`: move hardware here first, with its addresses"))
        .arg(switch("up").help("`add`: bring loopback up"))
        .arg(switch("help").help("Print this help"))
        .arg(switch("Version").short('V').help("Print the version"))
        .arg(Arg::new("words").num_args(0..).trailing_var_arg(true).hide(true))
}

fn switch(long: &'static str) -> Arg {
    Arg::new(long).long(long).action(ArgAction::SetTrue)
}

fn value(long: &'static str, name: &'static str) -> Arg {
    Arg::new(long).long(long).value_name(name)
}
