#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the vectors of suite aspa beside itself: make.py

steps.json       each step of both procedures, each role, prepends, AS 0, long lists and long paths, by hand
ramps.json       every path of 1 to 4 distinct ASes with every state that their records can give the hops, both procedures
examples.json is not made here: it holds the worked examples that authors of the draft published.
The outcomes of ramps.json come from the definitions of the draft as they stand (§5.3 to §5.6), written out below;
those of steps.json are written by hand, and compared with the same definitions."""
import itertools
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
DRAFT = "draft-ietf-sidrops-aspa-verification-28"


# --- the draft's definitions --------------------------------------------------------------------------------------

def compress(path):
    """§5.2: AS(1) is the origin; index 0 is not used."""
    out = [None]
    for asn in reversed(path):
        if out[-1] != asn:
            out.append(asn)
    return out


def authorized(table, x, y):
    """§5.3; an AS 0 in a SPAS has no influence (§4)."""
    if x not in table:
        return "no-attestation"
    return "provider" if y in table[x] and y != 0 else "not-provider"


def outcome(table, path, direction, neighbor, rs_client=False):
    """§5.5, §5.6: state, reason, hops."""
    down = direction == "downstream"
    flat = [a for a in path if isinstance(a, int)]
    if any(isinstance(a, dict) for a in path):
        return "invalid", "confed", []
    if not path:
        return "invalid", "empty", []
    if len(flat) != len(path):
        return "invalid", "as-set", []
    if not rs_client and path[0] != neighbor:
        return "invalid", "first-as", []
    a = compress(path)
    n = len(a) - 1
    up_hops = [(a[i], a[i + 1], authorized(table, a[i], a[i + 1])) for i in range(1, n)]
    down_hops = [(a[j], a[j - 1], authorized(table, a[j], a[j - 1])) for j in range(n, 1, -1)] if down else []

    def bound(hops, stops):
        return next((i + 1 for i, h in enumerate(hops) if h[2] in stops), n)

    fails, unsure = ("not-provider",), ("not-provider", "no-attestation")
    max_up, min_up = bound(up_hops, fails), bound(up_hops, unsure)
    max_down, min_down = (bound(down_hops, fails), bound(down_hops, unsure)) if down else (0, 0)
    hops = [{"customer": c, "provider": p, "state": s} for c, p, s in up_hops + down_hops]
    if max_up + max_down < n:
        return "invalid", "valley" if down else "not-provider", hops
    if min_up + min_down < n:
        return "unknown", "unattested", hops
    return "valid", "none", hops


# --- files ---------------------------------------------------------------------------------------------------------

def procedure(role):
    return "downstream" if role in ("customer", "mutual-transit", "downstream") else "upstream"


def test(ident, table, path, who, want=None, neighbor=None, comment=None, ref=None, with_hops=True):
    direction = procedure(who)
    key = "direction" if who in ("upstream", "downstream") else "local_role"
    first = next((a for a in path if isinstance(a, int)), None)
    state, reason, hops = outcome(table, path, direction, first if neighbor is None else neighbor, who == "rs-client")
    if want and want != (state, reason):
        raise SystemExit(f"{ident}: written {want}, the definitions give {(state, reason)}")
    out = {"id": ident}
    if ref:
        out["ref"] = [f"{DRAFT} {r}" for r in ref]
    if comment:
        out["comment"] = comment
    out["input"] = {"as_path": path, key: who}
    if neighbor is not None:
        out["input"]["neighbor_as"] = neighbor
    out["expect"] = {"state": state, "reason": reason}
    if with_hops:
        out["expect"]["hops"] = hops
    return out


def group(ident, ref, table, tests):
    return {"id": ident, "ref": [f"{DRAFT} {r}" for r in ref],
            "payloads": {"aspas": [{"customer": c, "providers": sorted(p)} for c, p in sorted(table.items())]},
            "tests": tests}


def write(name, title, groups, **more):
    data = {"schema": "waywarden-vectors-1", "suite": "aspa", "title": title, "spec": [DRAFT], **more}
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        head = json.dumps(data, indent=1, ensure_ascii=False)[:-2]
        f.write(head + ',\n "groups": [')
        for i, g in enumerate(groups):
            tests = g.pop("tests")
            f.write(("," if i else "") + "\n  " + json.dumps(g, ensure_ascii=False)[:-1] + ', "tests": [\n   ')
            f.write(",\n   ".join(json.dumps(t, ensure_ascii=False) for t in tests) + "\n  ]}")
        f.write("\n ]\n}\n")


# --- by hand --------------------------------------------------------------------------------------------------------

def steps():
    # 10 and 20 are the tops, peers; 30 and 40 their customers; 50 below 30, 60 below 40; 70 silent; 90 has no provider.
    t = {30: {10}, 40: {20}, 50: {30}, 60: {40}, 10: {0}, 20: {0}, 90: {0}}
    up, down = "upstream", "downstream"
    groups = []
    for d, ref in ((up, "§5.5"), (down, "§5.6")):
        groups.append(group(f"aspa.{d}.steps", [ref], t, [
            test(f"{d}-empty", t, [], d, ("invalid", "empty"), comment="step 1"),
            test(f"{d}-first-as", t, [30, 50], d, ("invalid", "first-as"), neighbor=10, comment="step 2"),
            test(f"{d}-first-as-prepended", t, [30, 30, 50], d, ("valid", "none"), neighbor=30, comment="step 2"),
            test(f"{d}-as-set", t, [10, 30, [50]], d, ("invalid", "as-set"), comment="step 3: at the origin"),
            test(f"{d}-as-set-inside", t, [10, [30], 50], d, ("invalid", "as-set"), comment="step 3: inside"),
            test(f"{d}-confed", t, [{"confed": [65001]}, 10, 30], d, ("invalid", "confed"),
                 comment="the draft says nothing; such a segment must not leave its confederation (RFC 5065 §5)"),
            test(f"{d}-confed-set", t, [10, 30, {"confed_set": [65001]}], d, ("invalid", "confed")),
            test(f"{d}-one", t, [90], d, ("valid", "none"), comment="N = 1: no hop; step 6"),
            test(f"{d}-one-prepended", t, [90, 90, 90], d, ("valid", "none"), comment="N = 1 after compression"),
            test(f"{d}-one-silent", t, [70], d, ("valid", "none"), comment="N = 1 without an ASPA"),
        ]))
    groups.append(group("aspa.upstream.outcomes", ["§5.5"], t, [
        test("up-valid-2", t, [10, 30], up, ("valid", "none"), comment="N = 2, step 6"),
        test("up-valid-3", t, [10, 30, 50], up, ("valid", "none")),
        test("up-invalid-2", t, [20, 30], up, ("invalid", "not-provider"), comment="N = 2, step 4"),
        test("up-invalid-top", t, [20, 10, 30, 50], up, ("invalid", "not-provider"), comment="a peer's route"),
        test("up-invalid-origin", t, [20, 40, 50], up, ("invalid", "not-provider"), comment="at the origin"),
        test("up-unknown-2", t, [70, 71], up, ("unknown", "unattested"), comment="N = 2, step 5"),
        test("up-unknown-top", t, [72, 70, 71], up, ("unknown", "unattested")),
        test("up-invalid-over-unknown", t, [20, 30, 70], up, ("invalid", "not-provider"),
             comment="a silent AS below does not hide the hop above"),
        test("up-invalid-below-unknown", t, [71, 70, 50], up, ("invalid", "not-provider")),
        test("up-prepends", t, [10, 10, 30, 30, 30, 50, 50], up, ("valid", "none"), ref=["§5.2"]),
        test("up-prepends-origin", t, [10, 30, 50, 50, 50], up, ("valid", "none"), ref=["§5.2"]),
        test("up-not-consecutive", t, [10, 30, 10, 30], up, ("invalid", "not-provider"), ref=["§5.2"],
             comment="only consecutive ones are removed"),
    ]))
    groups.append(group("aspa.downstream.outcomes", ["§5.6"], t, [
        test("down-2-anything", t, [90, 10], down, ("valid", "none"), comment="N = 2: the ramps always meet"),
        test("down-2-silent", t, [70, 71], down, ("valid", "none")),
        test("down-climb", t, [10, 30, 50], down, ("valid", "none"), comment="up all the way"),
        test("down-descent", t, [50, 30, 10], down, ("valid", "none"), comment="down all the way"),
        test("down-apex-one", t, [50, 30, 10, 30], down, ("valid", "none"), comment="apex of one AS"),
        test("down-apex-two", t, [60, 40, 20, 10, 30, 50], down, ("valid", "none"), comment="apex of two: peers"),
        test("down-apex-two-short", t, [40, 20, 10, 30], down, ("valid", "none")),
        test("down-apex-three", t, [60, 40, 20, 90, 10, 30, 50], down, ("invalid", "valley"),
             comment="two hops between the ramps"),
        test("down-valley", t, [40, 20, 30, 10], down, ("invalid", "valley"), comment="10 to 30 to 20: 30 leaks"),
        test("down-valley-at-origin", t, [20, 50, 10], down, ("invalid", "valley")),
        test("down-unknown-apex", t, [40, 70, 71, 30], down, ("invalid", "valley"),
             comment="both ends deny: no silent AS between them can help"),
        test("down-unknown-up", t, [40, 20, 71, 70], down, ("unknown", "unattested"), comment="the up-ramp is not sure"),
        test("down-unknown-down", t, [70, 71, 10, 30], down, ("unknown", "unattested")),
        test("down-unknown-both", t, [70, 71, 72, 73], down, ("unknown", "unattested")),
        test("down-3-silent", t, [70, 71, 72], down, ("unknown", "unattested"), comment="N = 3, step 5"),
        test("down-prepends", t, [60, 40, 40, 20, 20, 10, 30, 30, 50], down, ("valid", "none"), ref=["§5.2"]),
        test("down-prepends-apex", t, [40, 20, 20, 20, 10, 10, 10, 30], down, ("valid", "none"), ref=["§5.2"]),
        test("down-sure-although-denied", t, [50, 30, 10, 20], down, ("valid", "none"),
             comment="20 denies 10 at once, and the down-ramp reaches down from 10"),
    ]))
    roles = [test(f"role-{r}", t, [20, 10, 30], r, w, comment=c) for r, w, c in (
        ("customer", ("valid", "none"), "downstream: 10 and 20 are the apex"),
        ("provider", ("invalid", "not-provider"), "upstream"),
        ("peer", ("invalid", "not-provider"), "upstream"),
        ("rs", ("invalid", "not-provider"), "upstream"),
        ("rs-client", ("invalid", "not-provider"), "upstream"),
        ("mutual-transit", ("valid", "none"), "downstream: what comes may come from above"))]
    roles += [test(f"role-{r}-neighbor", t, [10, 30], r, w, neighbor=99) for r, w in (
        ("customer", ("invalid", "first-as")), ("provider", ("invalid", "first-as")), ("peer", ("invalid", "first-as")),
        ("rs", ("invalid", "first-as")))]
    roles.append(test("role-rs-client-neighbor", t, [10, 30], "rs-client", ("valid", "none"), neighbor=99,
                      comment="step 2 is not for clients of a route server"))
    groups.append(group("aspa.roles", ["§5.5", "§5.6", "§6.3"], t, roles))
    zero = {1: {0}, 2: {0}, 3: {1}}
    groups.append(group("aspa.as0", ["§4"], zero, [
        test("as0-denies", zero, [9, 1], up, ("invalid", "not-provider"), comment="no provider at all"),
        test("as0-top", zero, [1, 3], up, ("valid", "none")),
        test("as0-peers", zero, [2, 1, 3], down, ("valid", "none"), comment="two tops side by side"),
        test("as0-in-path", zero, [0, 1], up, ("invalid", "not-provider"), comment="AS 0 is nobody's provider"),
    ]))
    many = {1000: set(range(2000, 2400)), 1001: set(range(2000, 2016)), 1002: set(range(2000, 2017)),
            1003: set(range(2000, 2006)), 4294967295: {4294967294}}
    groups.append(group("aspa.lists", ["§5.3"], many, [
        test(f"list-{c}-{p}", many, [p, c], up,
             ("valid", "none") if p in many[c] else ("invalid", "not-provider"), comment=f"of {len(many[c])}")
        for c, p in ((1000, 2000), (1000, 2399), (1000, 2200), (1000, 1999), (1000, 2400), (1001, 2015), (1001, 2016),
                     (1002, 2016), (1002, 2017), (1002, 2008), (1003, 2005), (1003, 2006),
                     (4294967295, 4294967294), (4294967295, 0))]))
    chain = {100 + i: {101 + i} for i in range(300)}
    path = list(range(400, 99, -1))
    denied = dict(chain)
    denied[110] = {5}
    groups.append(group("aspa.long", ["§5.4"], chain, [
        test("long-up", chain, path, up, ("valid", "none"), with_hops=False, comment="301 ASes"),
        test("long-down", chain, path[::-1], down, ("valid", "none"), with_hops=False),
        test("long-up-and-down", chain, path[::-1][:-1] + path, down, ("valid", "none"), with_hops=False,
             comment="apex of one AS"),
    ]))
    groups.append(group("aspa.long-denied", ["§5.4"], denied, [
        test("long-up-denied", denied, path, up, ("invalid", "not-provider"), with_hops=False),
        test("long-down-denied", denied, path[::-1], down, ("invalid", "valley"), with_hops=False),
    ]))
    write("steps.json", "Path verification, step by step", groups)


# --- everything short -----------------------------------------------------------------------------------------------

def ramps():
    """What each AS says: nothing, or names the AS nearer to the origin, the one nearer to us, both, neither."""
    groups = []
    for n in range(1, 5):
        table, variants = {}, 5

        def asn(place, v):
            return 64600 + place * 10 + v

        for place in range(n):  # place 0 is the neighbor
            for v in range(1, variants):
                says = {64599}
                if (v - 1) & 1 and place > 0:
                    says |= {asn(place - 1, w) for w in range(variants)}
                if (v - 1) & 2 and place + 1 < n:
                    says |= {asn(place + 1, w) for w in range(variants)}
                table[asn(place, v)] = says
        tests = []
        for d in ("upstream", "downstream"):
            for combo in itertools.product(range(variants), repeat=n):
                # What the first AS says of the one before it, and the last of the one behind, is the same as nothing.
                if (combo[0] - 1) & 1 and combo[0] or (combo[-1] - 1) & 2 and combo[-1]:
                    continue
                path = [asn(p, v) for p, v in enumerate(combo)]
                tests.append(test(f"{d}-" + "".join(map(str, combo)), table, path, d, with_hops=n < 4))
        groups.append(group(f"aspa.ramps.{n}", ["§5.3", "§5.4", "§5.5", "§5.6"], table, tests))
    write("ramps.json", "Every path of up to four ASes", groups)


if __name__ == "__main__":
    steps()
    ramps()
