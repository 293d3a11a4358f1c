#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Routers fetch from `waywarden run`: each real client ends with exactly the set of a payload file, and after the file has
changed with exactly the new one, by a delta. Clients that show what they hold are compared record by record.

usage: rtr_server.py rtrclient|rtrdump|frr|bird|gobgp|openbgpd|waywarden|tls ...
"""
import base64
import ipaddress
import json
import os
import re
import signal
import socket
import ssl
import struct
import sys

from harness import WAYWARDEN, Lab, check, free_port, need

SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(range(64))


def vrps(step):
    """(prefix, length, maxLength, asn), three sets that follow one another."""
    out = {(f"10.{i}.0.0", 16, 16 + i % 9, 64500 + i) for i in range(step, 60)}
    out |= {(str(ipaddress.ip_address(f"2001:db8:{i:x}::")), 48, 48 + i % 17, 64500 + i) for i in range(step, 40)}
    out |= {("10.200.0.0", 16 + n, 24, 64400 + n) for n in range(4)}  # one address, several lengths
    out |= {("10.200.0.0", 16, 24, 0)}
    out |= {(f"192.0.{step}.0", 24, 24, 65000 + step)}
    return out


def write(lab, step):
    content = {"metadata": {"buildtime": "2026-01-01T00:00:00Z"},
               "roas": [{"prefix": f"{p}/{n}", "maxLength": m, "asn": a, "ta": "lab"} for p, n, m, a in vrps(step)],
               "bgpsec_keys": [{"asn": 64500 + i, "ski": f"{i:02X}" * 20, "pubkey": base64.b64encode(SPKI).decode(),
                                "ta": "lab"} for i in range(step, step + 3)],
               "aspas": [{"customer_asid": 65000, "providers": [65001, 65002 + step]},
                         {"customer_asid": 65010 + step, "providers": [0]}]}
    lab.write("payloads.json.new", json.dumps(content))
    os.rename(lab.path("payloads.json.new"), lab.path("payloads.json"))


class Cache:
    """The daemon with one listener."""

    def __init__(self, lab, options=""):
        self.lab, self.port = lab, free_port()
        write(lab, 0)
        lab.write("waywarden.conf", f'store = "{lab.path("store")}"\ncontrol = "{lab.path("control.sock")}"\n'
                  f'payload-file "f" {{ path = "{lab.path("payloads.json")}"  refresh-interval = 1 }}\n'
                  f'rtr-listen "127.0.0.1:{self.port}" {{ {options} }}\n')
        self.process = lab.start("waywarden", WAYWARDEN, "run", "-c", lab.path("waywarden.conf"))
        lab.wait("the cache is ready", lambda: "ready: epoch" in self.process.output())

    def server(self):
        out = self.lab.run(WAYWARDEN, "status", "--control", self.lab.path("control.sock"), "--json")
        return json.loads(out)["rtr_server"]

    def change(self, step):
        serial = self.server()["serial"]
        write(self.lab, step)
        self.process.send(signal.SIGHUP)
        self.lab.wait("the cache has a new serial", lambda: self.server()["serial"] == serial + 1)

    def client(self):
        clients = self.server()["clients"]
        return clients[0] if clients else None

    def check_served(self, version):
        """One client, which had the whole set once and then deltas."""
        self.lab.wait("status shows it up to date", lambda: (self.client() or {}).get("lag") == 0)
        client = self.client()
        check(client["version"] == version, f"it speaks version {version}")
        check(client["reset_queries"] == 1 and client["serial_queries"] >= 1, "one whole set, then deltas")
        check(client["cache_resets"] == 0 and client["errors_sent"] == 0 and not client["last_error"], "and no error")


def same(lab, what, read, step):
    want = vrps(step)

    def compare():
        have = read()
        return have == want
    try:
        lab.wait(f"{what} holds exactly the {len(want)} VRPs of step {step}", compare)
    except AssertionError:
        have = read()
        print("missing:", sorted(want - have)[:10], "too many:", sorted(have - want)[:10])
        raise


def follow(lab, cache, what, read, version):
    same(lab, what, read, 0)
    cache.change(1)
    same(lab, what, read, 1)
    cache.check_served(version)
    check(cache.process.stop() == 0, "the daemon stops")
    lab.processes.remove(cache.process)


# ------------------------------------------------------------------ rtr-tools

def rtrclient_read(process):
    """Lines as `+ 10.0.0.0 16 - 24 64500`, one for each update."""
    held = set()
    for line in process.output().splitlines():
        m = re.match(r"^([+-])\s+(\S+)\s+(\d+)\s*-\s*(\d+)\s+(\d+)\s*$", line)
        if m:
            record = (m[2], int(m[3]), int(m[4]), int(m[5]))
            (held.add if m[1] == "+" else held.discard)(record)
    return held


def rtrclient(lab):
    program = need("rtrclient")
    cache = Cache(lab)
    stdbuf = need("stdbuf")
    process = lab.start("rtrclient", stdbuf, "-oL", program, "-p", "tcp", "127.0.0.1", str(cache.port))
    follow(lab, cache, "rtrclient", lambda: rtrclient_read(process), 1)


def dump(lab, cache, version):
    lab.run(need("rtrdump"), "-connect", f"127.0.0.1:{cache.port}", "-rtr.version", str(version), "-file",
            lab.path("dump.json"))
    with open(lab.path("dump.json")) as f:
        content = json.load(f)
    held = set()
    for r in content["roas"]:
        address, length = r["prefix"].split("/")
        held.add((address, int(length), r["maxLength"], int(str(r["asn"]).lstrip("AS"))))
    return held, content


def rtrdump(lab):
    need("rtrdump")
    cache = Cache(lab)
    for step in range(2):
        for version in (0, 1):
            same(lab, f"rtrdump in version {version}", lambda v=version: dump(lab, cache, v)[0], step)
        keys = dump(lab, cache, 1)[1].get("bgpsec_keys") or []
        check(sorted(k["asn"] for k in keys) == [64500 + i for i in range(step, step + 3)], "and the router keys")
        cache.change(step + 1)


# ------------------------------------------------------------------ routing daemons

def frr(lab):
    bgpd, vtysh = need("/usr/lib/frr/bgpd", "vtysh")
    if not os.path.exists("/usr/lib/x86_64-linux-gnu/frr/modules/bgpd_rpki.so") and not any(
            "bgpd_rpki.so" in files for _, _, files in os.walk("/usr/lib")):
        need("bgpd_rpki.so")
    cache = Cache(lab)
    os.makedirs(lab.path("frrsock"))
    os.chmod(lab.path("frrsock"), 0o777)
    config = lab.write("frr.conf", f"log stdout informational\nrpki\n rpki polling_period 3600\n"
                       f" rpki cache 127.0.0.1 {cache.port} preference 1\nexit\nrouter bgp 65000\n bgp router-id 127.0.0.11\n")
    lab.start("frr", bgpd, "-S", "-Z", "-M", "rpki", "-f", config, "-l", "127.0.0.11", "-p", str(free_port()),
              "-i", lab.path("frr.pid"), "--vty_socket", lab.path("frrsock"), "-A", "127.0.0.11", "-P", str(free_port()))

    def read():
        out = lab.run(vtysh, "--vty_socket", lab.path("frrsock"), "-c", "show rpki prefix-table", expect=None)
        found = re.findall(r"^(\S+)\s+(\d+)\s+-\s+(\d+)\s+(\d+)\s*$", out, re.M)
        return {(p, int(n), int(m), int(a)) for p, n, m, a in found}

    follow(lab, cache, "FRR", read, 1)


def bird(lab):
    program, birdc = need("bird", "birdc")
    cache = Cache(lab)
    config = lab.write("bird.conf", f"""
