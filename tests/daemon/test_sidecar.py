#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The whole sidecar on loopback: payloads in, a router's routes in, verdicts at a station; and what happens when files are
broken, routers misbehave, caches lie, stations are slow, and the daemon is killed."""
import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import bmpgen  # noqa: E402
from harness import WAYWARDEN, Lab, check, free_port, json_lines  # noqa: E402

PEER = bmpgen.Peer("192.0.2.1", 64501)
ROUTES = [("198.51.100.0/24", [64501, 64510], "valid"), ("203.0.113.0/26", [64501, 64511], "invalid"),
          ("192.0.2.0/24", [64501, 64512], "unknown"), ("2001:db8:7::/48", [64501, 64512], "valid"),
          ("198.51.100.128/25", [64501, [1, 2]], "invalid")]
VRPS = [("198.51.100.0/24", 24, 64510), ("203.0.113.0/24", 25, 64511), ("2001:db8::/32", 48, 64512)]


def payload(vrps, expires=None):
    roas = [{"prefix": p, "maxLength": m, "asn": a, "ta": "lab"} for p, m, a in vrps]
    for roa, when in zip(roas, expires or []):
        roa["expires"] = when
    return json.dumps({"metadata": {"buildtime": "2026-01-01T00:00:00Z"}, "roas": roas}, indent=1)


class Router:
    """A router's BMP session, open until it is closed by hand or the test ends."""
    alive = []

    def __init__(self, port, name="edge1", source="127.0.0.1"):
        self.alive.append(self)
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        self.send(bmpgen.initiation(name))

    def send(self, octets):
        self.socket.sendall(octets)
        return self

    def routes(self, routes=ROUTES, peer=PEER):
        return self.send(peer.up() + b"".join(peer.route(bmpgen.update([p], path)) for p, path, _ in routes))

    def closed(self):
        self.socket.settimeout(0.05)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


class Sidecar:
    """A daemon with one station, in a folder of its own."""

    def __init__(self, lab, name, config, station=True, extra="", wrapper=()):
        self.lab, self.name, self.port, self.wrapper = lab, name, free_port(), wrapper
        self.control = lab.path(name + ".sock")
        self.station = None
        text = f'store = "{lab.path(name + ".store")}"\ncontrol = "{self.control}"\nbmp-listen "127.0.0.1:{self.port}" {{ }}\n'
        if station:
            self.station_port = free_port()
            text += (f'station "noc" {{ host = "127.0.0.1"  port = {self.station_port}  retry-min = 1  retry-max = 2 {extra}\n'
                     f'  certificate = "{lab.path("pki/sidecar.pem")}"  key = "{lab.path("pki/sidecar.key")}"\n'
                     f'  ca = "{lab.path("pki/ca.pem")}" }}\n')
            self.start_station()
        self.base, self.runs = text, 0
        self.config(config)
        self.start()

    def config(self, text):
        self.lab.write(self.name + ".conf", self.base + text)

    def start_station(self, *more):
        self.station = self.lab.start(self.name + "-station", WAYWARDEN, "station", "--listen", f"127.0.0.1:{self.station_port}",
                                      "--cert", "pki/station.pem", "--key", "pki/station.key", "--ca", "pki/ca.pem", *more)
        self.lab.wait("the station listens", lambda: "listening" in self.station.output())

    def start(self):
        self.runs += 1
        self.daemon = self.lab.start(f"{self.name}-daemon{self.runs}", *self.wrapper, WAYWARDEN, "run", "-c",
                                     self.lab.path(self.name + ".conf"))
        self.lab.wait("the daemon listens", lambda: "BMP: listening" in self.daemon.output() or not self.daemon.alive())
        check(self.daemon.alive(), "the daemon runs")

    def said(self, text):
        return text in self.daemon.output()

    def status(self):
        done = subprocess.run([WAYWARDEN, "status", "--control", self.control, "--json"], capture_output=True, text=True, timeout=30)
        if done.returncode not in (0, 4):
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    def ready(self):
        return self.lab.wait("the daemon is ready", lambda: self.status()["ready"])

    def heard(self, kind=None):
        return [m for m in json_lines(self.station.output()) if kind in (None, m["type"])]

    def states(self):
        """What the station believes: newest state of each prefix."""
        table = {}
        for m in self.heard():
            if m["type"] in ("initiation", "peer-down"):
                table = {}
            for route in m.get("verdicts", []):
                table[route["prefix"]] = route["state"] if not route.get("withdrawn") else None
        return {p: s for p, s in table.items() if s}


def want(routes=ROUTES):
    return {p: s for p, _, s in routes}


# ---- files ----

