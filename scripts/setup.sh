#!/usr/bin/env bash
# Installs the Debian packages of scripts/debian-packages.txt that are missing. Says what it does in
# one line; touches nothing when all are there.
#
#   scripts/setup.sh           what building, testing and the demo need
#   scripts/setup.sh extra     also what `make fuzz` and `make tidy` need
#   MIEN_SETUP=no ...          skips the whole step (other systems, packages built by hand)
set -euo pipefail

say() { echo "[setup] $*"; }
die() { echo "[setup] $*" >&2; exit 1; }

list=$(dirname "${BASH_SOURCE[0]}")/debian-packages.txt
groups="build test ${1:-}"

if [[ ${MIEN_SETUP:-yes} == no ]]; then
  say "skipped (MIEN_SETUP=no)"
  exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  die "no apt here: install the counterparts of $list by hand, then set MIEN_SETUP=no"
fi

mapfile -t wanted < <(awk -v groups="$groups" '
  BEGIN { split(groups, g, " "); for (i in g) want[g[i]] = 1 }
  !/^#/ && NF >= 2 && want[$2] { print $1 }' "$list")
mapfile -t missing < <(
  dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
    awk '$1 == "installed" { print $2 }' | sort -u |
    comm -13 - <(printf '%s\n' "${wanted[@]}" | sort -u))

if ((${#missing[@]} == 0)); then
  say "all ${#wanted[@]} Debian packages are here"
  exit 0
fi

root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null ||
    die "missing packages and neither root nor sudo; as root: apt-get install ${missing[*]}"
  root=(sudo)
  [[ -t 0 ]] || root=(sudo -n)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >"$log" 2>&1 </dev/null || {
    tail -n 20 "$log" >&2
    die "apt-get $1 failed (see above); wanted: ${missing[*]}"
  }
}
say "installing ${#missing[@]} Debian packages: ${missing[*]}"
apt update
apt install -y --no-install-recommends "${missing[@]}"
say "installed"
