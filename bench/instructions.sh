#!/usr/bin/env bash
# Instructions per element of every kernel, counted by callgrind, against bench/baseline/instructions.txt.
#
#   bench/instructions.sh [--update] [--build DIR]
#
# Exit codes: 0 none grew, 1 one grew by more than 2 % or is missing, 77 it cannot be counted here (skipped).
# Counts depend on compiler and flags: the baseline is of preset bench with Debian 12's GCC 12, Highway pinned to AVX2.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/bench
update=0
while [ $# -gt 0 ]; do
  case $1 in
    --update) update=1 ;;
    --build) build=$2; shift ;;
    *) echo "usage: bench/instructions.sh [--update] [--build DIR]" >&2; exit 2 ;;
  esac
  shift
done
baseline=$root/bench/baseline/instructions.txt
binary=$build/bin/smpc_bench_instructions
if ! command -v valgrind >/dev/null; then
  echo "skipped: valgrind is not installed (apt-get install valgrind)"
  exit 77
fi
if ! grep -q avx2 /proc/cpuinfo; then
  echo "skipped: this processor has no AVX2"
  exit 77
fi
if [ ! -x "$binary" ]; then
  echo "no $binary; build it: cmake --preset bench && cmake --build --preset bench --target smpc_bench_instructions" >&2
  exit 2
fi
now=$(mktemp)
trap 'rm -f "$now"' EXIT
while read -r name elements; do
  log=$(valgrind --tool=callgrind --toggle-collect=smpc_measured --callgrind-out-file=/dev/null "$binary" "$name" 2>&1) ||
    { echo "$name: $log" >&2; exit 2; }
  count=$(sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' <<<"$log")
  [ "${count:-0}" -gt 0 ] || { echo "$name: callgrind counted nothing" >&2; exit 2; }
  awk -v name="$name" -v count="$count" -v n="$elements" 'BEGIN { printf "%s %.4f\n", name, count / n }' >>"$now"
done < <("$binary")
if [ $update -eq 1 ]; then
  mkdir -p "$(dirname "$baseline")"
  cp "$now" "$baseline"
  cat "$baseline"
  exit 0
fi
awk '
  NR == FNR { was[$1] = $2; next }
  {
    seen[$1] = 1
    if (!($1 in was)) { printf "%-20s %10s %10.3f  new: run with --update\n", $1, "-", $2; next }
    change = 100 * ($2 / was[$1] - 1)
    grew = change > 2
    bad += grew
    printf "%-20s %10.3f %10.3f %+7.1f %%%s\n", $1, was[$1], $2, change, grew ? "  GREW" : ""
  }
  END {
    for (name in was) if (!(name in seen)) { printf "%-20s is gone; run with --update if that is meant\n", name; bad++ }
    exit bad > 0
  }' "$baseline" "$now"
