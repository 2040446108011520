//! `insula ns diff`: each row both ways, on processes that differ in this one thing.

use std::fs::File;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::caller::{Caller, ended};
use crate::holder::{Holder, json, ns};
use insula_proof::{self as proof, need};
use insula_sys::seccomp;
use serde_json::Value;

by_both!(
    each_namespace_is_told_apart,
    a_process_and_itself_are_the_same,
    rights_are_told_apart,
    a_chroot_and_a_working_directory_are_seen,
    a_session_is_told_apart,
    a_seccomp_filter_is_counted,
    files_that_both_have_open_are_found,
    abstract_sockets_go_by_the_network_namespace,
    a_namespace_file_is_compared_alone,
    the_table_says_what_json_says,
    a_name_is_all_its_namespaces,
    bad_words_are_refused,
);

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"];

/// `insula ns diff A B --json`.
#[track_caller]
pub fn diff(caller: &Caller, a: &Holder, b: &Holder) -> Value {
    diff_of(caller, a.pid, b.pid)
}

#[track_caller]
pub fn diff_of(caller: &Caller, a: u32, b: u32) -> Value {
    let (code, told) = json(caller, &["diff", &a.to_string(), &b.to_string()]);
    let expected = match told["outcome"].as_str() {
        Some("same") => 0,
        Some("differs") => 1,
        _ => 2,
    };
    assert_eq!(code, expected, "{}", told["outcome"]);
    told
}

/// A row by its key.
#[track_caller]
pub fn row<'v>(told: &'v Value, key: &str) -> &'v Value {
    let rows = told["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no row `{key}` in {rows:#?}"))
}

#[track_caller]
pub fn state(told: &Value, key: &str) -> String {
    row(told, key)["state"].as_str().expect("a state").to_owned()
}

/// The keys of the rows that differ.
fn differing(told: &Value) -> Vec<&str> {
    let rows = told["rows"].as_array().expect("rows");
    rows.iter().filter(|row| row["state"] == "differs").filter_map(|row| row["key"].as_str()).collect()
}

/// A process in a user namespace of its own, in which the others are made.
macro_rules! base {
    ($caller:expr) => {
        proof::or_skip!(Holder::unshared($caller, &["--user", "--map-root-user"]))
    };
}

fn each_namespace_is_told_apart(caller: &Caller) {
    let base = base!(caller);
    let words = [
        ("user", "--user"),
        ("mnt", "--mount"),
        ("pid", "--pid"),
        ("net", "--net"),
        ("ipc", "--ipc"),
        ("uts", "--uts"),
        ("cgroup", "--cgroup"),
        ("time", "--time"),
    ];
    let same = Holder::beside(caller, &base, &["env"]).expect("a process beside");
    let told = diff(caller, &base, &same);
    for kind in KINDS {
        assert_eq!(state(&told, kind), "same", "{kind}");
        assert!(row(&told, kind)["a"]["inode"].is_u64() && row(&told, kind)["a"] == row(&told, kind)["b"]);
    }
    for (kind, flag) in words {
        if need::namespace(kind).is_err() {
            continue;
        }
        let other = Holder::beside(caller, &base, &["unshare", "--fork", "--kill-child", flag, "--"])
            .expect("a process");
        let other = other.child_holder();
        let told = diff_of(caller, base.pid, other.1);
        for one in KINDS {
            let expected = if one == kind { "differs" } else { "same" };
            assert_eq!(state(&told, one), expected, "{one} after {flag}");
        }
        let head = told["verdict"][0].as_str().expect("a sentence");
        assert!(head.contains(&format!("are separated in {kind}; they share")), "{head}");
        let inode = std::fs::read_link(format!("/proc/{}/ns/{kind}", other.1)).expect("a namespace");
        assert_eq!(inode.to_str(), Some(format!("{kind}:[{}]", row(&told, kind)["b"]["inode"]).as_str()));
    }
}

