#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the vectors of suite rtr whose cache is under test. Run in this folder; the files that it writes are checked in, so
that they can be used without it.

The cases are those of a list of 41 for caches, by draft paragraph (x-case), and the scenarios of APNIC's RPKI-to-Router
demonstration in which a cache is what is tested (x-scenario). Where the list has a withdrawal before the announcement of a
changed prefix, draft-ietf-sidrops-8210bis-26 §11.2.1, which is newer, has it after; so have these.

What a cache must answer is worked out here from sets, by the text of the draft, not taken from an implementation."""
import ipaddress
import json
import random
import struct

from make import (ASPA, BIS, CACHE_RESET, DRAFT, EOD, ERROR, KEY, NOTIFY, R8210, RESET, RESPONSE, SERIAL, SPKI, TIMERS, V4, V6,
                  aspa, error, pdu)
import base64

SESSIONS = [0x1000, 0x1001, 0x1002]


# --- records: ("vrp", prefix, maxLength, asn), ("aspa", customer, (providers)), ("key", ski octet, asn)

def vrp(prefix, asn, top=None):
    net = ipaddress.ip_network(prefix)
    return ("vrp", net, net.prefixlen if top is None else top, asn)


def pa(customer, *providers):
    return ("aspa", customer, providers)


def rk(octet, asn):
    return ("key", octet, asn)


def encode(version, announce, r):
    if r[0] == "vrp":
        kind = V4 if r[1].version == 4 else V6
        return pdu(version, kind, 0, struct.pack("!BBBB", announce, r[1].prefixlen, r[2], 0) + r[1].network_address.packed +
                   struct.pack("!I", r[3]))
    if r[0] == "key":
        return pdu(version, KEY, announce << 8, bytes([r[1]]) * 20 + struct.pack("!I", r[2]) + SPKI)
    return aspa(announce, r[1], *(r[2] if announce else ()))


def order(announce, r):
    """§11.2: smaller comes first."""
    if r[0] == "vrp":
        key = (int(r[1].network_address), r[2], r[1].prefixlen, r[3])
        return (V4 if r[1].version == 4 else V6, not announce, tuple(-k for k in key) if announce else key)
    if r[0] == "key":
        return (KEY, not announce, (r[1], r[2]))
    return (ASPA, not announce, (r[1],))


def effective(sets):
    """Of several sources: each record once, one ASPA for a customer (§5.12, §10)."""
    out, aspas = set(), {}
    for records in sets:
        for r in records:
            if r[0] == "aspa":
                aspas.setdefault(r[1], set()).update(r[2])
            else:
                out.add(r)
    for customer, providers in aspas.items():
        if len(providers) > 1:
            providers.discard(0)
        out.add(pa(customer, *sorted(providers)))
    return out


def visible(version, records):
    return {r for r in records if r[0] == "vrp" or (r[0] == "key" and version >= 1) or (r[0] == "aspa" and version >= 2)}


def spelled(records):
    out = {"roas": [{"prefix": str(r[1]), "maxLength": r[2], "asn": r[3]} for r in sorted(
        (r for r in records if r[0] == "vrp"), key=lambda r: (r[1].version, r[1], r[2], r[3]))]}
    aspas = [{"customer": r[1], "providers": list(r[2])} for r in sorted(r for r in records if r[0] == "aspa")]
    keys = [{"asn": r[2], "SKI": f"{r[1]:02X}" * 20, "routerPublicKey": base64.b64encode(SPKI).decode()}
            for r in sorted(r for r in records if r[0] == "key")]
    if aspas:
        out["aspas"] = aspas
    if keys:
        out["routerKeys"] = keys
    return out


class Cache:
    """A script that grows, and what a cache must say at each point of it."""

    def __init__(self, records=(), serial=1, version=2, ready=True, **more):
        self.version, self.serial, self.sessions = version, serial, SESSIONS
        self.input = {"role": "cache", **more}
        if serial != 1:
            self.input["serial"] = serial
        if not ready:
            self.input["ready"] = False
        self.initial = list(records)
        self.sources = {"main": set(records)}
        self.history = {serial: effective(self.sources.values())} if ready else {}
        self.steps = []
        self.holds = None
        self.since_notify = 60

    def now(self):
        return self.history[self.serial]

    def step(self, router=None, **step):
        self.since_notify += step.get("wait", 0)
        if router:
            step["router"] = router
        self.steps.append(step)

    def receive(self, octets, router=None):
        self.step(router, receive=octets.hex())

    def send(self, *pdus, router=None):
        self.step(router, send=" ".join(p.hex() for p in pdus))

    # what a router asks
    def reset(self, version=None, router=None):
        version = self.version if version is None else version
        self.receive(pdu(version, RESET), router)
        self.answer(version, set(), self.now(), router)

    def query(self, since, version=None, router=None):
        version = self.version if version is None else version
        self.receive(pdu(version, SERIAL, self.sessions[version], struct.pack("!I", since)), router)
        if since in self.history:
            self.answer(version, self.history[since], self.now(), router)
        else:
            self.send(pdu(version, CACHE_RESET), router=router)

    def answer(self, version, old, new, router=None):
        old, new = visible(version, old), visible(version, new)
        customers = {r[1] for r in new if r[0] == "aspa"}
        pdus = [(True, r) for r in new - old]
        pdus += [(False, r) for r in old - new if r[0] != "aspa" or r[1] not in customers]
        pdus.sort(key=lambda p: order(*p))
        self.payload = len(pdus)
        session = self.sessions[version]
        self.send(pdu(version, RESPONSE, session), *(encode(version, a, r) for a, r in pdus),
                  pdu(version, EOD, session, struct.pack("!I", self.serial) +
                      (struct.pack("!3I", *TIMERS) if version else b"")), router=router)
        if router is None:
            self.holds = new

    def notify(self, version=None, router=None):
        version = self.version if version is None else version
        if self.since_notify < 60:
            self.step(wait=60 - self.since_notify)
        self.since_notify = 0
        self.send(pdu(version, NOTIFY, self.sessions[version], struct.pack("!I", self.serial)), router=router)

    # what happens
    def publish(self, announce=(), withdraw=(), source="main", silent=True):
        """`withdraw`: records as they are; an announced ASPA replaces."""
        records = self.sources.setdefault(source, set())
        records -= set(withdraw)
        records -= {r for r in records if r[0] == "aspa" and any(a[0] == "aspa" and a[1] == r[1] for a in announce)}
        records |= set(announce)
        new = effective(self.sources.values())
        step = {}
        if source != "main":
            step["source"] = source
        if announce:
            step["announce"] = spelled(announce)
        if withdraw:
            step["withdraw"] = spelled(withdraw)
        self.step(publish=step)
        if not self.history or new != self.now():
            if self.history:
                self.serial = (self.serial + 1) % 2 ** 32
            self.history[self.serial] = new

    def restart(self, sessions, serial=1):
        self.sessions = sessions
        self.history = {serial: self.now()}
        self.serial = serial
        self.step(restart={"sessions": sessions, "serial": serial})

    def error(self, code, octets, ends=True, router=None):
        self.receive(octets, router)
        self.step(router, **{"refuse" if ends else "report": code})

    def test(self, name, comment, ref, case=None, scenario=None):
        out = {"id": name, "ref": ref, "comment": comment}
        if case:
            out["x-case"] = case
        if scenario:
            out["x-scenario"] = scenario
        out["payloads"] = spelled(self.initial)
        out["input"] = {**self.input, "steps": self.steps}
        out["expect"] = {"serial": self.serial}
        if self.holds is not None:
            out["expect"]["payloads"] = spelled(self.holds)
        return out


def delta(cache, since=None, routers=(None,), **change):
    """A change, a notification, a query from where the router was."""
    since = cache.serial if since is None else since
    before = cache.now()
    cache.publish(**change)
    if visible(cache.version, before) != visible(cache.version, cache.now()):
        cache.notify()
    cache.query(since)
    return cache


A, B, C6 = vrp("192.0.2.0/24", 64500), vrp("198.51.100.0/24", 64501), vrp("2001:db8::/32", 64502, 48)
BASE = [A, C6, pa(64500, 64501, 64502), rk(0xaa, 64500)]
S = lambda *sections: [BIS + s for s in sections]  # noqa: E731


def changed(name, comment, ref, case, before, announce=(), withdraw=(), version=2):
    c = Cache(before, version=version)
    c.reset()
    delta(c, announce=announce, withdraw=withdraw)
    return c.test(name, comment, ref, case)


def sessions_file():
    tests = []
    c = Cache([A], serial=2 ** 32 - 1)
    c.reset()
    delta(c, announce=[B])
    assert c.serial == 0
    tests.append(c.test("wrap", "from 2^32-1 to 0 is one step", S("2"), "4-5", "serial wraparound"))
    c = Cache([A])
    c.reset()
    c.error(0, pdu(2, SERIAL, 0x1234, struct.pack("!I", 1)))
    tests.append(c.test("wrong-session", "another session id than that of the Cache Response: Corrupt Data, and the end",
                        S("5.1", "5.3"), "5.1-a", "session id check"))
    c = Cache([A])
    c.receive(pdu(2, SERIAL, 0x1234, struct.pack("!I", 1)))
    c.send(pdu(2, CACHE_RESET))
    c.reset()
    tests.append(c.test("unknown-session", "as the first question it may be of the time before a restart: Cache Reset",
                        S("5.3"), None, "persistent client"))
    c = Cache([A])
    for v in range(3):
        c.reset(v, router=f"v{v}")
    for v in range(3):
        c.reset(v, router=f"w{v}")
    tests.append(c.test("session-by-version", "a session id for each version, the same for two routers of one version", S("5.1"),
                        "5.1-b", "several clients"))
    c = Cache([A])
    c.reset()
    c.query(1)
    tests.append(c.test("nothing-new", "a query at the current serial is answered with nothing, not with Cache Reset", S("5.3"),
                        "5.3-3"))
    c = Cache([A])
    c.reset()
    c.query(0)
    c.query(2)
    c.query(2 ** 31 + 1)
    tests.append(c.test("out-of-window", "serials that the cache knows nothing of", S("5.9", "8.3"), "5.9", "cache reset"))
    c = Cache([A, pa(64500, 64501)])
    c.reset()
    c.publish(announce=[B])
    c.notify()
    c.step(router="v0", receive=pdu(0, SERIAL, SESSIONS[0], struct.pack("!I", 1)).hex())
    c.answer(0, c.history[1], c.now(), "v0")
    c.step(router="other", receive=pdu(2, SERIAL, SESSIONS[0], struct.pack("!I", 1)).hex())
    c.send(pdu(2, CACHE_RESET), router="other")
    tests.append(c.test("resumed", "a router that comes back with the session of its version gets what changed; of another "
                        "version, everything", S("5.1"), None, "persistent client"))
    c = Cache([A])
    c.reset()
    c.restart([0x2000, 0x2001, 0x2002])
    c.receive(pdu(2, SERIAL, SESSIONS[2], struct.pack("!I", 1)))
    c.send(pdu(2, CACHE_RESET))
    c.reset()
    tests.append(c.test("restarted", "the session is gone: Cache Reset, and then everything under the new id", S("5.3", "8.3"),
                        None, "cache restart for a persistent client"))
    c = Cache([A], ready=False)
    c.error(2, pdu(2, RESET), ends=False)
    c.error(2, pdu(2, SERIAL, 5, struct.pack("!I", 5)), ends=False)
    c.publish(announce=[A])
    c.reset()
    tests.append(c.test("no-data", "before there is data: No Data Available, not an empty set, and the session stays",
                        S("8.4"), "8.4", "no data"))
    c = Cache([])
    c.reset()
    tests.append(c.test("empty", "an empty set is an answer", S("5.4"), None, "reset with zero announcements"))
    c = Cache([A])
    query = pdu(2, RESET)
    for part in (query[:1], query[1:5], query[5:7]):
        c.receive(part)
        c.step(wait=1)
    c.receive(query[7:])
    c.answer(2, set(), c.now())
    for part in (pdu(2, SERIAL, SESSIONS[2], b"\0\0\0\1")[:9], pdu(2, SERIAL, SESSIONS[2], b"\0\0\0\1")[9:]):
        c.receive(part)
    c.answer(2, c.now(), c.now())
    tests.append(c.test("fragments", "queries come in pieces", S("9"), "9-1"))
    c = Cache([A])
    c.reset()
    c.publish(announce=[B])
    c.notify()
    c.publish(withdraw=[B])
    c.publish(announce=[vrp("203.0.113.0/24", 1)])
    c.step(wait=59)  # in silence
    c.notify()  # a second later
    c.query(1)
    c.step(wait=3600)
    tests.append(c.test("notify-rate", "one notification a minute, the first at once", S("8.2"), None, "Serial Notify rate limit"))
    c = Cache([A])
    c.receive(pdu(2, RESET)[:4])
    c.publish(announce=[B])
    c.receive(pdu(2, RESET)[4:])
    c.answer(2, set(), c.now())
    tests.append(c.test("early-notify", "no notification before the version is settled", S("7"), None, "early Serial Notify"))
    for version, word, code in ((2, "restart", 12), (2, "shutdown", 13), (1, "restart", None), (0, "shutdown", None)):
        c = Cache([A], version=version)
        c.reset()
        c.step(stop=word)
        c.step(**({"refuse": code} if code else {"end": "cache"}))
        tests.append(c.test(f"stop-{word}-v{version}", "Cache Restart or Cache Shutdown in version 2; older ones have no such code",
                            S("8.5", "8.6", "12"), None, f"cache {word}"))
    return [("sessions", tests)]


def deltas_file():
    net = []
    p, q = pa(64500, 64501), pa(64500, 64501, 64502)
    for name, first, second, case in (("net-zero-aspa", dict(announce=[q]), dict(announce=[p]), "5.3-4-a"),
                                      ("net-zero-vrp", dict(announce=[B]), dict(withdraw=[B]), "5.3-4-b"),
                                      ("net-zero-withdrawn", dict(withdraw=[A]), dict(announce=[A]), None),
                                      ("net-zero-customer", dict(withdraw=[p]), dict(announce=[p]), None),
                                      ("net-zero-key", dict(announce=[rk(9, 9)]), dict(withdraw=[rk(9, 9)]), None)):
        c = Cache([A, p])
        c.reset()
        c.publish(**first)
        c.notify()
        c.publish(**second)
        c.query(1)
        assert c.payload == 0
        net.append(c.test(name, "what cancels out over several serials is not mentioned", S("5.3"), case, "race minimisation"))
    rng = random.Random(8210)
    before = [vrp(f"10.{i}.0.0/16", 64000 + i, 16 + i % 9) for i in range(60)]
    before += [vrp(f"2001:db8:{i:x}::/48", 64000 + i, 48 + i % 17) for i in range(60)] + [pa(65000 + i, 1, 2) for i in range(30)]
    fresh = [vrp(f"172.16.{i}.0/24", 64000 + i) for i in range(35)]
    fresh += [vrp(f"2001:db8:ff{i:02x}::/48", 64000 + i) for i in range(35)] + [pa(65000 + i, 1, 3) for i in range(10, 25)]
    fresh += [pa(65100 + i, 0) for i in range(15)]
    gone = before[:30] + before[60:90] + [pa(65000 + i, 1, 2) for i in range(10)]
    c = Cache(before)
    c.reset()
    rng.shuffle(fresh)
    rng.shuffle(gone)
    delta(c, announce=fresh, withdraw=gone)
    assert c.payload == 170
    net.append(c.test("mixed", "170 PDUs of three types", S("5.3", "11.2"), "5.3-4-c", "ordering"))
    c = Cache([A])
    c.reset()
    for step in ([B], [C6], [rk(1, 1)], [pa(1, 2)]):
        c.publish(announce=step)
        if step == [B]:
            c.notify()
    c.query(4)
    c.query(1)
    tests_window = c.test("several-serials", "from any serial of the window", S("5.3"))
    net.append(tests_window)

    prefixes = []
    for family, section, base, other, many in (
            ("v4", "5.6", A, "198.51.100.0/24", [vrp(f"10.{i}.0.0/16", 64500 + i, 24) for i in range(20)]),
            ("v6", "5.7", C6, "2001:db8:1::/48", [vrp(f"2001:db8:{i:x}::/48", 64500 + i, 64) for i in range(20)])):
        moved = (base[0], base[1], base[2], 64999)
        one = [base]
        add = vrp(other, 64511)
        for version in ((2, 1, 0) if family == "v4" else (2,)):
            tail = "" if version == 2 else f"-in-version-{version}"
            prefixes.append(changed(f"{family}-add{tail}", "one comes", S(section), section + "-3-a", one, [add], version=version))
            prefixes.append(changed(f"{family}-origin{tail}", "another origin: two records, the announcement first (§11.2.1)",
                                    S(section, "11.1.3"), section + "-3-b", one, [moved], one, version=version))
        prefixes.append(changed(f"{family}-add-many", "many come", S(section), section + "-3-c", one, many))
        prefixes.append(changed(f"{family}-remove-many", "many go", S(section), section + "-3-d", one + many, withdraw=many))
        prefixes.append(changed(f"{family}-max-length", "another maxLength is another record", S(section), None, one,
                                [(base[0], base[1], base[2] + 1, base[3])], one))
    c = Cache([A])
    c.publish(announce=[A], source="second")
    c.reset()
    c.publish(withdraw=[A])
    c.query(1)
    delta(c, withdraw=[A], source="second")
    prefixes.append(c.test("several-roas", "one VRP of several ROAs stays until the last of them goes", S("5.6"), "5.6-5",
                           "aggregation of several caches"))

    keys = [changed("key-add", "one comes", S("5.10"), None, [A], [rk(1, 64500)]),
            changed("key-remove", "one goes", S("5.10"), None, [A, rk(1, 64500)], withdraw=[rk(1, 64500)]),
            changed("key-same-ski", "two ASes with one key", S("5.10"), None, [rk(1, 64500)], [rk(1, 64499), rk(0, 64501)]),
            changed("key-in-version-1", "version 1 has them too", [R8210 + "5.10"], None, [A], [rk(1, 64500)], version=1)]

    aspas = []
    c = Cache([pa(64500, 64501)])
    c.publish(announce=[pa(64500, 64502)], source="second")
    c.reset()
    delta(c, withdraw=[pa(64500, 64501)])
    delta(c, announce=[pa(64500, 64503)])
    delta(c, withdraw=[pa(64500, 64503)])
    delta(c, withdraw=[pa(64500, 64502)], source="second")
    aspas.append(c.test("collation", "the union of several in one PDU, replaced when it changes, withdrawn when it is empty",
                        S("5.12"), "5.12-6", "ASPA collation"))
    c = Cache([pa(64500, 0)])
    c.publish(announce=[pa(64500, 64502)], source="second")
    c.reset()
    delta(c, withdraw=[pa(64500, 64502)], source="second")
    aspas.append(c.test("aggregate-as0", "AS 0 of one does not stand beside providers of another", S("10"), None,
                        "aggregate AS0"))
    c = Cache([pa(64500, 64501)])
    c.publish(announce=[pa(64500, 64501)], source="second")
    c.reset()
    c.publish(withdraw=[pa(64500, 64501)])
    c.query(1)
    aspas.append(c.test("same-from-two", "one of two equal ones goes: nothing changes", S("5.12"), None, "ASPA collation"))
    many = range(64600, 64620)
    base = [pa(64500, 64501, 64503)]
    for name, comment, case, before, announce, withdraw in (
            ("provider-add", "a provider is added", "5.12-7-a", base, [pa(64500, 64501, 64502, 64503)], ()),
            ("provider-remove", "a provider is removed", "5.12-7-b", base, [pa(64500, 64501)], ()),
            ("provider-add-many", "many are added", "5.12-7-c", base, [pa(64500, 64501, 64503, *many)], ()),
            ("provider-remove-many", "many are removed", "5.12-7-d", [pa(64500, 64501, *many)], [pa(64500, 64501)], ()),
            ("provider-other", "all are others", None, base, [pa(64500, 1, 2)], ()),
            ("provider-as0", "to AS 0", None, base, [pa(64500, 0)], ()),
            ("customer-add", "a customer is added", "5.12-8", base, [pa(64400, 1)], ()),
            ("customer-add-many", "many are added", "5.12-8", base, [pa(c, 1, 2) for c in many], ()),
            ("customer-remove", "a customer is removed", "5.12-9", base, (), base),
            ("customer-remove-many", "many are removed", "5.12-9", base + [pa(c, 1) for c in many], (), [pa(c, 1) for c in many]),
            ("bulk-of-all", "providers and customers, in bulk", "5.12-7-d", [pa(c, 1, 2) for c in many],
             [pa(c, 2, 3) for c in range(64605, 64625)], [pa(c, 1, 2) for c in range(64600, 64605)])):
        aspas.append(changed(name, comment, S("5.12"), case, [A] + before, announce, withdraw))
    c = Cache([A], version=1)
    c.reset()
    c.publish(announce=[pa(1, 2)])
    c.query(1)
    aspas.append(c.test("not-in-version-1", "version 1 has a new serial with nothing in it, and no notification", S("5.12", "7")))

    tangle = [vrp("10.0.0.0/8", 3, 24), vrp("10.0.0.0/8", 0, 24), vrp("10.0.0.0/9", 7, 16), vrp("10.0.0.0/16", 1, 24),
              vrp("10.0.1.0/24", 1), vrp("0.0.0.0/0", 0, 0), vrp("2001:db8::/32", 1, 48), vrp("2001:db8::/48", 1, 48),
              vrp("2001:db8::/32", 0, 128), rk(3, 1), rk(1, 3), rk(1, 2), rk(2, 9), pa(9, 1), pa(10, 1, 2), pa(1, 0)]
    rng.shuffle(tangle)
    ordered = []
    c = Cache(tangle)
    c.reset()
    delta(c, withdraw=tangle)
    ordered.append(c.test("all", "the whole set, then all of it withdrawn", S("11.2", "11.2.1", "11.2.2", "11.2.3"), "11.2",
                          "ordering"))
    c = Cache(tangle[:8])
    c.reset()
    delta(c, announce=tangle[8:], withdraw=tangle[:8])
    ordered.append(c.test("both", "announcements before withdrawals within each type", S("11.2"), "11.2", "ordering"))
    return [("net", net), ("prefixes", prefixes), ("keys", keys), ("aspas", aspas), ("order", ordered)]


def errors_file():
    versions = []
    for version in range(3):
        c = Cache(BASE, version=version)
        c.reset()
        delta(c, announce=[B, vrp("2001:db8:1::/48", 1), pa(1, 2), rk(1, 1)], withdraw=[A])
        c.query(2)
        c.query(77)
        versions.append(c.test(f"pure-{version}", "everything in this version, nothing of a later one", S("7"),
                               "7-1" if version == 2 else "7-3", f"client and server in v{version}"))
    c = Cache([A])
    c.error(4, pdu(3, RESET), ends=False)
    c.reset()
    versions.append(c.test("above", "code 4 in the cache's own version; in version 2 it is not fatal, and the router may ask again",
                           S("7", "12"), "7-4", "version negotiation"))
    c = Cache([A], max_version=1, version=1)
    c.error(4, pdu(2, RESET))
    c.reset()
    versions.append(c.test("above-1", "with version 1 at most the code is fatal", [R8210 + "7"], "7-4", "version negotiation"))
    c = Cache([A], min_version=1)
    c.error(4, pdu(0, RESET))
    versions.append(c.test("below", "hopeless", S("7"), None, "version negotiation"))
    for first, second in ((2, 1), (2, 0), (1, 2), (1, 0)):
        c = Cache([A], version=first)
        c.reset()
        c.error(8, pdu(second, RESET))
        versions.append(c.test(f"other-{first}-{second}", "another version inside a session", S("7"), "7-12", "unexpected version"))
    c = Cache([A], version=2)
    c.reset()
    c.receive(error(1, 6))
    c.step(end="cache")
    versions.append(c.test("other-error-report", "but for an Error Report, which is never answered", S("7"), "7-12"))

    reports = []
    for code, case, scenario in ((0, "12", "invalid request"), (1, "12", "internal error"), (6, "12", "withdrawal of unknown"),
                                 (7, "12", "duplicate announcement"), (9, "12", "empty ASPA list"), (11, "12", "ordering"),
                                 (99, None, None)):
        c = Cache([A])
        c.reset()
        c.receive(error(2, code, encode(2, 1, A), b"a text"))
        c.step(end="cache")
        c.reset()
        reports.append(c.test(f"code-{code}", "from a router: the session ends, and nothing is said", S("5.11", "12"), case, scenario))
    c = Cache([A])
    c.receive(pdu(2, ERROR, 0, struct.pack("!II", 99, 0)))
    c.step(end="cache")
    c.reset()
    reports.append(c.test("malformed", "one whose lengths do not add up is not answered either", S("5.11")))

    refused = []
    for name, code, octets, ref, scenario in (
            ("type", 5, pdu(2, 99), "12", "unsupported PDU type"), ("type-5", 5, pdu(2, 5), "12", "unsupported PDU type"),
            ("aspa-in-version-1", 5, pdu(1, 11, 0, b"\0\0\0\1"), "12", "unsupported PDU type"),
            ("key-in-version-0", 5, pdu(0, 9, 0, bytes(25)), "12", "unsupported PDU type"),
            ("response", 3, pdu(2, RESPONSE, 1), "12", "invalid request"),
            ("prefix", 3, encode(2, 1, A), "12", "invalid request"),
            ("notify", 3, pdu(2, NOTIFY, 1, bytes(4)), "12", "invalid request"),
            ("end-of-data", 3, pdu(1, EOD, 1, bytes(16)), "12", "invalid request"),
            ("aspa", 3, aspa(1, 1), "12", "invalid request"),
            ("length-short", 0, struct.pack("!BBHI", 2, SERIAL, 0, 8), "5.3", None),
            ("length-long", 0, struct.pack("!BBHI", 2, RESET, 0, 12), "5.4", None),
            ("length-zero", 0, struct.pack("!BBHI", 2, RESET, 0, 0), "5.4", None),
            ("length-huge", 0, struct.pack("!BBHI", 2, SERIAL, 0, 2 ** 32 - 1), "5.1", None)):
        c = Cache([A], version=octets[0])
        c.error(code, octets)
        c.reset()
        refused.append(c.test(f"refuses-{name}", "what a router does not send", S(ref), "12" if code == 5 else None, scenario))
    return [("versions", versions), ("reports", reports), ("refused", refused)]


for name, title, make in (("cache-sessions", "sessions, serials, the beginning and the end", sessions_file),
                          ("cache-deltas", "what changed, in full and in order", deltas_file),
                          ("cache-errors", "versions and errors", errors_file)):
    data = {"schema": "waywarden-vectors-1", "suite": "rtr", "title": f"RTR cache: {title}", "spec": ["RFC 6810", "RFC 8210", DRAFT],
            "groups": [{"id": f"rtr.{name}.{g}", "tests": [{**t, "id": f"rtr.{name}.{g}.{t['id']}"} for t in tests]}
                       for g, tests in make()]}
    with open(f"{name}.json", "w", encoding="utf-8") as f:
        json.dump(data, f, indent=1, ensure_ascii=False)
        f.write("\n")
