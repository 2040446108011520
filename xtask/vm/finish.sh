# The last touch to the files of the machine's system, as a hook of mmdebstrap: $1 is their root.
# shellcheck shell=sh
set -e
echo vm >"$1/etc/hostname"
echo '127.0.0.1 localhost vm' >"$1/etc/hosts"
: >"$1/etc/fstab"
echo 0123456789abcdef0123456789abcdef >"$1/etc/machine-id"
mkdir -p "$1/payload" "$1/usr/lib/modules" "$1/var/lib/systemd/linger"

chroot "$1" useradd --create-home --uid 1000 --shell /bin/bash user
for kind in uid gid; do
    grep -q '^user:' "$1/etc/sub$kind" || echo 'user:100000:65536' >>"$1/etc/sub$kind"
done
# Lingering: the user's systemd runs without a login.
: >"$1/var/lib/systemd/linger/user"

# What the machine is for: it runs when the system is up, in a cgroup that is its own.
cat >"$1/etc/systemd/system/insula-vm.service" <<'END'
[Unit]
Description=the tests of insula
After=systemd-user-sessions.service dbus.service apparmor.service
[Service]
ExecStart=/payload/xtask inside-the-vm
Delegate=yes
StandardOutput=journal+console
StandardError=journal+console
LimitCORE=0
[Install]
WantedBy=multi-user.target
END
wants=$1/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
ln -s ../insula-vm.service "$wants/insula-vm.service"
# Nobody logs in, nothing is kept up to date, no network is waited for: each second counts in emulation.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer getty.target getty@.service serial-getty@.service nftables.service systemd-pstore.service \
    systemd-networkd-wait-online.service systemd-timesyncd.service; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit"
done
# Newer than /usr: no boot rebuilds the caches of the linker and of the journal, for half a minute.
touch "$1/etc/.updated" "$1/var/.updated"
rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*
