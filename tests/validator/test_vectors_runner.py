#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The vector runner: what passes, what fails (exit 1), and above all what is refused (exit 2) with its place named.

usage: test_vectors_runner.py WAYWARDEN VECTORS_DIRECTORY
"""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM, VECTORS = sys.argv[1], sys.argv[2]

ROV = {
    "schema": "waywarden-vectors-1", "suite": "rov", "title": "t",
    "groups": [{"id": "g", "ref": ["RFC 6811 §2"],
                "payloads": {"roas": [{"prefix": "192.0.2.0/24", "maxLength": 25, "asn": 64496}]},
                "tests": [{"id": "t-1", "input": {"prefix": "192.0.2.0/24", "origin": 64496},
                           "expect": {"state": "valid"}}]}]}
ASPA = {
    "schema": "waywarden-vectors-1", "suite": "aspa", "title": "t",
    "groups": [{"id": "g", "payloads": {"aspas": [{"customer": 2, "providers": [3]}]}, "tests": [
        {"id": "t", "input": {"as_path": [1, 2], "local_role": "peer"},
         "expect": {"state": "invalid", "reason": "not-provider",
                    "hops": [{"customer": 2, "provider": 1, "state": "not-provider"}]}}]}]}
CCR = {
    "schema": "waywarden-vectors-1", "suite": "ccr", "title": "t",
    "groups": [{"id": "g", "tests": [{"id": "empty", "expect": {
        "roas_hash": "5PYNCqbX89O2pklLHIYbmfZJxvnsUauvIBsg8pcyfJU="}}]}]}
RTR = {
    "schema": "waywarden-vectors-1", "suite": "rtr", "title": "t",
    "groups": [{"id": "g", "tests": [{"id": "r-1", "input": {"version": 1, "exchange": [
        {"send": "0102000000000008"}, {"receive": "01 03 1234 00000008"},
        {"receive": "0107123400000018 00000005 00000e10 00000258 00001c20"}]},
        "expect": {"payloads": {"roas": []}, "serial": 5}}]}]}
KEY = {"asn": 1, "SKI": "00" * 20, "routerPublicKey": "AAAA"}


def changed(base, *path_and_value):
    """A copy of `base` with one member set; None deletes it."""
    *path, value = path_and_value
    out = copy.deepcopy(base)
    at = out
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return out


GROUP = ("groups", 0)
ROA = GROUP + ("payloads", "roas", 0)
TEST = GROUP + ("tests", 0)

# What is wrong, the file, and what the message must name.
MALFORMED = [
    ("unknown member of the file", changed(ROV, "color", 1), "/color: unknown"),
    ("unknown member of a group", changed(ROV, *GROUP, "color", 1), "/groups/0/color: unknown"),
    ("unknown member of a test", changed(ROV, *TEST, "color", 1), "/groups/0/tests/0/color: unknown"),
    ("unknown member of the input", changed(ROV, *TEST, "input", "color", 1), "/groups/0/tests/0/input/color"),
    ("unknown member of the expectation", changed(ROV, *TEST, "expect", "color", 1), "/groups/0/tests/0/expect/color"),
    ("unknown member of the payloads", changed(ROV, *GROUP, "payloads", "vrps", []), "/groups/0/payloads/vrps"),
    ("unknown member of a roa", changed(ROV, *ROA, "maxlength", 24), "/groups/0/payloads/roas/0/maxlength"),
    ("a name to be escaped", changed(ROV, "a/b~c", 1), "/a~1b~0c: unknown"),
    ("no object", [], "must be an object"),
    ("another schema", changed(ROV, "schema", "waywarden-vectors-2"), "/schema"),
    ("no schema", changed(ROV, "schema", None), '"schema"'),
    ("a suite without a runner", changed(ROV, "suite", "impact"), 'suite "impact"'),
    ("no title", changed(ROV, "title", None), '"title"'),
    ("no groups", changed(ROV, "groups", None), '"groups"'),
    ("groups of another type", changed(ROV, "groups", {}), "/groups: must be an array"),
    ("spec of another type", changed(ROV, "spec", [1]), "/spec"),
    ("ref of another type", changed(ROV, *TEST, "ref", "RFC 6811"), "/groups/0/tests/0/ref: must be an array"),
    ("a ref of another type", changed(ROV, *TEST, "ref", [6811]), "/groups/0/tests/0/ref/0"),
    ("a test without an id", changed(ROV, *TEST, "id", None), '/groups/0/tests/0: lacks the member "id"'),
    ("an id of another type", changed(ROV, *TEST, "id", 7), "/groups/0/tests/0/id: must be a string"),
    ("an id twice", changed(ROV, *GROUP, "tests", ROV["groups"][0]["tests"] * 2), "not unique"),
    ("a comment of another type", changed(ROV, *TEST, "comment", 1), "/groups/0/tests/0/comment"),
    ("no expectation", changed(ROV, *TEST, "expect", None), '"expect"'),
    ("no input", changed(ROV, *TEST, "input", None), '"input"'),
    ("no state", changed(ROV, *TEST, "expect", "state", None), '"state"'),
    ("another state", changed(ROV, *TEST, "expect", "state", "unknown"), "/expect/state: must be valid"),
    ("another reason", changed(ROV, *TEST, "expect", "reason", "because"), "/expect/reason: must be none"),
    ("a set of another type", changed(ROV, *TEST, "expect", "matched", {}), "/expect/matched: must be an array"),
    ("a bad roa in a set", changed(ROV, *TEST, "expect", "matched", [{"prefix": "x", "asn": 1}]), "/matched/0/prefix"),
    ("no prefix", changed(ROV, *TEST, "input", "prefix", None), '"prefix"'),
    ("a prefix with host bits", changed(ROV, *TEST, "input", "prefix", "192.0.2.1/24"), "/input/prefix: is no prefix"),
    ("a prefix too long", changed(ROV, *TEST, "input", "prefix", "192.0.2.0/33"), "/input/prefix: is no prefix"),
    ("a prefix without length", changed(ROV, *TEST, "input", "prefix", "192.0.2.0"), "/input/prefix: is no prefix"),
    ("a prefix with a NUL", changed(ROV, *TEST, "input", "prefix", "192.0.2.0/24\0"), ""),
    ("no origin", changed(ROV, *TEST, "input", "origin", None), 'either "origin" or "as_path"'),
    ("origin and path", changed(ROV, *TEST, "input", "as_path", [1]), 'either "origin" or "as_path"'),
    ("local_as without a path", changed(ROV, *TEST, "input", "local_as", 1), '"local_as"'),
    ("an origin too large", changed(ROV, *TEST, "input", "origin", 2**32), "/input/origin: is no AS number"),
    ("a negative origin", changed(ROV, *TEST, "input", "origin", -1), "/input/origin: is no AS number"),
    ("a fraction as origin", changed(ROV, *TEST, "input", "origin", 1.5), "/input/origin: is no AS number"),
    ("a roa with host bits", changed(ROV, *ROA, "prefix", "192.0.2.1/24"), "/groups/0/payloads/roas/0/prefix"),
    ("a roa without an AS", changed(ROV, *ROA, "asn", None), '/groups/0/payloads/roas/0: lacks the member "asn"'),
    ("a roa with a word for an AS", changed(ROV, *ROA, "asn", "ASX"), "/groups/0/payloads/roas/0/asn"),
    ("maxLength below the length", changed(ROV, *ROA, "maxLength", 23), "/groups/0/payloads/roas/0/maxLength"),
    ("maxLength above 32", changed(ROV, *ROA, "maxLength", 33), "/groups/0/payloads/roas/0/maxLength"),
    ("maxLength as text", changed(ROV, *ROA, "maxLength", "25"), "/groups/0/payloads/roas/0/maxLength: must be a whole"),
    ("a time as text", changed(ROV, *ROA, "expires", "now"), "/groups/0/payloads/roas/0/expires"),
    ("a negative time", changed(ROV, *ROA, "expires", -1), "/groups/0/payloads/roas/0/expires"),
    ("an ASPA without providers",
     changed(ROV, *GROUP, "payloads", "aspas", [{"customer": 1, "providers": []}]), "/aspas/0/providers: must hold"),
    ("an ASPA with AS 0 beside another",
     changed(ROV, *GROUP, "payloads", "aspas", [{"customer": 1, "providers": [0, 2]}]), "/aspas/0: is no sound"),
    ("a key identifier too short",
     changed(ROV, *GROUP, "payloads", "routerKeys", [dict(KEY, SKI="00")]), "/routerKeys/0/SKI: must be 40"),
    ("a key that is no base64",
     changed(ROV, *GROUP, "payloads", "routerKeys", [dict(KEY, routerPublicKey="A*==")]), "/routerKeys/0/routerPublicKey"),
    ("an empty key",
     changed(ROV, *GROUP, "payloads", "routerKeys", [dict(KEY, routerPublicKey="")]), "/routerKeys/0/routerPublicKey"),
    ("a path of suite aspa without a role", changed(ASPA, *TEST, "input", "local_role", None), "/input: must have"),
    ("a role that there is not", changed(ASPA, *TEST, "input", "local_role", "brother"), "/input/local_role"),
    ("a direction that there is not", changed(ASPA, *TEST, "input", "direction", "left"), "/input/direction"),
    ("role and direction that contradict", changed(ASPA, *TEST, "input", "direction", "downstream"), "contradict"),
    ("a neighbor that is no AS", changed(ASPA, *TEST, "input", "neighbor_as", -1), "/input/neighbor_as"),
    ("a state of another suite", changed(ASPA, *TEST, "expect", "state", "not-found"), "/expect/state"),
    ("a reason of another suite", changed(ASPA, *TEST, "expect", "reason", "length"), "/expect/reason"),
    ("a hop without its provider", changed(ASPA, *TEST, "expect", "hops", 0, "provider", None), "/expect/hops/0"),
    ("a hop's state that there is not", changed(ASPA, *TEST, "expect", "hops", 0, "state", "valid"), "/expect/hops/0"),
    ("input of suite ccr", changed(CCR, *TEST, "input", {"prefix": "::/0"}), "/groups/0/tests/0/input/prefix: unknown"),
    ("a hash of another length", changed(CCR, *TEST, "expect", "roas_hash", "AA=="), "/expect/roas_hash: must be base64"),
    ("rtr: another role", changed(RTR, *TEST, "input", "role", "printer"), "/input/role: must be"),
    ("rtr: no version", changed(RTR, *TEST, "input", "version", None), '"version"'),
    ("rtr: a version too high", changed(RTR, *TEST, "input", "version", 3), "/input/version: must be a number up to 2"),
    ("rtr: min_version above", changed(RTR, *TEST, "input", "min_version", 2), "/input/min_version: must be a number up to 1"),
    ("rtr: no exchange", changed(RTR, *TEST, "input", "exchange", None), '"exchange"'),
    ("rtr: an empty step", changed(RTR, *TEST, "input", "exchange", 0, {}), "/exchange/0: is no step"),
    ("rtr: two steps in one", changed(RTR, *TEST, "input", "exchange", 0, {"send": "00", "wait": 1}), "more than one"),
    ("rtr: an unknown step", changed(RTR, *TEST, "input", "exchange", 0, {"sing": 1}), "/exchange/0/sing: unknown"),
    ("rtr: half an octet", changed(RTR, *TEST, "input", "exchange", 0, {"send": "012"}), "/exchange/0/send: must be octets"),
    ("rtr: no octets", changed(RTR, *TEST, "input", "exchange", 0, {"send": ""}), "/exchange/0/send: must be octets"),
    ("rtr: no hex", changed(RTR, *TEST, "input", "exchange", 1, {"receive": "0x"}), "/exchange/1/receive: must be octets"),
    ("rtr: an end by nobody", changed(RTR, *TEST, "input", "exchange", 1, {"end": "me"}), "/end: must be cache or router"),
    ("rtr: no connection", changed(RTR, *TEST, "input", "exchange", 1, {"connect": False}), "/connect: must be true"),
    ("rtr: a wait backwards", changed(RTR, *TEST, "input", "exchange", 1, {"wait": -1}), "/wait: must be a number"),
    ("rtr: a code too large", changed(RTR, *TEST, "expect", "error", {"code": 65536}), "/error/code: must be a number"),
    ("rtr: resume without serial", changed(RTR, *TEST, "input", "resume", {"version": 1, "session": 1}), '"serial"'),
    ("rtr: a cache without steps", changed(RTR, *TEST, "input", {"role": "cache"}), '"steps"'),
    ("rtr: a cache's unknown step", changed(RTR, *TEST, "input", {"role": "cache", "steps": [{"sing": 1}]}),
     "/steps/0/sing: unknown"),
    ("rtr: two sessions for three versions", changed(RTR, *TEST, "input", {"role": "cache", "steps": [], "sessions": [1, 2]}),
     "/sessions: must be a session id for each version"),
    ("rtr: a cache that stops for tea", changed(RTR, *TEST, "input", {"role": "cache", "steps": [{"stop": "tea"}]}),
     "/steps/0/stop: must be restart or shutdown"),
    ("rtr: a change that is none", changed(RTR, *TEST, "input", {"role": "cache", "steps": [{"publish": {"add": {}}}]}),
     "/steps/0/publish/add: unknown"),
    ("rtr: nothing expected", changed(RTR, *TEST, "expect", {}), "expects nothing"),
    ("nothing expected", changed(CCR, *TEST, "expect", {}), "expects nothing"),
]
for what, path, place in [
        ("a word", ["x"], "/as_path/0"), ("a number as text", ["64496"], "/as_path/0"), ("null", [None], "/as_path/0"),
        ("an empty set", [1, []], "/as_path/1"), ("a set in a set", [[[1]]], "/as_path/0/0"),
        ("a set over 255", [list(range(256))], "/as_path/0"), ("an unknown segment", [{"confed-set": [1]}], "/as_path/0"),
        ("two kinds at once", [{"confed": [1], "confed_set": [2]}], "/as_path/0"),
        ("no array", {"confed": [1]}, "/as_path: must be an array"), ("a text", "64496", "/as_path: must be an array")]:
    MALFORMED.append(("a path with " + what,
                      changed(ROV, *TEST, "input", {"prefix": "192.0.2.0/24", "as_path": path}), place))

ROA_24 = {"prefix": "192.0.2.0/24", "maxLength": 25, "asn": 64496}
# A wrong expectation, and what the message must say.
FAILING = [
    ("state", changed(ROV, *TEST, "expect", {"state": "invalid"}), "expected invalid"),
    ("not-found", changed(ROV, *TEST, "expect", {"state": "not-found"}), "expected not-found"),
    ("reason", changed(ROV, *TEST, "expect", {"state": "valid", "reason": "as"}), "reason as"),
    ("a VRP too many", changed(ROV, *TEST, "expect", {"state": "valid", "matched": []}), "192.0.2.0/24-25 AS64496"),
    ("a VRP missing", changed(ROV, *TEST, "expect", {"state": "valid", "unmatched_as": [ROA_24]}), "unmatched_as holds 0"),
    ("another VRP", changed(ROV, *TEST, "expect", {"state": "valid", "matched": [dict(ROA_24, maxLength=24)]}),
     "not expected"),
    ("a hash", changed(CCR, *TEST, "expect", "roas_hash", "A" * 43 + "="), "roas_hash: expected"),
]


class Runner(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def file(self, content, name="v.json"):
        path = os.path.join(self.directory.name, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, "vectors", *arguments], capture_output=True, text=True, timeout=60)

    def test_the_bases_pass(self):
        for base in ROV, ASPA, CCR:
            done = self.run_program("run", self.file(base))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, "1 of 1 passed")

    def test_malformed_files_are_refused(self):
        for what, content, place in MALFORMED:
            with self.subTest(what):
                path = self.file(content)
                done = self.run_program("run", path)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(path, done.stderr)
                self.assertIn(place, done.stderr)
                self.assertNotIn("passed", done.stdout)
                self.assertEqual(self.run_program("list", path).returncode, 2)

    def test_bad_json_names_its_line(self):
        text = json.dumps(ROV, indent=1)
        for what, content in [("cut", text[:len(text) // 2]), ("garbage", "{\n{"), ("empty", ""),
                              ("twice", text.replace('"title": "t"', '"title": "t",\n "title": "u"')),
                              ("more", text + "x")]:
            with self.subTest(what):
                done = self.run_program("run", self.file(content))
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, r"v\.json:\d+: ")
        self.assertEqual(self.run_program("run", "/nonexistent.json").returncode, 2)
        self.assertEqual(self.run_program("run", self.directory.name).returncode, 2)

    def test_wrong_expectations_fail(self):
        for what, content, message in FAILING:
            with self.subTest(what):
                done = self.run_program("run", self.file(content))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("FAILED " + content["groups"][0]["tests"][0]["id"], done.stdout)
                self.assertIn(message, done.stdout)
                self.assertIn("0 of 1 passed", done.stdout)

    def test_every_vector_can_fail(self):
        """Each test of suites rov and aspa with its state changed must fail: none passes whatever is expected."""
        other = {"rov": {"valid": "invalid", "invalid": "not-found", "not-found": "valid"},
                 "aspa": {"valid": "invalid", "invalid": "unknown", "unknown": "valid"}}
        for path in sorted(glob.glob(os.path.join(VECTORS, "rov", "*.json")) +
                           glob.glob(os.path.join(VECTORS, "aspa", "*.json"))):
            with open(path, encoding="utf-8") as f:
                content = json.load(f)
            count = 0
            for group in content["groups"]:
                for test in group["tests"]:
                    test["expect"] = {"state": other[content["suite"]][test["expect"]["state"]]}
                    count += 1
            done = self.run_program("run", self.file(content))
            self.assertEqual(done.returncode, 1)
            self.assertIn("0 of %d passed" % count, done.stdout)

    def changed_caches(self, test, flip, stray):
        """The same where the cache is under test."""
        tests = []
        for i, step in enumerate(test["input"]["steps"]):
            router = {"router": step["router"]} if "router" in step else {}
            if "send" in step:
                tests.append(changed(test, "input", "steps", i, {"send": flip(step["send"]), **router}))
            for kind in ("refuse", "report"):
                if kind in step:
                    other = "report" if kind == "refuse" else "refuse"
                    tests.append(changed(test, "input", "steps", i, {kind: step[kind] + 1, **router}))
                    tests.append(changed(test, "input", "steps", i, {other: step[kind], **router}))
        tests.append(changed(test, "expect", "serial", (test["expect"]["serial"] + 1) % 3))
        if "payloads" in test["expect"]:
            tests.append(changed(test, "expect", "payloads", "roas", test["expect"]["payloads"]["roas"] + [stray]))
        return tests

    def test_every_conversation_can_fail(self):
        """Each test of suite rtr, with one octet of a query, the code of a refusal, or what is held in the end changed."""
        def flip(text):
            return text[:-1] + ("0" if text[-1] == "1" else "1")

        stray = {"prefix": "240.0.0.0/4", "asn": 1}
        for path in sorted(glob.glob(os.path.join(VECTORS, "rtr", "*.json"))):
            with open(path, encoding="utf-8") as f:
                content = json.load(f)
            tests = []
            for test in (t for group in content["groups"] for t in group["tests"]):
                if test["input"].get("role", "client") != "client":
                    tests += self.changed_caches(test, flip, stray)
                    continue
                for i, step in enumerate(test["input"]["exchange"]):
                    if "send" in step:
                        tests.append(changed(test, "input", "exchange", i, {"send": flip(step["send"])}))
                    elif "refuse" in step:
                        tests.append(changed(test, "input", "exchange", i, {"refuse": step["refuse"] + 1}))
                    elif "holds" in step:
                        roas = step["holds"]["roas"] + [stray]
                        tests.append(changed(test, "input", "exchange", i, {"holds": dict(step["holds"], roas=roas)}))
                    elif "end" in step:
                        other = {"cache": "router", "router": "cache"}[step["end"]]
                        tests.append(changed(test, "input", "exchange", i, {"end": other}))
                expect = test["expect"]
                if "payloads" in expect:
                    tests.append(changed(test, "expect", "payloads", "roas", expect["payloads"]["roas"] + [stray]))
                for member in ("serial", "session", "version"):
                    if member in expect:
                        tests.append(changed(test, "expect", member, (expect[member] + 1) % 3))
                if "error" in expect:
                    tests.append(changed(test, "expect", "error", "code", expect["error"]["code"] + 1))
                    tests.append(changed(test, "expect", "error", None))
                    tests[-1]["expect"].setdefault("payloads", {"roas": []})
            for i, test in enumerate(tests):
                test["id"] += f"-{i}"
            content["groups"] = [{"id": "g", "tests": tests}]
            done = self.run_program("run", self.file(content))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"0 of {len(tests)} passed", done.stdout,
                          [line for line in done.stdout.splitlines() if not line.startswith("FAILED")])

    def test_a_bad_file_outweighs_a_failure(self):
        good, failing = self.file(ROV, "good.json"), self.file(FAILING[0][1], "failing.json")
        bad = self.file("{", "bad.json")
        self.assertEqual(self.run_program("run", good, failing).returncode, 1)
        done = self.run_program("run", failing, bad, good)
        self.assertEqual(done.returncode, 2)
        self.assertIn("good.json: 1 of 1 passed", done.stdout)

    def test_tap(self):
        failing = changed(FAILING[0][1], *TEST, "id", 't#2 "q"')
        done = self.run_program("run", "--format", "tap", self.file(ROV, "a.json"), self.file(failing, "b.json"),
                                self.file("{", "c.json"))
        lines = done.stdout.splitlines()
        self.assertEqual(lines[:3], ["TAP version 13", "ok 1 - t-1", 'not ok 2 - t?2 "q"'])
        self.assertEqual(lines[-1], "1..3")
        self.assertTrue(any(re.match(r"not ok 3 - .*c\.json$", line) for line in lines))

    def test_junit(self):
        failing = changed(FAILING[0][1], *TEST, "id", '<&">')
        done = self.run_program("run", "--format", "junit", self.file(ROV, "a.json"), self.file(failing, "b.json"),
                                self.file("{", "c.json"))
        self.assertEqual(done.returncode, 2)
        root = xml.etree.ElementTree.fromstring(done.stdout)
        suite = root.find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("3", "1", "1"))
        cases = suite.findall("testcase")
        self.assertEqual([case.get("name") for case in cases][:2], ["t-1", '<&">'])
        self.assertIsNotNone(cases[1].find("failure"))
        self.assertIsNotNone(cases[2].find("error"))

    def test_filter(self):
        two = copy.deepcopy(ROV)
        two["groups"][0]["tests"].append(dict(FAILING[0][1]["groups"][0]["tests"][0], id="other.2"))
        path = self.file(two)
        self.assertEqual(self.run_program("run", path).returncode, 1)
        self.assertEqual(self.run_program("run", "--filter", "t-*", path).returncode, 0)
        self.assertEqual(self.run_program("run", "--filter", "other.*", path).returncode, 1)
        self.assertEqual(self.run_program("run", "--filter", "nothing", path).returncode, 2)
        done = self.run_program("list", "--filter", "t-*", path)
        self.assertEqual((done.returncode, done.stdout), (0, "rov\tt-1\tRFC 6811 §2\n"))

    def test_own_payloads_and_extensions(self):
        content = changed(ROV, *TEST, "payloads", {"roas": [dict(ROA_24, asn="AS64499", **{"x-who": "me"})]})
        content["x-source"] = {"any": ["thing"]}
        content["groups"][0]["tests"][0]["x-note"] = 1
        content["groups"][0]["tests"][0]["input"]["x-note"] = 1
        content["groups"][0]["tests"][0]["expect"] = {"state": "invalid", "reason": "as", "x-note": 1}
        self.assertEqual(self.run_program("run", self.file(content)).returncode, 0)

    def test_usage(self):
        path = self.file(ROV)
        for arguments in [(), ("walk", path), ("run",), ("list",), ("run", "--format", "yaml", path),
                          ("run", "--color", path), ("list", "--format", "tap", path)]:
            with self.subTest(arguments):
                self.assertEqual(self.run_program(*arguments).returncode, 2)

    def test_public_cases(self):
        shared = os.environ.get("WW_SHARED", os.path.join(VECTORS, "..", "..", "shared"))
        for suite in "rov", "aspa":
            path = os.path.join(shared, "data", "vectors", suite + ".json")
            if not os.path.exists(path):
                self.skipTest("no public cases here (WW_SHARED)")
            done = self.run_program("run", path)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_hops_are_compared(self):
        done = self.run_program("run", self.file(changed(ASPA, *TEST, "expect", "hops", 0, "state", "provider")))
        self.assertEqual(done.returncode, 1)
        self.assertIn("hop 0 is 2 to 1, not-provider; 2 to 1, provider is expected", done.stdout)
        done = self.run_program("run", self.file(changed(ASPA, *TEST, "expect", "hops", [])))
        self.assertEqual(done.returncode, 1)
        self.assertIn("there are 1 hops, 0 are expected", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
