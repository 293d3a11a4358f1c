#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Signed routes through the whole program: UPDATEs of the vectors in a BMP feed, router keys from a payload file, verdicts
at a station and over the control socket. Then a key goes, and comes back, under live routes."""
import json
import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "interop"))
import bmpgen  # noqa: E402
from harness import WAYWARDEN, Lab, check, free_port  # noqa: E402
from station import Verdicts, lab_pki, start_daemon, start_station, status  # noqa: E402

PEER = bmpgen.Peer("192.0.2.1", 65536, local_as=65537)


def group(name, number=0):
    with open(os.path.join(HERE, "..", "..", "vectors", "bgpsec", name + ".json")) as f:
        return json.load(f)["groups"][number]


def plain(g):
    """Valid ones of the common session."""
    return [bytes.fromhex(t["input"]["update"]) for t in g["tests"]
            if t["expect"]["state"] == "valid" and set(t["input"]) <= {"update", "peer_as", "local_as"}
            and t["input"]["peer_as"] == 65536 and t["input"]["local_as"] == 65537]


def prefix_of(update):
    """Family, length and bits of what MP_REACH_NLRI announces; trailing bits may be set on the wire."""
    at = 23
    while at < len(update):
        flags, code = update[at], update[at + 1]
        long = bool(flags & 0x10)
        length = int.from_bytes(update[at + 2:at + 4], "big") if long else update[at + 2]
        value = update[at + 3 + long:at + 3 + long + length]
        if code == 14:
            octets = value[5 + value[3]:]
            return value[:3], octets[0], int.from_bytes(octets[1:], "big") >> -octets[0] % 8
        at += 3 + long + length
    raise AssertionError("no MP_REACH_NLRI")


def payloads(keys):
    return json.dumps({"metadata": {"buildtime": "2026-01-01T00:00:00Z"}, "roas": [], "bgpsec_keys": [
        {"asn": k["asn"], "ski": k["SKI"], "pubkey": k["routerPublicKey"], "ta": "lab"} for k in keys]}, indent=1)


rfc, others = group("rfc"), group("prefixes")
with Lab() as lab:
    keys = rfc["payloads"]["routerKeys"] + others["payloads"]["routerKeys"]
    lab.write("payloads.json", payloads(keys))
    lab_pki(lab)
    station, station_port = start_station(lab)
    bmp_port = free_port()
    daemon = start_daemon(lab, f"""
payload-file "lab" {{ path = "{lab.path("payloads.json")}"  refresh-interval = 1 }}
bmp-listen "127.0.0.1:{bmp_port}" {{ }}
router "edge1" {{ address = "127.0.0.1"  peer "AS65536" {{ role = "customer"  allow-pcount-0 = false }} }}
""", stations=[("noc", station_port)])
    signed = list({prefix_of(u): u for u in plain(others) + plain(rfc)[:2]}.values())
    touched = signed.pop(0)
    touched = touched[:-1] + bytes([touched[-1] ^ 1])
    router = socket.create_connection(("127.0.0.1", bmp_port))
    router.sendall(bmpgen.initiation("edge1") + PEER.up() + b"".join(PEER.route(u) for u in signed + [touched]) +
                   PEER.route(bmpgen.update(["100.64.7.0/24"], [65536, 64496])))
    verdicts = Verdicts(station)

    def states():
        table = {}
        for v in verdicts.verdicts().values():
            table.setdefault((v["bgpsec"]["state"], v["bgpsec"].get("reason")), []).append(v)
        return table

    def counts():
        return {k: len(v) for k, v in states().items()}

    want = {("valid", "none"): len(signed), ("invalid", "bad-signature"): 1, ("not-evaluated", None): 1}
    try:
        lab.wait(f"the station has {want}", lambda: counts() == want, 20)
    except AssertionError:
        print("got", counts())
        raise
    for v in states()["valid", "none"]:
        skis = {s["ski"] for s in v["bgpsec"]["segments"]}
        rules = [r for r in v["rules"] if r["kind"] == "router-key"]
        check(v["state"] == "valid" and {r["ski"] for r in rules} == skis and
              all(r["state"] == "valid" and r["source"] == "lab" for r in rules) and v["as_path"][0] == 65536,
              f"{v['prefix']}: {len(rules)} router keys made it valid, by the path {v['as_path']}")
    bad = states()["invalid", "bad-signature"][0]
    check(bad["state"] == "invalid" and any(s["state"] == "bad" for s in bad["bgpsec"]["segments"]) and
          any(r["kind"] == "router-key" and r["state"] == "invalid" and r["why"] == "bad-signature" for r in bad["rules"]),
          f"{bad['prefix']}: the signature that fails, and its key")
    report = status(lab)["routers"][0]["bgpsec"]
    check((report["valid"], report["invalid"], report["not_evaluated"]) == (len(signed), 1, 1), "status counts the same")

    told = json.loads(lab.run(WAYWARDEN, "explain", "--control", lab.path("control.sock"), "--json", bad["prefix"]))
    text = json.dumps(told)
    check('"bad-signature"' in text and '"segments"' in text, "explain shows the same")

    # a key goes and comes back: only what was signed with it is told again
    gone = rfc["payloads"]["routerKeys"][0]
    for keep, outcome in ((False, ("invalid", "no-key")), (True, ("valid", "none"))):
        before = len(verdicts.changes())
        lab.write("payloads.json", payloads([k for k in keys if keep or k is not gone]))
        want = {("valid", "none"): len(signed) - (0 if keep else 2), ("invalid", "bad-signature"): 1,
                ("not-evaluated", None): 1}
        if not keep:
            want["invalid", "no-key"] = 2
        lab.wait(f"then it has {want}", lambda: counts() == want, 20)
        again = verdicts.changes()[before:]
        check(len(again) == 2 and all(v["trigger"] == "dataset" and
                                      (v["bgpsec"]["state"], v["bgpsec"]["reason"]) == outcome for v in again),
              "two routes were told again, and no others")
    router.close()
    check(daemon.stop() == 0, "the daemon stops cleanly")
