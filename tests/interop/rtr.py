#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The RTR client against StayRTR: what the cache reads from its file is what the store holds, at first, after a delta, after
the cache came back with a new session, and while it was gone. In version 2 StayRTR speaks an old revision of the draft;
the last part plays a cache of today's.

usage: rtr.py [v0] [v1] [v2-without-aspas] [v2-fallback] [v2]
"""
import base64
import json
import os
import signal
import socket
import struct
import sys
import threading
import time

from harness import WAYWARDEN, Lab, check, free_port
from station import start_daemon, start_stayrtr

FAR = 4102444800  # 2100: StayRTR takes 0 for the past
SPKI = base64.b64encode(bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(range(64))).decode()


def payloads(step):
    """Three sets that follow one another: records come, go and change."""
    roas = [(f"10.{i}.0.0/16", 16 + i % 9, 64500 + i) for i in range(50)]
    roas += [(f"2001:db8:{i:x}::/48", 48 + i % 17, 64500 + i) for i in range(30)]
    roas = roas[step:] + [(f"192.0.{step}.0/24", 24, 65000 + step)]
    aspas = [(65000, [65001, 65002 + step]), (65010 + step, [65001]), (65020, [0])]
    keys = [(64500 + i, f"{i:02X}" * 20) for i in range(step, 4 + step)]
    return roas, aspas, keys


def write(lab, step, with_aspas=True):
    roas, aspas, keys = payloads(step)
    content = {"metadata": {"buildtime": "2026-01-01T00:00:00Z"},
               "roas": [{"prefix": p, "maxLength": m, "asn": a, "ta": "lab"} for p, m, a in roas],
               "bgpsec_keys": [{"asn": a, "ski": s, "pubkey": SPKI, "ta": "lab", "expires": FAR} for a, s in keys]}
    if with_aspas:
        # the one member that both StayRTR 0.5.1 and Waywarden read
        content["provider_authorizations"] = {
            "ipv4": [{"customer_asid": c, "providers": p, "expires": FAR} for c, p in aspas], "ipv6": []}
    lab.write("payloads.json.new", json.dumps(content))
    os.rename(lab.path("payloads.json.new"), lab.path("payloads.json"))


def hashes(lab, what):
    out = json.loads(lab.run(WAYWARDEN, "payloads", "hash", *what, "--json"))
    return {k: v for k, v in out.items() if k.endswith("_hash")}


def same(lab, version):
    """The store holds what the file says, of the kinds that the version has."""
    kinds = {0: ["roas_hash"], 1: ["roas_hash", "keys_hash"], 2: ["roas_hash", "keys_hash", "aspas_hash"]}[version]
    want = hashes(lab, [lab.path("payloads.json")])

    def compare():
        have = hashes(lab, ["--store", lab.path("store")])
        return all(have[k] == want[k] for k in kinds)
    return compare


def source(lab):
    out = lab.run(WAYWARDEN, "status", "--control", lab.path("control.sock"), "--json", expect=None)  # 4: not ready yet
    return json.loads(out)["sources"][0]


def daemon_for(lab, port, options):
    daemon = start_daemon(lab, f'log-level = "info"\nrtr-cache "c" {{ host = "127.0.0.1"  port = {port}  {options} }}\n'
                          f'bmp-listen "127.0.0.1:{free_port()}" {{ }}')
    lab.wait("the cache's data is complete", lambda: source(lab)["complete"])
    return daemon


def stayrtr(lab, options, version, aspas):
    """With `options` for the cache section it must be spoken with in `version`."""
    write(lab, 0, aspas)
    cache, port = start_stayrtr(lab, "payloads.json")
    daemon = daemon_for(lab, port, options)
    lab.wait("the store holds what the cache read", same(lab, version))
    first = source(lab)
    check(first["rtr_version"] == version and first["state"] == "established", f"in version {version}")

    write(lab, 1, aspas)
    cache.send(signal.SIGHUP)
    lab.wait("a delta after HUP", lambda: "delta complete at serial 1" in daemon.output())
    lab.wait("and the store holds it", same(lab, version))
    check(source(lab)["rtr_session"] == first["rtr_session"], "in the same session")

    # gone, and back with another session and other data
    cache.stop(signal.SIGKILL)
    lab.wait("the cache is gone", lambda: source(lab)["state"] == "backoff")
    check(same(lab, version)(), "its data stays")
    write(lab, 2, aspas)
    again = [lab.start("stayrtr-2", "stayrtr", "-bind", f"127.0.0.1:{port}", "-cache", "payloads.json", "-checktime=false",
                       "-metrics.addr", f"127.0.0.1:{free_port()}", "-refresh", "600")]
    lab.wait("back in sync", lambda: source(lab)["state"] == "established" and
             source(lab)["rtr_session"] != first["rtr_session"], 60)
    lab.wait("with the new data", same(lab, version))
    check(source(lab)["rtr_version"] == version, f"still in version {version}")

    # a daemon that restarts resumes the session
    session = source(lab)["rtr_session"]
    check(daemon.stop() == 0, "the daemon stops")
    lab.processes.remove(daemon)
    write(lab, 3, aspas)
    again[0].send(signal.SIGHUP)
    time.sleep(1)
    daemon = start_daemon(lab, f'log-level = "info"\nrtr-cache "c" {{ host = "127.0.0.1"  port = {port}  {options} }}\n'
                          f'bmp-listen "127.0.0.1:{free_port()}" {{ }}', name="waywarden-2")
    lab.wait("a delta from where it was", lambda: "delta complete" in daemon.output())
    lab.wait("and the store holds it", same(lab, version))
    check("full set complete" not in daemon.output() and source(lab)["rtr_session"] == session, "nothing else was asked")
    return daemon


def v0(lab):
    stayrtr(lab, "max-version = 0", 0, True)


def v1(lab):
    stayrtr(lab, "max-version = 1", 1, True)


def v2_without_aspas(lab):
    stayrtr(lab, "", 2, False)


def v2_fallback(lab):
    daemon = stayrtr(lab, "", 1, True)
    first = open(lab.path("waywarden.log")).read()
    said = [line for line in first.splitlines() if "draft-ietf-sidrops-8210bis-15" in line]
    check(len(said) == 1 and "max-version = 1" in said[0], "the old revision was said in plain words, once")
    check("draft-ietf-sidrops-8210bis-15" not in daemon.output(), "and the restarted daemon remembers the version")


# ------------------------------------------------------------------ a cache of draft-ietf-sidrops-8210bis-26

def pdu(kind, session, body=b"", version=2):
    return struct.pack("!BBHI", version, kind, session, 8 + len(body)) + body


def record(announce, item):
    kind, flag = item[0], int(announce)
    if kind == "aspa":
        providers = item[2] if announce else []
        return pdu(11, flag << 8, struct.pack(f"!{1 + len(providers)}I", item[1], *providers))
    if kind == "key":
        return pdu(9, flag << 8, bytes.fromhex(item[2]) + struct.pack("!I", item[1]) + base64.b64decode(SPKI))
    address, length = item[1].split("/")
    v6 = ":" in address
    return pdu(6 if v6 else 4, 0, bytes([flag, int(length), item[2], 0]) +
               socket.inet_pton(socket.AF_INET6 if v6 else socket.AF_INET, address) + struct.pack("!I", item[3]))


def items(step):
    roas, aspas, keys = payloads(step)
    return [("vrp", *r) for r in roas] + [("key", *k) for k in keys] + [("aspa", c, tuple(p)) for c, p in aspas]


class Cache:
    """Serves payloads(serial); speaks version 2 and refuses what is lower."""

    def __init__(self, listener=None, wrap=None):
        """`wrap` makes the connection out of an accepted socket, for transports."""
        self.serial, self.session, self.queries, self.connections = 0, 7, [], []
        self.peers, self.wrap = [], wrap
        self.listener = listener or socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, peer = self.listener.accept()
            self.peers.append(peer)
            try:
                connection = self.wrap(connection) if self.wrap else connection
            except OSError:
                continue
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            stream = connection.makefile("rb")
            while header := stream.read(8):
                version, kind, session, length = struct.unpack("!BBHI", header)
                body = stream.read(length - 8)
                self.queries.append((version, kind, session, body))
                if version < 2:
                    connection.sendall(pdu(10, 4, bytes(8)))
                    return
                connection.sendall(self.answer(kind, body))
        except (OSError, ValueError):
            pass

    def answer(self, kind, body):
        new = items(self.serial)
        if kind == 2:
            out = [record(True, i) for i in new]
        elif kind == 1:
            old = items(struct.unpack("!I", body)[0])
            stays = {i[1] for i in new if i[0] == "aspa"}
            out = [record(True, i) for i in new if i not in old]
            out += [record(False, i) for i in old if i not in new and not (i[0] == "aspa" and i[1] in stays)]
        else:
            return b""
        return pdu(3, self.session) + b"".join(out) + pdu(7, self.session, struct.pack("!4I", self.serial, 3600, 600, 7200))

    def say(self, octets):
        self.connections[-1].sendall(octets)


def v2(lab):
    cache = Cache()
    write(lab, 0)
    daemon = daemon_for(lab, cache.port, "min-version = 2")
    check(cache.queries[0][:2] == (2, 2), "opened in version 2 with a Reset Query")
    lab.wait("the store holds the full set, ASPAs too", same(lab, 2))
    check(source(lab)["aspas"] == 3, "status counts the ASPAs")
    write(lab, 1)
    cache.serial = 1
    cache.say(pdu(0, 7, struct.pack("!I", 1)))
    lab.wait("a delta", lambda: "delta complete at serial 1" in daemon.output())
    lab.wait("that changes, adds and removes ASPAs", same(lab, 2))

    check(daemon.stop() == 0, "the daemon stops")
    lab.processes.remove(daemon)
    write(lab, 2)
    cache.serial = 2
    del cache.queries[:]
    daemon = start_daemon(lab, f'log-level = "info"\nrtr-cache "c" {{ host = "127.0.0.1"  port = {cache.port} }}\n'
                          f'bmp-listen "127.0.0.1:{free_port()}" {{ }}', name="waywarden-2")
    lab.wait("the session is resumed", lambda: cache.queries)
    check(cache.queries[0] == (2, 1, 7, struct.pack("!I", 1)), "with a Serial Query of version 2, session and serial")
    lab.wait("and brings the store up to date", same(lab, 2))

    cache.say(pdu(10, 12, bytes(8)))
    lab.wait("Cache Restart is heard", lambda: "Cache Restart" in (source(lab)["last_error"] or ""))
    check(source(lab)["state"] == "backoff" and same(lab, 2)(), "and the data stays")

    # another daemon, for Cache Shutdown
    check(daemon.stop() == 0, "the daemon stops")
    lab.processes.remove(daemon)
    daemon = start_daemon(lab, f'log-level = "info"\nrtr-cache "c" {{ host = "127.0.0.1"  port = {cache.port} }}\n'
                          f'bmp-listen "127.0.0.1:{free_port()}" {{ }}', name="waywarden-3")
    lab.wait("in sync", lambda: source(lab)["state"] == "established")
    cache.say(pdu(10, 13, bytes(8)))
    lab.wait("after Cache Shutdown nothing of it is left", lambda: source(lab)["records"] == 0)
    check(daemon.stop() == 0, "the daemon stops")


PARTS = {"v0": v0, "v1": v1, "v2-without-aspas": v2_without_aspas, "v2-fallback": v2_fallback, "v2": v2}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        print(f"# {part}", flush=True)
        with Lab() as laboratory:
            PARTS[part](laboratory)
