#!/usr/bin/env bash
# Configures one preset of CMakePresets.json and builds one target of it.
#
#   scripts/build.sh PRESET JOBS TARGET
set -euo pipefail

preset=${1:?preset}
jobs=${2:?jobs}
target=${3:?target}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dir=build
[[ $preset == release ]] || dir=build-$preset
mkdir -p "$dir"
echo "[configure] preset '$preset' in $dir/"
cmake --preset "$preset" >"$dir/configure.log" 2>&1 || {
  tail -n 30 "$dir/configure.log" >&2
  echo "[configure] failed; the whole log is $dir/configure.log" >&2
  exit 1
}
echo "[build] target '$target' with $jobs jobs"
# In a terminal ninja keeps to one line; elsewhere every tenth of the work gets one.
tenths() {
  awk -F '[][/]' '/^\[[0-9]+\/[0-9]+\]/ {
    if (int(10 * $2 / $3) > tenth) { tenth = int(10 * $2 / $3); print "[build] " $2 " of " $3; fflush() }
  }'
}
if [[ -t 1 ]]; then
  cmake --build "$dir" --target "$target" -j "$jobs"
elif ! cmake --build "$dir" --target "$target" -j "$jobs" 2>&1 | tee "$dir/build.log" | tenths; then
  grep -A 40 -m 1 '^FAILED' "$dir/build.log" >&2 || tail -n 40 "$dir/build.log" >&2
  echo "[build] failed; the whole log is $dir/build.log" >&2
  exit 1
fi
