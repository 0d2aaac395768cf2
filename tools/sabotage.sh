#!/usr/bin/env bash
# tools/sabotage.sh [FAULT...]: shows that the tests work. Builds the code with faults that can be switched on
# (include/smpc/base/sabotage.h), all of them unless told otherwise. For each one it runs tests of the ordinary suite that
# should notice it, and prints those that did. They must pass without a fault. Exit code 1 if a fault went unnoticed.
# build/sabotage/sabotage.tsv holds a line a fault: commit, fault, the tests that noticed it.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/sabotage
targets=(privacy_test protocol_test runtime_test crypto_test correlation_test service_test faults_test tools_test
  smpc_constant_time)
table=$build/sabotage.tsv

# What each fault is shown to: some fast tests of the claim that it breaks.
faults=(zero-masks fixed-seed bundle-reused half-width-mask spend-after-sending weight-in-a-frame branch-on-zeros
  truncation-rounding)
shown_to() {
  case $1 in
    zero-masks) echo '^(Privacy|Cryptflow2Privacy|MaskedPrivacy|MaskedWeights)\.' ;;
    fixed-seed) echo '^(Random|Privacy|DealerPool)\.|^Correlations\.TwoBundles' ;;
    bundle-reused) echo '^(Bundle|StateFolder|StoredBundles|Restore)\.' ;;
    half-width-mask) echo '^(Privacy|Cryptflow2Privacy|MaskedPrivacy)\.' ;;
    spend-after-sending) echo '^Privacy\.|fault_35_PowerLost/CrashMatrix\..*/client_before' ;;
    weight-in-a-frame) echo '^(Canary|MaskedWeights)\.' ;;
    branch-on-zeros) echo '^ConstantTime\.(ProductsOnEveryTarget|ALargeMap|Inference)' ;;
    truncation-rounding) echo '/(Shift|TwoParty)\.|^Inference\.The' ;;
    *) echo "tools/sabotage.sh: expected one of ${faults[*]}, found $1" >&2 && return 2 ;;
  esac
}
chosen=("${@:-${faults[@]}}")
for fault in "${chosen[@]}"; do shown_to "$fault" >/dev/null; done

cmake --preset sabotage >/dev/null
cmake --build --preset sabotage -j "$(nproc)" --target "${targets[@]}"

# Runs what matches; the names of the tests that failed, one a line, stand in $build/failed afterwards.
log=$build/Testing/Temporary/LastTestsFailed.log
run() {
  rm -f $log
  local code=0
  ctest --test-dir $build -j "$(nproc)" --no-tests=error -R "$1" >$build/sabotage.log 2>&1 || code=$?
  : >$build/failed
  if [ -f $log ]; then sed -E 's/^[0-9]+://; s/ *#.*//' $log >$build/failed; fi
  return $code
}

# A wrong name stops a process, and says what there is.
known=$({ SMPC_SABOTAGE=none $build/bin/smpc-dealer --version 2>&1 || true; } 2>/dev/null |
  sed -n 's/.*one of \(.*\), found none$/\1/p')
if [ "$known" != "${faults[*]}" ]; then
  echo "tools/sabotage.sh: expected a build with the faults ${faults[*]}, found ${known:-none}" >&2
  exit 1
fi
if ! run "$(for fault in "${chosen[@]}"; do shown_to "$fault"; done | paste -sd'|')|^Sabotage\."; then
  echo "no fault: expected every test to pass, found failures; see $build/sabotage.log" >&2
  cat $build/failed >&2
  exit 1
fi
echo "no fault: $(sed -n 's/^100% tests passed, .* out of \([0-9]*\)$/all \1 tests pass/p' $build/sabotage.log)"

commit=$(git describe --always --dirty --abbrev=10)
printf 'commit\tfault\tnoticed by\n' >$table
unnoticed=0
for fault in "${chosen[@]}"; do
  SMPC_SABOTAGE=$fault run "$(shown_to "$fault")" || true
  noticed=$(sed ':a;N;$!ba;s/\n/, /g' $build/failed)
  printf '%s\t%s\t%s\n' "$commit" "$fault" "$noticed" >>$table
  echo "$fault: ${noticed:-not noticed}"
  if [ -z "$noticed" ]; then unnoticed=1; fi
done
exit $unnoticed
