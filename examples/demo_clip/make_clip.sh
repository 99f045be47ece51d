#!/usr/bin/env bash
# Draws the clip that `make demo` analyses: two drawn people, one smiles, one is surprised.
# Nothing is downloaded and nobody's face is used. Needs awk and ffmpeg (which reads SVG).
#
#   examples/demo_clip/make_clip.sh OUT.mp4
set -euo pipefail
export LC_ALL=C  # decimal points, whatever the user's language

out=${1:?"usage: make_clip.sh OUT.mp4"}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fps=20
length_s=5

frames=$(mktemp -d)
trap 'rm -rf "$frames"' EXIT
for ((i = 0; i < fps * length_s; i++)); do
  t=$(awk -v i="$i" -v fps="$fps" 'BEGIN { printf "%.4f", i / fps }')
  awk -v t="$t" -v length_s="$length_s" -f "$here/face.awk" >"$frames/$(printf '%04d' "$i").svg"
done

mkdir -p "$(dirname "$out")"
# A little noise and blur: a camera's picture, not a drawing's flat colours.
ffmpeg -hide_banner -loglevel error -nostdin -y -framerate "$fps" -i "$frames/%04d.svg" \
  -vf 'gblur=sigma=0.6,noise=alls=6:allf=t,format=yuv420p' -c:v libx264 -crf 20 -preset veryfast \
  -threads 2 "$frames/clip.mp4"
mv "$frames/clip.mp4" "$out"
