#!/bin/bash
# system.sh OUT: makes the disk OUT with a Debian 13: systemd, AppArmor, what the tests run and compare with, and a user
# `user` with subordinate ids and a session that is always there. As root, or as an ordinary user with subordinate ids.
# Reads MIRROR.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin

PACKAGES=(
    systemd systemd-sysv dbus dbus-user-session libpam-systemd udev kmod
    apparmor
    util-linux util-linux-extra mount login passwd bsdutils uidmap procps   # unshare, lsns, script, newuidmap, ps
    iproute2 iputils-ping nftables strace busybox-static bubblewrap
)
IFS=,
out=$(realpath -m "$1")
here=$(dirname "$(realpath "$0")")
# As a text: an ordinary user's mmdebstrap runs it under another id, which may not read the tree.
finish=$(<"$here/finish.sh")
root_of_all_ids=()
if [[ $(id -u) != 0 ]]; then root_of_all_ids=(unshare --user --map-root-user --map-auto --); fi

mmdebstrap --variant=minbase --include="${PACKAGES[*]}" \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="$finish" \
    trixie - "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR trixie main" |
    "${root_of_all_ids[@]}" bash "$here/disk.sh" "$out"
