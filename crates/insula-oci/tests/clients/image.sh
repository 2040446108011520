#!/bin/sh
# Usage: image.sh DIR. An image of busybox alone, in DIR: image.tar is its root, archive.tar what `docker save` would write of it.
set -eu
cd "$1"
mkdir -p root/bin root/etc root/tmp root/proc root/sys root/dev
cp /bin/busybox root/bin/
for applet in $(busybox --list); do
    test "$applet" = busybox || ln -s busybox "root/bin/$applet"
done
echo root:x:0:0::/root:/bin/sh > root/etc/passwd
tar -C root -cf image.tar .
cat > manifest.json << END
[{"Config": "config.json", "RepoTags": ["busy:latest"], "Layers": ["image.tar"]}]
END
cat > config.json << END
{
    "architecture": "$(dpkg --print-architecture)", "os": "linux",
    "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "1000000"]},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum image.tar | cut -d' ' -f1)"]}
}
END
tar -cf archive.tar manifest.json config.json image.tar