fn a_process_and_itself_are_the_same(caller: &Caller) {
    let one = Holder::plain(caller);
    let pid = one.pid.to_string();
    // It becomes sleep(1) a moment after it says that it is ready.
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name != "sleep\n") {
        assert!(Instant::now() < deadline, "sh does not execute sleep");
        thread::sleep(Duration::from_millis(2));
    }
    let (code, out, err) = ns(caller, &["diff", &pid, &pid]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(
        out.starts_with(&format!(
            "{pid} (sleep) and {pid} (sleep) are in the same namespaces\nthey are one process\n"
        )),
        "{out}"
    );
    let told = diff(caller, &one, &one);
    for key in ["open_file_table", "file_system_context", "memory", "signal_handlers", "open_files"] {
        let state = state(&told, key);
        assert!(state == "same" || state == "unseen" && no_kcmp(&told), "{key}: {state}");
    }
    let other = Holder::plain(caller);
    let told = diff(caller, &one, &other);
    assert_eq!(told["outcome"], "same");
    for key in ["open_file_table", "file_system_context", "memory", "signal_handlers"] {
        let state = state(&told, key);
        assert!(state == "differs" || state == "unseen" && no_kcmp(&told), "{key}: {state}");
    }
    assert_eq!(state(&told, "user_keyring"), "same");
    assert_eq!(state(&told, "session_keyring"), "unseen");
    assert!(
        told["verdict"][0].as_str().is_some_and(|head| head.ends_with("are in the same namespaces")),
        "{told}"
    );
}

fn no_kcmp(told: &Value) -> bool {
    row(told, "memory")["note"].as_str().is_some_and(|note| note.contains("CONFIG_KCMP"))
}

/// What setpriv(1) changes, and the only rows that it may change.
fn rights_are_told_apart(caller: &Caller) {
    proof::need!(program "setpriv");
    let base = base!(caller);
    let same = Holder::beside(caller, &base, &["env"]).expect("a process beside");
    let table: &[(&[&str], &[&str])] = &[
        (&["--no-new-privs"], &["no_new_privs"]),
        (
            &["--bounding-set", "-sys_time"],
            &["capabilities.permitted", "capabilities.effective", "capabilities.bounding"],
        ),
        (&["--inh-caps", "+sys_time"], &["capabilities.inheritable"]),
        (
            &["--inh-caps", "+sys_time", "--ambient-caps", "+sys_time"],
            &["capabilities.inheritable", "capabilities.ambient"],
        ),
    ];
    assert!(
        !differing(&diff(caller, &base, &same)).iter().any(|key| key.contains("cap") || key.contains("priv"))
    );
    for (flags, keys) in table {
        let words = [&["setpriv"], *flags, &["--"]].concat();
        let other = Holder::beside(caller, &base, &words).expect("setpriv");
        let told = diff(caller, &same, &other);
        let view: Vec<&str> = differing(&told)
            .into_iter()
            .filter(|key| key.starts_with("capabilities") || key.contains("privs"))
            .collect();
        assert_eq!(view, *keys, "{flags:?}");
        assert_eq!(told["outcome"], "differs");
    }
    let (_, out, _) = {
        let other = Holder::beside(caller, &base, &["setpriv", "--bounding-set", "-sys_time,-chown", "--"])
            .expect("setpriv");
        ns(caller, &["diff", &same.pid.to_string(), &other.pid.to_string()])
    };
    assert!(out.contains("A alone has CAP_CHOWN, CAP_SYS_TIME"), "{out}");
    if caller.is_root() {
        let one = Holder::plain(caller);
        let ids = ["setpriv", "--reuid", "12345", "--regid", "12345", "--groups", "7,8", "--"];
        let told = diff(caller, &one, &Holder::by(caller, &ids).expect("setpriv"));
        for key in ["uid", "gid", "groups"] {
            assert_eq!(state(&told, key), "differs", "{key}");
        }
        assert_eq!(
            row(&told, "uid")["b"],
            serde_json::json!({"real": 12345, "effective": 12345, "saved": 12345, "fs": 12345})
        );
        assert_eq!(row(&told, "groups")["b"], serde_json::json!([7, 8]));
    } else {
        let told = diff(caller, &Holder::plain(caller), &Holder::plain(caller));
        for key in ["uid", "gid", "groups"] {
            assert_eq!(state(&told, key), "same", "{key}");
        }
    }
}

