//! Builds `crates/init` into `OUT_DIR/insula-init`, the file that this crate embeds.
//!
//! With a plain call of rustc: init has its own panic strategy, linker arguments and code model, which Cargo
//! knows only per workspace. RUSTFLAGS are meant for the workspace (crt-static, instrumentation, target-cpu)
//! and not passed on: init is the same bytes for everyone who has the same compiler.
#![expect(clippy::print_stderr, clippy::exit, reason = "how a build script speaks to Cargo")]
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// Code generation: small, absolute (no relocations to do at start), no unwinding.
const CODEGEN: &[&str] = &[
    "panic=abort",
    "opt-level=s",
    "codegen-units=1",
    "debuginfo=0",
    "debug-assertions=off",
    "overflow-checks=off",
    "force-unwind-tables=no",
    "relocation-model=static",
    "target-feature=+crt-static",
    "strip=symbols",
];

/// For the compiler driver alone.
const DRIVER: &[&str] = &["-nostdlib", "-nostartfiles", "-static"];

/// For ld.bfd and ld.lld alike. `noseparate-code` lets code and headers share a page of the file.
const LINKER: &[&str] =
    &["--gc-sections", "--build-id=none", "-znoexecstack", "-znoseparate-code", "-znorelro"];

fn main() {
    let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../init/src");
    let output = PathBuf::from(variable("OUT_DIR")).join("insula-init");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", source.display());
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    if let Err(reason) = build(&source.join("main.rs"), &output) {
        fail(&reason);
    }
    println!("cargo::rustc-env=INSULA_INIT_PATH={}", output.display());
}

fn build(main: &Path, output: &Path) -> Result<(), String> {
    let rustc = variable("RUSTC");
    let linker = env::var_os("RUSTC_LINKER");
    let mut command = Command::new(&rustc);
    command
        .args(["--crate-name=insula_init", "--crate-type=bin", "--edition=2024", "--target"])
        .arg(variable("TARGET"));
    for option in CODEGEN {
        command.args(["-C", option]);
    }
    if env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("musl") {
        // Else rustc adds the crt1.o and libc.a that it ships for musl.
        command.args(["-C", "link-self-contained=no"]);
    }
    let bare = linker.as_deref().is_some_and(|linker| is_bare_linker(Path::new(linker)));
    if let Some(linker) = &linker {
        let mut option = OsString::from("linker=");
        option.push(linker);
        command.arg("-C").arg(option);
    }
    for argument in DRIVER.iter().filter(|_| !bare) {
        command.args(["-C", &format!("link-arg={argument}")]);
    }
    for argument in LINKER {
        let through = if bare { "" } else { "-Wl," };
        command.args(["-C", &format!("link-arg={through}{argument}")]);
    }
    command.arg("-o").arg(output).arg(main);

    let ran = command.output().map_err(|error| format!("cannot run `{}`: {error}", rustc.display()))?;
    let said = String::from_utf8_lossy(&ran.stderr);
    if !ran.status.success() {
        return Err(format!(
            "cannot build insula-init ({})\n{said}\n\
             the call was: {command:?}\n\
             hint: it needs the core library of the target (`rustup target add {}`) and a linker for it \
             (`target.<triple>.linker` in .cargo/config.toml)",
            ran.status,
            variable("TARGET").display(),
        ));
    }
    for line in said.lines() {
        println!("cargo::warning={line}");
    }
    Ok(())
}

/// `ld`, `ld.lld`, `rust-lld`, `aarch64-linux-gnu-ld`: they take the arguments that a driver takes behind
/// `-Wl,`.
fn is_bare_linker(linker: &Path) -> bool {
    let name = linker.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".exe").unwrap_or(name);
    ["ld", "lld", "mold", "ld.bfd", "ld.gold", "wild"]
        .iter()
        .any(|end| name == *end || name.ends_with(&format!("-{end}")))
        || name.starts_with("ld.")
}

/// A variable that Cargo always sets.
fn variable(name: &str) -> OsString {
    env::var_os(name)
        .unwrap_or_else(|| fail(&format!("`{name}` is not set; this script is for Cargo to run")))
}

/// Cargo shows what a script that fails has said to stderr.
fn fail(reason: &str) -> ! {
    eprintln!("error: {reason}");
    exit(1)
}
