//! What the program sees: the host copy-on-write, volumes with the right owners, file systems in memory, masks.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use crate::caller::{Caller, EXITS, ended, works};
use insula_proof as proof;

by_everyone!(
    the_hosts_files_are_copy_on_write,
    kept_changes_are_there_again,
    a_directory_is_a_root,
    a_volume_has_the_right_owners_on_both_sides,
    a_read_only_volume_cannot_be_written,
    the_long_form_mounts_too,
    a_tmpfs_has_its_size_and_mode,
    a_read_only_root_cannot_be_written,
    masked_and_read_only_paths_hold,
    it_has_a_dev_of_its_own,
    standard_output_can_be_opened_by_its_name,
    what_the_host_runs_is_not_in_run,
);

fn the_hosts_files_are_copy_on_write(caller: &Caller) {
    // What replaces a directory is marked so in the copy.
    proof::or_skip!(works("user-xattr"));
    let old = caller.write("old", "old");
    caller.write("gone", "gone");
    caller.directory("directory");
    caller.write("directory/inner", "inner");
    let before = caller.census();
    let script = "set -e; echo new > new; echo more >> old; rm gone; mv directory moved; mkdir directory; \
                  ln -s /etc link; chmod 600 old; touch /tmp/proof-insula; cat old new; ls -I insula";
    assert_eq!(caller.sh(&[], script), "oldmore\nnew\ndirectory\nlink\nmoved\nnew\nold");
    assert_eq!(fs::read_to_string(old).expect("the host's file"), "old");
    assert!(!Path::new("/tmp/proof-insula").exists());
    before.assert_equal_within(EXITS);
}

#[test]
fn root_writes_replaces_and_deletes_in_the_hosts_directories() {
    proof::or_skip!(works("user-xattr"));
    let caller = proof::or_skip!(Caller::root());
    let of =
        |path: &str| fs::metadata(path).map(|data| (data.ino(), data.mtime(), data.len(), data.mode())).ok();
    let files = [
        "/etc",
        "/usr",
        "/root",
        "/etc/passwd",
        "/etc/group",
        "/etc/default",
        "/usr/bin/env",
        "/etc/new",
        "/usr/new",
        "/root/new",
    ];
    let before = files.map(of);
    let script = "set -e; echo x >> /etc/passwd; rm /etc/group; cp /bin/sh /usr/bin/env; echo 1 > /etc/new; \
                  mkdir /usr/new /root/new; chmod 777 /etc /root; mv /etc/default /etc/moved; rm -r /etc/moved; \
                  chown 7:7 /etc/new; stat -c %u:%g /etc/new; ls -d /etc/default";
    let end = ended(&mut caller.insula(&["run", "--", "sh", "-c", script]));
    assert_eq!((end.code(), end.out.as_str()), (2, "7:7\n"), "{}", end.err);
    assert_eq!(files.map(of), before);
}

fn kept_changes_are_there_again(caller: &Caller) {
    caller.write("gone", "");
    let keep = caller.directory("keep");
    caller.sh(&["--keep", &keep], "echo kept > here; rm gone");
    assert!(caller.home().join("gone").exists() && !caller.home().join("here").exists());
    assert_eq!(caller.sh(&["--keep", &keep], "cat here; echo more >> here; test ! -e gone"), "kept");
    assert_eq!(caller.sh(&["--keep", "./keep"], "cat here"), "kept\nmore");
    assert_eq!(caller.sh(&[], "ls gone; test ! -e here"), "gone");
}

fn a_directory_is_a_root(caller: &Caller) {
    let root = caller.busybox_root().expect("a root of busybox");
    let script = "pwd; id -u; ls /; echo new > /file";
    let said = ended(&mut caller.insula(&["run", &root, "sh", "-c", script])).said();
    assert_eq!(said, "/\n0\nbin\ndev\nproc\nsys");
    let made = fs::metadata(format!("{root}/file")).expect("the new file, in the directory itself");
    assert_eq!(made.uid(), caller.uid());
    for below in ["dev", "proc", "sys"] {
        let left = fs::read_dir(format!("{root}/{below}")).expect("a mount point").count();
        assert_eq!(left, 0, "{below} is empty on the host");
    }
    let end = ended(&mut caller.insula(&["run", "--read-only", &root, "sh", "-c", "echo > /other"]));
    assert_eq!(end.code(), 1, "{}", end.err);
    assert!(end.err.contains("Read-only file system"), "{}", end.err);
}

/// The owner on the host.
fn owner(path: &str) -> (u32, u32) {
    let data = fs::metadata(path).expect("the file");
    (data.uid(), data.gid())
}

fn a_volume_has_the_right_owners_on_both_sides(caller: &Caller) {
    let volume = caller.directory("volume");
    caller.write("volume/here", "");
    let flag = format!("{volume}:/data");
    let said = caller.sh(&["-v", &flag], "stat -c %u:%g /data /data/here; touch /data/there");
    assert_eq!(said, "0:0\n0:0");
    assert_eq!(owner(&format!("{volume}/there")), (caller.uid(), caller.uid()));
    if caller.is_root() {
        // The host's ids are the container's: files of users look right on both sides.
        let users = caller.write("volume/users", "");
        chown(users, Some(1000), Some(1001)).expect("give the file to a user");
        let said = caller.sh(&["-v", &flag], "stat -c %u:%g /data/users; touch /data/2; chown 7:8 /data/2");
        assert_eq!(said, "1000:1001");
        assert_eq!(owner(&format!("{volume}/2")), (7, 8));
        let written = caller.sh(&["-v", &flag, "-u", "1000:1001"], "echo x > /data/users; cat /data/users");
        assert_eq!(written, "x");
    }
}

