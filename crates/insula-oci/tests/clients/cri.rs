//! A pod of two containers, made through containerd's CRI as the kubelet makes one: `cri.sh`, with runc and with ours.

use crate::parent::Parent;
use insula_proof::scratch::Scratch;
use std::process::{Command, Stdio};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/cri.sh");

/// Is grpcio where the script looks for it?
pub fn has_grpcio() -> Result<(), String> {
    let probe = Command::new("/usr/bin/python3")
        .args(["-c", "import grpc"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match probe {
        Ok(status) if status.success() => Ok(()),
        _ => Err("needs grpcio for /usr/bin/python3 (Debian: python3-grpcio)".into()),
    }
}

/// What the client says of each step; it stops at the first that is not as it should be.
pub fn steps(runtime: &str) -> String {
    let scratch = Scratch::new();
    let _parent = Parent::of(&scratch);
    let output = Command::new("sh").arg(SCRIPT).arg(runtime).arg(&*scratch).output().expect("run the script");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{runtime}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}
