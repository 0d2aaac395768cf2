#!/usr/bin/env bash
# tools/test.sh [--full]: installs what is needed, builds with warnings as errors, runs the tests, and says where the time went.
#
# Without --full what every change has to pass, in about twenty minutes on two cores: the rooms under ASan and UBSan with the fuzz
# targets for a few seconds each, the rooms with threads under TSan, and the commands as processes. With --full everything
# (docs/TESTING.md says what that is more), in more than an hour. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
steps=()

# step WHAT COMMAND...: runs it, and notes how long it took.
step() {
  local what=$1 began=$SECONDS
  shift
  echo "== $what"
  "$@"
  steps+=("$(printf '%5d s  %s' $((SECONDS - began)) "$what")")
}
tell_times() {
  echo "== $SECONDS seconds"
  printf '%s\n' "${steps[@]}"
}
trap tell_times EXIT

configure() { cmake --preset "$@" -Wno-dev >/dev/null; }
# preset NAME [OPTION...]: configures, builds, tests.
preset() {
  local name=$1
  step "$name: configure" configure "$@"
  step "$name: build" cmake --build --preset "$name" -j "$jobs"
  step "$name: tests" ctest --preset "$name" -j $((jobs + 1))  # many of them wait
}
# What a shard skips is in its log alone.
tell_skipped() { sed -n 's/^\[  SKIPPED \] \([A-Z][^ ]*\.[^ ]*\).*/skipped: \1/p' build/*/Testing/Temporary/LastTest.log | sort -u; }

step "packages" tools/install_packages.sh
case ${1:-} in
  '')
    preset quick
    preset thread -DSMPC_QUICK=ON
    preset quick-shipped
    tell_skipped
    ;;
  --full)
    preset sanitize
    preset thread -DSMPC_QUICK=OFF
    preset fuzz
    step "release: configure" configure release
    step "shipped: build" cmake --build --preset shipped -j "$jobs"
    step "shipped: tests" ctest --preset shipped -j "$jobs"
    step "sabotage" tools/sabotage.sh
    ;;
  *)
    echo "tools/test.sh: expected --full or nothing, found $1" >&2
    exit 2
    ;;
esac
