#!/usr/bin/env bash
# mien against PyTorch and ONNX Runtime on this machine: installs, builds, compares the outputs,
# times in turns, prints the tables. Everything else on the machine should be idle.
#
#   bench/peers/run.sh [options of peers.py, e.g. --rounds 30]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bench/peers/install.sh
cmake --preset release -DMIEN_BENCH=ON >/dev/null
cmake --build build --target mien mien_peer_worker
exec python3 bench/peers/peers.py "$@"
