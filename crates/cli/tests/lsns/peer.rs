//! The same words to lsns(8) and to ours: the same bytes, the same exit code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use insula_proof as proof;

use crate::room::{Room, text};

/// Namespaces that both see, and a loop over the lines of `$OUT/cases`. What runs besides sleeps, and the tools are in none
/// of the new network namespaces: what they print does not depend on their own pids.
const SCRIPT: &str = r#"
mkdir "$OUT/mnt" "$OUT/said"
mount -t tmpfs tmpfs "$OUT/mnt"
unshare --net sleep 301 & NET=$!
unshare --net --fork sleep 302 & FORKED=$!
unshare --user --map-root-user unshare --uts --ipc sleep 303 & DEEP=$!
sh -c 'sleep 304; :' 'odd	name
\x41 é' &
until [ "$(cat /proc/[0-9]*/comm | grep -c '^sleep$')" = 4 ]; do sleep 0.02; done
for file in a 'b c'; do touch "$OUT/mnt/$file"; mount --bind "/proc/$NET/ns/net" "$OUT/mnt/$file"; done
INODE=$(readlink "/proc/$FORKED/ns/net" | tr -dc 0-9)
ln -s "$(command -v lsns)" "$OUT/mnt/lsns"
ask() {
    code=0; eval "\"$1/lsns\" $words" > "$OUT/said/$number.$2" 2> "$OUT/said/$number.$2.errors" || code=$?
    echo "exit code $code" >> "$OUT/said/$number.$2"
    sed -i "s#$1/lsns#lsns#g" "$OUT/said/$number.$2"
}
number=0
while read -r words; do
    ask "$OUT/mnt" theirs; ask "$OUT" ours
    LC_ALL=C; ask "$OUT/mnt" theirs-c; ask "$OUT" ours-c; LC_ALL=C.UTF-8
    number=$((number + 1))
done < "$OUT/cases"
"#;

/// What lsns(8) 2.38 knows.
const CASES: &[&str] = &[
    "",
    "-l",
    "--list --noheadings",
    "-r",
    "-rn",
    "-lr",
    "-J",
    "-Jl",
    "-u",
    "-nlu",
    "-W",
    "-t net",
    "-t net -W",
    "-t net -r",
    "-t net -J",
    "-tuser -tpid",
    "-t time",
    "-t uts -o NS,TYPE,COMMAND",
    "-o NS,PID",
    "-o +PATH,UID",
    "-o +ns",
    "-o COMMAND,NSFS,COMMAND -l",
    "-o NSFS,NETNSID,NS -l",
    "-o PNS,ONS,NS",
    "-o PPID,PID -p $NET",
    "--output-all",
    "--output-all -n",
    "--output-all -r",
    "--output-all -J",
    "--output-all -W -o +TYPE",
    "--output-a",
    "-T",
    "--tree",
    "-Towner",
    "-Tparent",
    "-T=parent",
    "--tree=process",
    "-T -J",
    "-Tparent -r",
    "-T --output-all",
    "-l -T",
    "-T -o TYPE,PID",
    "-p $DEEP",
    "--task $DEEP -T",
    "-p $DEEP -J",
    "-p 4194304",
    "-J -p 4194304",
    "$INODE",
    "-l $INODE",
    "-J $INODE",
    "-r $INODE -o PID,NS,TYPE",
    "$INODE --output-all",
    "-T $INODE",
    "$INODE ignored",
    // Refusals: the code is compared, and that nothing stands on standard output.
    "12",
    "abc",
    "-- -5",
    "$INODE -p 1",
    "-t nothing",
    "-o nothing",
    "-o ns,",
    "-o ,ns",
    "-o +",
    "-o ''",
    "-J -r",
    "--json --raw",
    "-p nothing",
    "-p 99999999999",
    "-p",
    "-T=nothing",
    "--tree parent",
    "-Z",
    "--nothing",
    "--out NS",
    "--json=1",
];

/// What came later, each with the flag by which its help shows that the tool has it.
const LATER: &[(&str, &str)] = &[
    ("--persistent", "-P -o NS,TYPE"),
    ("--persistent", "-P -p 1"),
    ("--filter", "-Q 'TYPE == \"net\" and NPROCS > 0' -o NS,TYPE"),
    ("--filter", "-Q 'COMMAND =~ \"sleep\"' -J"),
    ("--filter", "-Q '!(PID > 1)' -o NS"),
    ("--filter", "-Q 'NOTHING == 1'"),
    ("--filter", "-Q 'COMMAND > 5'"),
    ("--filter", "-Q '(NPROCS'"),
];

/// What the tool says of itself.
fn told(flag: &str) -> String {
    text(&Command::new("lsns").arg(flag).env("LC_ALL", "C").output().expect("start lsns"))
}

#[test]
fn what_lsns_prints_ours_prints() {
    proof::need!(program "lsns", program "unshare");
    let (version, help) = (told("--version"), told("--help"));
    // From 2.40 on the tool reckons widths in another way, and cuts a cell of several lines in JSON.
    let is_exact = version.contains(" 2.38");
    let later = LATER.iter().filter(|(flag, _)| help.contains(flag)).map(|(_, words)| *words);
    let cases: Vec<&str> = CASES
        .iter()
        .copied()
        .chain(later)
        .filter(|words| {
            is_exact || !(words.contains("-J") && (words.contains("net") || words.contains("all")))
        })
        .collect();
    let rooms = Room::all();
    if rooms.is_empty() {
        proof::skip!("neither root nor user namespaces");
    }
    for room in rooms {
        room.directory.write("cases", cases.join("\n") + "\n");
        text(&room.run(SCRIPT));
        compare(&room.path().join("said"), &cases, is_exact);
    }
}