fn a_chroot_and_a_working_directory_are_seen(caller: &Caller) {
    let base = base!(caller);
    let same = Holder::beside(caller, &base, &["env"]).expect("a process beside");
    let there = Holder::beside(caller, &base, &["env", "--chdir", "/proc"]).expect("env --chdir");
    let told = diff(caller, &same, &there);
    assert_eq!((state(&told, "cwd"), state(&told, "root")), ("differs".to_owned(), "same".to_owned()));
    assert_eq!(told["outcome"], "same", "where it stands is not what it sees");
    assert!(!told["verdict"].to_string().contains("chroot"), "{told}");
    let root = proof::or_skip!(caller.busybox_root());
    let chrooted = Holder::beside(caller, &base, &["chroot", &root]).expect("chroot");
    let told = diff(caller, &same, &chrooted);
    assert_eq!((state(&told, "root"), told["outcome"].as_str()), ("differs".to_owned(), Some("differs")));
    assert_eq!(row(&told, "root")["note"], "B: chroot(2)");
    assert!(row(&told, "root")["b"].as_str().is_some_and(|value| value.starts_with(&root)), "{told}");
    assert!(
        told["verdict"].to_string().contains(&format!("is {root} of its mount namespace: chroot(2)")),
        "{told}"
    );
    assert_eq!(row(&diff(caller, &chrooted, &chrooted), "root")["note"], "A and B: chroot(2)");
}

fn a_session_is_told_apart(caller: &Caller) {
    proof::need!(program "setsid");
    let (one, same) = (Holder::plain(caller), Holder::plain(caller));
    let other = Holder::by(caller, &["setsid"]).expect("setsid");
    assert_eq!(state(&diff(caller, &one, &same), "session"), "same");
    let told = diff(caller, &one, &other);
    assert_eq!((state(&told, "session"), told["outcome"].as_str()), ("differs".to_owned(), Some("same")));
}

/// A filter is the thread's that loads it, and of what that starts.
fn a_seccomp_filter_is_counted(caller: &Caller) {
    let one = Holder::plain(caller);
    let filtered = thread::scope(|scope| {
        let filtered = scope.spawn(|| {
            insula_sys::prctl::no_new_privs().expect("no_new_privs");
            let allow = [seccomp::Instruction { code: 6, jt: 0, jf: 0, k: 0x7fff_0000 }];
            seccomp::load(&allow, seccomp::Flags::default()).map(|_| Holder::plain(caller))
        });
        filtered.join().expect("a thread")
    });
    let filtered =
        proof::or_skip!(filtered.map_err(|errno| format!("no filter can be loaded here: {errno}")));
    let told = diff(caller, &one, &filtered);
    assert_eq!(
        state(&told, "seccomp.mode"),
        if row(&told, "seccomp.mode")["a"] == "filter" { "same" } else { "differs" }
    );
    assert_eq!(
        (state(&told, "seccomp.filters"), &row(&told, "seccomp.mode")["b"]),
        ("differs".into(), &"filter".into())
    );
    assert_eq!(
        state(&told, "no_new_privs"),
        if row(&told, "no_new_privs")["a"] == "yes" { "same" } else { "differs" }
    );
    let told = diff(caller, &filtered, &filtered);
    assert_eq!(state(&told, "seccomp.filters"), "same");
    assert!(
        row(&told, "seccomp.filters")["note"].as_str().is_some_and(|note| note.starts_with("as many")),
        "{told}"
    );
    let told = diff(caller, &one, &one);
    assert_eq!((state(&told, "seccomp.mode"), state(&told, "no_new_privs")), ("same".into(), "same".into()));
}

