//! The ground that the other tests stand on is tested too.
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use insula_proof as proof;
use insula_proof::census::{Census, Mark};
use insula_proof::id::{ORDINARY_ID, is_root};
use insula_proof::user::{ACCOUNT, FIRST_SUBORDINATE_ID, Ordinary};

const SOON: Duration = Duration::from_secs(10);
const AT_ONCE: Duration = Duration::from_millis(1);

fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("start the command");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().into()
}

#[test]
fn a_skip_is_recorded_under_the_name_of_the_test() {
    // In a process of its own, where INSULA_SKIPS is another file and the sums are not disturbed.
    let scratch = proof::Scratch::new();
    let skips = scratch.join("skips");
    let mut again = Command::new(std::env::current_exe().expect("find this test"));
    again.args(["skips_itself", "--exact", "--nocapture", "--include-ignored"]);
    again.env("INSULA_SKIPS", &skips).env("INSULA_PROOF_SKIP_NOW", "1");
    let said = stdout(&mut again);
    assert!(said.contains("skipped: the program `no-such-program` is not installed"), "{said}");
    let recorded = fs::read_to_string(&skips).expect("read the skips");
    assert_eq!(recorded, "proof::skips_itself\tthe program `no-such-program` is not installed\n");
}

#[test]
fn skips_itself() -> Result<(), String> {
    if std::env::var_os("INSULA_PROOF_SKIP_NOW").is_some() {
        proof::need!(path "/proc", program "sh", program "no-such-program");
        return Err("a need that is not met did not end the test".into());
    }
    Ok(())
}

#[test]
fn a_scratch_directory_goes_with_its_test() {
    let scratch = proof::Scratch::new();
    let path = scratch.to_path_buf();
    assert!(scratch.write("a/b", "c").starts_with(&path));
    drop(scratch);
    assert!(!path.exists());
}

#[test]
fn the_ordinary_user_is_not_root() {
    let _alone = proof::alone();
    let user = Ordinary::new();
    assert_eq!(stdout(user.command("id").arg("-u")), user.uid().to_string());
    assert_ne!(user.uid(), 0);
    if is_root() {
        assert_eq!(stdout(user.command("id").arg("-G")), ORDINARY_ID.to_string());
        let held = stdout(user.command("grep").args(["CapEff", "/proc/self/status"]));
        assert!(held.ends_with("0000000000000000"), "{held}");
    }
    let home = stdout(user.command("sh").args(["-c", "touch x run/y && echo \"$HOME\" && pwd"]));
    assert!(home.lines().all(|line| Path::new(line) == user.home()), "{home}");
}

#[test]
fn the_ordinary_user_with_subordinate_ids_can_map_them() {
    proof::need!(root, user_namespaces);
    let _alone = proof::alone();
    let before = fs::read_to_string("/etc/passwd").expect("read `/etc/passwd`");
    let user = proof::or_skip!(Ordinary::with_subuids());
    assert_eq!(stdout(user.command("id").arg("-un")), ACCOUNT);
    assert_eq!(stdout(user.command("id").arg("-G")), ORDINARY_ID.to_string());
    let maps = "unshare --user sleep 9 & sleep 0.3
        newuidmap $! 0 54321 1 1 5432100 65536 && cat /proc/$!/uid_map; kill $!";
    let map = stdout(user.command("sh").args(["-c", maps]));
    assert!(map.contains(&FIRST_SUBORDINATE_ID.to_string()), "{map}");
    assert_eq!(fs::read_to_string("/etc/passwd").expect("read `/etc/passwd`"), before);
}

