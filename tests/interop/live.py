#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The main job with real daemons: StayRTR says what the RPKI says, ExaBGP announces to FRR or GoBGP, whose BMP goes to
Waywarden, whose verdicts go to a station over mutual TLS. Every verdict is compared with the oracle: at first, after
routes changed, after the payloads changed under live routes, and after the peer went down.

usage: live.py frr|gobgp
"""
import ipaddress
import json
import random
import signal
import sys

from harness import Lab, check, free_port, need
from oracle import origin_state, overall
from routers import SPEAKER_AS, Frr, Gobgp, Speaker, announcement, withdrawal
from station import Verdicts, lab_pki, start_daemon, start_station, start_stayrtr, status

kind = {"frr": Frr, "gobgp": Gobgp}[sys.argv[1]]
need("stayrtr", "exabgp")
dice = random.Random(6811)


def make_vrps():
    vrps = []
    for i in range(60):
        length = dice.choice([16, 20, 22, 24])
        vrps.append((f"{10 + i}.{dice.randrange(256)}.0.0/16" if length == 16 else
                     f"{10 + i}.{dice.randrange(256)}.{dice.randrange(16) * 16}.0/{max(length, 20)}"
                     if length <= 20 else f"{10 + i}.1.{dice.randrange(64) * 4}.0/{length}",
                     min(24, length + dice.choice([0, 0, 4, 8])), dice.choice([0, 64500 + i, 4200000000 + i])))
        vrps.append((f"2001:db8:{i:x}::/48", dice.choice([48, 56, 64]), 64500 + i))
    return [(str(ipaddress.ip_network(p, strict=False)), max(m, int(p.split("/")[1])), a) for p, m, a in vrps]


def make_routes(vrps):
    routes = {}
    for prefix, _, asn in vrps:
        net = ipaddress.ip_network(prefix)
        top = 24 if net.version == 4 else 64
        for length in {net.prefixlen, min(net.prefixlen + 2, top)}:
            sub = next(net.subnets(new_prefix=length)) if length > net.prefixlen else net
            origin = asn if asn and dice.random() < 0.6 else 65500
            path = [SPEAKER_AS] + [dice.randrange(1000, 64000) for _ in range(dice.randrange(4))] + [origin] * dice.choice([1, 1, 3])
            if dice.random() < 0.1:
                path = path[:-1] + [[origin, origin + 1]]
            routes[str(sub)] = path
    for i in range(20):
        routes[f"203.{i}.113.0/24"] = [SPEAKER_AS, 65400 + i]
    return routes


def expected(routes, vrps):
    out = {}
    for prefix, path in routes.items():
        origin = None if isinstance(path[-1], list) else path[-1]
        out[prefix] = overall(origin_state(vrps, prefix, origin))
    return out


def stayrtr_file(vrps):
    return json.dumps({"metadata": {"buildtime": "2026-01-01T00:00:00Z"},
                       "roas": [{"prefix": p, "maxLength": m, "asn": a, "ta": "lab"} for p, m, a in vrps]})


with Lab() as lab:
    vrps = make_vrps()
    routes = make_routes(vrps)
    lab.write("vrps.json", stayrtr_file(vrps))
    cache, rtr_port = start_stayrtr(lab, "vrps.json")
    lab_pki(lab)
    station, station_port = start_station(lab)
    bmp_port = free_port()
    daemon = start_daemon(lab, f"""
rtr-cache "main" {{ host = "127.0.0.1"  port = {rtr_port} }}
bmp-listen "127.0.0.1:{bmp_port}" {{ }}
""", stations=[("noc", station_port)])
    router = kind(lab, bmp_port)
    speaker = Speaker(lab, router.address, router.asn, router.port)
    speaker.say([announcement(p, path) for p, path in routes.items()])
    verdicts = Verdicts(station)

    def settled(what):
        want = expected(routes, vrps)
        try:
            lab.wait(f"{what}: all {len(want)} verdicts are those of RFC 6811", lambda: verdicts.states() == want, 20)
        except AssertionError:
            got = verdicts.states()
            wrong = [p for p in sorted(set(want) | set(got)) if want.get(p) != got.get(p)]
            print(f"  {len(wrong)} differ")
            for prefix in wrong[:5]:
                print(f"  {prefix}: want {want.get(prefix)}, got {got.get(prefix)}, path {routes.get(prefix)}")
            raise

    settled("first table")
    counts = {s: list(expected(routes, vrps).values()).count(s) for s in ("valid", "invalid", "unknown")}
    check(min(counts.values()) >= 10, f"the table has some of each: {counts}")

    # the router's routes change
    gone = sorted(routes)[::9]
    moved = [p for p in sorted(routes)[1::7] if p not in gone]
    for prefix in gone:
        del routes[prefix]
    for prefix in moved:
        routes[prefix] = [SPEAKER_AS, 3356, 64999]
    speaker.say([withdrawal(p) for p in gone] + [announcement(p, routes[p]) for p in moved])
    settled("after withdrawals and new paths")

    # the payloads change under live routes
    before = len(verdicts.changes())
    flipped = vrps[5][0]
    vrps = [v for i, v in enumerate(vrps) if i % 10 != 5] + [("203.0.0.0/12", 24, 65403)]
    lab.write("vrps.json", stayrtr_file(vrps))
    cache.send(signal.SIGHUP)
    settled("after a delta of the cache")
    check(any(c.get("trigger") == "dataset" for c in verdicts.changes()[before:]), "changes say that the data caused them")

    report = status(lab)
    source = report["sources"][0]
    check(source["state"] == "established" and source["records"] > 0, "status shows the cache in step")

    # the peer goes away
    speaker.process.stop()
    lab.wait("peer down empties the station's view", lambda: verdicts.states() == {}, 60)
    check(daemon.alive(), "the daemon is still there")
    check(daemon.stop() == 0, "the daemon stops cleanly")
    lab.wait("the station saw Termination", lambda: any(m.get("type") == "termination" for m in verdicts.messages()), 10)