fn files_that_both_have_open_are_found(caller: &Caller) {
    let path = caller.write("both", "text");
    let open = || Stdio::from(File::open(&path).expect("a file of ours"));
    let once = File::open(&path).expect("a file of ours");
    let holder = |stdin: Stdio| {
        let mut command = caller.command("sh");
        command.args(["-c", "echo ready; exec sleep 120"]).stdin(stdin).stderr(Stdio::piped());
        Holder::of(&mut command).expect("sh")
    };
    let shared = || Stdio::from(once.try_clone().expect("a descriptor"));
    let (one, other) = (holder(shared()), holder(shared()));
    let told = diff(caller, &one, &other);
    if no_kcmp(&told) {
        assert_eq!(state(&told, "open_files"), "unseen");
        return;
    }
    let file =
        told["open_files"].as_array().expect("files").iter().find(|file| file["what"] == path.as_str());
    let file = file.unwrap_or_else(|| panic!("{told:#}"));
    assert_eq!((&file["a"], &file["b"], &file["one_description"]), (&0.into(), &0.into(), &true.into()));
    assert_eq!(state(&told, "open_files"), "same");
    // The same file, opened twice, is nothing that they have in common.
    let told = diff(caller, &holder(open()), &holder(open()));
    assert!(!told["open_files"].to_string().contains(&path), "{told:#}");
    // Two ends of one pipe.
    let mut pipe = caller.command("sh");
    pipe.args(["-c", "sleep 120 | { echo ready >&2; exec sleep 121; }"]);
    pipe.stderr(Stdio::piped()).stdout(Stdio::null());
    let started = crate::caller::Started::of(pipe.spawn().expect("start sh"));
    let ends = children(started.child.id());
    let told = diff_of(caller, ends[0], ends[1]);
    let pipe = told["open_files"].as_array().expect("files").iter().find(|file| {
        file["what"].as_str().is_some_and(|what| what.starts_with("pipe:"))
            && file["one_description"] == false
    });
    let pipe = pipe.unwrap_or_else(|| panic!("{told:#}"));
    assert_eq!((&pipe["a"], &pipe["b"]), (&1.into(), &0.into()));
    for end in ends {
        drop(std::process::Command::new("kill").arg(end.to_string()).status());
    }
}

/// The two children of a shell, once both are there and each has become its program.
fn children(pid: u32) -> [u32; 2] {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let pids: Vec<u32> = text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        let is_sleep = |pid: &u32| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
        };
        if let [one, other] = pids[..]
            && pids.iter().all(is_sleep)
        {
            return [one, other];
        }
        assert!(Instant::now() < deadline, "the shell has no two children: {text}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn abstract_sockets_go_by_the_network_namespace(caller: &Caller) {
    let name = format!("insula-test-{}", proof::scratch::unique());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let _listener = UnixListener::bind_addr(&address).expect("an abstract socket");
    let (one, other) = (Holder::plain(caller), Holder::plain(caller));
    let told = diff(caller, &one, &other);
    assert_eq!(state(&told, "abstract_sockets"), "same");
    let count = row(&told, "abstract_sockets")["a"].as_str().and_then(|count| count.parse::<u32>().ok());
    assert!(count.is_some_and(|count| count > 0), "{told}");
    assert!(
        !told["verdict"].to_string().contains("share addresses"),
        "where all is the same it goes without saying"
    );
    let apart = proof::or_skip!(Holder::unshared(caller, &["--net"]));
    let told = diff(caller, &one, &apart);
    assert_eq!(
        (state(&told, "abstract_sockets"), &row(&told, "abstract_sockets")["b"]),
        ("differs".into(), &"0".into())
    );
    assert!(!told["verdict"].to_string().contains("abstract"), "{told}");
    let uts = proof::or_skip!(Holder::unshared(caller, &["--uts"]));
    let told = diff(caller, &one, &uts);
    assert!(told["verdict"].to_string().contains("each reaches what the other serves on loopback"), "{told}");
}

