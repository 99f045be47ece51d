#!/usr/bin/env bash
# Runs the main job on one clip and says which files to open. Without a clip: the real one of the
# reference data when that lies beside the repository, else two drawn faces made on the spot.
#
#   scripts/demo.sh PROGRAM [CLIP]
set -euo pipefail

program=${1:?path of the program mien}
clip=${2:-}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=demo_out

if [[ -z $clip && -r ../shared/data/video/single_face.mp4 ]]; then
  clip=../shared/data/video/single_face.mp4
elif [[ -z $clip ]]; then
  clip=build/demo_clip.mp4
  if [[ ! -s $clip ]]; then
    echo "[demo] drawing a clip of two faces: $clip"
    scripts/demo_clip.sh "$program" "$clip"
  fi
fi

echo "[demo] $program analyze $clip --out $out"
rm -rf "$out"
"$program" analyze "$clip" --out "$out"

rows=$(($(wc -l <"$out/expressions.csv") - 1))
if ((rows < 1)); then
  echo "[demo] no face was found long enough in $clip, so the tables are empty; try CLIP=your.mp4"
fi
echo "[demo] done. Open:"
for file in timeline.svg:"who felt what, when, as a picture" \
  annotated.mp4:"the video with boxes and labels" \
  expressions.csv:"one row per face per moment ($rows rows)" \
  faces.csv:"one row per face per frame" result.json:"the same with model, settings and timings"; do
  if [[ -s $out/${file%%:*} ]]; then
    printf '  %-28s %s\n' "$out/${file%%:*}" "${file#*:}"
  fi
done
