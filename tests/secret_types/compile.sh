#!/usr/bin/env bash
# That a snippet compiles as it stands, and with -DMISUSE does not, for the reason that it names on a line "// expect: ...",
# a regular expression. So neither a wrong include path nor a slip in the snippet counts as a refusal.
#
#   compile.sh SNIPPET COMPILER OPTION...
set -euo pipefail
snippet=$1
shift
expected=$(sed -n 's|^// expect: ||p' "$snippet")
[ -n "$expected" ] || { echo "$snippet does not say what to expect"; exit 1; }
export LC_ALL=C
"$@" -fsyntax-only "$snippet" || { echo "the proper use does not compile"; exit 1; }
if errors=$("$@" -fsyntax-only -DMISUSE "$snippet" 2>&1); then
  echo "the misuse compiles"
  exit 1
fi
if ! grep -qE "error: .*($expected)" <<<"$errors"; then
  printf '%s\nthe misuse does not compile, but not for the reason expected: %s\n' "$errors" "$expected"
  exit 1
fi
# Every error is of this file or of what it instantiates: nothing was missing.
if grep -qE 'fatal error|No such file' <<<"$errors"; then
  printf '%s\n' "$errors"
  exit 1
fi
