#!/usr/bin/env bash
# One case of smpc_constant_time on valgrind.
#
#   memcheck.sh clean|leak BINARY CASE
#
# Exit codes: 0 memcheck reported nothing (clean), or a jump or an address that depends on a secret (leak); 77 it cannot be
# run here (skipped); else the test failed.
set -euo pipefail
expected=$1
binary=$2
name=$3
reported=99
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed (apt-get install valgrind)"; exit 77; }
grep -q avx2 /proc/cpuinfo || { echo "skipped: this processor has no AVX2"; exit 77; }
code=0
log=$(valgrind --quiet --error-exitcode=$reported --track-origins=yes "$binary" "$name" 2>&1) || code=$?
echo "$log"
{ [ "$expected" = leak ] && [ $code -ne 77 ]; } || exit $code
# Any other report is not the one that was meant.
[ $code -eq $reported ] || { echo "expected memcheck to report the leak, found exit code $code"; exit 1; }
grep -Eq 'depends on uninitialised value|Use of uninitialised value' <<<"$log"
