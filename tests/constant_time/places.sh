#!/usr/bin/env bash
# That the places where a secret is declassified are the same in the sources, in docs/SECURITY.md and in this test.
#
#   places.sh ROOT SOURCE...    SOURCE: what CMakeLists.txt compiles with poison
set -euo pipefail
root=$1
shift
cd "$root"
list=$(mktemp -d)
trap 'rm -rf "$list"' EXIT
# One line a place: its name and its source.
sed -n '/^enum class Declassified/,/^}/s/^  \([a-z_]*\),.*/\1/p' include/smpc/base/declassify.h | sort >"$list/named"
grep -roE 'declassify\(Declassified::[a-z_]+' src include tools |
  sed -E 's/^([^:]*):.*::(.*)$/\2 \1/' | sort >"$list/used"
sed -nE 's/^\| `([a-z_]+)` \| `(src\/[^`]+)` \|.*/\1 \2/p' docs/SECURITY.md | sort >"$list/written"
printf '%s\n' "${@#"$root"/}" | sort >"$list/poisoned"
cut -d' ' -f1 "$list/used" >"$list/used_names"
cut -d' ' -f2 "$list/used" | sort -u >"$list/using"
grep -rlE '\bdeclassify\(' src tools | sort >"$list/calling"

failed=0
same() {
  diff "$list/$1" "$list/$2" || { echo "$3"; failed=1; }
}
[ -s "$list/named" ] || { echo "no name found in declassify.h"; failed=1; }
same named used_names "a name of declassify.h is not used exactly once"
same used written "docs/SECURITY.md does not list what the sources declassify"
same using calling "a call of declassify() does not say which place it is"
same using poisoned "tests/constant_time/CMakeLists.txt does not compile exactly the sources that declassify"
exit $failed
