#!/usr/bin/env bash
# Draws the clip that `make demo` analyses: two people made of numbers (mien synth faces), side by side; one
# smiles, the other is surprised. Nobody's face is used. Needs ffmpeg.
#
#   scripts/demo_clip.sh PROGRAM OUT.mp4
set -euo pipefail

program=${1:?"usage: demo_clip.sh PROGRAM OUT.mp4"}
out=${2:?"usage: demo_clip.sh PROGRAM OUT.mp4"}

faces=$(mktemp -d)
trap 'rm -rf "$faces"' EXIT
# Expressions come in turn: neutral, happiness, surprise.
"$program" synth faces --out "$faces" --clips 3 --seed 9 --size 256 --frames 80 2>"$faces/log" || {
  cat "$faces/log" >&2
  exit 1
}
mkdir -p "$(dirname "$out")"
ffmpeg -hide_banner -loglevel error -nostdin -y -i "$faces/clips/00001.mp4" -i "$faces/clips/00002.mp4" \
  -filter_complex hstack -c:v libx264 -crf 18 -preset veryfast -threads 2 "$faces/both.mp4"
mv "$faces/both.mp4" "$out"
