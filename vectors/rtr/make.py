#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the vectors of suite rtr whose router is under test: each is a conversation in octets. Run in this folder; the files
that it writes are checked in, so that they can be used without it.

The scenarios are those of APNIC's RPKI-to-Router demonstration (named in x-scenario, one for one), and what RFC 8210 and
draft-ietf-sidrops-8210bis-26 say beyond them."""
import base64
import json
import struct

DRAFT = "draft-ietf-sidrops-8210bis-26"
SESSION = 0x1234
NOTIFY, SERIAL, RESET, RESPONSE, V4, V6, EOD, CACHE_RESET, KEY, ERROR, ASPA = 0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(range(64))
TIMERS = (3600, 600, 7200)


def pdu(version, kind, field=0, body=b""):
    return struct.pack("!BBHI", version, kind, field, 8 + len(body)) + body


def v4(version, announce, prefix, length, top, asn):
    return pdu(version, V4, 0, struct.pack("!BBBB4sI", announce, length, top, 0, bytes(map(int, prefix.split("."))), asn))


def v6(version, announce, prefix, length, top, asn):
    return pdu(version, V6, 0, struct.pack("!BBBB16sI", announce, length, top, 0, bytes.fromhex(prefix).ljust(16, b"\0"), asn))


def key(version, announce, ski, asn, spki=SPKI):
    return pdu(version, KEY, announce << 8, ski + struct.pack("!I", asn) + spki)


def aspa(announce, customer, *providers):
    return pdu(2, ASPA, announce << 8, struct.pack(f"!{1 + len(providers)}I", customer, *providers))


def eod(version, serial, session=SESSION, timers=TIMERS):
    return pdu(version, EOD, session, struct.pack("!I", serial) + (struct.pack("!3I", *timers) if version else b""))


def response(version, session=SESSION):
    return pdu(version, RESPONSE, session)


def error(version, code, quoted=b"", text=b""):
    return pdu(version, ERROR, code, struct.pack("!I", len(quoted)) + quoted + struct.pack("!I", len(text)) + text)


def notify(version, serial, session=SESSION):
    return pdu(version, NOTIFY, session, struct.pack("!I", serial))


def serial_query(version, serial, session=SESSION):
    return {"send": pdu(version, SERIAL, session, struct.pack("!I", serial)).hex()}


def reset_query(version):
    return {"send": pdu(version, RESET).hex()}


def receive(*pdus):
    return {"receive": " ".join(p.hex() for p in pdus)}


# --- two records that most conversations begin with

ROAS = [{"prefix": "192.0.2.0/24", "asn": 64496}, {"prefix": "2001:db8::/32", "maxLength": 48, "asn": 64497}]
DB8 = "20010db8"


def two(version):
    return v4(version, 1, "192.0.2.0", 24, 24, 64496) + v6(version, 1, DB8, 32, 48, 64497)


def synced(version, serial=5):
    """A full set of two records."""
    return [reset_query(version), receive(response(version), two(version), eod(version, serial))]


def delta(version, since, now, *pdus, session=SESSION):
    """Told of `now`, asks, and gets it."""
    return [receive(notify(version, now, session)), serial_query(version, since, session),
            receive(response(version, session), *pdus, eod(version, now, session))]


def test(name, scenario, comment, exchange, expect, ref, version=2, payloads=None, **more):
    out = {"id": name, "ref": ref, "comment": comment}
    if scenario:
        out["x-scenario"] = scenario
    if payloads is not None:
        out["payloads"] = payloads
    out["input"] = {"version": version, **more, "exchange": exchange}
    out["expect"] = expect
    return out


def held(roas=None, aspas=None, keys=None):
    out = {"roas": ROAS if roas is None else roas}
    if aspas:
        out["aspas"] = [{"customer": c, "providers": p} for c, p in aspas]
    if keys:
        out["routerKeys"] = keys
    return out


NOTHING = {"roas": []}
SKI = bytes(range(0xa0, 0xb4))
ROUTER_KEY = {"asn": 64500, "SKI": SKI.hex().upper(),
              "routerPublicKey": base64.b64encode(SPKI).decode()}
R8210, BIS = "RFC 8210 §", DRAFT + " §"


def write(name, title, groups):
    data = {"schema": "waywarden-vectors-1", "suite": "rtr", "title": title, "spec": ["RFC 6810", "RFC 8210", DRAFT],
            "groups": [{"id": f"rtr.{name}.{g}", "tests": tests} for g, tests in groups]}
    with open(f"{name}.json", "w", encoding="utf-8") as f:
        json.dump(data, f, indent=1, ensure_ascii=False)
        f.write("\n")


# ------------------------------------------------------------------ sessions

def plain(v):
    more = key(v, 1, SKI, 64500) if v else b""
    last = aspa(1, 64500, 64501, 64502) if v == 2 else b""
    return test(f"v{v}", f"client and server in v{v}", "a full set, then a delta, purely in this version",
                [reset_query(v), receive(response(v), two(v), more, last, eod(v, 5))] +
                delta(v, 5, 6, v4(v, 1, "198.51.100.0", 24, 25, 64498), v6(v, 0, DB8, 32, 48, 64497)),
                {"payloads": held([ROAS[0], {"prefix": "198.51.100.0/24", "maxLength": 25, "asn": 64498}],
                                  [(64500, [64501, 64502])] if v == 2 else None, [ROUTER_KEY] if v else None),
                 "serial": 6, "session": SESSION, "version": v},
                [["RFC 6810 §6.1"], [R8210 + "8.1", R8210 + "8.2"], [BIS + "8.1", BIS + "8.2"]][v], version=v)


PERSISTENT = {"version": 2, "session": SESSION, "serial": 5}

sessions = [("versions", [plain(0), plain(1), plain(2)])]
sessions.append(("session-id", [
    test("response-v1", "session id check (client)", "another session id in the answer to a Serial Query: code 0, and all data goes",
         synced(1) + [receive(notify(1, 6)), serial_query(1, 5), receive(response(1, 0x4321))],
         {"error": {"code": 0}, "payloads": NOTHING}, [R8210 + "5.1"], version=1),
    test("response-v2", "session id check (client)", "the same in version 2",
         synced(2) + [receive(notify(2, 6)), serial_query(2, 5), receive(response(2, 0x4321))],
         {"error": {"code": 0}, "payloads": NOTHING}, [BIS + "5.1"]),
    test("notify", "session id check (client)", "a Serial Notify of another session: code 0, and all data goes",
         synced(2) + [receive(notify(2, 6, 0x4321))], {"error": {"code": 0}, "payloads": NOTHING}, [BIS + "5.1"]),
    test("end-of-data", "invalid End of Data", "End of Data with another session id than the Cache Response",
         [reset_query(1), receive(response(1), two(1), eod(1, 5, 0x4321))], {"error": {"code": 0}, "payloads": NOTHING},
         [R8210 + "5.8"], version=1),
    test("reset-takes-any", "session id check (client)", "the answer to a Reset Query may begin another session",
         synced(1) + [receive(notify(1, 6)), serial_query(1, 5), receive(pdu(1, CACHE_RESET)), reset_query(1),
                      receive(response(1, 0x4321), two(1), eod(1, 1, 0x4321))],
         {"payloads": held(), "session": 0x4321, "serial": 1}, [R8210 + "5.1"], version=1)]))
sessions.append(("cache-reset", [
    test("reset", "cache reset", "a Reset Query follows in the same session; the old data stays until the new is complete",
         synced(2) + [receive(notify(2, 9)), serial_query(2, 5), receive(pdu(2, CACHE_RESET)), reset_query(2),
                      receive(response(2)), {"holds": held()},
                      receive(v4(2, 1, "203.0.113.0", 24, 24, 64499)), {"holds": held()}, receive(eod(2, 9))],
         {"payloads": held([{"prefix": "203.0.113.0/24", "asn": 64499}]), "serial": 9}, [BIS + "8.3"]),
    test("unasked", None, "Cache Reset as answer to a Reset Query is no answer", [reset_query(1), receive(pdu(1, CACHE_RESET))],
         {"error": {"code": 0}}, [R8210 + "5.9"], version=1)]))
sessions.append(("persistent", [
    test("resume", "persistent client", "data and session survived a restart: a Serial Query, and a delta on what is held",
         [serial_query(2, 5), receive(response(2), aspa(1, 64500, 64501), eod(2, 7))],
         {"payloads": held(aspas=[(64500, [64501])]), "serial": 7}, [BIS + "8.1"], payloads=held(), resume=PERSISTENT),
    test("resume-empty-delta", "persistent client", "nothing has changed meanwhile",
         [serial_query(2, 5), receive(response(2), eod(2, 5))], {"payloads": held(), "serial": 5}, [BIS + "8.1"],
         payloads=held(), resume=PERSISTENT),
    test("resume-too-old", "persistent client", "the cache no longer knows that serial",
         [serial_query(2, 5), receive(pdu(2, CACHE_RESET)), reset_query(2), receive(response(2), eod(2, 1))],
         {"payloads": NOTHING, "serial": 1}, [BIS + "8.3"], payloads=held(), resume=PERSISTENT),
    test("resume-in-its-version", "persistent client", "a session of version 1 is no session of version 2: it goes on in 1",
         [serial_query(1, 5), receive(response(1), eod(1, 5))], {"payloads": held(), "serial": 5, "version": 1},
         [R8210 + "5.1"], payloads=held(), resume={"version": 1, "session": SESSION, "serial": 5})]))
sessions.append(("transactions", [
    test("whole-or-nothing", "commit as received", "nothing of a response is in force before its End of Data",
         synced(2) + [receive(notify(2, 6)), serial_query(2, 5), receive(response(2), v4(2, 1, "198.51.100.0", 24, 24, 64498),
                                                                           v4(2, 0, "192.0.2.0", 24, 24, 64496)),
                      {"holds": held()}, receive(eod(2, 6))],
         {"payloads": held([ROAS[1], {"prefix": "198.51.100.0/24", "asn": 64498}]), "serial": 6}, [BIS + "11.2"]),
    test("cut", "commit as received, and its failure", "a response without its End of Data changes nothing, and is asked for again",
         synced(2) + [receive(notify(2, 6)), serial_query(2, 5), receive(response(2), v4(2, 0, "192.0.2.0", 24, 24, 64496)),
                      {"end": "cache"}, {"holds": held()}, {"connect": True}, serial_query(2, 5),
                      receive(response(2), v4(2, 0, "192.0.2.0", 24, 24, 64496), eod(2, 6))],
         {"payloads": held([ROAS[1]]), "serial": 6}, [BIS + "11.2"]),
    test("alternative", "alternative transactions", "make before break: the tuple that replaces another comes first",
         synced(2) + delta(2, 5, 6, v4(2, 1, "192.0.2.0", 24, 24, 64511), v4(2, 0, "192.0.2.0", 24, 24, 64496)),
         {"payloads": held([ROAS[1], {"prefix": "192.0.2.0/24", "asn": 64511}]), "serial": 6}, [BIS + "11.2"]),
    test("alternative-withdrawn-first", "race minimisation", "an older cache withdraws first: the same result",
         synced(1) + delta(1, 5, 6, v4(1, 0, "192.0.2.0", 24, 24, 64496), v4(1, 1, "192.0.2.0", 24, 24, 64511)),
         {"payloads": held([ROAS[1], {"prefix": "192.0.2.0/24", "asn": 64511}]), "serial": 6}, [R8210 + "5.6"], version=1),
    test("alternative-aspa", "alternative transactions (ASPA)", "an ASPA changes while another comes and a third goes",
         [reset_query(2), receive(response(2), aspa(1, 64500, 64501), aspa(1, 64510, 64511), eod(2, 5)),
          receive(notify(2, 6)), serial_query(2, 5),
          receive(response(2), aspa(1, 64500, 64502, 64503), aspa(0, 64510), aspa(1, 64520, 64521)),
          {"holds": held([], [(64500, [64501]), (64510, [64511])])}, receive(eod(2, 6))],
         {"payloads": held([], [(64500, [64502, 64503]), (64520, [64521])]), "serial": 6}, [BIS + "5.12"]),
    test("empty-delta", None, "a delta of nothing moves the serial", synced(1) + delta(1, 5, 6),
         {"payloads": held(), "serial": 6}, [R8210 + "8.2"], version=1),
    test("shuffled", "ordering", "a response in no order at all is taken as a whole all the same",
         [reset_query(2), receive(response(2), aspa(1, 64500, 64501), v6(2, 1, DB8, 32, 48, 64497), key(2, 1, SKI, 64500),
                                  v4(2, 1, "192.0.2.0", 24, 24, 64496), eod(2, 5))],
         {"payloads": held(aspas=[(64500, [64501])], keys=[ROUTER_KEY]), "serial": 5}, [BIS + "11.2"])]))
sessions.append(("serial", [
    test("wraps", "serial wraparound", "from 2^32-1 to 0 is one step",
         synced(1, 0xffffffff) + delta(1, 0xffffffff, 0, v4(1, 0, "192.0.2.0", 24, 24, 64496)),
         {"payloads": held([ROAS[1]]), "serial": 0}, ["RFC 1982 §3.2"], version=1),
    test("wraps-v2", "serial wraparound", "the same in version 2, two steps at once",
         synced(2, 0xffffffff) + delta(2, 0xffffffff, 1), {"payloads": held(), "serial": 1}, ["RFC 1982 §3.2"]),
    test("old-notify", None, "a Serial Notify of the serial held, or of one before, asks for nothing",
         synced(1) + [receive(notify(1, 5), notify(1, 4)), {"wait": 60}], {"payloads": held(), "serial": 5},
         ["RFC 1982 §3.2"], version=1),
    test("backwards", None, "a delta to an older serial", synced(1) + [receive(notify(1, 6)), serial_query(1, 5),
                                                                       receive(response(1), eod(1, 3))],
         {"error": {"code": 0}, "payloads": held()}, ["RFC 1982 §3.2"], version=1)]))
sessions.append(("notify", [
    test("early", "early Serial Notify", "one of any version before the first answer is ignored",
         [reset_query(2), receive(notify(1, 3), notify(2, 4), notify(0, 9)), receive(response(2), two(2), eod(2, 5))],
         {"payloads": held(), "serial": 5, "version": 2}, [BIS + "7"]),
    test("early-unknown-version", "early Serial Notify", "even of a version that does not exist",
         [reset_query(1), receive(notify(9, 3)), receive(response(1), two(1), eod(1, 5))],
         {"payloads": held(), "serial": 5}, [R8210 + "7"], version=1),
    test("many", "Serial Notify rate limit", "of many notifications comes one query",
         synced(2) + [receive(*[notify(2, n) for n in range(6, 30)]), serial_query(2, 5), receive(response(2), eod(2, 29)),
                      {"wait": 60}], {"payloads": held(), "serial": 29}, [BIS + "5.2"]),
    test("inside-response", None, "one that comes inside a response is looked at when that is complete",
         synced(2) + [receive(notify(2, 6)), serial_query(2, 5), receive(response(2), notify(2, 7), eod(2, 6)),
                      serial_query(2, 6), receive(response(2), v4(2, 0, "192.0.2.0", 24, 24, 64496), eod(2, 7))],
         {"payloads": held([ROAS[1]]), "serial": 7}, [BIS + "5.2"])]))
sessions.append(("empty", [
    test("reset-zero", "reset with zero announcements", "a full set of nothing is a set",
         [reset_query(1), receive(response(1), eod(1, 5))], {"payloads": NOTHING, "serial": 5}, [R8210 + "8.1"], version=1),
    test("reset-zero-replaces", "reset with zero announcements", "and replaces what was held",
         synced(2) + [receive(notify(2, 6)), serial_query(2, 5), receive(pdu(2, CACHE_RESET)), reset_query(2),
                      receive(response(2), eod(2, 6))], {"payloads": NOTHING, "serial": 6}, [BIS + "8.1"])]))
sessions.append(("time", [
    test("refresh", None, "without a notification it asks when the Refresh Interval is over, not before",
         [reset_query(1), receive(response(1), two(1), eod(1, 5, timers=(100, 50, 700))), {"wait": 99}, serial_query(1, 5),
          receive(response(1), eod(1, 5))], {"payloads": held(), "serial": 5}, [R8210 + "6"], version=1),
    test("expire", "flush", "data that could not be renewed in the Expire Interval goes",
         [reset_query(1), receive(response(1), two(1), eod(1, 5, timers=(100, 50, 700))), {"end": "cache"},
          {"wait": 1}, {"holds": held()}, {"connect": True}, serial_query(1, 5), {"wait": 100}, {"end": "cache"},
          {"connect": True}, serial_query(1, 5), {"wait": 120}, {"end": "cache"}, {"connect": True},
          reset_query(1), {"wait": 140}, {"holds": held()}, {"end": "cache"}, {"connect": True}, reset_query(1),
          {"wait": 148}, {"end": "cache"}, {"connect": True}, reset_query(1), {"wait": 140}, {"end": "cache"},
          {"connect": True}, reset_query(1), {"wait": 100}],
         {"payloads": NOTHING}, [R8210 + "6"], version=1),
    test("timers-out-of-bounds", "invalid End of Data", "intervals outside their bounds are moved into them: the data is taken",
         [reset_query(2), receive(response(2), two(2), eod(2, 5, timers=(0, 0, 0xffffffff))), serial_query(2, 5),
          receive(response(2), eod(2, 5))], {"payloads": held(), "serial": 5}, [BIS + "6"]),
    test("expire-not-above", "invalid End of Data", "an Expire Interval below the others: it asks before the data goes",
         [reset_query(2), receive(response(2), two(2), eod(2, 5, timers=(3600, 3600, 600))), {"wait": 299}, serial_query(2, 5),
          receive(response(2), eod(2, 5))], {"payloads": held(), "serial": 5}, [BIS + "6"])]))

# ------------------------------------------------------------------ versions

versions = [("down", [
    test("error-4", "version negotiation", "code 4 in version 1: the session is made in version 1, in a new connection",
         [reset_query(2), receive(error(1, 4)), {"end": "router"}, {"connect": True}] + synced(1),
         {"payloads": held(), "version": 1, "serial": 5}, [BIS + "7"]),
    test("error-4-closes", "version negotiation", "a cache that closes right behind its report; the version is remembered",
         [reset_query(2), receive(error(1, 4)), {"end": "router"}, {"connect": True}, *synced(1), {"end": "cache"},
          {"connect": True}, serial_query(1, 5), receive(response(1), eod(1, 6))],
         {"payloads": held(), "version": 1, "serial": 6}, [BIS + "7"]),
    test("error-4-of-version-0", "version negotiation", "down to version 0 at once",
         [reset_query(2), receive(error(0, 4)), {"end": "router"}, {"connect": True}] + synced(0),
         {"payloads": held(), "version": 0, "serial": 5}, [BIS + "7"]),
    test("twice", "version negotiation", "2, then 1, then 0",
         [reset_query(2), receive(error(1, 4)), {"end": "router"}, {"connect": True}, reset_query(1), receive(error(0, 4)),
          {"end": "router"}, {"connect": True}] + synced(0), {"payloads": held(), "version": 0}, [BIS + "7"]),
    test("answer", "version negotiation", "a cache of version 0 answers in its own version",
         [reset_query(1), receive(response(0), two(0), eod(0, 5))], {"payloads": held(), "version": 0, "serial": 5},
         [R8210 + "7"], version=1),
    test("answer-from-2", "version negotiation", "a cache of version 1 answers a query of version 2",
         [reset_query(2), receive(response(1), two(1), key(1, 1, SKI, 64500), eod(1, 5))],
         {"payloads": held(keys=[ROUTER_KEY]), "version": 1}, [BIS + "7"]),
    test("closes", "version negotiation", "a cache of version 0 just closes: version 0 is tried",
         [reset_query(1), {"end": "cache"}, {"connect": True}] + synced(0), {"payloads": held(), "version": 0},
         [R8210 + "7"], version=1),
    test("delta-of-a-lower-version", "version negotiation", "a delta of version 0 belongs to a session of version 0",
         [serial_query(1, 5), receive(response(0), eod(0, 6)), {"end": "router"}, {"holds": held()}, {"connect": True}] +
         synced(0, 6), {"payloads": held(), "version": 0, "serial": 6}, [R8210 + "7"], version=1, payloads=held(),
         resume={"version": 1, "session": SESSION, "serial": 5})]),
    ("none", [
        test("too-low", "version negotiation", "the cache offers what is not allowed here: data is kept, nothing is used",
             [reset_query(2), receive(error(1, 4)), {"end": "router"}, {"connect": True}, reset_query(2)],
             {"payloads": NOTHING}, [BIS + "7"], min_version=2),
        test("too-low-answer", "version negotiation", "an answer below the lowest version", [reset_query(2), receive(response(1))],
             {"error": {"code": 4}}, [BIS + "7"], min_version=2),
        test("too-high", "unexpected version", "an answer above the version asked in", [reset_query(1), receive(response(2))],
             {"error": {"code": 4}}, [R8210 + "7"], version=1),
        test("unknown", "unexpected version", "an answer of a version that does not exist", [reset_query(2), receive(response(7))],
             {"error": {"code": 4}}, [BIS + "7"])]),
    ("change", [
        test("inside-v1", "unexpected version", "a PDU of another version inside a session: code 8; the data stays",
             synced(1) + [receive(notify(1, 6)), serial_query(1, 5), receive(response(1), v4(0, 1, "10.0.0.0", 8, 8, 1))],
             {"error": {"code": 8}, "payloads": held()}, [R8210 + "7"], version=1),
        test("inside-v2", "unexpected version", "the same in version 2, where a fatal error costs the data",
             synced(2) + [receive(notify(2, 6)), serial_query(2, 5), receive(response(2), v4(1, 1, "10.0.0.0", 8, 8, 1))],
             {"error": {"code": 8}, "payloads": NOTHING}, [BIS + "7"]),
        test("notify", "unexpected version", "a Serial Notify of another version after negotiation",
             synced(2) + [receive(notify(1, 6))], {"error": {"code": 8}, "payloads": NOTHING}, [BIS + "7"]),
        test("error-report", "unexpected version", "an Error Report of another version ends the session and is never answered",
             synced(1) + [receive(error(0, 1)), {"end": "router"}], {"payloads": held()}, [R8210 + "7"], version=1)])]

# ------------------------------------------------------------------ errors

def refused(name, scenario, comment, code, octets, ref, v=2, flushed=True):
    """Inside a delta."""
    return test(name, scenario, comment,
                synced(v) + [receive(notify(v, 6)), serial_query(v, 5), receive(response(v), *octets)],
                {"error": {"code": code}, "payloads": NOTHING if v == 2 and flushed else held()}, ref, version=v)


def reported(name, scenario, comment, code, ref, v=2, flushed=False, again=None):
    """The cache reports; the router never answers."""
    steps = synced(v) + [receive(error(v, code, b"", b"said by the cache")), {"end": "router"},
                         {"holds": NOTHING if flushed else held()}]
    if again:
        steps += again
    return test(name, scenario, comment, steps, {"payloads": NOTHING if flushed else held()}, ref, version=v)


errors = [("router-reports", [
    refused("unknown-withdrawal-v1", "withdrawal of unknown", "the data that was not touched stays", 6,
            [v4(1, 0, "10.0.0.0", 8, 8, 64496), eod(1, 6)], [R8210 + "12"], v=1),
    refused("unknown-withdrawal-v2", "withdrawal of unknown", "in version 2 all of it goes", 6,
            [v4(2, 0, "10.0.0.0", 8, 8, 64496), eod(2, 6)], [BIS + "12"]),
    refused("unknown-withdrawal-key", "withdrawal of unknown", "the same key identifier with another key is another key", 6,
            [key(2, 0, SKI, 64500), eod(2, 6)], [BIS + "12"]),
    refused("unknown-withdrawal-aspa", "withdrawal of unknown", "of an ASPA", 6, [aspa(0, 64500), eod(2, 6)], [BIS + "12"]),
    refused("withdrawn-twice", "withdrawal of unknown", "the second withdrawal finds nothing", 6,
            [v4(2, 0, "192.0.2.0", 24, 24, 64496)] * 2 + [eod(2, 6)], [BIS + "12"]),
    refused("duplicate-v1", "duplicate announcement", "twice in one response", 7,
            [v4(1, 1, "10.0.0.0", 8, 8, 64496)] * 2 + [eod(1, 6)], [R8210 + "5.6"], v=1),
    refused("duplicate-v2", "duplicate announcement", "IPv6, twice in one response", 7,
            [v6(2, 1, "20010db80001", 48, 48, 1)] * 2 + [eod(2, 6)], [BIS + "5.7"]),
    refused("duplicate-key", "duplicate announcement", "a router key", 7, [key(2, 1, SKI, 64500)] * 2 + [eod(2, 6)],
            [BIS + "5.10"]),
    test("withdrawal-in-reset", None, "the answer to a Reset Query has announcements only",
         [reset_query(2), receive(response(2), v4(2, 0, "192.0.2.0", 24, 24, 64496))], {"error": {"code": 0}}, [BIS + "5.5"]),
    refused("unsupported-type", "unsupported PDU type", "type 5 was never assigned", 5, [pdu(2, 5)], [BIS + "12"]),
    refused("unsupported-type-255", "unsupported PDU type", "type 255 is reserved", 5, [pdu(1, 255)], [R8210 + "12"], v=1),
    refused("router-key-in-v0", "unsupported PDU type", "version 0 has no router keys", 5, [key(0, 1, SKI, 64500)],
            ["RFC 6810 §10"], v=0),
    refused("aspa-in-v1", "unsupported PDU type", "version 1 has no ASPAs", 5,
            [pdu(1, ASPA, 1 << 8, struct.pack("!2I", 1, 2))], [R8210 + "12"], v=1),
    refused("invalid-request", "invalid request", "a query to a router", 3, [pdu(2, RESET)], [BIS + "12"]),
    test("no-response", None, "a record that no Cache Response introduces",
         [reset_query(2), receive(v4(2, 1, "192.0.2.0", 24, 24, 64496))], {"error": {"code": 0}}, [BIS + "8.1"]),
    test("second-response", None, "a Cache Response inside another", [reset_query(2), receive(response(2), response(2))],
         {"error": {"code": 0}}, [BIS + "8.1"]),
    test("end-unasked", "invalid End of Data", "End of Data that nobody asked for", synced(1) + [receive(eod(1, 6))],
         {"error": {"code": 0}, "payloads": held()}, [R8210 + "8.2"], version=1),
    refused("end-of-version-0", "invalid End of Data", "of version 0's length in version 1", 0,
            [pdu(1, EOD, SESSION, struct.pack("!I", 6))], [R8210 + "5.8"], v=1),
    refused("end-too-long", "invalid End of Data", "one octet too long", 0, [pdu(2, EOD, SESSION, bytes(17))], [BIS + "5.8"]),
    refused("length-below-header", None, "a length that does not hold the header", 0, [struct.pack("!BBHI", 2, 4, 0, 7)],
            [BIS + "5.1"]),
    refused("length-huge", None, "a length beyond what version 2 allows", 0, [struct.pack("!BBHI", 2, 4, 0, 0x7fffffff)],
            [BIS + "5.1"]),
    refused("prefix-too-long", None, "an IPv4 prefix of 33 bits", 0, [v4(2, 1, "192.0.2.0", 33, 33, 1)], [BIS + "5.6"]),
    refused("max-below-length", None, "maxLength below the prefix length", 0, [v4(2, 1, "192.0.2.0", 24, 23, 1)], [BIS + "5.6"]),
    refused("max-above-32", None, "maxLength beyond 32", 0, [v4(2, 1, "192.0.2.0", 24, 33, 1)], [BIS + "5.6"]),
    refused("max-above-128", None, "maxLength beyond 128", 0, [v6(2, 1, DB8, 32, 129, 1)], [BIS + "5.7"]),
    refused("host-bits-v2", None, "host bits, which a cache of version 2 must not send", 0, [v4(2, 1, "192.0.2.1", 24, 24, 1)],
            [BIS + "5.6"])]),
    ("tolerated", [
        test("host-bits-v1", None, "host bits in version 1 are masked",
             [reset_query(1), receive(response(1), v4(1, 1, "192.0.2.77", 24, 24, 64496), eod(1, 5))],
             {"payloads": held(ROAS[:1]), "serial": 5}, [R8210 + "5.6"], version=1),
        test("reserved-fields", None, "reserved fields and flags are ignored",
             [reset_query(2), receive(pdu(2, RESPONSE, SESSION),
                                      pdu(2, V4, 0xffff, bytes([0xff, 24, 24, 0xff, 192, 0, 2, 0]) + struct.pack("!I", 64496)),
                                      eod(2, 5))], {"payloads": held(ROAS[:1]), "serial": 5}, [BIS + "5.1"]),
        test("announced-and-withdrawn", None, "a record announced and withdrawn in one response is not held",
             synced(2) + delta(2, 5, 6, v4(2, 1, "10.0.0.0", 8, 8, 1), v4(2, 0, "10.0.0.0", 8, 8, 1)),
             {"payloads": held(), "serial": 6}, [BIS + "5.3"]),
        test("known-announced-again", "duplicate announcement", "a record held already, announced in a later response, stays",
             synced(1) + delta(1, 5, 6, v4(1, 1, "192.0.2.0", 24, 24, 64496)), {"payloads": held(), "serial": 6},
             [R8210 + "5.6"], version=1)]),
    ("cache-reports", [
        test("no-data", "no data", "No Data Available is not fatal: a Reset Query follows in the same connection",
             [reset_query(2), receive(error(2, 2)), *synced(2)], {"payloads": held(), "serial": 5}, [BIS + "8.4"]),
        test("no-data-keeps", "no data", "what is held stays until it expires",
             synced(1) + [receive(notify(1, 6)), serial_query(1, 5), receive(error(1, 2)), {"holds": held()}, reset_query(1),
                          receive(response(1), two(1), eod(1, 9))], {"payloads": held(), "serial": 9}, [R8210 + "8.4"],
             version=1),
        reported("corrupt-v1", "internal error", "fatal, and the data stays", 0, [R8210 + "12"], v=1),
        reported("internal-v1", "internal error", "fatal, and the data stays", 1, [R8210 + "12"], v=1),
        reported("internal-v2", "internal error", "fatal, and the data goes", 1, [BIS + "12"], flushed=True),
        reported("invalid-request-v2", "invalid request", "fatal, and the data goes", 3, [BIS + "12"], flushed=True),
        reported("unsupported-type-v2", "unsupported PDU type", "fatal, and the data goes", 5, [BIS + "12"], flushed=True),
        reported("transport", "internal error", "the cache saw the transport stall", 10, [BIS + "12"], flushed=True),
        reported("undefined-code", "flush", "a code that the version does not know is fatal, and the data goes", 99,
                 [BIS + "12"], flushed=True),
        reported("restart", "cache restart", "data stays; it comes back after the Retry Interval, and goes on in its session",
                 12, [BIS + "8.5"], again=[{"wait": 599}, {"connect": True}, serial_query(2, 5),
                                           receive(response(2), eod(2, 5))]),
        reported("shutdown", "cache shutdown", "data goes; it comes back after the default Retry Interval, with nothing", 13,
                 [BIS + "8.6"], flushed=True, again=[{"wait": 599}, {"connect": True}, reset_query(2)]),
        test("restart-persistent", "cache restart (persistent client)", "to a resumed session",
             [serial_query(2, 5), receive(error(2, 12)), {"end": "router"}, {"wait": 590}, {"holds": held()}, {"connect": True},
              serial_query(2, 5), receive(response(2), eod(2, 6))], {"payloads": held(), "serial": 6}, [BIS + "8.5"],
             payloads=held(), resume=PERSISTENT),
        test("shutdown-persistent", "cache shutdown (persistent client)", "to a resumed session",
             [serial_query(2, 5), receive(error(2, 13)), {"end": "router"}, {"holds": NOTHING}, {"connect": True},
              reset_query(2)], {"payloads": NOTHING}, [BIS + "8.6"], payloads=held(), resume=PERSISTENT),
        test("malformed-report", "flush", "a malformed Error Report ends the session, costs the data and is never answered",
             synced(2) + [receive(pdu(2, ERROR, 1, struct.pack("!I", 400) + bytes(8))), {"end": "router"}],
             {"payloads": NOTHING}, [BIS + "5.11"]),
        test("report-of-report", "flush", "an Error Report that quotes one is still none to be answered",
             synced(2) + [receive(error(2, 0, error(2, 0)[:16])), {"end": "router"}], {"payloads": NOTHING}, [BIS + "5.11"])])]

# ------------------------------------------------------------------ ASPA

OLD = pdu(2, ASPA, 0, struct.pack("!BBHII", 1, 0, 1, 64500, 64501))  # of revisions up to -15
BASE = [reset_query(2), receive(response(2), aspa(1, 64500, 64501, 64502), eod(2, 5))]
SET5 = held([], [(64500, [64501, 64502])])


def bad_list(name, scenario, comment, octets):
    return test(name, scenario, comment, BASE + [receive(notify(2, 6)), serial_query(2, 5), receive(response(2), octets)],
                {"error": {"code": 9}, "payloads": NOTHING}, [BIS + "5.12"])


aspas = [("content", [
    test("replaced", "ASPA collation", "an announcement replaces the whole list",
         BASE + delta(2, 5, 6, aspa(1, 64500, 64502, 64503)), {"payloads": held([], [(64500, [64502, 64503])]), "serial": 6},
         [BIS + "5.12"]),
    test("withdrawn", "ASPA", "a withdrawal takes the whole record", BASE + delta(2, 5, 6, aspa(0, 64500)),
         {"payloads": NOTHING, "serial": 6}, [BIS + "5.12"]),
    test("as0", "ASPA", "AS 0 alone: no providers", BASE + delta(2, 5, 6, aspa(1, 64500, 0), aspa(1, 64510, 0)),
         {"payloads": held([], [(64500, [0]), (64510, [0])]), "serial": 6}, [BIS + "5.12"]),
    test("twice-in-a-response", "ASPA collation", "the cache has to merge: a second announcement of a customer", BASE +
         [receive(notify(2, 6)), serial_query(2, 5), receive(response(2), aspa(1, 64510, 1), aspa(1, 64510, 2), eod(2, 6))],
         {"error": {"code": 7}, "payloads": NOTHING}, [BIS + "12"]),
    test("many-providers", "ASPA", "three hundred providers", [reset_query(2), receive(
        response(2), aspa(1, 64500, *range(100000, 100300)), eod(2, 5))],
        {"payloads": held([], [(64500, list(range(100000, 100300)))]), "serial": 5}, [BIS + "5.12"])]),
    ("lists", [
        bad_list("empty", "empty ASPA list", "an announcement without providers", aspa(1, 64510)),
        bad_list("unsorted", "unsorted providers", "descending", aspa(1, 64510, 2, 1)),
        bad_list("duplicate", "duplicate providers", "one twice", aspa(1, 64510, 1, 1)),
        bad_list("as0-with-others", "AS0 with others", "AS 0 is for itself", aspa(1, 64510, 0, 1))]),
    ("tolerated", [
        test("announce-then-withdraw", "ASPA", "a withdrawal that names the old list, after the announcement of the new one: "
             "the new one stands", BASE + delta(2, 5, 6, aspa(1, 64500, 64503), pdu(2, ASPA, 0, struct.pack(
                 "!3I", 64500, 64501, 64502))), {"payloads": held([], [(64500, [64503])]), "serial": 6}, [BIS + "5.12"]),
        test("old-layout", "ASPA", "the layout of revisions up to -15: told code 4, and spoken with in version 1",
             [reset_query(2), receive(response(2), two(2), OLD), {"refuse": 4}, {"connect": True}] + synced(1),
             {"payloads": held(), "version": 1}, [BIS + "5.12"])]),
    ("malformed", [
        test("cut", None, "a length that is no multiple of four", BASE + [
            receive(notify(2, 6)), serial_query(2, 5), receive(response(2), pdu(2, ASPA, 1 << 8, bytes(6)))],
            {"error": {"code": 0}, "payloads": NOTHING}, [BIS + "5.12"]),
        test("no-customer", None, "too short for a customer", BASE + [
            receive(notify(2, 6)), serial_query(2, 5), receive(response(2), pdu(2, ASPA, 1 << 8))],
            {"error": {"code": 0}, "payloads": NOTHING}, [BIS + "5.12"])])]

# What no conversation in octets can hold, and where it is tested instead.
ELSEWHERE = [
    ("several clients", "a cache's: cache-sessions.json, cache-deltas.json, cache-errors.json"),
    ("session id check (server), invalid request (server)", "a cache's: cache-sessions.json, cache-deltas.json, cache-errors.json"),
    ("internal error (ours)", "tests/sources/test_rtr_client.c: test_too_many_records, test_store_refuses"),
    ("Serial Notify rate limit, over time", "tests/sources/test_rtr_client.c: test_notify_storm"),
    ("TCP-MD5", "tests/interop/rtr_transport.py md5"),
    ("TCP-AO", "tests/interop/rtr_transport.py ao"),
    ("TLS, TLS client certificate", "tests/interop/rtr_transport.py tls"),
    ("SSH", "tests/interop/rtr_transport.py ssh, ssh-rude"),
    ("aggregation of several caches, aggregate AS0", "tests/sources/test_cache_groups.c, tests/daemon"),
    ("origin validation, ASPA validation", "vectors of suites rov and aspa"),
    ("alternative transactions (ASPA, upstream)", "the verdicts: vectors of suite aspa; the data: rtr.sessions.transactions"),
]


def write_table(*suites):
    """README.md: scenario by scenario."""
    scenarios = {}
    for groups in suites:
        for _, tests in groups:
            for t in tests:
                scenarios.setdefault(t.get("x-scenario"), []).append(t["id"])
    beyond = scenarios.pop(None)
    with open("README.md", "w", encoding="utf-8") as f:
        f.write("# Conversations of RPKI-to-Router\n\n"
                "Written by `make.py`. Each test of sessions, versions, errors and aspa is an exchange in octets with the router under\n"
                "test (../schema.cddl); the scenarios are those of APNIC's demonstration of the protocol. In cache-*.json the cache is.\n\n"
                "| scenario | tests |\n|---|---|\n")
        for name in sorted(scenarios, key=str.lower):
            f.write(f"| {name} | {'<br>'.join(scenarios[name])} |\n")
        f.write(f"| beyond those | {'<br>'.join(beyond)} |\n\n"
                "What takes more than one conversation, or a transport:\n\n| scenario | where |\n|---|---|\n")
        for name, where in ELSEWHERE:
            f.write(f"| {name} | {where} |\n")


if __name__ == "__main__":
    def ids(name, groups):
        for g, tests in groups:
            for t in tests:
                t["id"] = f"rtr.{name}.{g}.{t['id']}"
        return groups
    write("sessions", "RTR router: sessions, transactions, serials, time", ids("sessions", sessions))
    write("versions", "RTR router: protocol versions", ids("versions", versions))
    write("errors", "RTR router: errors, its own and the cache's", ids("errors", errors))
    write("aspa", "RTR router: ASPA PDUs of version 2", ids("aspa", aspas))
    write_table(sessions, versions, errors, aspas)