fn a_namespace_file_is_compared_alone(caller: &Caller) {
    let one = Holder::plain(caller);
    let apart = proof::or_skip!(Holder::unshared(caller, &["--net"]));
    let (pid, file) = (one.pid.to_string(), format!("/proc/{}/ns/net", apart.pid));
    let (code, told) = json(caller, &["diff", &file, &pid]);
    assert_eq!((code, &told["a"]["pid"]), (1, &Value::Null));
    assert_eq!(told["rows"].as_array().map(Vec::len), Some(8));
    for kind in KINDS {
        assert_eq!(state(&told, kind), if kind == "net" { "differs" } else { "nothing" });
    }
    let (code, told) = json(caller, &["diff", &file, &apart.pid.to_string()]);
    assert_eq!((code, told["outcome"].as_str()), (0, Some("same")));
    assert_eq!(told["verdict"][0], format!("{file} and {} (sleep) share net", apart.pid));
}

fn the_table_says_what_json_says(caller: &Caller) {
    let (one, uts) = (Holder::plain(caller), proof::or_skip!(Holder::unshared(caller, &["--uts"])));
    let pids = [one.pid.to_string(), uts.pid.to_string()];
    let told = diff(caller, &one, &uts);
    let rows = told["rows"].as_array().expect("rows");
    let keys = |flags: &[&str]| {
        let (code, out, err) = ns(caller, &[&["diff", &pids[0], &pids[1]], flags].concat());
        assert_eq!((code, err.as_str()), (1, ""));
        let table = out.split_once("\n\n").expect("a verdict and a table").1.to_owned();
        let first = |line: &str| line.split_whitespace().next().unwrap_or("").to_owned();
        table.lines().skip(1).map(first).collect::<Vec<_>>()
    };
    let every: Vec<&str> = rows.iter().filter_map(|row| row["key"].as_str()).collect();
    assert_eq!(keys(&["--all"]), every);
    let news = keys(&[]);
    assert!(news.contains(&"uts".to_owned()) && !news.contains(&"ipc".to_owned()), "{news:?}");
    assert!(news.len() < every.len());
}

fn a_name_is_all_its_namespaces(caller: &Caller) {
    let (insula, run) = (caller.words(&[]).remove(0), caller.directory("run"));
    let script = format!(
        "export XDG_RUNTIME_DIR={run}; [ $(id -u) != 0 ] || mount -t tmpfs run /run
         {insula} ns new -U -u -i -n one; {insula} ns new -U -u two
         {insula} ns diff one two | grep -c differs; {insula} ns diff one one >&2; echo $?
         {insula} ns exec two -U -u -- sh -c '{insula} ns diff --json two $$' | grep -A 9 '\"uts\"' | grep -c same
         {insula} ns reach one two:80 2>&1 | head -n 1
         {insula} ns rm one two; {insula} ns diff one host; echo $?"
    );
    let user = ["--user", "--map-current-user"];
    let user = if caller.is_root() { &[][..] } else { &user };
    let end = ended(caller.command("unshare").args(user).args(["--mount", "sh", "-c", &script]));
    let expected = "2\n0\n1\ninsula: error: `two` has no net namespace\n125\n";
    assert_eq!(end.out, expected, "{}", end.err);
    assert!(end.err.contains("`one`: this is no name"), "{}", end.err);
}

fn bad_words_are_refused(caller: &Caller) {
    let table: &[(&[&str], &str)] = &[
        (&["diff"], "required"),
        (&["diff", "1"], "required"),
        (&["diff", "nope", "1"], "`nope`: this is no name, pid, inode or id of a namespace, and no file"),
        (&["diff", "4194305", "host"], "no namespace that we may see has this number"),
        (&["diff", "/etc/passwd", "host"], "this file is no namespace"),
        (&["diff", "-1", "host"], "-1"),
        (&["diff", "a\x1bb", "host"], "a\\u{1b}b"),
    ];
    for (words, said) in table {
        let (code, out, err) = ns(caller, words);
        assert_eq!((code, out.as_str()), (125, ""), "{words:?}: {err}");
        assert!(err.contains(said), "{words:?}: {err}");
    }
}
