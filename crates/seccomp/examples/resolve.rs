//! A profile in Docker's format as `linux.seccomp` of config.json, for a container with Docker's default capabilities:
//! `cargo run -p insula-seccomp --example resolve PROFILE`.

use insula_oci::CapabilitySet;
use insula_seccomp::native;
use insula_seccomp::profile::{Circumstances, Profile};
use std::{env, fs, io::Write};

fn main() {
    let path = env::args().nth(1).expect("the profile's path");
    let text = fs::read_to_string(path).expect("read the profile");
    let capabilities = CapabilitySet::default();
    let at = Circumstances {
        native: native().expect("a known architecture"),
        kernel: (6, 1),
        capabilities: &capabilities,
    };
    let resolved = Profile::read(&text).and_then(|profile| profile.resolve(&at)).expect("a profile");
    let mut text = serde_json::to_vec(&resolved).expect("it is JSON");
    text.push(b'\n');
    std::io::stdout().write_all(&text).expect("say it");
}
