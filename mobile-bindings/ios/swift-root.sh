#!/usr/bin/env bash
# swift-root.sh DIR: a folder with a small Debian 13 and its Swift compiler in it, for machines that have none.
# Needs root, debootstrap and Debian's packages. Takes 2 to 5 minutes and 3 GB. A folder that is complete stays as it is.
set -euo pipefail
root=$(realpath -m "${1:?usage: swift-root.sh DIR}")
[ -e "$root/complete" ] && exit 0

say() { echo "swift-root: $*" >&2; }
[ "$(id -u)" = 0 ] || { say "only root can make a root folder"; exit 2; }
if ! command -v debootstrap >/dev/null; then
  apt-get install -y -qq --no-install-recommends debootstrap >/dev/null || { say "debootstrap is not to be had"; exit 2; }
fi

rm -rf "$root"
mkdir -p "$(dirname "$root")"
say "making $root"
debootstrap --variant=minbase trixie "$root" >"$root.log" 2>&1 || { tail -5 "$root.log" >&2; exit 2; }
# In a mount namespace of its own, so that nothing stays mounted whatever happens.
unshare --mount bash -euo pipefail -c '
  mount --bind /proc "$0/proc"; mount --bind /dev "$0/dev"
  cp /etc/resolv.conf "$0/etc/resolv.conf"
  export DEBIAN_FRONTEND=noninteractive
  chroot "$0" apt-get update -qq
  chroot "$0" apt-get install -y -qq --no-install-recommends swiftlang swiftlang-dev libc6-dev libstdc++-14-dev gcc
  chroot "$0" apt-get clean
' "$root" >>"$root.log" 2>&1 || { tail -5 "$root.log" >&2; exit 2; }
touch "$root/complete"
say "made with $(chroot "$root" dpkg-query -W swiftlang)"