fn a_read_only_volume_cannot_be_written(caller: &Caller) {
    let volume = caller.directory("volume");
    let file = caller.write("file", "content");
    for (flag, writable) in [
        (format!("{volume}:/data"), true),
        (format!("{volume}:/data:rw"), true),
        (format!("{volume}:/data:ro"), false),
        ("./volume:/data:ro".to_owned(), false),
    ] {
        let script = "touch /data/new 2>/dev/null && rm /data/new && echo written; true";
        assert_eq!(caller.sh(&["-v", &flag], script), if writable { "written" } else { "" }, "{flag}");
    }
    let flag = format!("{file}:/one-file:ro");
    let said =
        caller.sh(&["-v", &flag], "cat /one-file; (echo > /one-file) 2>/dev/null && echo written; true");
    assert_eq!(said, "content");
}

fn the_long_form_mounts_too(caller: &Caller) {
    let volume = caller.directory("volume");
    let bind = format!("type=bind,source={volume},target=/data,readonly");
    let end = ended(&mut caller.insula(&["run", "--mount", &bind, "--", "touch", "/data/new"]));
    assert!(end.code() == 1 && end.err.contains("Read-only file system"), "{}", end.err);
    let said = caller.sh(&["--mount", "type=tmpfs,target=/memory,tmpfs-size=1m"], "stat -f -c %T /memory");
    assert_eq!(said, "tmpfs");
}

fn a_tmpfs_has_its_size_and_mode(caller: &Caller) {
    let script = "df -k /x /dev/shm | awk '{print $2}'; stat -c %a /x /dev/shm; touch /x/y";
    let said = caller.sh(&["--tmpfs", "/x:size=1m,mode=711", "--shm-size", "2m"], script);
    assert_eq!(said, "1K-blocks\n1024\n2048\n711\n1777");
}

fn a_read_only_root_cannot_be_written(caller: &Caller) {
    let script =
        "for d in / /etc /usr /root /tmp .; do touch $d/new 2>/dev/null && echo $d; done; touch /dev/shm/x";
    assert_eq!(caller.sh(&["--read-only"], script), "");
    assert_eq!(caller.sh(&["--read-only", "--tmpfs", "/tmp"], script), "/tmp");
}

fn masked_and_read_only_paths_hold(caller: &Caller) {
    let script = r#"
        for f in acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats; do
            [ ! -e /proc/$f ] || [ -d /proc/$f ] && [ -z "$(ls /proc/$f 2>/dev/null)" ] || head -c 1 /proc/$f
            [ ! -e /proc/$f ] || ! rm -r /proc/$f/x /proc/$f 2>/dev/null || echo removed $f
        done
        ls /sys/firmware /sys/devices/virtual/powercap 2>/dev/null | grep -v : | grep .
        for f in /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward /proc/sysrq-trigger /sys/kernel/mm/ksm/run \
            /proc/sys/kernel/core_pattern /proc/irq/default_smp_affinity; do
            ( : >> $f ) 2>/dev/null && echo opened $f
        done
        true"#;
    for flags in [&[][..], &["--cap-add", "ALL"]] {
        assert_eq!(caller.sh(flags, script), "", "{flags:?}");
    }
}

fn it_has_a_dev_of_its_own(caller: &Caller) {
    let all = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero";
    assert_eq!(caller.sh(&[], "echo $(ls -A /dev); ls -A /dev/pts; ls -A /dev/shm"), format!("{all}\nptmx"));
    let said = caller.sh(&["-t"], "echo $(ls -A /dev/pts); stat -c %F /dev/console; tty");
    assert_eq!(said.replace('\r', ""), "0 ptmx\ncharacter special file\n/dev/pts/0");
    let script = "for d in null zero full random urandom tty; do stat -c '%n %t:%T %a' /dev/$d; done; \
                  echo x > /dev/null; head -c 1 /dev/urandom | wc -c";
    let nodes = "/dev/null 1:3 666\n/dev/zero 1:5 666\n/dev/full 1:7 666\n/dev/random 1:8 666\n\
                 /dev/urandom 1:9 666\n/dev/tty 5:0 666\n1";
    assert_eq!(caller.sh(&[], script), nodes);
}

/// As logs of servers often go there: the pipe behind it belongs to the caller, whom the program may not be.
fn standard_output_can_be_opened_by_its_name(caller: &Caller) {
    let users: &[&str] = if caller.maps_ranges() { &["0", "1000"] } else { &["0"] };
    for user in users {
        let insula = caller.words(&["run", "-u", user, "--", "sh", "-c", "'echo y > /dev/stdout'"]).join(" ");
        let said = ended(caller.command("sh").args(["-c", &format!("{insula} | cat")])).said();
        assert_eq!(said, "y", "user {user}");
    }
}

fn what_the_host_runs_is_not_in_run(caller: &Caller) {
    assert_eq!(caller.sh(&[], "ls -A /run"), "");
}
