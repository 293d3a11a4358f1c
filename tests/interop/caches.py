#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Several StayRTR caches with different data: union, failover to the reserve, and back, without an epoch in which anything
is missing that both sides of a switch have."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import WAYWARDEN, Lab, check, free_port, need  # noqa: E402
from station import start_daemon, start_stayrtr  # noqa: E402

need("stayrtr")
COMMON = [(f"10.{i}.0.0/16", 16, 64500 + i) for i in range(40)]
ONLY = {"a": [("192.0.2.0/24", 24, 65001)], "b": [("198.51.100.0/24", 24, 65002)], "r": [("203.0.113.0/24", 24, 65003)]}


def write(lab, name):
    roas = [{"prefix": p, "maxLength": m, "asn": a, "ta": "lab"} for p, m, a in COMMON + ONLY[name]]
    lab.write(name + ".json", json.dumps({"metadata": {"buildtime": "2026-01-01T00:00:00Z"}, "roas": roas}))


def sources(lab):
    done = subprocess.run([WAYWARDEN, "sources", "--control", lab.path("control.sock"), "--json"], capture_output=True,
                          text=True, timeout=30)
    if done.returncode not in (0, 4):  # 4: not ready yet
        raise AssertionError(done.stderr)
    return {s["name"]: s for s in json.loads(done.stdout)}


def active(lab):
    return "".join(sorted(n for n, s in sources(lab).items() if s["active"]))


def states(lab):
    """Which of the three own prefixes are valid, as `check` sees it in the store."""
    out = ""
    for name, ((prefix, _, asn),) in ONLY.items():
        verdict = json.loads(lab.run(WAYWARDEN, "check", prefix, str(asn), "--store", lab.path("store"), "--json"))
        out += name if verdict["state"] == "valid" else ""
    return out


with Lab() as lab:
    ports, caches = {}, {}
    for name in ONLY:
        write(lab, name)
        caches[name], ports[name] = start_stayrtr(lab, name + ".json")
    daemon = start_daemon(lab, f'''
log-level = "debug"
failover-delay = 2
bmp-listen "127.0.0.1:{free_port()}" {{ }}
rtr-cache "a" {{ host = "127.0.0.1" port = {ports["a"]} max-version = 1 preference = 1 }}
rtr-cache "b" {{ host = "127.0.0.1" port = {ports["b"]} max-version = 1 preference = 1 }}
rtr-cache "r" {{ host = "127.0.0.1" port = {ports["r"]} max-version = 1 preference = 9 }}
''')
    lab.wait("all three have data, the first two are used", lambda: active(lab) == "ab" and sources(lab)["r"]["complete"], 30)
    check(states(lab) == "ab", "their union is in force, the reserve is not")
    a = sources(lab)["a"]
    check((a["missing"], a["extra"]) == (1, 1) and a["diverges_since"], "and their divergence is counted")
    caches["a"].stop()
    lab.wait("a is lost: b serves", lambda: active(lab) == "b", 30)
    check(states(lab) == "b", "with its data")
    caches["b"].stop()
    lab.wait("b is lost, too: the reserve serves", lambda: active(lab) == "r", 30)
    check(states(lab) == "r", "with its data")
    # back: StayRTR on the same port
    port = ports["b"]
    lab.start("stayrtr-b2", "stayrtr", "-bind", f"127.0.0.1:{port}", "-cache", "b.json", "-checktime=false", "-metrics.addr",
              f"127.0.0.1:{free_port()}", "-refresh", "600")
    lab.wait("b is back and serves again", lambda: active(lab) == "b", 60)
    check(states(lab) == "b", "with its data")
    before = [e for e in json.loads(lab.run(WAYWARDEN, "history", "--store", lab.path("store"), "--limit", "0", "--json"))]
    check([e["cause"] for e in before].count("failover") >= 3, "the history has the switches")
    check(all(e["vrps_ipv4"] >= len(COMMON) + 1 for e in before), "in no epoch was anything missing")
    daemon.stop()
