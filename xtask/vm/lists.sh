#!/bin/bash
# lists.sh: brings the lists of packages of the Debian suites below into $CACHE/apt, checked by apt against Debian's
# keyring. The machine's own sources and packages play no part; its proxy settings do. No root is needed.
# Reads CACHE and MIRROR (such as http://deb.debian.org/debian).
set -euo pipefail

KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/archives/partial"
: >"$CACHE/apt/status"
from() { echo "deb [signed-by=$KEYS] $1 $2 main"; }
{
    from "$MIRROR" bookworm
    from "$MIRROR-security" bookworm-security
    from "$MIRROR" bookworm-backports
    from "$MIRROR" trixie
    from "$MIRROR" trixie-backports
} >"$CACHE/apt/sources.list"
cat >"$CACHE/apt/apt.conf" <<END
Dir::Etc::sourcelist "$CACHE/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$CACHE/apt/lists";
Dir::State::status "$CACHE/apt/status";
Dir::Cache "$CACHE/apt";
APT::Sandbox::User "";
Acquire::Languages "none";
END
APT_CONFIG=$CACHE/apt/apt.conf apt-get update -qq --error-on=any
