#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ASPA with real daemons: ExaBGP announces paths to FRR or GoBGP, whose BMP goes to Waywarden with ASPAs from a payload
file and a role from its configuration. The verdicts that a station prints are compared with the oracle: at first, after
paths changed, and after ASPAs changed under live routes, when only routes through their customers may be told again.

usage: live_aspa.py frr|gobgp ROLE
"""
import json
import random
import sys

from harness import Lab, check, free_port, need
from oracle import aspa_state, combined, origin_state
from routers import SPEAKER_AS, Frr, Gobgp, Speaker, announcement, withdrawal
from station import Verdicts, lab_pki, start_daemon, start_station, status

kind, role = {"frr": Frr, "gobgp": Gobgp}[sys.argv[1]], sys.argv[2]
need("exabgp")
dice = random.Random(28)
ASES = list(range(64601, 64613))


def make_routes():
    routes = {}
    for i in range(120):
        hops = [dice.choice(ASES) for _ in range(dice.randrange(5))]
        path = [SPEAKER_AS] + [asn for asn in hops for _ in range(dice.choice([1, 1, 1, 3]))]
        if dice.random() < 0.08:
            path += [[64701, 64702]]
        if dice.random() < 0.1:
            path = path[1:] or path
        routes[f"10.{i}.0.0/16" if i % 3 else f"2001:db8:{i + 1:x}::/48"] = path
    return routes


def make_aspas():
    return {c: sorted(dice.sample(ASES + [SPEAKER_AS], dice.randrange(3, 9))) for c in ASES if dice.random() < 0.75}


def payloads(vrps, aspas):
    return json.dumps({"roas": [{"prefix": p, "maxLength": m, "asn": a, "ta": "lab"} for p, m, a in vrps],
                       "aspas": [{"customer_asid": c, "providers": p} for c, p in aspas.items()]})


def last(path):
    return None if isinstance(path[-1], list) else path[-1]


def expected(routes, vrps, aspas):
    out = {}
    for prefix, path in routes.items():
        aspa = aspa_state(aspas, path, role, SPEAKER_AS)
        out[prefix] = (combined(origin_state(vrps, prefix, last(path)), aspa), aspa)
    return out


with Lab() as lab:
    routes, aspas = make_routes(), make_aspas()
    vrps = [(p, int(p.split("/")[1]), last(path) or 64999) for p, path in list(routes.items())[::4]]
    lab.write("payloads.json", payloads(vrps, aspas))
    lab_pki(lab)
    station, station_port = start_station(lab)
    bmp_port = free_port()
    daemon = start_daemon(lab, f"""
payload-file "lab" {{ path = "{lab.path("payloads.json")}"  refresh-interval = 1 }}
bmp-listen "127.0.0.1:{bmp_port}" {{ }}
router "edge" {{ address = "127.0.0.1"  peer "AS{SPEAKER_AS}" {{ role = "{role}" }} }}
""", stations=[("noc", station_port)])
    router = kind(lab, bmp_port)
    speaker = Speaker(lab, router.address, router.asn, router.port)
    speaker.say([announcement(p, path) for p, path in routes.items()])
    verdicts = Verdicts(station)

    def told():
        return {p: (v["state"], v["aspa"]["state"]) for p, v in verdicts.verdicts().items()}

    def settled(what):
        want = expected(routes, vrps, aspas)
        try:
            lab.wait(f"{what}: all {len(want)} verdicts are those of the oracle", lambda: told() == want, 20)
        except AssertionError:
            got = told()
            wrong = [p for p in sorted(set(want) | set(got)) if want.get(p) != got.get(p)]
            print(f"  {len(wrong)} differ")
            for prefix in wrong[:5]:
                print(f"  {prefix}: want {want.get(prefix)}, got {got.get(prefix)}, path {routes.get(prefix)}")
            raise

    settled("first table")
    states = [s for _, s in expected(routes, vrps, aspas).values()]
    counts = {s: states.count(s) for s in ("valid", "invalid", "unknown")}
    check(min(counts.values()) >= 8, f"the table has some of each: {counts}")
    for prefix, v in verdicts.verdicts().items():
        if v["aspa"]["state"] == "invalid" and v["aspa"].get("hops"):
            bad = [h for h in v["aspa"]["hops"] if h.get("failing")]
            check(bad and all(h["provider"] not in aspas[h["customer"]] for h in bad),
                  f"{prefix} names the hops that failed")
            break
    report = status(lab)["routers"][0]
    check(report["aspa"]["invalid"] == counts["invalid"] and report["aspa"]["valid"] == counts["valid"],
          "status counts the same")
    check(report["peers"][0]["role"] == role, "and shows the role")

    # the router's paths change
    for prefix in sorted(routes)[::5]:
        routes[prefix] = [SPEAKER_AS] + [dice.choice(ASES) for _ in range(3)]
    gone = sorted(routes)[1::9]
    speaker.say([announcement(p, routes[p]) for p in sorted(routes)[::5]] + [withdrawal(p) for p in gone])
    for prefix in gone:
        del routes[prefix]
    settled("after new paths and withdrawals")

    # one ASPA changes under live routes, then one goes and one comes
    for change in ("another list", "gone", "new"):
        before, customer, epoch = len(verdicts.changes()), dice.choice(sorted(aspas)), status(lab)["epoch"]
        if change == "another list":
            aspas[customer] = [64650]
        elif change == "gone":
            del aspas[customer]
        else:
            customer = next(c for c in ASES if c not in aspas)
            aspas[customer] = [SPEAKER_AS]
        lab.write("payloads.json", payloads(vrps, aspas))
        lab.wait("the file was read", lambda: status(lab)["epoch"] > epoch)  # not every change changes a state
        settled(f"after an ASPA of AS{customer}: {change}")
        again = verdicts.changes()[before:]
        check(all(v["trigger"] == "dataset" and customer in v["as_path"] for v in again),
              f"only routes through it were told again: {len(again)}")
    check(daemon.stop() == 0, "the daemon stops cleanly")