#[test]
fn a_process_left_behind_is_told_and_its_end_is_awaited() {
    let _alone = proof::alone();
    let mark = Mark::new();
    let before = Census::take(&mark, &[]);
    let mut sleep = mark.on(Command::new("sleep").arg("600")).spawn().expect("start sleep");
    // Its environment is sleep's only behind its execve.
    while !before.differences(&Census::take(&mark, &[])).contains("`sleep`") {
        std::thread::yield_now();
    }
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| before.assert_equal_within(AT_ONCE)));
    assert!(told.is_err());
    sleep.kill().expect("end sleep");
    assert_eq!(sleep.wait().expect("wait for sleep").signal(), Some(9));
    before.assert_equal_within(SOON);
}

#[test]
fn what_another_test_starts_is_not_counted() {
    let _alone = proof::alone();
    let (mark, other) = (Mark::new(), Mark::new());
    let before = Census::take(&mark, &[]);
    let mut sleep = other.on(Command::new("sleep").arg("600")).spawn().expect("start sleep");
    std::thread::sleep(Duration::from_millis(50));
    before.assert_equal_within(SOON);
    sleep.kill().and_then(|()| sleep.wait()).expect("end sleep");
}

#[test]
fn a_child_that_lost_the_mark_is_counted_with_its_parent() {
    let _alone = proof::alone();
    let mark = Mark::new();
    let before = Census::take(&mark, &[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "env -i sleep 600 & echo $!; read x; kill $!"]);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = mark.on(&mut shell).spawn().expect("start sh");
    while !before.differences(&Census::take(&mark, &[])).contains("`sleep`") {
        std::thread::yield_now();
    }
    drop(shell.stdin.take());
    shell.wait().expect("wait for sh");
    before.assert_equal_within(SOON);
}

#[test]
fn a_file_left_behind_is_told() {
    let _alone = proof::alone();
    let scratch = proof::Scratch::new();
    let before = Census::take(&Mark::new(), &[&scratch]);
    scratch.write("a/b", "");
    let said = before.differences(&Census::take(&Mark::new(), &[&scratch]));
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.lines().all(|line| line.starts_with("+ file ")), "{said}");
}

#[test]
fn a_mount_left_behind_is_told() {
    proof::need!(root, capability "CAP_SYS_ADMIN" 21);
    let _alone = proof::alone();
    let scratch = proof::Scratch::new();
    let before = Census::take(&Mark::new(), &[]);
    stdout(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&*scratch));
    let said = before.differences(&Census::take(&Mark::new(), &[]));
    stdout(Command::new("umount").arg(&*scratch));
    assert!(said.starts_with("+ mount ") && said.lines().count() == 1, "{said}");
    before.assert_equal_within(SOON);
}

#[test]
fn a_namespace_left_behind_is_told() {
    proof::need!(root, program "unshare", namespace "uts");
    let _alone = proof::alone();
    let mark = Mark::new();
    let before = Census::take(&mark, &[]);
    let mut held =
        mark.on(Command::new("unshare").args(["--uts", "sleep", "600"])).spawn().expect("start unshare");
    while !before.differences(&Census::take(&mark, &[])).contains("+ namespace uts:") {
        std::thread::yield_now();
    }
    held.kill().and_then(|()| held.wait()).expect("end sleep");
    before.assert_equal_within(SOON);
}

#[test]
fn in_a_room_of_the_check_dev_is_its_own() {
    proof::need!(root);
    if std::env::var_os("INSULA_ROOM").is_none() {
        proof::skip!("not in a room of the check");
    }
    let outside = Path::new("/proc/1/comm");
    assert_eq!(fs::read_to_string(outside).expect("read the name of the first process").trim(), "xtask");
    stdout(Command::new("sh").args([
        "-ec",
        "echo x >/dev/null; head -c 1 /dev/zero >/dev/full 2>/dev/null && exit 1
         test -c /dev/pts/ptmx; test -L /dev/ptmx; touch /dev/shm/insula-proof; rm /dev/shm/insula-proof
         test \"$(stat -c %a /dev/null)\" = 666; test \"$(stat -f -c %T /dev)\" = tmpfs
         test \"$(stat -f -c %T /dev/pts)\" = devpts",
    ]));
}