def files(lab):
    lab.write("p.json", payload(VRPS))
    s = Sidecar(lab, "files", f'payload-file "p" {{ path = "{lab.path("p.json")}"  refresh-interval = 1 }}\n')
    s.ready()
    router = Router(s.port).routes()
    lab.wait("every verdict is right", lambda: s.states() == want(), 20)
    invalid = [v for m in s.heard() for v in m.get("verdicts", []) if v["prefix"] == "203.0.113.0/26"][-1]
    check(invalid["origin_validation"]["reason"] == "length" and invalid["rules"][0]["source"] == "p", "with its evidence")
    status = s.status()
    check(status["routers"][0]["valid"] == 2 and status["routers"][0]["invalid"] == 2, "status counts routes by state")
    check(status["stations"][0]["state"] == "up" and status["stations"][0]["nlri"] >= len(ROUTES), "and what was sent")

    # a broken file changes nothing and is named with its line
    good, epoch = payload(VRPS), status["epoch"]
    broken = {"cut in half": (good[:len(good) // 2], "p.json"),
              "host bits": (good.replace("203.0.113.0/24", "203.0.113.1/24"), "p.json:"),
              "maxLength below length": (good.replace('"maxLength": 24', '"maxLength": 23'), "p.json:"),
              "no JSON": ("<html>\n", "p.json"), "empty": ("", "p.json")}
    for what, (text, says) in broken.items():
        before = len(s.daemon.output())
        lab.write("p.json", text)
        lab.wait(f"{what}: said with file and line", lambda: says in s.daemon.output()[before:] and
                 "the previous data stays in force" in s.daemon.output()[before:], 15)
    os.rename(lab.path("p.json"), lab.path("p.away"))
    lab.wait("gone: said", lambda: s.said("p.json: No such file or directory"), 15)
    status = s.status()
    check(status["epoch"] == epoch and status["sources"][0]["records"] == 3, "the data in force is the same")
    check(status["sources"][0]["errors"] >= 6 and "No such file" in status["sources"][0]["last_error"], "status tells of it")
    check(s.states() == want(), "and so are the verdicts")

    # a good file is a delta
    before = len(s.heard())
    lab.write("p.json", payload(VRPS[:1] + [("203.0.113.0/24", 26, 64511)] + VRPS[2:]))
    lab.wait("a new file revalidates", lambda: s.states().get("203.0.113.0/26") == "valid", 15)
    moved = [v for m in s.heard()[before:] for v in m.get("verdicts", [])]
    check([v["prefix"] for v in moved] == ["203.0.113.0/26"] and moved[0]["trigger"] == "dataset", "only the route it covers")

    # metadata with another hash is said, and the file used
    wrong = json.loads(payload(VRPS))
    wrong["metadata"] = {"ccr_vrps_hash": base64.b64encode(bytes(32)).decode()}
    lab.write("p.json", json.dumps(wrong))
    lab.wait("metadata with another hash is said", lambda: s.said("p.json: metadata.ccr_vrps_hash is not the hash of the records"), 15)
    lab.wait("and the file is used", lambda: s.states() == want(), 15)

    # records expire where they are
    soon = int(time.time()) + 3
    lab.write("p.json", payload(VRPS, [soon, None, None]).replace('"expires": null', '"expires": 0'))
    lab.wait("an expired VRP goes by itself", lambda: s.states().get("198.51.100.0/24") == "unknown", 20)
    check(s.said("source p: expired: 0 in, 1 out"), "and the log says so")

    # HUP: files are read even when unchanged; a bad configuration changes nothing
    before = len(s.daemon.output())
    lab.write("p.json", payload(VRPS))
    s.daemon.send(signal.SIGHUP)
    lab.wait("HUP reads the file", lambda: "p.json read: 3 records" in s.daemon.output()[before:], 10)
    lab.wait("and its verdicts are back", lambda: s.states() == want(), 10)
    s.config('payload-file "p" { path = "x" }\nbogus = 1\n')
    s.daemon.send(signal.SIGHUP)
    lab.wait("HUP with a bad configuration: file and line", lambda: s.said("files.conf:8: no such option 'bogus'"), 10)

    # routers come and go
    router.socket.close()
    lab.wait("the router's end is a Peer Down", lambda: s.heard("peer-down"), 10)
    lab.wait("status knows", lambda: not s.status()["routers"][0]["connected"], 10)
    router = Router(s.port).routes()
    lab.wait("it comes back in the same session", lambda: s.states() == want() and len(s.heard("initiation")) == 1, 10)
    second = Router(s.port).routes(ROUTES[:2])
    lab.wait("a second connection replaces the first", lambda: router.closed() and s.states() == want(ROUTES[:2]), 10)

    # hostile input: each ends its connection, with a word, and nothing else
    bad = {"length 0": b"\x03\0\0\0\0\x04", "length 5": b"\x03\0\0\0\x05\x04", "length 0x7fffffff": b"\x03\x7f\xff\xff\xff\x04",
           "version 0": b"\0\0\0\0\x06\x04", "version 9": b"\x09\0\0\0\x06\x04",
           "no Initiation": PEER.up(), "HTTP": b"GET / HTTP/1.1\r\n\r\n"}
    for what, octets in bad.items():
        before = len(s.daemon.output())
        with socket.create_connection(("127.0.0.1", s.port)) as hostile:
            hostile.sendall(octets)
            hostile.settimeout(10)
            try:
                over = hostile.recv(1) == b""
            except ConnectionResetError:
                over = True
            check(over and "session closed: at octet" in s.daemon.output()[before:], f"{what}: closed, and said why")
    before = len(s.daemon.output())
    with socket.create_connection(("127.0.0.1", s.port)) as hostile:
        hostile.sendall(bmpgen.initiation("other") + PEER.up() + b"\x03\0\0\0\x05\x00")
        lab.wait("in the middle of a session too", lambda: "router other: session closed: at octet" in s.daemon.output()[before:], 10)
    check(s.states() == want(ROUTES[:2]) and not second.closed(), "the good router's session goes on")

    check(s.daemon.stop() == 0, "TERM ends it cleanly")
    lab.wait("with Termination", lambda: s.heard("termination"), 10)
    check(not os.path.exists(s.control), "and no socket is left")


# ---- warm start, which routers, the store ----

def warm(lab):
    lab.write("w.json", payload(VRPS))
    s = Sidecar(lab, "warm", f'payload-file "w" {{ path = "{lab.path("w.json")}" }}\nrouter "core" {{ sys-name = "edge1" }}\n')
    s.ready()
    Router(s.port).routes()
    lab.wait("verdicts", lambda: s.states() == want(), 20)
    epoch = s.status()["epoch"]

    second = subprocess.run([WAYWARDEN, "run", "-c", lab.path("warm.conf")], capture_output=True, text=True, timeout=30)
    check(second.returncode == 1 and s.daemon.alive(), "a second daemon cannot have the same store: " +
          second.stderr.strip().splitlines()[-1])
    s.daemon.stop(signal.SIGKILL)
    check(s.daemon.child.returncode == -9, "the daemon is killed")
    os.unlink(lab.path("w.json"))
    before = len(s.heard())
    s.start()
    s.ready()
    check(s.said("store: epoch") and s.status()["epoch"] == epoch, "a restart serves the stored epoch")
    Router(s.port).routes()
    lab.wait("with the same verdicts, before any source is up",
             lambda: len(s.heard()) > before and s.states() == want(), 20)
    check(s.status()["sources"][0]["errors"] >= 1, "although its file is gone")

    with socket.create_connection(("127.0.0.1", s.port)) as stranger:
        stranger.sendall(bmpgen.initiation("stranger"))
        lab.wait("a router that is not configured is turned away", lambda: s.said('no router section has its address, or sys-name "stranger"'), 10)

    # a source that left the configuration is dropped from the store
    s.daemon.stop()
    s.config('static { vrp = {"192.0.2.0/24 AS64512"} }\nrouter "core" { address = "127.0.0.1" }\n')
    s.start()
    s.ready()
    sources = s.status()["sources"]
    check([x["name"] for x in sources] == ["static"] and sources[0]["records"] == 1, "only the configured source is left")
    Router(s.port, name="by-its-address").routes()
    lab.wait("the router is known by its address", lambda: [r["name"] for r in s.status()["routers"]] == ["core"], 10)
    lab.wait("and judged by what is left", lambda: s.states().get("192.0.2.0/24") == "valid" and
             s.states().get("198.51.100.0/24") == "unknown", 10)
    s.daemon.stop()

    # a store that is not ours is never touched
    store = [f for f in os.listdir(lab.path("warm.store")) if "data" in f][0]
    lab.write("warm.store/" + store, b"\x00garbage" * 4096)
    done = subprocess.run([WAYWARDEN, "run", "-c", lab.path("warm.conf")], capture_output=True, text=True, timeout=30)
    check(done.returncode == 1 and lab.path("warm.store") in done.stderr, "a foreign store is refused by name: " +
          done.stderr.strip().splitlines()[-1])
    with open(lab.path("warm.store", store), "rb") as f:
        check(f.read(8) == b"\x00garbage", "and left as it is")


# ---- a cache ----

class Cache(threading.Thread):
    """An RTR cache that answers from a list of scripts, one for each connection."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answer, self.queries, self.connection = None, [], None
        self.start()

    def run(self):
        while True:
            self.connection, _ = self.listener.accept()
            try:
                while True:
                    header = self.connection.recv(8, socket.MSG_WAITALL)
                    if len(header) < 8:
                        break
                    version, kind, session, length = struct.unpack("!BBHI", header)
                    body = self.connection.recv(length - 8, socket.MSG_WAITALL) if length > 8 else b""
                    self.queries.append((version, kind, session, body))
                    reply = self.answer(version, kind, session, body) if self.answer else None
                    if reply is None:
                        break
                    self.connection.sendall(reply)
            except OSError:
                pass
            self.connection.close()


def pdu(version, kind, session, body=b""):
    return struct.pack("!BBHI", version, kind, session, 8 + len(body)) + body


def prefix_pdu(version, announce, prefix, max_length, asn):
    address, length = prefix.split("/")
    v6 = ":" in address
    body = struct.pack("!BBBB", announce, int(length), max_length, 0)
    body += socket.inet_pton(socket.AF_INET6 if v6 else socket.AF_INET, address) + struct.pack("!I", asn)
    return pdu(version, 6 if v6 else 4, 0, body)


def end_of_data(version, session, serial, refresh=3600, retry=1, expire=7200):
    return pdu(version, 7, session, struct.pack("!IIII", serial, refresh, retry, expire))


def rtr(lab):
    cache = Cache()
    full = b"".join(prefix_pdu(1, 1, *v) for v in VRPS)

    def answer(version, kind, session, body):
        if kind == 2:
            return pdu(1, 3, 7) + full + end_of_data(1, 7, 100)
        if kind == 1 and struct.unpack("!I", body)[0] == 100:
            return (pdu(1, 3, 7) + prefix_pdu(1, 1, "192.0.2.0/24", 24, 64512) + prefix_pdu(1, 0, *VRPS[0]) +
                    end_of_data(1, 7, 101))
        return pdu(1, 3, 7) + end_of_data(1, 7, struct.unpack("!I", body)[0]) if kind == 1 else b""
    cache.answer = answer
    s = Sidecar(lab, "rtr", f'rtr-cache "c" {{ host = "127.0.0.1"  port = {cache.port} }}\n')
    s.ready()
    Router(s.port).routes()
    lab.wait("verdicts by the cache's data", lambda: s.states() == want(), 20)
    check(cache.queries[0][1] == 2, "the first query is a Reset Query")
    before = len(s.heard())
    cache.connection.sendall(pdu(1, 0, 7, struct.pack("!I", 101)))
    lab.wait("Notify leads to a delta", lambda: s.states().get("192.0.2.0/24") == "valid" and
             s.states().get("198.51.100.0/24") == "unknown", 20)
    moved = {v["prefix"] for m in s.heard()[before:] for v in m.get("verdicts", [])}
    check(moved <= {"192.0.2.0/24", "198.51.100.0/24", "198.51.100.128/25"}, "only covered routes are judged anew")
    source = s.status()["sources"][0]
    check((source["state"], source["rtr_session"], source["rtr_serial"]) == ("established", 7, 101), "status shows the session")

    # resume after a kill
    s.daemon.stop(signal.SIGKILL)
    del cache.queries[:]
    s.start()
    s.ready()
    lab.wait("the session is resumed", lambda: cache.queries, 20)
    check(cache.queries[0][1:] == (1, 7, struct.pack("!I", 101)), "with a Serial Query of the stored session and serial")

    # a cache that breaks the protocol loses its session, not its data
    records = s.status()["sources"][0]["records"]
    lab.wait("established again", lambda: s.status()["sources"][0]["state"] == "established", 10)
    errors = s.status()["sources"][0]["errors"]
    cache.connection.sendall(pdu(1, 4, 0, b"\x01\x18\x10\x00\xc0\x00\x02\x00\x00\x00\xfc\x00"))  # outside a response, maxLength < length
    lab.wait("a bad PDU is an error of the source", lambda: s.status()["sources"][0]["errors"] > errors, 20)
    check(s.status()["sources"][0]["records"] == records, "whose data stays")
    check(s.daemon.stop() == 0, "the daemon stops cleanly")


# ---- readiness and a station that is slow ----

def grace(lab):
    s = Sidecar(lab, "grace", f'rtr-cache "silent" {{ host = "127.0.0.1"  port = {silent.getsockname()[1]} }}\n'
                'static { vrp = {"198.51.100.0/24 AS64510"} }\nstartup-grace = 3\n')
    router = Router(s.port).routes()
    lab.wait("routes wait", lambda: s.status()["routers"] and s.status()["routers"][0]["routes"] == len(ROUTES), 10)
    status = s.status()
    check(not status["ready"] and status["routers"][0]["not_ready"] == len(ROUTES), "without verdicts, while a cache may still answer")
    done = subprocess.run([WAYWARDEN, "status", "-c", lab.path("grace.conf")], capture_output=True, text=True, timeout=30)
    check(done.returncode == 4 and "not ready" in done.stdout, "waywarden status says so: exit code 4")
    check(not s.heard("rpki-validation"), "and nothing is said of them")
    s.ready()
    lab.wait("after the grace they are judged", lambda: s.states().get("198.51.100.0/24") == "valid", 10)
    router.socket.close()
    s.daemon.stop()


def slow(lab):
    s = Sidecar(lab, "slow", 'static { vrp = {"10.0.0.0/8-24 AS64510"} }\njournal-entries = 64\n')
    s.ready()
    routes = [(f"10.{i // 256}.{i % 256}.0/24", [64501, 64510 + i % 2], "valid" if i % 2 == 0 else "invalid") for i in range(3000)]
    router = Router(s.port).routes(routes[:10])
    lab.wait("the station hears", lambda: len(s.states()) == 10, 20)
    s.station.send(signal.SIGSTOP)
    for turn in range(4):  # more than the socket and the journal hold
        router.send(b"".join(PEER.route(bmpgen.update([p], path + [turn] * 30 + [path[-1]])) for p, path, _ in routes))
    lab.wait("the router is not held up by it", lambda: s.status()["routers"][0]["messages"] >= 4 * len(routes), 60)
    s.station.send(signal.SIGCONT)
    lab.wait("the station is resynchronised", lambda: s.states() == want(routes), 60)
    check(s.status()["stations"][0]["resyncs"] >= 1, "and told so")
    s.station.stop(signal.SIGKILL)
    lab.wait("a station that goes away is noticed", lambda: s.status()["stations"][0]["state"] != "up", 20)
    s.start_station("--count", "3")
    lab.wait("and found again", lambda: not s.station.alive(), 20)
    check(s.station.child.returncode == 0, "--count ends the station")
    check(s.daemon.stop() == 0, "the daemon stops cleanly")


# ---- more connections than there may be ----

def limits(lab):
    def seconds():
        with open(f"/proc/{s.daemon.child.pid}/stat") as f:
            return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")
    s = Sidecar(lab, "limits", 'static { vrp = {"198.51.100.0/24 AS64510"} }\n', wrapper=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh"))
    s.ready()
    crowd = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(100)]
    time.sleep(0.5)
    before = seconds()
    time.sleep(2)
    check(seconds() - before < 0.5, "out of descriptors the daemon rests")
    for each in crowd:
        each.close()
    Router(s.port).routes()
    lab.wait("and goes on when there are some", lambda: s.states().get("198.51.100.0/24") == "valid", 30)
    check(s.daemon.stop() == 0, "the daemon stops cleanly")

    s = Sidecar(lab, "crowd", 'static { vrp = {"198.51.100.0/24 AS64510"} }\n')
    s.ready()
    Router(s.port).routes()
    crowd = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(300)]
    lab.wait("more than 256 connections are turned away", lambda: s.said("256 connections are the most there may be"), 20)
    for each in crowd:
        each.close()
    lab.wait("the router that was there goes on", lambda: s.states().get("198.51.100.0/24") == "valid", 20)
    check(s.daemon.stop() == 0, "the daemon stops cleanly")


# ---- the control socket, by hand ----

def control(lab):
    s = Sidecar(lab, "control", 'static { vrp = {"10.0.0.0/8-24 AS64510"} }\n', station=False)
    s.ready()
    check(os.stat(s.control).st_mode & 0o777 == 0o600, "the socket has mode 0600")
    for question, says in ((b"{\n", "error"), (b'{"command":"stop"}\n', "no such command"), (b"[]\n", "no member"),
                           (b'{"command":"status","command":"status"}\n', "error"), (b'{"command":7}\n', "no member"),
                           (b'{"command":"routes","under":7}\n', "no list of prefixes"),
                           (b'{"command":"routes","under":["10.0.0.1/8"]}\n', "no list of prefixes"),
                           (b'{"command":"routes","through":["1"]}\n', "no list of AS numbers"),
                           (b'{"command":"routes","through":{}}\n', "no list of AS numbers")):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(s.control)
            client.sendall(question)
            client.settimeout(10)
            check(says in json.loads(client.recv(65536))["error"] or says == "error", f"{question!r} is answered with an error")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(s.control)
        client.settimeout(10)
        try:
            client.sendall(b"x" * 100000)
            over = client.recv(10) == b""
        except (BrokenPipeError, ConnectionResetError):
            over = True
        check(over, "an endless question ends the connection")
    for argv in ((), ("--control", "/x", "-c", "/y"), ("--control",)):
        done = subprocess.run([WAYWARDEN, "status", *argv], capture_output=True, text=True, timeout=30)
        check(done.returncode == 2, f"usage: status {' '.join(argv)}")
    check(s.daemon.stop() == 0, "the daemon stops cleanly")
    done = subprocess.run([WAYWARDEN, "status", "--control", s.control], capture_output=True, text=True, timeout=30)
    check(done.returncode == 1 and "is the daemon running?" in done.stderr, "without a daemon: said so")


# ---- why a route has its verdict ----

def explain(lab):
    held = json.loads(payload(VRPS))
    held["aspas"] = [{"customer": 64511, "providers": [64502, 64503]}, {"customer": 64510, "providers": [64501]}]
    lab.write("p.json", json.dumps(held))
    s = Sidecar(lab, "explain", f'payload-file "main" {{ path = "{lab.path("p.json")}" }}\n'
                                'router "edge1" { peer "192.0.2.1" { role = "peer" } }\n', station=False)
    s.ready()
    Router(s.port).routes()
    s.lab.wait("the routes are there", lambda: s.status()["routers"][0]["routes"] == len(ROUTES))

    def ask(*arguments, code=0):
        done = subprocess.run([WAYWARDEN, "explain", *arguments, "--control", s.control], capture_output=True, text=True,
                              timeout=30)
        check(done.returncode == code, f"explain {' '.join(arguments)}: exit code {code} (is {done.returncode}: {done.stderr})")
        return done.stdout

    words = ask("203.0.113.0/26")
    check(words.startswith("From 192.0.2.1 AS64501 at edge1, "), "whose route it is")
    check("203.0.113.0/26 AS64511: invalid" in words and "nothing longer than /25" in words, "what was decided, and why")
    check("(origin invalid: length, aspa invalid: not-provider)" in words and "its ASPA of source main lists AS64502, AS64503."
          in words, "and of its path, by the neighbor's role")
    route = json.loads(ask("203.0.113.0/26", "--json"))["routes"][0]
    check(route["verdict"]["aspa"]["role"] == "peer" and route["verdict"]["aspa"]["hops"][0]["failing"], "with its hops")
    check(route["verdict"]["as_path"] == [64501, 64511] and route["verdict"]["origin_validation"]["reason"] == "length" and
          route["peer_as"] == 64501 and route["router"] == "edge1", "the same in JSON")
    check(ask("192.0.2.128/25") == "192.0.2.128/25: no route\n", "a prefix without routes")
    check("AS64510" in ask("198.51.100.0/24", "--peer", "192.0.2.1"), "the routes of one peer")
    check("no route" in ask("198.51.100.0/24", "--peer", "192.0.2.9"), "and of one that has none")
    check("AS64501 is not a provider of AS64511: its ASPA of source main lists AS64502, AS64503." in
          ask("203.0.113.0/24", "--path", "64501 64511", "--role", "peer"), "a route that is not there, with its path")
    check("AS1: invalid (as)" in ask("198.51.100.0/24", "1"), "and with its origin alone")
    for wrong in (("198.51.100.1/24",), ("198.51.100.0/24", "x"), ("198.51.100.0/24", "--path", "x"),
                  ("198.51.100.0/24", "--peer", "x"), ("198.51.100.0/24", "--path", "1 2", "--role", "brother")):
        ask(*wrong, code=1)
    for usage in ((), ("198.51.100.0/24", "1", "2"), ("198.51.100.0/24", "1", "--peer", "192.0.2.1"),
                  ("198.51.100.0/24", "--role", "peer"), ("198.51.100.0/24", "1", "--path", "1")):
        ask(*usage, code=2)
    check(s.daemon.stop() == 0, "the daemon stops cleanly")
    done = subprocess.run([WAYWARDEN, "explain", "198.51.100.0/24", "64510", "--payloads", lab.path("p.json")],
                          capture_output=True, text=True, timeout=30)
    check(done.returncode == 0 and "AS64510: valid" in done.stdout, "without a daemon it answers from files")


# ---- SLURM under a running daemon, several caches, and looking back ----

def slurm_text(filters=(), assertions=()):
    return json.dumps({"slurmVersion": 1,
                       "validationOutputFilters": {"prefixFilters": list(filters), "bgpsecFilters": []},
                       "locallyAddedAssertions": {"prefixAssertions": list(assertions), "bgpsecAssertions": []}}, indent=1)


def ask(*argv, code=0):
    done = subprocess.run([WAYWARDEN, *argv], capture_output=True, text=True, timeout=60)
    if done.returncode != code:
        raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def agrees(lab, s):
    """What `check --store` says of each route is what the station was told."""
    told = {p: st for p, st in s.states().items()}
    store = lab.path(s.name + ".store")
    for prefix, path, _ in ROUTES:
        words = " ".join("{" + ",".join(map(str, a)) + "}" if isinstance(a, list) else str(a) for a in path)
        verdict = json.loads(ask("check", prefix, "--path", words, "--store", store, "--json"))
        if verdict["state"] != told.get(prefix):
            return False
    return True


def slurm(lab):
    lab.write("p.json", payload(VRPS))
    good = slurm_text([{"prefix": "198.51.100.0/24", "comment": "not ours"}], [{"prefix": "192.0.2.0/24", "asn": 64512}])
    lab.write("local.json", good)
    s = Sidecar(lab, "slurm", f'payload-file "p" {{ path = "{lab.path("p.json")}" refresh-interval = 1 }}\n'
                f'slurm = {{"{lab.path("local.json")}"}}\n')
    s.ready()
    Router(s.port).routes()
    filtered = dict(want(), **{"198.51.100.0/24": "unknown", "198.51.100.128/25": "unknown", "192.0.2.0/24": "valid"})
    lab.wait("verdicts with the exceptions", lambda: s.states() == filtered, 20)
    check(agrees(lab, s), "check --store says the same")
    status = s.status()["slurm"]
    check(status["counts"]["prefixFilters"] == 1 and status["errors"] == 0 and status["last_error"] is None, "status counts them")
    mine = json.loads(ask("payloads", "hash", "--json", lab.path("p.json")))
    delivered = json.loads(ask("sources", "--control", s.control, "--json"))[0]
    check(all(delivered[k] == mine[k] for k in ("roas_hash", "aspas_hash", "keys_hash")), "the hashes of a source are of what it delivered")
    in_force = s.status()
    check(in_force["roas_hash"] != mine["roas_hash"] and in_force["aspas_hash"] == mine["aspas_hash"], "those of the set in force are not")
    check(mine["roas_hash"] in ask("sources", "--control", s.control), "and so it prints them")
    store = lab.path("slurm.store")
    listed = json.loads(ask("slurm", "list", "--store", store, "--json"))
    check(listed["filters"][0]["matches"] == 1 and listed["assertions"][0]["new"] is True, "slurm list says what each does")
    before = int(time.time())
    time.sleep(1.1)

    # what another set would do, without doing it
    lab.write("next.json", slurm_text([], [{"prefix": "203.0.113.0/24", "maxPrefixLength": 26, "asn": 64511}]))
    epoch = s.status()["epoch"]
    shown = json.loads(ask("slurm", "apply", "--preview", "--control", s.control, "--json", lab.path("next.json")))
    changes = {c["prefix"]: (c["before"]["state"], c["after"]["state"]) for c in shown["changes"]}
    check(changes == {"203.0.113.0/26": ("invalid", "valid"), "192.0.2.0/24": ("valid", "unknown"),
                      "198.51.100.0/24": ("unknown", "valid"), "198.51.100.128/25": ("unknown", "invalid")},
          "preview tells every change")
    check("203.0.113.0/26 AS_PATH 64501 64511, from 192.0.2.1 AS64501 at edge1" in
          ask("slurm", "check", "--preview", "-c", lab.path("slurm.conf"), lab.path("next.json")), "in words, too")
    same = json.loads(ask("slurm", "apply", "--preview", "--control", s.control, "--json", lab.path("local.json")))
    check(same["changes"] == [] and same["routes_judged"] == 0, "the set in force changes nothing")
    check(s.status()["epoch"] == epoch and s.states() == filtered, "and nothing was changed by asking")
    lab.write("bad.json", "{")
    ask("slurm", "apply", "--preview", "--control", s.control, lab.path("bad.json"), code=1)
    for usage in (("--preview", lab.path("next.json")), ("--control", s.control, lab.path("next.json")),
                  ("--preview", "--control", s.control), ("--preview", "--control", s.control, "--payloads", "x", lab.path("next.json"))):
        ask("slurm", "apply", *usage, code=2)

    # another set, edited in place
    lab.write("local.json", slurm_text([], [{"prefix": "203.0.113.0/24", "maxPrefixLength": 26, "asn": 64511}]))
    edited = dict(want(), **{"203.0.113.0/26": "valid"})
    lab.wait("an edit is in force", lambda: s.states() == edited, 20)
    check(agrees(lab, s), "check --store says the same again")

    # a broken one changes nothing
    epoch = s.status()["epoch"]
    lab.write("local.json", slurm_text([{"prefix": "198.51.100.1/24"}]))
    lab.wait("a bad file is said with line and pointer", lambda: s.said("/validationOutputFilters/prefixFilters/0"), 20)
    lab.wait("and counted", lambda: s.status()["slurm"]["errors"] == 1, 10)
    check(s.status()["epoch"] == epoch and s.states() == edited, "the last good set stays in force")
    check("the last good set" in ask("status", "--control", s.control), "status says so in words")
    lines = ask("metrics", "--control", s.control).splitlines()
    check(all(re.fullmatch(r"# (HELP|TYPE) waywarden_\w+ .+|waywarden_\w+(\{(\w+=\"[^\"]*\",?)+\})? -?\d+", x) for x in lines),
          "metrics have the form that Prometheus reads")
    check("waywarden_slurm_errors_total 1" in lines and "waywarden_ready 1" in lines and f"waywarden_epoch {epoch}" in lines,
          "a metric says that a set was refused")
    check(f'waywarden_router_routes{{name="edge1"}} {len(ROUTES)}' in lines, "labels say whose")
    s.daemon.send(signal.SIGHUP)
    lab.wait("HUP reads it again", lambda: s.status()["slurm"]["errors"] == 2, 10)
    check(s.states() == edited, "and changes nothing")

    # at the start it is an error
    check(s.daemon.stop() == 0, "the daemon stops")
    done = subprocess.run([WAYWARDEN, "run", "-c", lab.path("slurm.conf")], capture_output=True, text=True, timeout=30)
    check(done.returncode == 1 and "local.json:" in done.stderr and "prefixFilters/0" in done.stderr, "a bad file at the start ends it")
    done = subprocess.run([WAYWARDEN, "run", "-c", lab.path("slurm.conf"), "--check-config"], capture_output=True, text=True, timeout=30)
    check(done.returncode == 1 and "prefixFilters/0" in done.stderr, "and --check-config finds it before")
    lab.write("local.json", good)
    s.start()
    s.ready()
    Router(s.port).routes()
    lab.wait("good again", lambda: s.states() == filtered, 20)
    os.rename(lab.path("local.json"), lab.path("away.json"))
    lab.wait("a file that is gone is bad, too", lambda: s.status()["slurm"]["errors"] == 1, 20)
    check(s.states() == filtered, "and changes nothing")

    # which record flipped the route, and when?
    epochs = json.loads(ask("history", "--store", store, "--json"))
    check([e["cause"] for e in epochs][:2] == ["slurm", "slurm"] and epochs[-1]["epoch"] == 1, "history lists the epochs")
    check(epochs[0]["roas_hash"] == s.status()["roas_hash"], "with the hashes of each")
    back = json.loads(ask("history", "--store", store, "--at", str(before), "203.0.113.0/26", "64511", "--json"))
    check(back["then"]["state"] == "invalid" and back["now"]["state"] == "invalid", "then and now")
    check([(c["change"], c["source"]) for c in back["changes"]] == [("withdrawn", "slurm"), ("announced", "slurm")],
          "the record that came and went, by its source")
    same = ask("explain", "203.0.113.0/26", "64511", "--at", str(before), "--store", store, "--json")
    check(json.loads(same) == back, "explain --at tells the same")
    check(ask("explain", "203.0.113.0/26", "64511", "--at", str(before), "--control", s.control, "--json") == same, "and by the daemon's socket")
    check(ask("explain", "203.0.113.0/26", "64511", "--at", str(before), "-c", lab.path("slurm.conf"), "--json") == same, "and by its configuration")
    words = ask("explain", "203.0.113.0/26", "--path", "64501 64511", "--role", "customer", "--at", str(before), "--store", store)
    check(words.count("invalid: origin invalid (length), path valid") == 2, "of a path, too")
    for usage in (("203.0.113.0/26", "--at", "0"), ("203.0.113.0/26", "64511", "--at", "x"),
                  ("203.0.113.0/26", "64511", "--at", "0", "--role", "peer")):
        ask("explain", *usage, "--store", store, code=2)
    check("nothing had been learnt" in ask("history", "--store", store, "--at", "1000", "203.0.113.0/26", "64511"),
          "before the first epoch there is no verdict")
    check(s.daemon.stop() == 0, "the daemon stops cleanly")


silent = socket.create_server(("127.0.0.1", 0))
PARTS = {"files": files, "warm": warm, "rtr": rtr, "grace": grace, "slow": slow, "limits": limits, "control": control, "explain": explain,
         "slurm": slurm}
for part in sys.argv[1:] or PARTS:
    with Lab() as lab:
        print(f"-- {part}", flush=True)
        lab.run(WAYWARDEN, "pki", "init", "pki")
        lab.run(WAYWARDEN, "pki", "issue", "pki", "station", "--ip", "127.0.0.1")
        lab.run(WAYWARDEN, "pki", "issue", "pki", "sidecar")
        PARTS[part](lab)
