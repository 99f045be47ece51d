#!/usr/bin/env bash
# Prints every C++ file of the repository, one path per line, relative to its root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find include src tests bench fuzz examples -type f \
  \( -name '*.h' -o -name '*.hpp' -o -name '*.cpp' \) | sort
