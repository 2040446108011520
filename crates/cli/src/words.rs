//! The command words: one table, from which dispatch, the overview, man pages and completions come.

use crate::parse::parse;
use crate::{cgroup, doctor, link, lsns, netns, ns, nsenter, run, tell, unshare, why};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// One word.
struct Word {
    name: &'static str,
    about: &'static str,
    /// Its flags: built only for the word that was called, or for the manuals.
    flags: fn() -> clap::Command,
    go: fn(Vec<OsString>) -> ExitCode,
    /// It answers to a link of its name too.
    is_face: bool,
}

const WORDS: &[Word] = &[
    Word {
        name: "run",
        about: "Run a program in namespaces of its own, on this machine's root or another",
        flags: run::flags::command,
        go: run::go,
        is_face: false,
    },
    Word {
        name: "ns",
        about: "Name namespaces, enter them by name, and ask what they are",
        flags: ns::command,
        go: ns::go,
        is_face: false,
    },
    Word {
        name: "lsns",
        about: lsns::flags::TABLE.about,
        flags: || lsns::flags::TABLE.command(),
        go: lsns::go,
        is_face: true,
    },
    Word {
        name: "nsenter",
        about: "Run a program in namespaces that are there already, as nsenter(1) does",
        flags: nsenter::flags::command,
        go: nsenter::go,
        is_face: true,
    },
    Word {
        name: "unshare",
        about: "Run a program in new namespaces, as unshare(1) does",
        flags: unshare::flags::command,
        go: unshare::go,
        is_face: true,
    },
    Word {
        name: "link",
        about: "Connect network namespaces: veth pairs, bridges, addresses, moves",
        flags: link::flags::command,
        go: link::go,
        is_face: false,
    },
    Word {
        name: "netns",
        about: "Name network namespaces, and run programs in them, as ip-netns(8)",
        flags: netns::flags::command,
        go: netns::go,
        is_face: true,
    },
    Word {
        name: "ip",
        about: "ip(8)'s command line for the object netns, for scripts that call `ip netns`",
        flags: netns::flags::ip_command,
        go: netns::ip,
        is_face: true,
    },
    Word {
        name: "cgroup",
        about: "Make control groups by name: limit, join, show, freeze, kill, remove",
        flags: cgroup::command,
        go: cgroup::go,
        is_face: false,
    },
    Word {
        name: "doctor",
        about: "Tell what this kernel and this user can do, what each lack costs, and the fix",
        flags: doctor::command,
        go: doctor::go,
        is_face: false,
    },
    Word {
        name: "why",
        about: "Run a program, and say which of its calls the kernel refused, and why",
        flags: why::flags::command,
        go: why::go,
        is_face: false,
    },
    Word {
        name: "oci",
        about: "Containers by the specification of the Open Container Initiative, by runc's command line",
        flags: oci_flags,
        go: insula_oci_runtime::go,
        is_face: false,
    },
    Word {
        name: "completions",
        about: "Print completions for a shell: bash, elvish, fish, powershell or zsh",
        flags: completions_flags,
        go: completions,
        is_face: false,
    },
    Word {
        name: "man",
        about: "Print the manual page of a command, in roff",
        flags: man_flags,
        go: man,
        is_face: false,
    },
    Word {
        name: "reference",
        about: "Print the reference of all commands, in Markdown",
        flags: reference_flags,
        go: reference,
        is_face: false,
    },
];

/// Links of these names are the OCI runtime.
const RUNTIMES: &[&str] = &["insula-oci", "runc", "crun"];

/// The manuals' word for a command line of its own, which `insula oci --help` prints.
fn oci_flags() -> clap::Command {
    clap::Command::new("oci")
        .disable_help_flag(true)
        .after_help(
            "`insula oci --help` lists its commands, `insula oci COMMAND --help` their flags. A link to insula that is \
             named insula-oci, runc or crun is the same.",
        )
        .arg(clap::Arg::new("WORDS").num_args(0..).trailing_var_arg(true).help("runc's flags, command and words"))
}

