#!/bin/bash
# kernel.sh SUITE OUT: makes the directory OUT of the kernel that this suite of Debian has now:
#   release        its name, as uname -r says it
#   vmlinuz        the kernel
#   modules.ext4   the modules that tests can ask for, as a disk
#   initrd.gz      busybox and what it takes to find the disks
# Reads CACHE, where lists.sh was before. No root is needed.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin APT_CONFIG=$CACHE/apt/apt.conf

# What the early user space loads; the rest is found by modprobe and udev.
EARLY=(virtio_pci virtio_blk virtio_console virtio_rng ext4 crc32c_generic)
# Of the modules: what a namespace can meet. The others are hardware, and ten times as large.
KINDS=(arch block crypto drivers/{block,char,md,vhost,virtio} fs lib net security)
CARDS=(bonding dummy geneve ifb ipvlan macvlan macvtap netkit tap tun veth vrf vxlan wireguard)

suite=$1 out=$2
here=$(dirname "$(realpath "$0")")
work=$out.unpacked
rm -rf "$out" "$work"
mkdir -p "$out" "$work/debs" "$work/root" "$work/disk/kernel" "$work/early/bin"

# The package without a version depends on the one that is meant.
release=$(apt-cache show "linux-image-amd64/$suite" | grep -oE 'linux-image-[0-9][^ ,]*-amd64' | head -n 1)
release=${release#linux-image-}
# Newer kernels come in several packages.
mapfile -t parts < <(apt-cache depends "linux-image-$release" |
    grep -oE 'linux-(base|binary|modules)-[0-9][^ ]*' | grep -F -- "-$release" | sort -u)
(cd "$work/debs" && apt-get -qq download "linux-image-$release" "${parts[@]}" busybox-static/trixie)
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
# Debian 13 and newer have no /lib beside /usr/lib; modprobe wants one.
modules=$work/root/lib/modules/$release
if [[ ! -d $modules ]]; then
    ln -s usr/lib "$work/root/lib"
fi
depmod -b "$work/root" "$release"
vmlinuz=$work/root/boot/vmlinuz-$release
[[ -e $vmlinuz ]] || vmlinuz=$modules/vmlinuz
cp "$vmlinuz" "$out/vmlinuz"

for kind in "${KINDS[@]}"; do
    [[ -d $modules/kernel/$kind ]] || continue
    mkdir -p "$(dirname "$work/disk/$release/kernel/$kind")"
    cp -r "$modules/kernel/$kind" "$work/disk/$release/kernel/$kind"
done
rmdir "$work/disk/kernel"
mkdir -p "$work/disk/$release/kernel/drivers/net"
for card in "${CARDS[@]}"; do
    # A module alone, or a directory of them.
    for path in "$modules/kernel/drivers/net/$card" "$modules/kernel/drivers/net/$card".ko*; do
        if [[ -e $path ]]; then cp -r "$path" "$work/disk/$release/kernel/drivers/net/"; fi
    done
done
cp "$modules"/modules.{order,builtin,builtin.modinfo} "$work/disk/$release/"
mkdir -p "$work/depmod/lib"
ln -s "$work/disk" "$work/depmod/lib/modules"
depmod -b "$work/depmod" "$release"
truncate -s 1G "$out/modules.ext4"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$work/disk" "$out/modules.ext4"

# The early user space: modules are unpacked, for busybox's insmod knows only plain ones.
cp "$work/root/usr/bin/busybox" "$work/early/bin/busybox"
cp "$here/early.sh" "$work/early/init"
chmod 755 "$work/early/init"
mkdir -p "$work/early/"{dev,proc,sys,new,modules}
number=100
for module in "${EARLY[@]}"; do
    modprobe -d "$work/root" -S "$release" --show-depends "$module" 2>/dev/null || true
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
    number=$((number + 1))
    to=$work/early/modules/$number-$(basename "$path")
    case $path in
        *.xz) xz -dc "$path" >"${to%.xz}" ;;
        *.zst) zstd -qdc "$path" >"${to%.zst}" ;;
        *) cp "$path" "$to" ;;
    esac
done
(cd "$work/early" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$out/initrd.gz"

rm -rf "$work"
echo "$release" >"$out/release"
