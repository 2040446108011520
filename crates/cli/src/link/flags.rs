//! The flags of `insula link`: the one table from which parsing, help, the manual page and the completions are made.

use clap::{Arg, ArgAction, Command};

/// What stands below the verbs.
const WORDS: &str = "\
DEV is the name of a device, or NS:NAME for one in another network namespace.
NS is a name of `insula ns` or `ip netns`, the pid of a process, a path, or `host`: the namespace that insula is called in.

Two network namespaces that reach each other:

  insula netns add a
  insula netns add b
  insula link pair a:eth0=10.0.0.1/24 b:eth0=10.0.0.2/24
  ip netns exec a ping 10.0.0.2

A verb is done as a whole or not at all. An ordinary user can do all of this in namespaces of its own (`unshare -Urn`).";

/// The command as clap knows it.
pub fn command() -> Command {
    Command::new("link")
        .bin_name("insula link")
        .about("Connect network namespaces: veth pairs, bridges, addresses, moves")
        .after_help(WORDS)
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommands(verbs())
}

fn verbs() -> [Command; 9] {
    [pair(), transfer(), address(), up(), down(), bridge(), delete(), route(), show()]
}

fn pair() -> Command {
    Command::new("pair")
        .about("Make a veth pair: two devices, what goes into one comes out of the other")
        .override_usage("insula link pair [FLAGS] A B")
        .after_help(
            "A and B are [NS:]DEV[=ADDRESS/PREFIX,...], as a:eth0=10.0.0.1/24,fd00::1/64. \
             An end with an address, or with --up, is brought up. Both ends appear at once where they belong, under \
             their names. IPv6 addresses are good at once: nobody else is on the pair, so nobody is asked.",
        )
        .arg(word("A", "A", "The one end, with its addresses"))
        .arg(word("B", "B", "The other end, with its addresses"))
        .arg(value("netns", "NS", "Network namespace of the one end (default: host)"))
        .arg(value("peer-netns", "NS", "Network namespace of the other end (default: host)"))
        .arg(value("mtu", "BYTES", "Longest packet of both (default: 1500)"))
        .arg(switch("up", "Bring both up, with addresses or without"))
}

fn transfer() -> Command {
    Command::new("move")
        .about("Move a device to another network namespace, with its addresses, its routes and its state")
        .after_help(
            "The kernel drops addresses and routes when a device moves, and takes it down: they are given back there. \
             If that fails the device is brought back. Routes that make no sense there, and the place in a bridge, are \
             lost, and told.",
        )
        .arg(word("DEV", "[NS:]DEV", "The device"))
        .arg(word("TO", "NS", "The network namespace to move it to"))
        .arg(value("name", "NAME", "Its name there (default: the same)"))
        .arg(value("from", "NS", "The network namespace that it is in (default: host)"))
}

fn address() -> Command {
    Command::new("addr")
        .about("Give a device addresses, or take them away")
        .arg(word("DEV", "[NS:]DEV", "The device"))
        .arg(words("ADDRESS", "ADDRESS/PREFIX", "IPv4 or IPv6, as 10.0.0.1/24 or fd00::1/64").required(true))
        .arg(switch("del", "Take them away"))
        .arg(value("peer", "ADDRESS", "The other end's address, on a line with two ends"))
        .arg(value("broadcast", "ADDRESS", "Who hears all, IPv4 (default: the last of the network)"))
        .arg(within())
}

fn up() -> Command {
    Command::new("up")
        .about("Bring devices up")
        .arg(words("DEV", "[NS:]DEV", "The devices").required(true))
        .arg(within())
}

fn down() -> Command {
    Command::new("down")
        .about("Take devices down")
        .arg(words("DEV", "[NS:]DEV", "The devices").required(true))
        .arg(within())
}

fn bridge() -> Command {
    Command::new("bridge")
        .about("Make a bridge of devices: what comes into one goes out of the others")
        .after_help(
            "The bridge is made if it is not there. It and its ports are brought up: down, they forward nothing.",
        )
        .arg(word("NAME", "[NS:]NAME[=ADDRESS/PREFIX,...]", "The bridge, with addresses of its own"))
        .arg(words("DEV", "DEV", "The devices that become its ports, in the same network namespace"))
        .arg(within())
}

fn delete() -> Command {
    Command::new("del")
        .about("Delete devices; with one end of a pair goes the other")
        .arg(words("DEV", "[NS:]DEV", "The devices").required(true))
        .arg(within())
}

fn route() -> Command {
    Command::new("route")
        .about("Add or delete a route, in the words of ip-route(8)")
        .override_usage(
            "insula link route [FLAGS] add|del DESTINATION [via GATEWAY] [dev [NS:]DEV] [src ADDRESS] [metric N]",
        )
        .arg(word("VERB", "add|del", "What to do").value_parser(["add", "del"]).hide_possible_values(true))
        .arg(word("DESTINATION", "DESTINATION", "Where to: a network, as 10.1.0.0/16, or default"))
        .arg(words("HOW", "HOW", "How to get there: via, dev, src, metric, each with its value"))
        .arg(within())
}

fn show() -> Command {
    Command::new("show")
        .about("List devices: kind, state, addresses, and where the other end is")
        .arg(words("DEV", "[NS:]DEV", "The devices (default: all)"))
        .arg(switch("json", "For machines: a list of objects"))
        .arg(within())
}

/// A word that has to be there.
fn word(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(id).value_name(name).help(help).required(true)
}

/// All words that follow.
fn words(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(id).value_name(name).help(help).num_args(0..).action(ArgAction::Append)
}

/// A flag with a value; the later one holds.
fn value(long: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).value_name(name).help(help).action(ArgAction::Set).overrides_with(long)
}

/// A flag without a value.
fn switch(long: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).help(help).action(ArgAction::SetTrue).overrides_with(long)
}

fn within() -> Arg {
    value("in", "NS", "Network namespace of the devices that name none (default: host)")
}
