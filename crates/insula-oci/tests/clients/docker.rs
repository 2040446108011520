//! What is done with podman and dockerd. Each action is a line of shell: `$C` is the client, `$RUN` its `run --rm` with the
//! image behind it as `$I`.

/// A name, and what is done.
pub const ACTIONS: &[(&str, &str)] = &[
    ("says", "$RUN $I echo hello"),
    ("fails", "$RUN $I sh -c 'echo bad >&2; exit 3'"),
    ("user", "$RUN -u 7:8 $I id"),
    ("directory", "$RUN -w /srv/app $I pwd"),
    ("environment", "$RUN -e A=b $I sh -c 'echo $A $HOME $PATH'"),
    ("host name", "$RUN --hostname island $I hostname"),
    ("read-only", "$RUN --read-only $I touch /x"),
    ("tmpfs", "$RUN --tmpfs /scratch $I sh -c 'grep /scratch /proc/mounts | cut -d\" \" -f3'"),
    ("volume", "$RUN -v $D:/data:ro $I sh -c 'cat /data/file; echo x > /data/file'"),
    ("volume written", "$RUN -v $D:/data $I sh -c 'echo inside > /data/made'; cat $D/made; rm $D/made"),
    ("capabilities", "$RUN $I grep Cap /proc/self/status"),
    ("no capabilities", "$RUN --cap-drop ALL $I grep Cap /proc/self/status"),
    ("one capability more", "$RUN --cap-add NET_ADMIN $I grep Cap /proc/self/status"),
    (
        "privileged",
        "$RUN --privileged $I sh -c 'grep CapEff /proc/self/status; ls /dev | grep -c .' | grep CapEff",
    ),
    ("no new rights", "$RUN --security-opt no-new-privileges $I grep NoNewPrivs /proc/self/status"),
    ("memory", "$RUN --memory 20m $I cat /sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ("pids", "$RUN --pids-limit 10 $I cat /sys/fs/cgroup/pids/pids.max"),
    ("shares", "$RUN --cpu-shares 512 $I cat /sys/fs/cgroup/cpu/cpu.shares"),
    (
        "quota",
        "$RUN --cpus 0.5 $I sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us'",
    ),
    ("processors", "$RUN --cpuset-cpus 0 $I cat /sys/fs/cgroup/cpuset/cpuset.cpus"),
    ("out of memory", "$RUN --memory 16m $I sh -c 'tail /dev/zero'"),
    ("limits", "$RUN --ulimit nofile=512:512 $I sh -c 'ulimit -n'"),
    ("setting", "$RUN --sysctl net.ipv4.ip_forward=1 $I cat /proc/sys/net/ipv4/ip_forward"),
    ("oom score", "$RUN --oom-score-adj 500 $I cat /proc/self/oom_score_adj"),
    ("device", "$RUN --device /dev/zero:/dev/z $I sh -c 'head -c 4 /dev/z | wc -c'"),
    ("no device", "$RUN $I sh -c 'mknod /tmp/sda b 8 0 && cat /tmp/sda'"),
    (
        "masked",
        "$RUN $I sh -c 'wc -c < /proc/timer_list; ls /sys/firmware | wc -l; echo 1 > /proc/sysrq-trigger'",
    ),
    ("terminal", "script -qec \"$RUN -t $I sh -c 'tty; stty size'\" /dev/null < /dev/null"),
    ("input", "echo typed | $RUN -i $I cat"),
    ("no such program", "$RUN $I nothing"),
    ("no program", "$RUN $I /etc"),
    ("detached", "$C run -d --name one $OPTIONS $I sleep 1000 > /dev/null; $C ps --format '{{.Names}}'"),
    ("exec", "$C exec one sh -c 'echo in; readlink /proc/self/ns/pid | cut -d: -f1; exit 5'"),
    ("exec as", "$C exec -u 7 -w /tmp -e A=b one sh -c 'id; pwd; echo $A'"),
    ("exec terminal", "script -qec \"$C exec -t one tty\" /dev/null < /dev/null"),
    ("exec nothing", "$C exec one nothing"),
    ("exec rights", "$C exec one grep -E 'Cap|NoNew' /proc/self/status"),
    (
        "pause",
        "$C pause one > /dev/null; $C inspect -f '{{.State.Status}}' one; $C exec one true; $C unpause one > /dev/null; $C inspect -f '{{.State.Status}}' one",
    ),
    ("top", "$C top one | wc -l"),
    (
        "update",
        "$C update --memory 30m --memory-swap 30m one > /dev/null; $C exec one cat /sys/fs/cgroup/memory/memory.limit_in_bytes",
    ),
    ("stop", "$C stop -t 1 one > /dev/null 2>&1; $C inspect -f '{{.State.Status}} {{.State.ExitCode}}' one"),
    (
        "start again",
        "$C start one > /dev/null; $C inspect -f '{{.State.Status}}' one; $C kill -s KILL one > /dev/null; $C wait one; $C rm one > /dev/null",
    ),
    (
        "logs",
        "$C run -d --name two $OPTIONS $I sh -c 'echo one; echo two; exit 4' > /dev/null; $C wait two; $C logs two; $C rm two > /dev/null",
    ),
    (
        "term",
        "$C run -d --name three $OPTIONS $I sh -c 'trap \"exit 9\" TERM; while :; do sleep 0.1; done' > /dev/null; sleep 1; $C stop -t 5 three > /dev/null; $C inspect -f '{{.State.ExitCode}}' three; $C rm three > /dev/null",
    ),
    ("host processes", "$RUN --pid host $I sh -c 'test $$ -gt 2 && echo many'"),
    (
        "network of another",
        "$C run -d --name four $OPTIONS $I sleep 1000 > /dev/null; $C run --rm --network container:four --cgroup-parent /$PARENT --security-opt seccomp=unconfined $ULIMITS $I ls /sys/class/net; $C rm -f four > /dev/null 2>&1",
    ),
];

/// Actions whose answers differ in the runtime's own words, which a client prints where it likes: of these the exit code is
/// compared.
pub const ALLOWED: &[(&str, &str)] = &[
    ("no such program", "the runtime's own words: the reason is in both"),
    ("no program", "the runtime's own words: the reason is in both"),
    ("exec nothing", "the runtime's own words: the reason is in both"),
];
