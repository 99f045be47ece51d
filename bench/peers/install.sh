#!/usr/bin/env bash
# Installs what mien is compared with: PyTorch and its best BLAS from Debian, ONNX Runtime from npm
# into cache/peers (ignored by git).
#
#   MIEN_SETUP=no ...   leaves Debian's packages alone
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

runtime=onnxruntime-node@1.30.0

if [[ ${MIEN_SETUP:-yes} != no ]]; then
  wanted=(python3-torch python3-numpy python3-pil libopenblas0-openmp)
  command -v npm >/dev/null || wanted+=(nodejs npm)
  missing=()
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  if ((${#missing[@]} > 0)); then
    root=()
    ((EUID == 0)) || root=(sudo)
    echo "[peers] installing ${missing[*]}"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
      --no-install-recommends "${missing[@]}" >/dev/null
  fi
fi

mkdir -p cache/peers
if [[ ! -d cache/peers/node_modules/onnxruntime-node ]]; then
  echo "[peers] installing $runtime"
  # Without its scripts, which would fetch libraries for GPUs.
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix cache/peers "$runtime"
fi
echo "[peers] installed"
