#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Bulk answers of `waywarden check --batch`: a million routes as NDJSON over 700,000 VRPs and 100,000 ASPAs, origins alone
# and paths of 6 ASes, answered in words and as JSON with all evidence. Loading is measured by itself, with one route,
# and taken off. Each figure is the best of ROUNDS runs by wall clock, and of all runs by CPU time.
#
#   bench/check_batch.sh BUILD-FOLDER VRPS.json VRPS-routes.csv [ROUTES] [ROUNDS]
set -eu
here=$(dirname "$0")
waywarden=$(realpath "$1")/cli/waywarden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
python3 "$here/gen_batch.py" "$3" "$work/batch" "${4:-1000000}"
python3 - "$waywarden" "$work/batch" "$(realpath "$2")" "${5:-3}" <<'PYTHON'
import os
import resource
import subprocess
import sys
import time

waywarden, base, vrps, rounds = sys.argv[1:4] + [int(sys.argv[4])]


def run(routes, json):
    command = [waywarden, "check", "--batch", routes, "--payloads", vrps, "--payloads", base + "-aspas.json"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command + ["--json"] * json, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def best(routes, json):
    return [min(times) for times in zip(*(run(routes, json) for _ in range(rounds)))]


print("processors: %d, load: %.1f" % (os.cpu_count(), os.getloadavg()[0]))
for name in "-origin", "":
    routes = base + name + ".ndjson"
    with open(routes) as f, open(base + "-one", "w") as one:
        one.write(f.readline())
        count = 1 + sum(1 for _ in f)
    loading = best(base + "-one", False)
    for json in False, True:
        wall, cpu = (all - load for all, load in zip(best(routes, json), loading))
        print("%-8s %-6s %8.0f k/s by wall clock; %.2f us CPU a route, which is %.0f k/s on 2 cores" %
              ("origins" if name else "paths", "--json" if json else "words", count / wall / 1e3, cpu / count * 1e6,
               count / cpu * 2 / 1e3))
PYTHON
