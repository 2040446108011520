//! `build` and `run`: the `insula` binary, static where the system can.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::stop::Stop;
use crate::{built, tell, tree};

/// How a static binary is linked. static-pie keeps address randomisation and costs some 50 µs at each start;
/// `"-C", "relocation-model=static"` in place of the second pair is the other choice. docs/design decides.
/// `noseparate-code` puts text and read-only data into fewer pages: fewer faults at each start.
const STATIC_FLAGS: [&str; 6] = [
    "-C",
    "target-feature=+crt-static",
    "-C",
    "relocation-model=pic",
    "-C",
    "link-arg=-Wl,-z,noseparate-code",
];

/// Which of cargo's profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build.
    Debug,
    /// What people and the tests use.
    Release,
    /// Release with link time optimisation over all crates: what is handed out.
    Dist,
}

impl Profile {
    fn of(flag: &str) -> Option<Profile> {
        match flag {
            "--debug" => Some(Profile::Debug),
            "--release" => Some(Profile::Release),
            "--dist" => Some(Profile::Dist),
            _ => None,
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Profile::Debug => &["--profile", "dev"],
            Profile::Release => &["--release"],
            Profile::Dist => &[
                "--profile",
                "dist",
                "--config",
                "profile.dist.inherits='release'",
                "--config",
                "profile.dist.lto='fat'",
            ],
        }
    }
}

/// `build [--release|--dist|--debug]`
pub fn command(arguments: &[String]) -> Result<(), Stop> {
    let mut profile = Profile::Release;
    for argument in arguments {
        profile =
            Profile::of(argument).ok_or_else(|| Stop::Usage(format!("unknown argument: `{argument}`")))?;
    }
    let path = binary(profile)?;
    tell::say(&format!("{}\n", path.display()));
    Ok(())
}

/// `run [--dist|--debug] [--] ARGS…`: what follows the profile is insula's.
pub fn run(arguments: &[OsString]) -> Result<(), Stop> {
    let mut rest = arguments;
    let mut profile = Profile::Release;
    if let [first, others @ ..] = rest
        && let Some(chosen) = first.to_str().and_then(Profile::of)
    {
        profile = chosen;
        rest = others;
    }
    let path = binary(profile)?;
    // A `--` is left as it is: it tells insula too that its own flags are over.
    let error = Command::new(&path).arg("run").args(rest).exec();
    Err(Stop::Failed(format!("execute `{}`: {error}", path.display())))
}

/// Builds insula and returns the path of the binary. Cargo's own words go to stderr.
pub fn binary(profile: Profile) -> Result<PathBuf, Stop> {
    program(profile, "insula", "insula")
}

/// The same of the OCI runtime alone.
pub fn runtime(profile: Profile) -> Result<PathBuf, Stop> {
    program(profile, "insula-oci-runtime", "insula-oci")
}

fn program(profile: Profile, package: &str, name: &str) -> Result<PathBuf, Stop> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--package", package, "--bin", name]).args(profile.arguments());
    build.args(["--message-format", "json-render-diagnostics"]);
    if static_libc() {
        static_for_host(&mut build)?;
    } else {
        tell::complain("no static libc here (Debian: libc6-dev): insula is linked dynamically\n");
    }
    built::program(&messages(&mut build)?, "bin", name)
        .ok_or_else(|| Stop::Failed(format!("cargo named no binary `{name}`")))
}

/// Builds the example `name` of a package, for tests to run, and returns its path.
pub fn example(package: &str, name: &str) -> Result<PathBuf, Stop> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--package", package, "--example", name]);
    build.args(["--message-format", "json-render-diagnostics"]);
    built::program(&messages(&mut build)?, "example", name)
        .ok_or_else(|| Stop::Failed(format!("cargo named no example `{name}`")))
}

/// Runs a build that says in JSON what it does, and returns that; cargo's words for people go to stderr.
pub fn messages(build: &mut Command) -> Result<String, Stop> {
    let output = build.current_dir(tree::root()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| Stop::Failed(format!("start cargo: {error}")))?;
    if !output.status.success() {
        let words: Vec<String> = build.get_args().take(4).map(|word| word.display().to_string()).collect();
        return Err(Stop::Failed(format!("`cargo {} …` failed", words.join(" "))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Has a build make static programs, in a directory of the target's own.
pub fn static_for_host(build: &mut Command) -> Result<(), Stop> {
    let host = host()?;
    // RUSTFLAGS wins over every configuration, so where it is set the flags are added to it.
    match env::var("RUSTFLAGS") {
        Ok(flags) if !flags.is_empty() => {
            build.env("RUSTFLAGS", format!("{flags} {}", STATIC_FLAGS.join(" ")));
        }
        _ => {
            build.args(["--config", &format!("target.{host}.rustflags={STATIC_FLAGS:?}")]);
        }
    }
    // With a target named, the flags miss build scripts and procedural macros, which cannot be static.
    build.args(["--target", &host]);
    Ok(())
}

/// cargo, the one that runs us.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The linker prints the path of a library that it finds, and the bare name of one that it does not.
pub fn static_libc() -> bool {
    let linker = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let said = output(&linker, &["-print-file-name=libc.a"]).unwrap_or_default();
    let path = Path::new(said.trim());
    path.is_absolute() && path.is_file()
}

/// The tuple of this machine, in rustc's words.
pub fn host() -> Result<String, Stop> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = output(&rustc, &["-vV"]).unwrap_or_default();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_string).ok_or_else(|| Stop::Failed("`rustc -vV` names no host".into()))
}

/// What a program says to stdout, if it ends well.
pub fn output(program: &OsStr, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
