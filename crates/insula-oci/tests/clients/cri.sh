#!/bin/sh
# Usage, as root: cri.sh RUNTIME [DIR]
#
# containerd with RUNTIME (the path of runc or insula-oci) behind the handler `insula` of its CRI, and the client in cri.py that makes
# a pod of two containers as the kubelet would for a RuntimeClass. All in namespaces of its own; the pod's control group is named as DIR is and is left
# empty. Needs containerd, busybox-static and python3-grpcio from Debian.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runtime=$(command -v "$1")
if [ -z "${CRI_INSIDE-}" ]; then
    dir=${2-}
    test -n "$dir" || dir=$(mktemp -d /tmp/insula-cri-XXXXXX)
    code=0
    CRI_INSIDE=yes unshare --mount --pid --net --fork --mount-proc --kill-child sh "$0" "$runtime" "$dir" || code=$?
    if [ -z "${2-}" ]; then
        rmdir /sys/fs/cgroup/*/"$(basename "$dir")" 2> "$dir/log" || true
        rm -rf "$dir"
    fi
    exit $code
fi

dir=$2
mount --make-rprivate /
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/pod-logs "$dir/data"
mount -t tmpfs tmpfs "$dir/data"
mkdir -p "$dir/data/root" "$dir/data/cni" "$dir/data/net.d"
sh "$here/image.sh" "$dir/data"

# The network of a pod: a link with an address, and loopback. A CNI plugin is a program that reads and writes JSON.
cat > "$dir/data/cni/pod" << 'END'
#!/bin/sh
exec 3>&1 > /dev/null
inside() { nsenter --net="$CNI_NETNS" ip "$@" > /dev/null; }
case $CNI_COMMAND in
ADD)
    inside link set lo up
    case $0 in */pod)
        inside link add eth0 type veth peer name peer0
        inside address add 10.9.0.2/24 dev eth0
        inside link set eth0 up
        ;;
    esac
    printf '{"cniVersion": "0.4.0", "interfaces": [{"name": "%s", "sandbox": "%s"}], "ips": [{"version": "4", "address": "10.9.0.2/24", "interface": 0}]}' \
        "$CNI_IFNAME" "$CNI_NETNS" >&3
    ;;
VERSION) printf '{"cniVersion": "0.4.0", "supportedVersions": ["0.3.1", "0.4.0"]}' >&3 ;;
esac
END
chmod +x "$dir/data/cni/pod"
ln "$dir/data/cni/pod" "$dir/data/cni/loopback"
echo '{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "pod"}]}' > "$dir/data/net.d/10-pods.conflist"

cat > "$dir/data/config.toml" << END
version = 2
root = "$dir/data/root"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/busy:latest"
  # Without CAP_SYS_RESOURCE nobody may lower what the pause container asks for.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$dir/data/cni"
    conf_dir = "$dir/data/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.insula]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.insula.options]
      BinaryName = "$runtime"
  # The table of runtimes replaces the built-in one, with runc in it.
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
END
containerd --config "$dir/data/config.toml" > "$dir/containerd.log" 2>&1 &
tries=0
until ctr version > "$dir/log" 2>&1; do
    tries=$((tries + 1))
    test $tries -lt 300 || exit 1
    sleep 0.1
done
ctr -n k8s.io image import "$dir/data/archive.tar" > "$dir/log"
exec /usr/bin/python3 "$here/cri.py" /run/containerd/containerd.sock docker.io/library/busy:latest "$(basename "$dir")"
