#!/bin/busybox sh
# shellcheck shell=dash
# The first process of the machine: finds the disks, and gives way to systemd.
b=/bin/busybox
$b mount -t devtmpfs none /dev
$b mount -t proc none /proc
$b mount -t sysfs none /sys
# What waits outside knows by this line that the kernel runs.
echo "insula-vm: up" >/dev/console
for module in /modules/*; do $b insmod "$module" 2>/dev/null; done
tries=0
until [ -b /dev/vdc ] || [ $tries = 100 ]; do
    $b sleep 0.1
    tries=$((tries + 1))
done
if ! { $b mount -t ext4 -o rw,noatime /dev/vda /new &&
    $b mount -t ext4 -o ro /dev/vdb /new/usr/lib/modules &&
    $b mount -t ext4 -o ro /dev/vdc /new/payload; }; then
    echo "insula-vm: a disk could not be mounted" >/dev/console
    $b poweroff -f
fi
for place in dev proc sys; do $b mount --move /$place /new/$place; done
exec $b switch_root /new /sbin/init
