#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# BMP in -> verdict -> BMPS out: a router at full speed, the daemon with the synthetic payload set, and a station that
# counts, over TLS 1.3 with mutual authentication. Prints routes/s from the first octet sent to the last verdict heard.
#
#   bench/e2e.sh BUILD_DIR [PER_UPDATE...]        (default 20 and 1 routes an UPDATE)
#
# Data: bench/gen_vrps.py, into $WW_BENCH_DATA or a scratch folder. CPUS=0,1 (default) pins everything to two cores.
set -eu
build=${1:?usage: bench/e2e.sh BUILD_DIR [PER_UPDATE...]}
shift
[ $# -gt 0 ] || set -- 20 1
here=$(cd "$(dirname "$0")" && pwd)
ww=$(cd "$build" && pwd)/cli/waywarden
feeder=$(cd "$build" && pwd)/bench/bench_bmp_feeder
dir=$(mktemp -d /tmp/ww-e2e.XXXXXX)
pids=
finish() {
  for pid in $pids; do kill "$pid" 2>/dev/null || :; done
  for pid in $pids; do wait "$pid" 2>/dev/null || :; done
  rm -rf "$dir"
}
trap finish EXIT INT TERM

data=${WW_BENCH_DATA:-$dir}
if [ ! -f "$data/vrps.json" ]; then
  echo "making 700,000 VRPs and 1,000,000 routes" >&2
  (cd "$data" && python3 "$here/gen_vrps.py" -o vrps >/dev/null)
fi
pin="taskset -c ${CPUS:-0,1}"
cd "$dir"
"$ww" pki init pki >/dev/null
"$ww" pki issue pki station --ip 127.0.0.1 >/dev/null
"$ww" pki issue pki sidecar >/dev/null

# The value of a number in one line of JSON.
field() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1" | head -1; }

for per_update in "$@"; do
  rm -f station.err daemon.err feeder.out status.json # what the round before left would be read as this one's
  $pin "$ww" station --discard --listen 127.0.0.1:0 --cert pki/station.pem --key pki/station.key --ca pki/ca.pem \
    >station.out 2>station.err &
  station=$!
  pids="$pids $station"
  until grep -qs listening station.err; do sleep 0.1; done
  port=$(sed -n 's/.*127.0.0.1:\([0-9]*\) .*/\1/p' station.err | head -1)
  cat >waywarden.conf <<CONF
store = "$dir/store"
control = "$dir/control.sock"
payload-file "synthetic" { path = "$data/vrps.json" }
bmp-listen "127.0.0.1:0" { }
station "bench" { host = "127.0.0.1" port = $port certificate = "pki/sidecar.pem" key = "pki/sidecar.key" ca = "pki/ca.pem" }
CONF
  $pin "$ww" run -c waywarden.conf 2>daemon.err &
  daemon=$!
  pids="$pids $daemon"
  until grep -qs ' ready: ' daemon.err; do
    kill -0 "$daemon" 2>/dev/null || { cat daemon.err >&2; exit 1; }
    sleep 0.1
  done
  bmp=$(sed -n 's/.*BMP: listening on 127.0.0.1:\([0-9]*\).*/\1/p' daemon.err)
  loaded=$(awk '{print $14 + $15}' "/proc/$daemon/stat")
  mkfifo "hold.$per_update"
  sleep 1000 >"hold.$per_update" &
  hold=$!
  pids="$pids $hold"
  $pin "$feeder" 127.0.0.1 "$bmp" "$data/vrps-routes.csv" "$per_update" <"hold.$per_update" >feeder.out &
  pids="$pids $!"
  # Done when every route has been judged and the station's session has nothing left to say.
  until "$ww" status --control control.sock --json >status.json 2>/dev/null &&
    [ -n "$(field feeder.out routes)" ] && [ "$(field status.json nlri)" -ge "$(field feeder.out routes)" ]; do
    sleep 0.25
  done
  "$ww" status --control control.sock >&2
  ticks=$(awk '{print $14 + $15}' "/proc/$daemon/stat")
  rss=$(awk '/VmHWM/ {print $2}' "/proc/$daemon/status")
  kill "$daemon"
  wait "$daemon" || :
  sleep 0.5
  kill "$station"
  wait "$station" || :
  kill "$hold" 2>/dev/null || :
  awk -v per="$per_update" -v routes="$(field station.out routes)" -v seconds="$(field station.out seconds)" \
    -v bytes="$(field station.out bytes)" -v messages="$(field station.out messages)" -v rss="$rss" \
    -v ticks="$((ticks - loaded))" -v hz="$(getconf CLK_TCK)" -v resyncs="$(field status.json resyncs)" \
    -v in_bytes="$(field feeder.out bytes)" \
    'BEGIN { printf "%d routes an UPDATE: %d routes out, %.0f MB in, %.0f MB out, %.2f s: %.0f routes/s; %.0f a second of daemon CPU, peak %.0f MB, resyncs %d\n",
      per, routes, in_bytes / 1e6, bytes / 1e6, seconds, routes / seconds, routes * hz / ticks, rss / 1024, resyncs }'
done
