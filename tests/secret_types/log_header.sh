#!/usr/bin/env bash
# That spdlog and fmt are included by tools/log.h alone, whose rules hold for all that is logged.
#
#   log_header.sh ROOT
set -euo pipefail
cd "$1"
grep -q '#include <spdlog/spdlog.h>' tools/log.h
others=$(grep -rlE '#include [<"](spdlog|fmt)/' include src tools | grep -v '^tools/log.h$' || true)
sinks=$(grep -hE '#include [<"](spdlog|fmt)/' $others | grep -v '<spdlog/sinks/' || true)
[ -z "$sinks" ] || { echo "spdlog or fmt is included outside tools/log.h: $others"; exit 1; }
for file in $others; do
  grep -q '#include "log.h"' "$file" || { echo "$file has a sink of spdlog's without log.h"; exit 1; }
done