#[track_caller]
fn compare(said: &Path, cases: &[&str], is_exact: bool) {
    let read = |name: String| {
        let text = String::from_utf8_lossy(&fs::read(said.join(&name)).expect("what was said")).into_owned();
        if is_exact { text } else { text.split_whitespace().collect::<Vec<_>>().join(" ") }
    };
    let mut differ = BTreeMap::new();
    for (number, words) in cases.iter().enumerate() {
        for locale in ["", "-c"] {
            let theirs = read(format!("{number}.theirs{locale}"));
            let ours = read(format!("{number}.ours{locale}"));
            if theirs != ours {
                let errors = read(format!("{number}.ours{locale}.errors"));
                differ.insert(
                    format!("lsns {words} ({locale})"),
                    proof::snapshot::difference(&theirs, &ours) + &errors,
                );
            }
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

/// Numbers that look random and are the same each time, so that a failure can be repeated: xorshift64.
struct Random(u64);

impl Random {
    fn one<'w>(&mut self, of: &[&'w str]) -> &'w str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let length = u64::try_from(of.len()).expect("a small number");
        of[usize::try_from(self.0 % length).expect("below a usize")]
    }
}

/// Words of the tool's grammar, put together by chance: right ones and wrong ones.
#[test]
fn random_words_get_the_same_answer() {
    proof::need!(program "lsns", program "unshare");
    if !told("--version").contains(" 2.38") {
        proof::skip!("the grammar of another lsns(8)");
    }
    let Some(room) = Room::all().into_iter().next() else { proof::skip!("neither root nor user namespaces") };
    const PIECES: &[&str] = &[
        "-l",
        "-r",
        "-n",
        "-u",
        "-W",
        "-J",
        "-nl",
        "-rW",
        "-T",
        "-Tparent",
        "-T=owner",
        "-Tx",
        "--tree=process",
        "--list",
        "--no",
        "--noh",
        "--raw",
        "--out NS",
        "--output PID,NS",
        "-o +PPID",
        "-oTYPE",
        "-o",
        "-o nsfs,user",
        "--output-all",
        "-t mnt",
        "-tipc",
        "-t",
        "--type=cgroup",
        "--type user",
        "-p $DEEP",
        "-p$NET",
        "--task=1",
        "-p 1x",
        "$INODE",
        "4026531837x",
        "--",
        "-lx",
        "--json=1",
        "--tree",
        "-o ,",
        "+5",
    ];
    let mut random = Random(0x5eed_0001);
    // With -T and -t, 2.38 shows owners of kinds that were not asked for; later ones do not.
    let fits = |words: &String| !(words.contains("-T") || words.contains("--tree")) || !words.contains("-t");
    let cases: Vec<String> = std::iter::repeat_with(|| {
        let count = random.one(&["1", "2", "3", "4"]).parse().expect("a number");
        (0..count).map(|_| random.one(PIECES)).collect::<Vec<_>>().join(" ")
    })
    .filter(fits)
    .take(120)
    .collect();
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    room.directory.write("cases", cases.join("\n") + "\n");
    text(&room.run(SCRIPT));
    compare(&room.path().join("said"), &cases, true);
}

/// A terminal of some widths, by script(1).
#[test]
fn on_a_terminal_both_cut_at_the_same_place() {
    proof::need!(root, program "lsns", program "unshare", program "script");
    if !told("--version").contains(" 2.38") {
        proof::skip!("another lsns(8) cuts where ours does, but reckons widths in another way");
    }
    let script = r#"
mkdir "$OUT/theirs"; ln -s "$(command -v lsns)" "$OUT/theirs/lsns"
unshare --net sleep 301 & unshare --uts sh -c 'sleep 302; :' 'a long name with 名前 in it, and more words' &
until [ "$(cat /proc/[0-9]*/comm | grep -c '^sleep$')" = 2 ]; do sleep 0.02; done
for width in 20 45 52 53 61 80; do
    for words in "" -u -T "-t net" "-o COMMAND,NS" "-o +NSFS,COMMAND"; do
        for tool in "$OUT/theirs" "$OUT"; do
            script -qc "stty cols $width; '$tool/lsns' $words 2>&-" /dev/null </dev/null > "$OUT/said" || exit 9
            sed "s#$tool/lsns#lsns#g" "$OUT/said" > "$OUT/said.$(basename "$tool" | grep theirs || echo ours)"
        done
        cmp "$OUT/said.theirs" "$OUT/said.ours" || { echo "$width $words"; cat "$OUT/said.theirs" "$OUT/said.ours"; }
    done
done
echo compared
"#;
    for room in Room::all().into_iter().take(1) {
        assert_eq!(text(&room.run(script)), "compared\n");
    }
}

/// As the tests' own user on the host: other users' processes are out of sight of both.
#[test]
fn without_rights_both_see_the_same_kinds() {
    proof::need!(program "lsns");
    let user = proof::Ordinary::new();
    let words = ["-n", "-r", "-o", "NS,TYPE", "-p", "1"];
    let theirs = user.command("lsns").args(words).output().expect("start lsns");
    let ours = user.insula().arg("lsns").args(words).output().expect("start insula");
    assert_eq!(text(&ours), text(&theirs));
    assert_eq!(String::from_utf8_lossy(&ours.stderr), "", "nothing that a script does not know");
}
