#!/usr/bin/env bash
# Installs what the project needs from Debian 12's packages. Does nothing where all of it is there.
set -euo pipefail
packages=(
  ca-certificates cmake g++ git ninja-build pkg-config
  libonnx-dev libprotobuf-dev protobuf-compiler libeigen3-dev libssl-dev libcli11-dev libspdlog-dev
  libgtest-dev libbenchmark-dev libhwy-dev libsqlite3-dev libboost-dev libnifti2-dev zlib1g-dev libpng-dev libturbojpeg0-dev
  nlohmann-json3-dev libonnx-testdata valgrind groff-base chromium
  clang-14 libclang-rt-14-dev
)
missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
# These two may be there from elsewhere, as one package: what counts is the commands.
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  echo "these packages are missing; install them as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
