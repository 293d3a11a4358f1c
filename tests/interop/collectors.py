#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Third-party readers of what we send: pmbmpd takes a whole session in profile std3 or exp3, tshark reads a capture of our
plain octets, without and with our dissector, socat ends the TLS and what it wrote is decoded again.

usage: collectors.py pmbmpd-std3|pmbmpd-exp3|tshark|dissector|socat
"""
import os
import re
import socket
import struct
import sys
import threading

import bmpgen
from harness import SOURCE, WAYWARDEN, Lab, check, free_port, json_lines, need
from station import lab_pki, start_daemon

VRPS = ('static { vrp = {"198.51.100.0/24-24 AS64510", "203.0.113.0/24-25 AS64511", "2001:db8::/32-48 AS64512"}'
        '  aspa = {"AS64511: AS64501", "AS64510: AS64502"} }')
PEER = bmpgen.Peer("192.0.2.1", 64501)
V6PEER = bmpgen.Peer("2001:db8:1::1", 64502)
ROUTES = [(["198.51.100.0/24"], [64501, 64510]), (["203.0.113.0/24", "203.0.113.0/26"], [64501, 64511]),
          (["192.0.2.0/24"], [64501]), (["2001:db8:7::/48"], [64501, 64512]), (["198.51.100.0/25"], [64501, [1, 2]])]
COUNT = sum(len(prefixes) for prefixes, _ in ROUTES)
STATES = {"198.51.100.0/24": "valid", "203.0.113.0/24": "valid", "203.0.113.0/26": "invalid", "192.0.2.0/24": "unknown",
          "2001:db8:7::/48": "valid", "198.51.100.0/25": "invalid"}


def feed(port):
    """A router's session up to and with Peer Down; the caller closes it."""
    router = socket.create_connection(("127.0.0.1", port))
    router.sendall(bmpgen.initiation() + PEER.up() + V6PEER.up() +
                   b"".join(PEER.route(bmpgen.update(p, a)) for p, a in ROUTES) +
                   PEER.route(bmpgen.eor()) + PEER.route(bmpgen.eor(True)))
    return router


def sidecar(lab, station, more=""):
    port = free_port()
    daemon = start_daemon(lab, f'{VRPS}\nbmp-listen "127.0.0.1:{port}" {{ }}\n{station}\n{more}')
    return daemon, port


def plain(port, profile, more=""):
    return (f'station "third" {{ host = "127.0.0.1"  port = {port}  plain = true  profile = "{profile}"'
            f'  retry-min = 1  retry-max = 2  {more} }}')


def pmbmpd(profile):
    program = need("pmbmpd")
    with Lab() as lab:
        port = free_port()
        config = lab.write("pmbmpd.conf", f"""
bmp_daemon_ip: 127.0.0.1
bmp_daemon_port: {port}
bmp_daemon_max_peers: 10
bmp_daemon_msglog_file: {lab.path("heard.json")}
bmp_daemon_msglog_output: json
logfile: {lab.path("pm.log")}
daemonize: false
""")
        collector = lab.start("pmbmpd", program, "-f", config)

        def text(name):
            try:
                with open(lab.path(name)) as f:
                    return f.read()
            except FileNotFoundError:
                return ""

        def heard(kind):
            return [m for m in json_lines(text("heard.json")) if m.get("bmp_msg_type") == kind or m.get("event_type") == kind]

        lab.wait("pmbmpd waits", lambda: "waiting for BMP data" in text("pm.log"))
        daemon, bmp_port = sidecar(lab, plain(port, profile))
        router = feed(bmp_port)
        lab.wait("pmbmpd heard both Peer Ups", lambda: len(heard("peer_up")) == 2)
        if profile == "std3":
            lab.wait("pmbmpd heard every route", lambda: len({m["ip_prefix"] for m in heard("route_monitor") if "ip_prefix" in m}) == COUNT)
        else:
            lab.wait("pmbmpd met type 252 and stepped over it", lambda: "unknown message type (252)" in text("pm.log"))
        router.sendall(PEER.route(bmpgen.update(withdraw=["192.0.2.0/24"])) + PEER.down())
        lab.wait("pmbmpd heard Peer Down", lambda: heard("peer_down"))
        check(daemon.stop() == 0, "the daemon stops cleanly")
        lab.wait("pmbmpd heard Termination", lambda: heard("term"))
        router.close()
        check(collector.alive(), "pmbmpd is still there")
        complaints = [line for line in text("pm.log").splitlines()
                      if re.search(r"discarded|ERROR|incomplete|failed|missing", line) and "unknown message type (252)" not in line]
        check(not complaints, f"pmbmpd had nothing to complain of: {complaints[:3]}")


