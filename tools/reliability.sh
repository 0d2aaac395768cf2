#!/usr/bin/env bash
# tools/reliability.sh: runs every test there is, in all builds, the sabotaged one included, then load and overload, and
# writes docs/RELIABILITY.md: what was tried how often, and what failed. Under two hours on two cores. Of the fuzz targets,
# which run here for ten seconds each, it quotes the last hour-long run (docs/reliability/fuzzing.tsv; tools/fuzz.sh writes
# build/fuzz/logs/runs.tsv, from where newer ones are taken over). Exit code 1 if anything failed.
set -euo pipefail
cd "$(dirname "$0")/.."
rows=72  # of the list of faults
out=build/reliability
page=docs/RELIABILITY.md
quoted=docs/reliability/fuzzing.tsv
jobs=$(nproc)
commit=$(git describe --always --dirty --abbrev=10)
date=$(date -u +%Y-%m-%d)
began=$SECONDS
failed=0
rm -rf $out
mkdir -p $out

tools/install_packages.sh
for preset in sanitize thread fuzz release; do
  echo "== $preset"
  options=()
  if [ $preset = release ]; then options=(-DSMPC_BENCH=ON); fi
  if [ $preset = thread ]; then options=(-DSMPC_QUICK=OFF); fi  # tools/test.sh may have set it
  cmake --preset $preset "${options[@]}" >/dev/null
  cmake --build --preset $preset -j "$jobs" >$out/$preset.build
  filter=()
  if [ $preset = sanitize ]; then filter=(--label-exclude e2e); fi
  if [ $preset = release ]; then filter=(--label-exclude instructions); fi  # counts of a build of its own
  ctest --preset $preset -j "$jobs" "${filter[@]}" --output-junit "$PWD/$out/$preset.xml" >$out/$preset.log 2>&1 || failed=1
  tail -n 3 $out/$preset.log
done
echo "== sabotage"
tools/sabotage.sh || failed=1
echo "== load"
build/release/bin/smpc_bench_load >$out/load.md 2>$out/load.err || failed=1

