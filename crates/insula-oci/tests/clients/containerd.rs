//! What is done with containerd. Each action is a line of shell: `$C` is ctr, `$RUN` its `run --rm` with the runtime, behind
//! it the image as `$I`, then an id and the program. `$W` is a directory of the host's.

/// A name, and what is done.
pub const ACTIONS: &[(&str, &str)] = &[
    ("says", "$RUN $I a echo hello"),
    ("fails", "$RUN $I a sh -c 'echo bad >&2; exit 3'"),
    ("directory", "$RUN --cwd /srv/app $I a pwd"),
    ("environment", "$RUN --env A=b $I a sh -c 'echo $A $HOME $PATH'"),
    ("environment of a file", "echo C=d > $W/env; $RUN --env-file $W/env $I a sh -c 'echo $C'"),
    ("input", "echo typed | $RUN $I a head -n 1"),
    (
        "terminal",
        "script -qec \"$RUN -t $I a sh -c 'tty; stty size; exit 6'\" /dev/null < /dev/null > $W/tty; c=$?; grep -oE '/dev/pts/[0-9]+' $W/tty; exit $c",
    ),
    ("read-only", "$RUN --read-only $I a touch /x"),
    (
        "mount",
        "$RUN --mount type=bind,src=$W,dst=/data,options=rbind:ro $I a sh -c 'cat /data/file; echo x > /data/file'",
    ),
    (
        "mount written",
        "$RUN --mount type=bind,src=$W,dst=/data,options=rbind:rw $I a sh -c 'echo inside > /data/made'; cat $W/made; rm $W/made",
    ),
    (
        "memory disk",
        "$RUN --mount type=tmpfs,dst=/scratch,options=size=64k:mode=700 $I a sh -c 'stat -c %a /scratch; head -c 100000 /dev/zero > /scratch/x'",
    ),
    ("capabilities", "$RUN $I a grep -E 'Cap|NoNew' /proc/self/status"),
    ("one capability more", "$RUN --cap-add CAP_NET_ADMIN $I a grep Cap /proc/self/status"),
    ("one capability less", "$RUN --cap-drop CAP_CHOWN $I a chown 1:1 /etc/passwd"),
    ("new rights", "$RUN --allow-new-privs $I a grep NoNew /proc/self/status"),
    (
        "privileged",
        "$RUN --privileged $I a sh -c 'grep CapEff /proc/self/status; grep -c \"^sysfs /sys sysfs rw\" /proc/mounts; wc -c < /proc/timer_list | grep -c ^0'",
    ),
    ("seccomp", "$RUN --seccomp $I a sh -c 'grep Seccomp: /proc/self/status; unshare -m true'"),
    (
        "seccomp of a file",
        "echo '{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":95}]}' > $W/seccomp; $RUN --seccomp --seccomp-profile $W/seccomp $I a mkdir /x",
    ),
    ("mounts", "$RUN $I a cut -d ' ' -f2-4 /proc/mounts | grep -v '^/ ' | sed -E 's/,.*//' | sort"),
    ("the core", "$RUN $I a ls -l /dev/core; true"),
    (
        "devices",
        "$RUN $I a sh -c 'find /dev ! -type d ! -name core -exec stat -c \"%n %F %a %u:%g %t:%T\" {} + | sort; mknod /tmp/sda b 8 0 && cat /tmp/sda'",
    ),
    ("device", "$RUN --device /dev/fuse $I a stat -c '%F %a %u:%g %t:%T' /dev/fuse"),
    (
        "masked",
        "$RUN $I a sh -c 'wc -c < /proc/timer_list; ls /sys/firmware | wc -l; echo 1 > /proc/sysrq-trigger'",
    ),
    ("limits", "$RUN $I a sh -c 'ulimit -n; cat /proc/self/oom_score_adj; umask'"),
    ("memory", "$RUN --memory-limit 20971520 $I a cat /sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ("out of memory", "$RUN --memory-limit 16777216 $I a sh -c 'tail /dev/zero'"),
    ("quota", "$RUN --cpus 0.5 $I a sh -c 'cd /sys/fs/cgroup/cpu; cat cpu.cfs_quota_us cpu.cfs_period_us'"),
    ("shares", "$RUN --cpu-shares 512 $I a cat /sys/fs/cgroup/cpu/cpu.shares"),
    (
        "cgroup",
        "$RUN --cgroup /$PARENT/named $I a sh -c 'sed s,^[0-9]*:,, /proc/self/cgroup | sed s,$PARENT,PARENT, | sort'",
    ),
    (
        "id maps",
        "$RUN --uidmap 0:100000:65536 --gidmap 0:100000:65536 $I a sh -c 'id -u; cat /proc/self/uid_map'",
    ),
    (
        "network of the host",
        "$RUN --net-host $I a sh -c 'cat /proc/net/dev | wc -l; cat /etc/hosts | head -1'",
    ),
    (
        "a namespace by its path",
        "unshare --uts=$W/uts hostname joined; $RUN --with-ns uts:$W/uts $I a hostname; umount $W/uts; rm $W/uts",
    ),
    ("host name", "$RUN $I a hostname | wc -l"),
    ("annotation", "$RUN --annotation a.b=c --label d=e $I a true"),
    (
        "own root",
        "mkdir -p $W/root/bin; cp /bin/busybox $W/root/bin/; $RUN --rootfs $W/root a /bin/busybox ls /",
    ),
    (
        "propagation",
        "$RUN --rootfs-propagation rshared $I a sh -c 'grep -c shared: /proc/self/mountinfo; true'",
    ),
    (
        "own configuration",
        "$C run --runc-binary $R -d $I seen sleep 1000; $C container info --spec seen > $W/spec.json; $C task kill -s KILL seen; $C task delete seen > $W/log 2>&1; $C container delete seen; sed 's,\"sleep\",\"id\",; s,\"1000\",\"-u\",; s,\"uid\": 0,\"uid\": 7,' $W/spec.json > $W/own.json; $RUN --config $W/own.json a",
    ),
    ("no such program", "$RUN $I a nothing"),
    ("no program", "$RUN $I a /etc"),
    ("no such namespace", "$RUN --with-ns uts:/nowhere $I a true"),
    ("no such cgroup binary", "$C run --rm --runc-binary /nowhere $I a true"),
    (
        "detached",
        "$C run -d --runc-binary $R --pid-file $W/pid $I one sleep 1000; $C task list -q; test $(cat $W/pid) -gt 1 && echo a pid",
    ),
    ("again", "$C run -d --runc-binary $R $I one sleep 1000"),
    ("info", "$C container info one | grep -E '\"(ID|Image|Name)\"|BinaryName' | sed s,$R,R,"),
    ("status", "$C task list | awk '{print $1, $3}'"),
    (
        "cgroup files",
        "for f in memory/%/memory.limit_in_bytes cpu/%/cpu.shares pids/%/pids.max cpuset/%/cpuset.cpus devices/%/devices.list freezer/%/freezer.state; do cat /sys/fs/cgroup/$(echo $f | sed s,%,$PARENT/one,); done | grep -v 10:200",
    ),
    ("tunnels", "grep 10:200 /sys/fs/cgroup/devices/$PARENT/one/devices.list; true"),
    ("the named hierarchy", "$C task exec --exec-id x one grep -o 'name=systemd:/$' /proc/self/cgroup; true"),
    (
        "exec",
        "$C task exec --exec-id x one sh -c 'echo in; readlink /proc/self/ns/pid | cut -d: -f1; exit 5'",
    ),
    ("exec as", "$C task exec --exec-id x --user 7:8 --cwd /tmp one sh -c 'id -u; id -g; pwd'"),
    ("exec input", "echo typed | $C task exec --exec-id x one head -n 1"),
    (
        "exec terminal",
        "script -qec \"$C task exec -t --exec-id x one sh -c 'tty; exit 4'\" /dev/null < /dev/null > $W/tty; c=$?; grep -oE '/dev/pts/[0-9]+' $W/tty; exit $c",
    ),
    ("exec nothing", "$C task exec --exec-id x one nothing"),
    ("exec rights", "$C task exec --exec-id x one grep -E 'Cap|NoNew|Seccomp:' /proc/self/status"),
    (
        "exec elsewhere",
        "$C task exec --exec-id x one sed 's,^[0-9]*:,,' /proc/self/cgroup | grep -v name= | sed s,$PARENT,PARENT, | sort",
    ),
    (
        "exec detached",
        "$C task exec -d --exec-id y one sleep 1000; $C task ps one | wc -l; $C task kill --exec-id y -s KILL one; sleep 0.5; $C task delete --exec-id y one; $C task ps one | wc -l",
    ),
    ("processes", "$C task ps one | head -1; $C task ps one | wc -l"),
    (
        "metrics",
        "$C task metrics --format json one | tr ',{}' '\\n\\n\\n' | grep -o '^\"[a-z_]*\"' | sort -u; $C task metrics one | awk 'NR > 2 {print $1}' | grep -v '\\[' | sort",
    ),
    (
        "pause",
        "$C task pause one; $C task list | awk '$1 == \"one\" {print $3}'; $C task exec --exec-id x one true; $C task resume one; $C task list | awk '$1 == \"one\" {print $3}'",
    ),
    (
        "frozen by",
        "$C task pause one; cat /sys/fs/cgroup/freezer/$PARENT/one/freezer.state; $C task resume one",
    ),
    ("pause twice", "$C task pause one; $C task pause one; $C task resume one; $C task resume one"),
    ("checkpoint", "$C task checkpoint --image-path $W/image one"),
    ("delete while it runs", "$C task delete one"),
    ("kill", "$C task kill -s KILL one; sleep 0.5; $C task list | awk '$1 == \"one\" {print $3}'"),
    ("delete", "$C task delete one; echo $?; $C task list -q; $C container delete one; $C container list -q"),
    ("nothing of it", "ls -d /sys/fs/cgroup/*/$PARENT/one"),
    (
        "created and started",
        "$C container create --runc-binary $R $I two sh -c 'echo started; exit 4'; $C task start two; echo $?; $C container delete two",
    ),
    (
        "term",
        "$C run -d --runc-binary $R $I three sh -c 'trap \"exit 9\" TERM; while :; do sleep 0.1; done'; sleep 1; $C task kill three; sleep 1; $C task delete three; echo $?; $C container delete three",
    ),
    (
        "kill all",
        "$C run -d --runc-binary $R --with-ns pid:/proc/1/ns/pid $I four sh -c 'sleep 1000 & sleep 1000'; sleep 0.5; $C task ps four | wc -l; $C task kill -a -s KILL four; sleep 0.5; $C task delete four; echo $?; $C container delete four",
    ),
    (
        "deleted by force",
        "$C run -d --runc-binary $R $I five sleep 1000; $C task delete -f five; echo $?; $C container delete five; $C container list -q",
    ),
    (
        "the network of another",
        "$C run -d --runc-binary $R --pid-file $W/pid $I six sleep 1000; $RUN --with-ns network:/proc/$(cat $W/pid)/ns/net $I a readlink /proc/self/ns/net > $W/net; readlink /proc/$(cat $W/pid)/ns/net | cmp - $W/net && echo the same; $C task delete -f six > /dev/null; $C container delete six",
    ),
];

/// Actions whose answers differ, and why: of these the exit code is compared.
pub const ALLOWED: &[(&str, &str)] = &[
    (
        "the core",
        "/dev/core is made where the machine has no /proc/kcore as well: a plan does not look at the machine for it",
    ),
    (
        "propagation",
        "runc before 1.2 applied a shared rootfsPropagation before the root was entered, where it had no effect",
    ),
    ("tunnels", "runc before 1.2 let every container use /dev/net/tun; it no longer does"),
    ("the named hierarchy", "a hierarchy without controllers belongs to who mounted it, and limits nothing"),
    (
        "frozen by",
        "a hybrid machine is frozen by version 2's cgroup.freeze; freezer.state tells of version 1's alone",
    ),
];
