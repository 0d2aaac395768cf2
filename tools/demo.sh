#!/usr/bin/env bash
# The whole story on one machine: a model, a scan, three certificates, three processes. Safe to run again; keeps what it
# made in demo/ (the first run trains the demo model, about two minutes). Stops what it started.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_packages.sh
cmake --preset release -DSMPC_TESTS=OFF -B build/demo >/dev/null
cmake --build build/demo -j "$(nproc)" | tail -n 1

bin=$PWD/build/demo/bin
here=$PWD/demo
mkdir -p "$here"
"$bin/smpc-demo-model" "$here/model"
[ -f "$here/identities/client/cert.pem" ] || "$bin/smpc-certs" init "$here/identities"

pids=()
stop_all() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait || true
}
trap stop_all EXIT

# Waits for a line in a daemon's log, and prints what follows "port" in it.
wait_for() {
  local log=$1 text=$2 pid=$3
  for _ in $(seq 600); do
    grep -q "$text" "$log" && { sed -n "s/.*$text.*port \([0-9]*\).*/\1/p" "$log" | head -n 1; return 0; }
    kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; return 1; }
    sleep 0.1
  done
  echo "no '$text' in $log" >&2
  return 1
}

"$bin/smpc-dealer" --listen 127.0.0.1:0 --pool 2 --identity "$here/identities/dealer" --state "$here/state/dealer" >"$here/dealer.log" 2>&1 &
pids+=($!)
dealer_port=$(wait_for "$here/dealer.log" listening "${pids[0]}")
"$bin/smpc-server" --model "$here/model/mlp.onnx" --reveal logits --no-quota --listen 127.0.0.1:0 --dealer "127.0.0.1:$dealer_port" \
  --identity "$here/identities/server" --state "$here/state/server" >"$here/server.log" 2>&1 &
pids+=($!)
server_port=$(wait_for "$here/server.log" listening "${pids[1]}")
wait_for "$here/server.log" ready "${pids[1]}" >/dev/null

echo
"$bin/smpc-client" --image "$here/model/scan.nii.gz" --server "127.0.0.1:$server_port" --dealer "127.0.0.1:$dealer_port" \
  --identity "$here/identities/client" --state "$here/state/client"