# A number of a testsuite.
suite() { grep -m1 -oP "^\s*$2=\"\K\d+" "$out/$1.xml"; }
# name<TAB>run|fail|notrun, a line a test.
tests() { sed -nE 's/.*<testcase name="([^"]*)".* status="([a-z]*)".*/\1\t\2/p' "$out/$1.xml" | sed 's/  *# GetParam.*\t/\t/'; }
# The numbers that tests print in such a line, added up.
sum() { { grep -hoP "$1" $out/release.xml || true; } | awk '{n += $1} END {print n + 0}'; }
# "at most" for no failure in n trials, with 95 % confidence (the rule of three: 1 - (1 - p)^n = 0.95 for p = 3/n).
bound() { if [ "$2" = 0 ] && [ "$1" -gt 0 ]; then awk -v n="$1" 'BEGIN {printf "%.1e", 3 / n}'; else echo '-'; fi; }
figure() { printf '| %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$3" "$(bound "$2" "$3")" "$commit" "$date"; }
# "## TITLE" and then "C clients at once, N inferences in S s: R right, W wrong, F without a result"
loaded() {
  local n wrong
  read -r n wrong < <(sed -nE "/^## $2/,/^##/s/.* at once, ([0-9]+) inferences in .* ([0-9]+) wrong, ([0-9]+) without.*/\1 \2 \3/p" \
    $out/load.md | awk '{print $1, $2 + $3}') || true
  figure "$1" "${n:-0}" "${wrong:-0}"
}

if [ -f build/fuzz/logs/runs.tsv ]; then
  awk -F'\t' 'NR > 1 && $4 >= 3600 && $7 == "clean"' build/fuzz/logs/runs.tsv >>$quoted
  { head -n 1 $quoted; tail -n +2 $quoted | sort | awk -F'\t' '{last[$3] = $0} END {for (t in last) print last[t]}' | sort -t$'\t' -k3,3; } >$out/quoted
  mv $out/quoted $quoted
fi

{
  echo "# Reliability"
  echo
  echo "Written by \`tools/reliability.sh\` on $date at commit $commit, in @MINUTES@ minutes. \"At most\" is what the rule of three"
  echo "makes of no failure in n trials: 3/n, with 95 % confidence, for trials like these."
  echo
  echo "| what | trials | failures | at most | commit | date |"
  echo "|---|---|---|---|---|---|"
  loaded "inferences of a small MLP, 64 clients at once: every logit is the interpreter's" "A small"
  loaded "inferences of the demonstration model, 64 clients at once: every logit is the interpreter's" "The demo"
  read -r asked clear < <(sed -nE 's/^([0-9]+) clients at the same moment.* ([0-9]+) let in, of whom ([0-9]+) learned.* ([0-9]+) told.*/\1 \3 \4/p' \
    $out/load.md | awk '{print $1, $2 + $3}') || true
  figure "clients at ten times the cap: a right result or a clear refusal, and no bundle lost" "${asked:-0}" $((${asked:-0} - ${clear:-0}))
  crashed=$(tests release | grep -c 'CrashMatrix.*fail$' || true)
  figure "kills and power losses, before and after each durable step of each party: the right result and balanced journals afterwards" \
    "$(sum ': killed at each of \K\d+(?= durable)')" "$crashed"
  figure "full disks, at different sizes, of each party" "$(sum ': a full disk at each of \K\d+(?= sizes)')" \
    "$(tests release | grep -c 'fault_32.*fail$' || true)"
  figure "syncs that fail, from each one on, of each party" "$(sum ': syncs fail from each of \K\d+(?= on)')" \
    "$(tests release | grep -c 'fault_33.*fail$' || true)"
  for preset in sanitize thread fuzz release; do
    case $preset in
      sanitize) what="tests under ASan and UBSan" ;;
      thread) what="tests under TSan" ;;
      fuzz) what="fuzz targets and inputs that broke something once, ten seconds each" ;;
      release) what="tests as shipped, three processes, browser and memcheck included" ;;
    esac
    skipped=$(($(suite $preset skipped) + $(suite $preset disabled)))
    figure "$what$([ $skipped = 0 ] || echo " ($skipped more skipped)")" $(($(suite $preset tests) - skipped)) "$(suite $preset failures)"
  done
  echo
  echo "Comparison, ReLU and truncation at 8 bits are tried on all 65,536 pairs of shares, for each shift and in both suites"
  echo "(\`Shift.\`); that is all there are, so it leaves nothing to chance."

  echo
  echo "## Faults"
  echo
  echo "| fault | tests | passed | names |"
  echo "|---|---|---|---|"
  tests release >$out/all
  untested=()
  for row in $(seq -w 1 $rows); do
    grep -E "fault_${row}_" $out/all >$out/row || true
    if [ ! -s $out/row ]; then
      untested+=("$row")
      continue
    fi
    names=$(cut -f1 $out/row | sed -E 's/.*(fault_[0-9]+_[A-Za-z0-9]*\/?[A-Za-z]*\.?[A-Za-z]*).*/\1/' | sort -u | sed 's/.*/`&`/' | paste -sd' ')
    printf '| %s | %s | %s | %s |\n' "$row" "$(wc -l <$out/row)" "$(grep -c 'run$' $out/row || true)" "$names"
  done

  echo
  echo "## Sabotaged builds"
  echo
  echo "Each fault that was put into the code on purpose, and the tests that noticed it ([TESTING.md](TESTING.md))."
  echo
  echo "| fault | noticed by | commit | date |"
  echo "|---|---|---|---|"
  tail -n +2 build/sabotage/sabotage.tsv | while IFS=$'\t' read -r at fault noticed; do
    count=$(tr ',' '\n' <<<"$noticed" | grep -c . || true)
    echo "| \`$fault\` | $count test$([ "$count" = 1 ] || echo s)$([ "$count" = 0 ] || echo ", ${noticed%%,*} among them") | $at | $date |"
  done

  echo
  echo "## Fuzzing"
  echo
  echo "The last run of about an hour, or more, of each target, and no finding. \"At most\" is for an input like those it tried."
  echo
  echo "| target | seconds | executions | edges | result | at most | commit | date |"
  echo "|---|---|---|---|---|---|---|---|"
  tail -n +2 $quoted | while IFS=$'\t' read -r started at target seconds executions edges result; do
    echo "| \`$target\` | $seconds | $executions | $edges | $result | $(bound "$executions" 0) | $at | ${started%%T*} |"
  done
  for t in tests/fuzz/*.cc; do
    t=$(basename "$t" .cc)
    [ "$t" = make_seeds ] || cut -f3 $quoted | grep -qx "$t" || echo "| \`$t\` | - | - | - | has not had its hour | - | - | - |"
  done

  echo
  awk 'BEGIN {print "## Load\n\n```"} /^## / && !done {print "```\n"; done = 1} {sub(/^## /, "### ")} 1' $out/load.md

  echo
  echo "## Not tested"
  echo
  for row in "${untested[@]}"; do echo "- Fault $row of the list has no test of its own."; done
  awk '/<testcase/ {split($0, a, "\""); name = a[2]} /<skipped/ {print "- Skipped here: `" name "`."}' $out/release.xml | sort -u
  cat docs/reliability/not_tested.md
} >$page
sed -i "s/@MINUTES@/$(((SECONDS - began) / 60))/" $page
if [ $failed != 0 ]; then echo "tools/reliability.sh: something failed; see $out" >&2; fi
exit $failed
