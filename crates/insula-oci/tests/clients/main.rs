//! Engines on top: the same actions of a real client once with runc and once with ours, compared action by action.
//!
//! Each engine runs in namespaces of its own (mount, pid, network), on a /run, a /var/lib and an image store in memory,
//! so that the machine's own is not touched, and nothing is left. What may differ stands in [`docker::ALLOWED`] and [`containerd::ALLOWED`].
//! All control groups are below one of the test's, which is removed.
#![forbid(unsafe_code)]

mod containerd;
mod cri;
mod docker;
mod engine;
mod parent;

use engine::Engine;
use insula_proof::{need, or_skip};

#[test]
fn podman_does_the_same_with_ours_as_with_runc() {
    need!(slow, root, cgroup_v1 "pids", program "podman", program "conmon", program "runc", program "busybox", program "script");
    Engine::Podman.compare();
}

#[test]
fn dockerd_does_the_same_with_ours_as_with_runc() {
    need!(slow, root, cgroup_v1 "pids", program "dockerd", program "docker", program "containerd", program "runc", program "busybox", program "script");
    Engine::Docker.compare();
}

#[test]
fn containerd_does_the_same_with_ours_as_with_runc() {
    need!(slow, root, cgroup_v1 "pids", program "containerd", program "ctr", program "containerd-shim-runc-v2", program "runc", program "busybox", program "script");
    Engine::Containerd.compare();
}

#[test]
fn a_pod_lives_with_ours_as_with_runc() {
    need!(slow, root, cgroup_v1 "memory", program "containerd", program "ctr", program "containerd-shim-runc-v2", program "runc", program "busybox");
    or_skip!(cri::has_grpcio());
    let ours = cri::steps(env!("CARGO_BIN_EXE_insula-oci"));
    assert_eq!(cri::steps("runc"), ours);
    assert!(ours.ends_with("containers left: False\n"), "{ours}");
}
