//! What the lines may name: a file, a directory, a name of nothing, and a program that tells where it finds itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::caller::Caller;

/// Tells each namespace as outer, target or new, and what else of a process the tools can change.
const PROBE: &str = r#"
for now in $(readlink /proc/self/ns/*); do
    case " $OUTER " in *" $now "*) echo "outer ${now%%:*}"; continue; esac
    case " $TARGET " in *" $now "*) echo "target ${now%%:*}"; continue; esac
    echo "new ${now%%:*}"
done
id -u; id -g; id -G; pwd; umask; echo "$#"
[ $$ = 1 ] && echo 'pid 1'
cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/self/timens_offsets
grep -E '^(Cap|NoNewPrivs|Seccomp|SigBlk|SigIgn)' /proc/self/status
exit 42
"#;

/// The kinds in `/proc/PID/ns`, in words for the probe.
pub fn namespaces(pid: &str) -> String {
    let directory = Path::new("/proc").join(pid).join("ns");
    let links = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = links.filter_map(|entry| fs::read_link(entry.path()).ok());
    names.map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// A directory of the caller's with these things in it, and its path.
pub fn furnished(caller: &Caller) -> String {
    let place = caller.directory("place");
    caller.write("place/file", "");
    caller.write("place/probe", PROBE);
    caller.directory("place/directory");
    place
}

/// The line with its places put in.
pub fn filled(line: &[String], places: &[(&str, &str)]) -> Vec<String> {
    let fill =
        |word: &String| places.iter().fold(word.clone(), |word, (name, path)| word.replace(name, path));
    line.iter().map(fill).collect()
}

/// A number that no process has: the one of a process that has ended.
pub fn gone() -> String {
    let mut child = Command::new("true").spawn().expect("start true");
    child.wait().expect("wait for it");
    child.id().to_string()
}

/// Ends what the caller's tools have left running: unshare(1) of 2.38 leaves a helper behind where it cannot keep a
/// mount namespace in its FILE. Each carries the caller's mark in its environment, which nothing else has.
pub fn swept(caller: &Caller) {
    let [_, mark] = caller.marked();
    let processes = fs::read_dir("/proc").expect("list /proc").flatten();
    for process in processes.filter(|process| {
        fs::read(process.path().join("environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()))
    }) {
        let pid = process.file_name().to_str().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // ESRCH: it is gone meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
