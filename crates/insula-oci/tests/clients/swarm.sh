#!/bin/sh
# Usage, as root: swarm.sh RUNTIME
#
# Two dockerds, each in a network namespace of its own, with RUNTIME (the path of insula-oci or runc) as the default runtime, joined
# in a Swarm: a service of two replicas, scaled, updated, its node drained, removed. All in namespaces of its own; the
# containers' control group is removed. Needs docker.io, containerd, busybox-static and iproute2 from Debian.
#
# It takes one to three minutes. The service is of the DNSRR kind without an overlay network: virtual addresses want IPVS and vxlan in the kernel.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runtime=$(command -v "$1")
if [ -z "${SWARM_INSIDE-}" ]; then
    dir=$(mktemp -d /tmp/insula-swarm-XXXXXX)
    code=0
    SWARM_INSIDE=yes unshare --mount --pid --net --fork --mount-proc --kill-child sh "$0" "$runtime" "$dir" || code=$?
    parent=$(basename "$dir")
    tries=0
    while ls -d /sys/fs/cgroup/*/"$parent" > "$dir/log" 2>&1 && [ $tries -lt 50 ]; do
        for hierarchy in /sys/fs/cgroup/*/"$parent"; do
            find "$hierarchy" -depth -type d -exec rmdir {} + 2> "$dir/log" || true
        done
        tries=$((tries + 1))
        sleep 0.1
    done
    rm -rf "$dir"
    exit $code
fi

dir=$2
parent=$(basename "$dir")
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock "$dir/data"
mount -t tmpfs tmpfs "$dir/data"
sh "$here/image.sh" "$dir/data"

# Two nodes, joined by a link.
ip link set lo up
ip netns add node1
ip netns add node2
ip -n node1 link add eth0 type veth peer name eth0 netns node2
for node in 1 2; do
    ip -n node$node link set lo up
    ip -n node$node address add 10.8.0.$node/24 dev eth0
    ip -n node$node link set eth0 up
    ip -n node$node route add default via 10.8.0.$((3 - node))
done

say() { printf '\n== %s\n' "$*"; }
on() { node=$1; shift; docker -H unix:///run/docker$node.sock "$@"; }

for node in 1 2; do
    # A node has a host name and an engine's directories of its own.
    unshare --uts nsenter --net=/run/netns/node$node sh -c "
        hostname node$node
        exec dockerd --add-runtime insula=$runtime --default-runtime insula --storage-driver overlay2 --iptables=false \
            --bridge=none --cgroup-parent /$parent --data-root $dir/data/docker$node --exec-root /run/docker$node \
            --pidfile /run/docker$node.pid -H unix:///run/docker$node.sock" > "$dir/dockerd$node.log" 2>&1 &
done
for node in 1 2; do
    tries=0
    until on $node version > "$dir/log" 2>&1; do
        tries=$((tries + 1))
        test $tries -lt 300 || { tail "$dir/dockerd$node.log"; exit 1; }
        sleep 0.1
    done
    on $node import "$dir/data/image.tar" busy > "$dir/log"
    say "node$node: the default runtime"
    on $node info --format '{{.DefaultRuntime}}'
done

# Tasks that run: node, image, state; sorted, for which is where is the scheduler's choice.
running() { on 1 service ps web --filter desired-state=running --format '{{.Node}} {{.CurrentState}}' | cut -d' ' -f1,2 | sort; }
wait_for() {
    tries=0
    until test "$(running)" = "$1"; do
        tries=$((tries + 1))
        test $tries -lt 300 || { echo "wanted: $1"; running; on 1 service ps web --no-trunc; tail -5 "$dir"/dockerd?.log; exit 1; }
        sleep 0.1
    done
    running
}
both='node1 Running
node2 Running'

say "a Swarm of two"
on 1 swarm init --advertise-addr 10.8.0.1 > "$dir/log"
on 2 swarm join --token "$(on 1 swarm join-token -q worker)" 10.8.0.1:2377
on 1 node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}' | sort

say "a service of two replicas"
on 1 service create --detach --name web --endpoint-mode dnsrr --network host --replicas 2 --replicas-max-per-node 2 \
    --limit-memory 32M --no-resolve-image --stop-grace-period 1s --env ROUND=one \
    busy sh -c 'echo begun $ROUND; exec sleep 1000000' > "$dir/log"
wait_for "$both"
on 2 ps --format '{{.Image}} {{.Command}}' --no-trunc
name=$(on 2 ps -q)
on 2 exec "$name" sh -c 'echo "in the task: $ROUND"'
on 2 inspect --format '{{.HostConfig.Runtime}} {{.HostConfig.Memory}}' "$name"
on 1 service logs --raw web | sort | uniq -c

say "scaled to four, and back to two"
on 1 service scale --detach web=4 > "$dir/log"
wait_for "node1 Running
node1 Running
node2 Running
node2 Running"
on 1 service scale --detach web=2 > "$dir/log"
tries=0
until test "$(running | wc -l)" = 2; do tries=$((tries + 1)); test $tries -lt 300; sleep 0.1; done
echo "two run"

say "updated, one after the other"
on 1 service update --detach --no-resolve-image --env-add ROUND=two --update-parallelism 1 --update-delay 0s web > "$dir/log"
tries=0
until test "$(on 1 service inspect --format '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' web)" = completed; do
    tries=$((tries + 1))
    test $tries -lt 600 || { on 1 service ps web --no-trunc; exit 1; }
    sleep 0.1
done
on 1 service inspect --format '{{.UpdateStatus.State}}' web
for node in 1 2; do
    for task in $(on $node ps -q); do on $node exec "$task" sh -c 'echo "in the task: $ROUND"'; done
done

say "node2 drained, and back"
on 1 node update --availability drain node2 > "$dir/log"
wait_for "node1 Running
node1 Running"
tries=0
until test -z "$(on 2 ps -q)"; do tries=$((tries + 1)); test $tries -lt 300; sleep 0.1; done
echo "node2 runs $(on 2 ps -q | wc -l)"
on 1 node update --availability active node2 > "$dir/log"

say "a task that is killed is replaced"
on 1 kill "$(on 1 ps -q | head -n 1)" > "$dir/log"
tries=0
until test "$(on 1 service ps web --format '{{.CurrentState}}' | grep -c '^Failed')" -ge 1; do tries=$((tries + 1)); test $tries -lt 300; sleep 0.1; done
tries=0
until test "$(running | grep -c Running)" = 2; do tries=$((tries + 1)); test $tries -lt 300; sleep 0.1; done
echo "two run"

say "removed"
on 1 service rm web
for node in 1 2; do
    tries=0
    until test -z "$(on $node ps -aq)"; do tries=$((tries + 1)); test $tries -lt 300 || exit 1; sleep 0.1; done
    echo "node$node has $(on $node ps -aq | wc -l) containers"
done
on 2 swarm leave
tries=0
until test "$(on 1 node ls --filter name=node2 --format '{{.Status}}')" = Down; do tries=$((tries + 1)); test $tries -lt 600 || exit 1; sleep 0.1; done
on 1 node rm node2
on 1 swarm leave --force
