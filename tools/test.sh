#!/usr/bin/env bash
# Installs what is needed, builds with warnings as errors and runs every test: the rooms under ASan and UBSan, those
# with threads under TSan, the fuzz targets for ten seconds each, then everything, end to end included, as shipped.
# Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_packages.sh
jobs=$(nproc)

cmake --preset sanitize >/dev/null
cmake --build --preset sanitize -j "$jobs"
ctest --preset sanitize -j "$jobs" --label-exclude e2e

cmake --preset thread >/dev/null
cmake --build --preset thread -j "$jobs"
ctest --preset thread -j "$jobs"

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$jobs"
ctest --preset fuzz -j "$jobs"

cmake --preset release >/dev/null
cmake --build --preset release -j "$jobs"
ctest --preset release -j "$jobs"
