#!/usr/bin/env bash
# Installs what is needed, builds with warnings as errors and runs every test once: the rooms under ASan and UBSan, those
# with threads under TSan too, the fuzz targets for ten seconds each, and what is end to end or needs valgrind as shipped.
# Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_packages.sh
jobs=$(nproc)

cmake --preset sanitize >/dev/null
cmake --build --preset sanitize -j "$jobs"
ctest --preset sanitize -j "$jobs"

cmake --preset thread >/dev/null
cmake --build --preset thread -j "$jobs"
ctest --preset thread -j "$jobs"

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$jobs"
ctest --preset fuzz -j "$jobs"

cmake --preset release >/dev/null
cmake --build --preset shipped -j "$jobs"
ctest --preset shipped -j "$jobs"
