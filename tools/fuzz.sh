#!/usr/bin/env bash
# tools/fuzz.sh [SECONDS] [TARGET...]: runs fuzz targets, an hour each and all of them unless told otherwise, as many at
# once as there are processors. Logs are in build/fuzz/logs, one line a run in build/fuzz/logs/runs.tsv; what was found is in
# build/fuzz/findings/TARGET, and the inputs that cover most in build/fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=3600
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >/dev/null
build=build/fuzz
all=$(cd $build/fuzzers && printf '%s\n' fuzz_* | sed 's/^fuzz_//')
targets=("$@")
if [ $# -eq 0 ]; then mapfile -t targets <<<"$all"; fi
for t in "${targets[@]}"; do
  if ! grep -qx "$t" <<<"$all"; then
    echo "tools/fuzz.sh: expected one of" $all", found $t" >&2
    exit 2
  fi
done
mkdir -p $build/logs
runs=$build/logs/runs.tsv
if [ ! -f $runs ]; then printf 'started\tcommit\ttarget\tseconds\texecutions\tedges\tresult\n' >$runs; fi

# The smallest set of inputs that covers what all of them cover.
minimise() {
  local t=$1 corpus=$build/corpus/$1
  rm -rf "$corpus.new"
  mkdir -p "$corpus.new"
  "$build/fuzzers/fuzz_$t" -merge=1 -rss_limit_mb=2048 "$corpus.new" "$corpus" "$build/seeds/$t" \
    >"$build/logs/$t.merge.log" 2>&1
  rm -rf "$corpus"
  mv "$corpus.new" "$corpus"
}

run_one() {
  local t=$1 started commit log result=clean status=0
  started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  commit=$(git describe --always --dirty --abbrev=10)
  log=$build/logs/$t.$started.log
  mkdir -p "$build/corpus/$t" "$build/findings/$t"
  cp -r "$build/seeds/$t/." "$build/corpus/$t"
  if [ -d "tests/fuzz/corpus/$t" ]; then cp -r "tests/fuzz/corpus/$t/." "$build/corpus/$t"; fi
  local timeout=5
  if [ "$t" = compile ]; then timeout=60; fi  # the search for scales is slow under the sanitizers
  local options=(-max_total_time="$seconds" -rss_limit_mb=1024 -timeout=$timeout -max_len=8192 -print_final_stats=1
    -artifact_prefix="$build/findings/$t/")
  if [ -f "tests/fuzz/dictionaries/$t" ]; then options+=(-dict="tests/fuzz/dictionaries/$t"); fi
  "$build/fuzzers/fuzz_$t" "${options[@]}" "$build/corpus/$t" >"$log" 2>&1 || status=$?
  if [ $status -eq 72 ] || [ $status -gt 128 ]; then  # by a signal from outside
    result=interrupted
  elif [ $status -ne 0 ]; then
    result="found ($(grep -m1 -oE "^(SUMMARY: .*|internal error: .*)" "$log" || echo "exit $status"))"
  fi
  if [ $status -eq 0 ]; then minimise "$t" || result="clean, corpus not minimised"; fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$started" "$commit" "$t" "$seconds" \
    "$(grep -oP 'stat::number_of_executed_units:\s*\K\d+' "$log" || echo '?')" \
    "$(grep -oP ' cov: \K\d+' "$log" | tail -1)" "$result" | tee -a $runs
  [ $status -eq 0 ]
}

export -f run_one minimise
export build runs seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -euo pipefail -c 'run_one {}'
