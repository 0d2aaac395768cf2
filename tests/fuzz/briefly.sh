#!/usr/bin/env bash
# briefly.sh TARGET BUILD SECONDS: the target for so long, from its seeds and its corpus, the same way every time; what it finds
# stays in the build.
set -euo pipefail
target=$1
build=$2
seconds=$3
source=$(cd "$(dirname "$0")" && pwd)
work=$build/briefly/$target
rm -rf "$work"
mkdir -p "$work/corpus"
cp -r "$build/seeds/$target/." "$work/corpus"
if [ -d "$source/corpus/$target" ]; then cp -r "$source/corpus/$target/." "$work/corpus"; fi
timeout=5
if [ "$target" = compile ]; then timeout=60; fi  # the search for scales is slow under the sanitizers
options=(-seed=1 "-max_total_time=$seconds" -rss_limit_mb=1024 "-timeout=$timeout" -max_len=8192 -print_final_stats=1
  "-artifact_prefix=$work/")
if [ -f "$source/dictionaries/$target" ]; then options+=("-dict=$source/dictionaries/$target"); fi
exec "$build/fuzzers/fuzz_$target" "${options[@]}" "$work/corpus"