class Sink(threading.Thread):
    """Takes one plain connection and keeps its octets."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.octets = self.listener.getsockname()[1], b""
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        while data := connection.recv(65536):
            self.octets += data


def pcap(octets, port):
    """The octets as one TCP connection to `port`, as a capture would show it."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    sequence = 1
    for at in range(0, len(octets), 1400):
        piece = octets[at:at + 1400]
        tcp = struct.pack(">HHIIBBHHH", 40000, port, sequence, 1, 0x50, 0x18, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(piece), 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
        packet = ip + tcp + piece
        out += struct.pack("<IIII", 1700000000, at, len(packet), len(packet)) + packet
        sequence += len(piece)
    return out


def messages(octets):
    """(version, type) of each whole message so far, and whether the octets end with one."""
    out, at = [], 0
    while at + 6 <= len(octets):
        version, length, kind = struct.unpack(">BIB", octets[at:at + 6])
        out.append((version, kind))
        at += length
    return out, at == len(octets)


def tshark():
    program = need("tshark")
    for profile in ("std3", "exp3"):
        with Lab() as lab:
            sink = Sink()
            daemon, bmp_port = sidecar(lab, plain(sink.port, profile))
            router = feed(bmp_port)
            kind = 0 if profile == "std3" else 252
            lab.wait(f"{profile}: routes arrive", lambda: [k for _, k in messages(sink.octets)[0]].count(kind) >= 6)
            daemon.stop()
            router.close()
            ours, whole = messages(sink.octets)
            check(whole, f"{profile}: the stream is whole messages")
            check({v for v, _ in ours} == {3}, f"{profile}: every frame has version 3")
            lab.write("x.pcap", pcap(sink.octets, 1790))
            fields = lab.run(program, "-r", "x.pcap", "-d", "tcp.port==1790,bmp", "-T", "fields", "-e", "bmp.type")
            seen = [int(n) for n in re.findall(r"\d+", fields)]
            check(seen == [k for _, k in ours], f"{profile}: tshark sees the same {len(ours)} messages in the same order")
            malformed = lab.run(program, "-r", "x.pcap", "-d", "tcp.port==1790,bmp", "-Y", "_ws.malformed")
            check(not malformed, f"{profile}: tshark finds nothing malformed")
            if profile == "std3":
                shown = lab.run(program, "-r", "x.pcap", "-d", "tcp.port==1790,bmp", "-V")
                for prefix in STATES:
                    check(prefix.split("/")[0] in shown, f"tshark shows {prefix}")


def dissector():
    """Our Lua dissector, in each profile that has messages of ours, shows what our own decoder reads."""
    program = need("tshark")
    script = os.path.join(SOURCE, "packaging", "wireshark", "waywarden_bmp.lua")
    for profile, more in (("v4", ""), ("v4", "tlv-draft = 19"), ("exp3", ""), ("exp3", "enterprise-number = 64512")):
        title = f"{profile} {more}".strip()
        with Lab() as lab:
            sink = Sink()
            daemon, bmp_port = sidecar(lab, plain(sink.port, profile, more), 'router "edge1" { role = "provider" }')
            router = feed(bmp_port)
            lab.wait(f"{title}: routes arrive", lambda: [k for _, k in messages(sink.octets)[0]].count(252) >= 6)
            daemon.stop()
            router.close()
            lab.write("x.pcap", pcap(sink.octets, 1790))
            lab.write("x.bmp", sink.octets)
            pen = "64512" if "enterprise" in more else "32473"
            ours = [m for m in json_lines(lab.run(WAYWARDEN, "decode", "--as", "bmp", "--pen", pen, "x.bmp"))
                    if m["type"] == "rpki-validation"]
            shark = [program, "-X", f"lua_script:{script}", "-o", f"waywarden-bmp.pen:{pen}", "-r", "x.pcap"]

            def shown(field, *how):
                text = lab.run(*shark, *how, "-T", "fields", "-e", f"waywarden-bmp.{field}")
                return [int(n) if n.isdigit() else n for n in text.replace(",", " ").split()]

            kinds = [k for _, k in messages(sink.octets)[0]]
            for how in ([], ["-d", "tcp.port==1790,waywarden-bmp"]):
                check(shown("type", *how) == kinds,
                      f"{title}: {len(kinds)} messages are dissected {'when told' if how else 'unasked'}")
            words = {"valid": 0, "unknown": 1, "invalid": 2}
            check({words[r["state"]] for m in ours for r in m["verdicts"]} == set(shown("state")), f"{title}: states")
            check({r["asn"] for m in ours for v in m["verdicts"] for r in v["rules"] if r["kind"] == "vrp"} ==
                  set(shown("rule.asn")), f"{title}: AS numbers of rules")
            paths = [v["aspa"] for m in ours for v in m["verdicts"] if v.get("aspa", {}).get("hops")]
            check(paths, f"{title}: paths were verified")
            check({h["customer"] for a in paths for h in a["hops"]} == set(shown("aspa.hop_customer")), f"{title}: hops")
            check(set(shown("label.name")) == {"static"}, f"{title}: the source's name")
            errors = lab.run(*shark, "-Y", "waywarden-bmp.short || _ws.lua.error")
            check(not errors, f"{title}: nothing ends early, and the script has no error: {errors[:200]}")


def socat():
    program = need("socat")
    with Lab() as lab:
        lab_pki(lab)
        port = free_port()
        sink = lab.start("socat", program, "-u", f"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,cert=pki/station.pem,"
                         "key=pki/station.key,cafile=pki/ca.pem,verify=1,openssl-min-proto-version=TLS1.3", "CREATE:heard.bin")
        bmp_port = free_port()
        daemon = start_daemon(lab, f'{VRPS}\nbmp-listen "127.0.0.1:{bmp_port}" {{ }}', stations=[("socat", port)])
        router = feed(bmp_port)

        def decoded():
            try:
                return json_lines(lab.run(WAYWARDEN, "decode", "--as", "bmp", "heard.bin", expect=None))
            except FileNotFoundError:
                return []

        def states():
            return {r["prefix"]: r["state"] for m in decoded() if m.get("type") == "rpki-validation" for r in m["verdicts"]}

        lab.wait("what socat wrote holds every verdict", lambda: states() == STATES)
        daemon.stop()
        router.close()
        lab.wait("socat's end came by close_notify", lambda: not sink.alive())
        check(decoded()[-1]["type"] == "termination", "the last message is Termination")
        check("error" not in sink.output().lower(), "socat had nothing to complain of")


{"pmbmpd-std3": lambda: pmbmpd("std3"), "pmbmpd-exp3": lambda: pmbmpd("exp3"), "tshark": tshark,
 "dissector": dissector, "socat": socat}[sys.argv[1]]()