/// Calls what a link's name says, else what the first word names.
pub fn dispatch(called: Option<&OsStr>, mut arguments: Vec<OsString>) -> ExitCode {
    let link = called.and_then(|path| Path::new(path).file_name()).and_then(OsStr::to_str);
    if let Some(face) = WORDS.iter().find(|word| word.is_face && Some(word.name) == link) {
        tell::call_me(face.name);
        return (face.go)(arguments);
    }
    if link.is_some_and(|link| RUNTIMES.contains(&link)) {
        return insula_oci_runtime::go(arguments);
    }
    if arguments.is_empty() {
        return tell::error("a command is missing", Some("`insula --help` lists them"), tell::FAILED);
    }
    let word = arguments.remove(0);
    match word.to_string_lossy().as_ref() {
        "--help" | "-h" | "help" => tell::out(&overview()),
        "--version" | "-V" | "version" => tell::out(&format!("insula {}\n", env!("CARGO_PKG_VERSION"))),
        word => match WORDS.iter().find(|known| known.name == word) {
            Some(known) => (known.go)(arguments),
            None => no_command(word),
        },
    }
}

fn no_command(name: &str) -> ExitCode {
    let message = format!("no command `{}`", insula_oci::escaped(name));
    tell::error(&message, Some("`insula --help` lists them"), tell::FAILED)
}

fn overview() -> String {
    let mut text = String::from(
        "insula: Linux namespaces, from building blocks to apps\n\nUsage: insula COMMAND [FLAGS…] [WORDS…]\n\nCommands:\n",
    );
    for word in WORDS {
        text.push_str(&format!("  {:<12} {}\n", word.name, word.about));
    }
    text.push_str("\n`insula COMMAND --help` tells what a command takes.\n");
    text
}

/// The whole tree, for manuals and completions only.
fn tree() -> clap::Command {
    let root = clap::Command::new("insula")
        .about("Linux namespaces, from building blocks to apps")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true);
    WORDS.iter().fold(root, |root, word| root.subcommand((word.flags)().name(word.name).about(word.about)))
}

fn completions_flags() -> clap::Command {
    clap::Command::new("completions").bin_name("insula completions").arg(
        clap::Arg::new("SHELL")
            .required(true)
            .value_parser(clap::value_parser!(clap_complete::Shell))
            .help("Which shell"),
    )
}

fn completions(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(completions_flags(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let mut bytes = Vec::new();
    if let Some(shell) = matches.get_one::<clap_complete::Shell>("SHELL") {
        clap_complete::generate(*shell, &mut tree(), "insula", &mut bytes);
    }
    tell::out(&String::from_utf8_lossy(&bytes))
}

fn man_flags() -> clap::Command {
    clap::Command::new("man")
        .bin_name("insula man")
        .arg(clap::Arg::new("COMMAND").num_args(0..).help("Which command; without one, insula itself"))
}

fn man(rest: Vec<OsString>) -> ExitCode {
    let matches = match parse(man_flags(), rest) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let mut words = matches.get_many::<String>("COMMAND").into_iter().flatten();
    let command = match words.next() {
        None => tree(),
        Some(name) => match WORDS.iter().find(|word| word.name == name) {
            Some(word) => (word.flags)().display_name(format!("insula-{name}")).about(word.about),
            None => return no_command(name),
        },
    };
    // A verb of a command has a page of its own, under both words.
    let command = words.try_fold(command, |command, verb| {
        let name = format!("{}-{verb}", command.get_display_name().unwrap_or("insula"));
        let found = command.find_subcommand(verb).cloned();
        found.map(|found| found.display_name(name)).ok_or(verb)
    });
    let command = match command {
        Ok(command) => command,
        Err(verb) => return no_command(verb),
    };
    let mut bytes = Vec::new();
    match clap_mangen::Man::new(command).render(&mut bytes) {
        Ok(()) => tell::out(&String::from_utf8_lossy(&bytes)),
        Err(error) => tell::error(&error.to_string(), None, tell::FAILED),
    }
}

fn reference_flags() -> clap::Command {
    clap::Command::new("reference").bin_name("insula reference")
}

/// Each command's help as a chapter: `docs/reference.md`, which a test compares.
fn reference(rest: Vec<OsString>) -> ExitCode {
    if let Err(code) = parse(reference_flags(), rest) {
        return code;
    }
    let mut text = String::from("# The commands\n\nPrinted by `insula reference`; a test compares.\n");
    for word in WORDS {
        let mut command = (word.flags)().about(word.about).term_width(100);
        command.build();
        chapter(&mut text, "##", &format!("insula {}", word.name), &mut command);
    }
    tell::out(&text)
}

/// A command's help, and below it that of its verbs.
fn chapter(text: &mut String, mark: &str, name: &str, command: &mut clap::Command) {
    text.push_str(&format!("\n{mark} {name}\n\n```text\n{}```\n", command.render_long_help()));
    for verb in command.get_subcommands_mut() {
        let name = format!("{name} {}", verb.get_name());
        chapter(text, &format!("{mark}#"), &name, verb);
    }
}
