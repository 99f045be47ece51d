#!/usr/bin/env bash
# Runs every fuzz target of a build for some seconds, beginning with the seeds of make_corpus; stops
# at the first crash. What a target has found stays in BUILD/corpus/TARGET for its next run.
#
#   scripts/fuzz.sh BUILD SECONDS
set -euo pipefail

build=${1:?build folder}
seconds=${2:?seconds per target}
found=0
for target in "$build"/bin/fuzz_*; do
  [[ -x $target ]] || continue
  found=1
  name=$(basename "$target")
  corpus=$build/corpus/$name
  dictionary=$(dirname "${BASH_SOURCE[0]}")/../fuzz/${name#fuzz_}.dict
  mkdir -p "$corpus"
  "$build/bin/make_corpus" "${name#fuzz_}" "$corpus" >/dev/null
  echo "[fuzz] $name for $seconds s"
  "$target" -dict="$dictionary" -max_len=16384 -max_total_time="$seconds" -rss_limit_mb=2048 \
    -timeout=10 -print_final_stats=1 -artifact_prefix="$build/$name-" "$corpus" >"$build/$name.log" 2>&1 || {
    tail -n 40 "$build/$name.log" >&2
    echo "[fuzz] $name found something; the input is $build/$name-*" >&2
    exit 1
  }
  grep -E 'number_of_executed_units|peak_rss_mb' "$build/$name.log" || true
done
if ((found == 0)); then
  echo "[fuzz] no fuzz target in $build/bin" >&2
  exit 1
fi
echo "[fuzz] clean"
