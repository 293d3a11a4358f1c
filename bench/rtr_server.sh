#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Our RTR server beside StayRTR: the same file, the same client (bench/rtr_server.c), one after the other.
#
#   bench/rtr_server.sh BUILD-FOLDER VRPS.json [CLIENTS]      the crowd that ours is asked by, 200
set -eu
build=$1 json=$(realpath "$2") clients=${3:-200}
work=$(mktemp -d)
ours='' theirs=''
end() {
  for pid in $ours $theirs; do kill "$pid" 2>/dev/null || :; done
  rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { # PORT
  for _ in $(seq 600); do
    python3 -c "import socket; s = socket.create_connection(('127.0.0.1', $1)); s.settimeout(60)
s.send(bytes([1, 2, 0, 0, 0, 0, 0, 8])); d = s.recv(2); raise SystemExit(len(d) < 2 or d[1] != 3)" 2>/dev/null && return 0
    sleep 0.1
  done
  echo "nothing serves port $1" >&2
  exit 1
}
cp "$json" "$work/payloads.json"
# The same with another origin AS for 500 records: 500 come, 500 go.
python3 - "$work/payloads.json" "$work/next.json" <<'PYTHON'
import json
import sys
with open(sys.argv[1]) as f:
    content = json.load(f)
for i, roa in enumerate(content["roas"][::max(1, len(content["roas"]) // 500)][:500]):
    roa["asn"] = 4200000000 + i
with open(sys.argv[2], "w") as f:
    json.dump(content, f)
PYTHON
port=$(free_port)
cat >"$work/waywarden.conf" <<CONF
store = "$work/store"
log-level = "warning"
payload-file "f" { path = "$work/payloads.json"  refresh-interval = 86400 }
rtr-listen "127.0.0.1:$port" { max-clients = 1000 }
CONF
"$build/cli/waywarden" run -c "$work/waywarden.conf" &
ours=$!
wait_for "$port"
change() { echo "cp $work/next.json $work/payloads.json && kill -HUP $1"; }
echo "waywarden:"
"$build/bench/bench_rtr_server" "$port" 1 1 "$ours"
"$build/bench/bench_rtr_server" "$port" 1 1 "$ours"
"$build/bench/bench_rtr_server" "$port" 1 "$clients" "$ours" delta "$(change "$ours")"
kill "$ours"
wait "$ours" || :
ours=
command -v stayrtr >/dev/null || { echo "StayRTR is not installed: nothing to compare with"; exit 0; }
cp "$json" "$work/payloads.json"
port=$(free_port)
stayrtr -bind "127.0.0.1:$port" -cache "$work/payloads.json" -checktime=false -refresh 86400 \
  -metrics.addr "127.0.0.1:$(free_port)" >"$work/stayrtr.log" 2>&1 &
theirs=$!
wait_for "$port"
sleep 5 # until it has collected its garbage
echo "stayrtr:"
"$build/bench/bench_rtr_server" "$port" 1 1 "$theirs"
"$build/bench/bench_rtr_server" "$port" 1 1 "$theirs"
"$build/bench/bench_rtr_server" "$port" 1 1 "$theirs" delta "$(change "$theirs")"