router id 127.0.0.13;
roa4 table r4;
roa6 table r6;
protocol device {{ }}
protocol rpki {{
  roa4 {{ table r4; }};
  roa6 {{ table r6; }};
  remote 127.0.0.1 port {cache.port};
}}
""")
    lab.start("bird", program, "-f", "-c", config, "-s", lab.path("bird.ctl"), "-P", lab.path("bird.pid"))

    def read():
        out = "".join(lab.run(birdc, "-s", lab.path("bird.ctl"), "show", "route", "table", t, expect=None)
                      for t in ("r4", "r6"))
        found = re.findall(r"^(\S+)/(\d+)-(\d+) AS(\d+)", out, re.M)
        return {(p, int(n), int(m), int(a)) for p, n, m, a in found}

    follow(lab, cache, "BIRD", read, 1)


def gobgp(lab):
    program, client = need("gobgpd", "gobgp")
    cache = Cache(lab)
    api = free_port()
    config = lab.write("gobgpd.toml", f'[global.config]\n  as = 65001\n  router-id = "127.0.0.12"\n  port = -1\n'
                       f'[[rpki-servers]]\n  [rpki-servers.config]\n    address = "127.0.0.1"\n    port = {cache.port}\n')
    lab.start("gobgpd", program, "-f", config, "-l", "info", "--api-hosts", f"127.0.0.1:{api}", "--pprof-disable")

    def read():
        held = set()
        for family in ("ipv4", "ipv6"):
            out = lab.run(client, "-p", str(api), "rpki", "table", "-a", family, expect=None)
            for p, n, m, a in re.findall(r"^(\S+)/(\d+)\s+(\d+)\s+(\d+)\s", out, re.M):
                held.add((p, int(n), int(m), int(a)))
        return held

    follow(lab, cache, "GoBGP", read, cache_version(cache, lab))


def cache_version(cache, lab):
    """GoBGP 3.10 speaks version 0 or 1 as it was built."""
    lab.wait("it has connected", lambda: (cache.client() or {}).get("version") is not None)
    return cache.client()["version"]


def openbgpd(lab):
    """It shows how many it holds, not which."""
    program, control = need("/usr/sbin/bgpd", "bgpctl")
    if os.geteuid() != 0:
        print("skipped: OpenBGPD wants to be root")
        sys.exit(77)
    cache = Cache(lab)
    os.makedirs("/run/openbgpd", exist_ok=True)
    config = lab.write("bgpd.conf", f"AS 64505\nrouter-id 127.0.0.14\nlisten on 127.0.0.14 port {free_port()}\n"
                       f'fib-update no\nsocket "{lab.path("bgpd.sock")}"\n'
                       f"rtr 127.0.0.1 {{ port {cache.port} }}\n", mode=0o600)
    lab.start("openbgpd", program, "-d", "-f", config)

    def count():
        out = lab.run(control, "-s", lab.path("bgpd.sock"), "show", "sets", expect=None)
        m = re.search(r"^ROA\s.*?(\d+)\s+(\d+)\s+-", out, re.M)
        return (int(m[1]), int(m[2])) if m else out

    def want(step):
        prefixes = {v[:2] for v in vrps(step)}  # it counts these
        return (sum(":" not in p for p, _ in prefixes), sum(":" in p for p, _ in prefixes))

    lab.wait(f"OpenBGPD holds {want(0)}", lambda: count() == want(0))
    cache.change(1)
    lab.wait(f"and then {want(1)}", lambda: count() == want(1))
    cache.check_served(cache.client()["version"])
    print("it says:", lab.run(control, "-s", lab.path("bgpd.sock"), "show", "rtr", expect=None))


def waywarden(lab):
    """Our own client in version 2: what the next daemon stores has the same hashes, ASPAs and router keys too."""
    cache = Cache(lab)
    lab.write("second.conf", f'store = "{lab.path("store2")}"\ncontrol = "{lab.path("control2.sock")}"\n'
              f'rtr-cache "first" {{ host = "127.0.0.1"  port = {cache.port} }}\n')
    second = lab.start("second", WAYWARDEN, "run", "-c", lab.path("second.conf"))

    def equal():
        hashes = [json.loads(lab.run(WAYWARDEN, "payloads", "hash", *what, "--json", expect=None) or "{}")
                  for what in ([lab.path("payloads.json")], ["--store", lab.path("store2")])]
        kinds = [{k: v for k, v in h.items() if k.endswith("_hash")} for h in hashes]
        return kinds[0] and kinds[0] == kinds[1]

    lab.wait("a second daemon holds the same", equal)
    cache.change(1)
    lab.wait("and the same after a delta", equal)
    cache.check_served(2)
    check(cache.process.stop() == 0, "the first stops")
    lab.processes.remove(cache.process)
    lab.wait("the second heard Cache Restart", lambda: "Cache Restart" in second.output())
    check(equal(), "and keeps the data")


# ------------------------------------------------------------------ TLS

def query(stream, version):
    """A Reset Query; the types of the PDUs of the answer."""
    stream.sendall(struct.pack("!BBHI", version, 2, 0, 8))
    data, types = b"", []
    while True:
        while len(data) >= 8 and len(data) >= struct.unpack("!I", data[4:8])[0]:
            length = struct.unpack("!I", data[4:8])[0]
            types.append(data[1])
            data = data[length:]
            if types[-1] in (7, 10):
                return types
        more = stream.recv(65536)
        if not more:
            return types
        data += more


def tls(lab):
    socat, program, stdbuf = need("socat", "rtrclient", "stdbuf")
    need("openssl")
    lab.run(WAYWARDEN, "pki", "init", lab.path("pki"))
    lab.run(WAYWARDEN, "pki", "issue", lab.path("pki"), "cache", "--dns", "localhost")
    lab.run(WAYWARDEN, "pki", "issue", lab.path("pki"), "router", "--ip", "127.0.0.1")
    lab.run(WAYWARDEN, "pki", "issue", lab.path("pki"), "elsewhere", "--ip", "192.0.2.1")
    pki = {n: lab.path("pki", n) for n in ("cache.pem", "cache.key", "router.pem", "router.key", "ca.pem", "elsewhere.pem",
                                           "elsewhere.key")}
    cache = Cache(lab, f'certificate = "{pki["cache.pem"]}"  key = "{pki["cache.key"]}"  ca = "{pki["ca.pem"]}"')

    def connect(name):
        context = ssl.create_default_context(cafile=pki["ca.pem"])
        if name:
            context.load_cert_chain(pki[name + ".pem"], pki[name + ".key"])
        raw = socket.create_connection(("127.0.0.1", cache.port), timeout=10)
        return context.wrap_socket(raw, server_hostname="localhost")

    def refused(name):
        try:
            with connect(name) as stream:
                return not query(stream, 2)
        except (ssl.SSLError, ConnectionError):
            return True

    check(refused(None), "a router without a certificate is refused")
    lab.wait("and the log says why", lambda: "presented no certificate" in cache.process.output())
    check(refused("elsewhere"), "and one whose certificate is for another address")
    lab.wait("and the log says why", lambda: "wanted 127.0.0.1, it has IP:192.0.2.1" in cache.process.output())
    with socket.create_connection(("127.0.0.1", cache.port), timeout=10) as plain:
        plain.sendall(struct.pack("!BBHI", 2, 2, 0, 8))
        check(b"\x02\x03" not in plain.recv(100), "and one that does not speak TLS")
    with connect("router") as stream:
        types = query(stream, 2)
        check(types[0] == 3 and types[-1] == 7 and types.count(11) == 2 and stream.version() == "TLSv1.3",
              "one with the right certificate is served, in TLS 1.3")

    inside = free_port()
    relay = lab.start("socat", socat, "-d", "-d", f"TCP-LISTEN:{inside},bind=127.0.0.1,reuseaddr,fork",
              f"OPENSSL:127.0.0.1:{cache.port},cafile={pki['ca.pem']},cert={pki['router.pem']},key={pki['router.key']},"
              f"commonname=localhost")
    lab.wait("socat listens", lambda: "listening on" in relay.output())
    process = lab.start("rtrclient", stdbuf, "-oL", program, "-p", "tcp", "127.0.0.1", str(inside))
    follow(lab, cache, "rtrclient behind TLS", lambda: rtrclient_read(process), 1)


PARTS = {f.__name__: f for f in (rtrclient, rtrdump, frr, bird, gobgp, openbgpd, waywarden, tls)}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        print(f"# {part}", flush=True)
        with Lab() as laboratory:
            PARTS[part](laboratory)
