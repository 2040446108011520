//! What is asked of `cargo xtask vm`, from its words.

use crate::stop::Stop;

/// A kernel of Debian's: the name that people say, and the suite that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    pub name: &'static str,
    pub suite: &'static str,
}

/// From the oldest to the newest. A suite moves on: what its kernel is called today, the bed knows.
pub const KERNELS: [Kernel; 3] = [
    Kernel { name: "6.1", suite: "bookworm-security" },
    Kernel { name: "6.12", suite: "bookworm-backports" },
    Kernel { name: "newest", suite: "trixie-backports" },
];

/// Who runs the tests inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Root,
    User,
}

impl Who {
    pub fn word(self) -> &'static str {
        match self {
            Who::Root => "root",
            Who::User => "user",
        }
    }
}

/// How the machine's processors are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The host's processor.
    Kvm,
    /// Software emulation: some six times slower.
    Tcg,
}

/// The command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Ask {
    pub kernels: Vec<Kernel>,
    pub who: Vec<Who>,
    /// Make the bed anew from what Debian has now.
    pub fresh: bool,
    /// None: KVM where it boots.
    pub accelerator: Option<Accelerator>,
    /// In place of the tests: a script for the shell inside.
    pub script: Option<String>,
    /// For `cargo test`: which packages and tests.
    pub build: Vec<String>,
    /// For the test binaries: what followed `--`.
    pub words: Vec<String>,
}

impl Ask {
    /// Reads the words of the command line.
    pub fn of(arguments: &[String]) -> Result<Ask, Stop> {
        let mut ask = Ask {
            kernels: KERNELS.to_vec(),
            who: vec![Who::Root, Who::User],
            fresh: false,
            accelerator: None,
            script: None,
            build: Vec::new(),
            words: Vec::new(),
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| Stop::Usage(format!("{word} needs a value")));
            match word.as_str() {
                "--kernel" => ask.kernels = kernels(value()?)?,
                "--as" => ask.who = who(value()?)?,
                "--accel" => ask.accelerator = Some(accelerator(value()?)?),
                "--sh" => ask.script = Some(value()?.clone()),
                "--fresh" => ask.fresh = true,
                "--" => {
                    ask.words = words.cloned().collect();
                    break;
                }
                "-p" | "--package" | "--test" => ask.build.extend([word.clone(), value()?.clone()]),
                _ => return Err(Stop::Usage(format!("unknown argument: `{word}`"))),
            }
        }
        Ok(ask)
    }
}

fn kernels(word: &str) -> Result<Vec<Kernel>, Stop> {
    let known = KERNELS.into_iter().filter(|kernel| word == "all" || word == kernel.name).collect::<Vec<_>>();
    if known.is_empty() {
        let names = KERNELS.map(|kernel| kernel.name).join(", ");
        return Err(Stop::Usage(format!("no such kernel: `{word}` (there are {names}, all)")));
    }
    Ok(known)
}

fn who(word: &str) -> Result<Vec<Who>, Stop> {
    match word {
        "root" => Ok(vec![Who::Root]),
        "user" => Ok(vec![Who::User]),
        "both" => Ok(vec![Who::Root, Who::User]),
        _ => Err(Stop::Usage(format!("--as: `{word}` is none of root, user, both"))),
    }
}

fn accelerator(word: &str) -> Result<Accelerator, Stop> {
    match word {
        "kvm" => Ok(Accelerator::Kvm),
        "tcg" => Ok(Accelerator::Tcg),
        _ => Err(Stop::Usage(format!("--accel: `{word}` is none of kvm, tcg"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Ask, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Ask::of(&words).map_err(|stop| match stop {
            Stop::Usage(words) => words,
            Stop::Failed(_) | Stop::Code(_) => panic!("`{line}`: not an error of usage"),
        })
    }

    #[test]
    fn all_kernels_and_both_users_unless_told() {
        let ask = asked("").unwrap();
        assert_eq!(ask.kernels, KERNELS);
        assert_eq!(ask.who, [Who::Root, Who::User]);
    }

    #[test]
    fn the_words_behind_the_dashes_are_the_tests() {
        let ask = asked("--kernel 6.1 --as user --test run -- --kernel all").unwrap();
        assert_eq!(ask.kernels, [KERNELS[0]]);
        assert_eq!(ask.who, [Who::User]);
        assert_eq!(ask.build, ["--test", "run"]);
        assert_eq!(ask.words, ["--kernel", "all"]);
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (line, word) in [
            ("--kernel 5.15", "6.12, newest, all"),
            ("--as nobody", "both"),
            ("--accel xen", "tcg"),
            ("--kernel", "needs a value"),
            ("run", "unknown argument: `run`"),
        ] {
            assert!(asked(line).unwrap_err().contains(word), "{line}");
        }
    }
}
