#!/bin/bash
# disk.sh OUT: makes the disk OUT of the tar archive on stdin, with the owners that the files have there. As root, or as
# root of a user namespace with enough ids.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

files=$1.files
rm -rf "$files"
mkdir "$files"
# The devices are the kernel's affair (devtmpfs), and a user namespace cannot make any.
tar -x --numeric-owner --xattrs --xattrs-include='*' --exclude='./dev/*' -C "$files"
mke2fs -q -F -t ext4 -O ^has_journal -m 0 -d "$files" "$1" 2G
rm -rf "$files"
