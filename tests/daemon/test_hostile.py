#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A daemon among enemies: routers that send garbage and mutated BMP, that dribble and that come by the thousand; caches
that lie, flood and fall silent; stations that are none; rubbish on the control socket. All the while one honest router
must have its routes judged and status must answer, and in the end no descriptor and no memory may be missing.

The mutations come from a fixed seed. With an argument, it is the seed; a second one multiplies the work."""
import glob
import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import bmpgen  # noqa: E402
from harness import WAYWARDEN, Lab, check, free_port, json_lines  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 6811
WORK = int(sys.argv[2]) if len(sys.argv) > 2 else 1
SHARED = os.environ.get("WW_SHARED", os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared"))
RANDOM = random.Random(SEED)
CONNECTIONS_MAX = 256  # WW_BMP_CONNECTIONS_MAX


# ---- caches: each has one way to answer a connection ----

def pdu(version, kind, session, body=b""):
    return struct.pack("!BBHI", version, kind, session, 8 + len(body)) + body


def ipv4_pdu(n, flags=1, length=24, max_length=24):
    return pdu(1, 4, 0, struct.pack("!BBBB", flags, length, max_length, 0) + struct.pack("!II", n << 8 & 0xffffffff, 64500))


BEGIN, END = pdu(1, 3, 7), pdu(1, 7, 7, struct.pack("!IIII", 1, 3600, 600, 7200))


def endless():
    yield BEGIN
    for n in range(0, 1 << 24, 256):
        yield b"".join(ipv4_pdu(i) for i in range(n, n + 256))


def repeat(octets):
    while True:
        yield octets


CACHES = {
    "endless-data": endless,
    "endless-notify": lambda: repeat(pdu(1, 0, 7, struct.pack("!I", 5)) * 500),
    "endless-reset": lambda: repeat(pdu(1, 8, 0) * 500),
    "endless-answers": lambda: repeat((BEGIN + END) * 200),
    "endless-errors": lambda: repeat(pdu(1, 10, 2, struct.pack("!II", 0, 0)) * 500),
    "half-a-pdu": lambda: [BEGIN + ipv4_pdu(1)[:13]],
    "half-a-header": lambda: [BEGIN[:3]],
    "huge-length": lambda: [struct.pack("!BBHI", 1, 3, 7, 0x7fffffff), b"x" * 65536],
    "no-length": lambda: [struct.pack("!BBHI", 1, 3, 7, 0)],
    "inner-lengths": lambda: [pdu(1, 10, 2, struct.pack("!II", 0xffffffff, 0xffffffff))],
    "impossible-prefix": lambda: [BEGIN + ipv4_pdu(1, length=33, max_length=200) + END],
    "version-255": lambda: [pdu(255, 3, 7)],
    "no-order": lambda: [END + BEGIN + END],
    "tls": lambda: [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)],
    "garbage": lambda: [RANDOM.randbytes(4000)],
    "mute": None,
}


class Enemy(threading.Thread):
    """Listens, takes every connection and says what it has to say to it, for as long as it is let."""

    def __init__(self, say, read=True):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.say, self.read, self.met, self.over = say, read, 0, False
        self.start()

    def run(self):
        while not self.over:
            s, _ = self.listener.accept()
            self.met += 1
            threading.Thread(target=self.meet, args=(s,), daemon=True).start()

    def meet(self, s):
        try:
            if self.say is None:
                time.sleep(60)
            elif self.read:
                s.recv(100)
            for octets in self.say():
                if self.over:
                    break
                s.sendall(octets)
                time.sleep(0.001)
        except (OSError, TypeError):
            pass
        s.close()


# ---- routers ----

def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def pelt(port, octets):
    """One connection with these octets; what becomes of it is the daemon's to say."""
    try:
        with connect(port) as s:
            s.sendall(octets)
    except OSError:
        pass


def story(name):
    """A router's life in messages, with all kinds of them."""
    peers = [bmpgen.Peer("192.0.2.1", 64501), bmpgen.Peer("2001:db8::1", 64502), bmpgen.Peer("192.0.2.3", 65000)]
    out = [bmpgen.initiation(name)]
    for p in peers:
        up = p.up()
        out += [up, p.route(bmpgen.update(["198.51.100.0/24", "203.0.113.0/25"], [64501, [64510, 64511]])),
                p.route(bmpgen.update(["2001:db8:7::/48"], [64501, 64512])),
                p.route(bmpgen.update(withdraw=["203.0.113.0/25"])), p.route(bmpgen.eor()), p.route(bmpgen.eor(True)),
                bmpgen.message(6, p.header() + struct.pack(">HH", 0, len(u := bmpgen.update(["192.0.2.0/24"], [1]))) + u),
                bmpgen.message(6, p.header() + struct.pack(">HHH", 1, 2, 1)),
                bmpgen.message(1, p.header() + struct.pack(">IHHI", 1, 0, 4, 7)), up]
    out += [peers[0].down(), peers[1].down(2), bmpgen.message(9, b"unknown"), bmpgen.termination()]
    return out


def mutate(octets):
    data = bytearray(octets)
    for _ in range(RANDOM.choice((1, 1, 2, 5))):
        if not data:
            break
        at = RANDOM.randrange(len(data))
        what = RANDOM.randrange(5)
        if what == 0:
            data[at] ^= 1 << RANDOM.randrange(8)
        elif what == 1:
            data[at] = RANDOM.choice((0, 1, 0x7f, 0x80, 0xff))
        elif what == 2:
            del data[at:at + RANDOM.randrange(1, 9)]
        elif what == 3:
            data[at:at] = RANDOM.randbytes(RANDOM.randrange(1, 9))
        else:
            data[at:at + 2] = struct.pack(">H", RANDOM.choice((0, 1, 255, 4096, 65535)))
    return bytes(data)


def mutated(messages):
    """Mutations inside of messages whose lengths stay right, so that they get past the framing, and some outside."""
    out = []
    for m in messages[1:]:
        if RANDOM.random() < 0.5:
            body = mutate(m[6:])
            m = m[:1] + struct.pack(">I", 6 + len(body)) + m[5:6] + body
        elif RANDOM.random() < 0.02:
            m = mutate(m)
        out.append(m)
    if RANDOM.random() < 0.3:
        RANDOM.shuffle(out)
    return messages[0] + b"".join(out)


def captured():
    """Recorded sessions of real routers, when the shared data is there."""
    out = []
    for path in sorted(glob.glob(os.path.join(SHARED, "data", "bmp", "*.bin"))):
        with open(path, "rb") as f:
            data, messages = f.read(1 << 16), []
        while len(data) >= 6 and 6 <= (n := struct.unpack(">I", data[1:5])[0]) <= len(data):
            messages.append(data[:n])
            data = data[n:]
        if messages:
            out.append([bmpgen.initiation("fuzz")] + messages[1:])
    return out


# ---- the daemon and its watch ----

class Siege:
    def __init__(self, lab):
        self.lab, self.port, self.control = lab, free_port(), lab.path("control")
        self.caches = {name: Enemy(say) for name, say in CACHES.items()}
        self.stations = {"rubbish": Enemy(lambda: repeat(RANDOM.randbytes(1000)), read=False), "silent": Enemy(None),
                         "hello": Enemy(lambda: [b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(200)])}
        lab.run(WAYWARDEN, "pki", "init", "pki")
        lab.run(WAYWARDEN, "pki", "issue", "pki", "station", "--dns", "localhost", "--ip", "127.0.0.1")
        lab.run(WAYWARDEN, "pki", "issue", "pki", "sidecar")
        files = "".join(f'{k} = "{lab.path("pki", f)}" ' for k, f in (("certificate", "sidecar.pem"), ("key", "sidecar.key"), ("ca", "ca.pem")))
        ours = free_port()
        self.station = lab.start("station", WAYWARDEN, "station", "--listen", f"127.0.0.1:{ours}", "--cert", "pki/station.pem",
                                 "--key", "pki/station.key", "--ca", "pki/ca.pem")
        lab.wait("the station listens", lambda: "listening" in self.station.output())
        text = (f'store = "{lab.path("store")}"\ncontrol = "{self.control}"\nstartup-grace = 1\nbmp-listen "127.0.0.1:{self.port}" {{ }}\n'
                'static { vrp = {"198.51.0.0/16-24 AS64510", "10.0.0.0/8-24 AS64501"} }\n'
                'router "honest" { sys-name = "honest" }\nrouter "fuzz" { sys-name = "fuzz" }\nrouter "creep" { sys-name = "creep" }\n'
                'router "flaps" { sys-name = "flaps" }\n'
                f'station "noc" {{ host = "127.0.0.1" port = {ours} retry-min = 1 retry-max = 1 {files} }}\n')
        for name, enemy in self.stations.items():
            text += f'station "{name}" {{ host = "127.0.0.1" port = {enemy.port} retry-min = 1 retry-max = 1 {files} }}\n'
        for name, enemy in self.caches.items():
            text += f'rtr-cache "{name}" {{ host = "127.0.0.1" port = {enemy.port} }}\n'
        lab.write("conf", text)
        # Freed memory must go back, or a leak could not be told from it.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:malloc_context_size=4"
        self.daemon = lab.start("daemon", WAYWARDEN, "run", "-c", lab.path("conf"), env={"ASAN_OPTIONS": asan})
        lab.wait("the daemon listens", lambda: "BMP: listening" in self.daemon.output() or not self.daemon.alive())
        check(self.daemon.alive(), "the daemon runs")
        self.honest = connect(self.port)
        self.peer = bmpgen.Peer("10.9.9.9", 64501)
        self.honest.sendall(bmpgen.initiation("honest") + self.peer.up())
        self.turn, self.slowest, self.done = 0, 0.0, False
        threading.Thread(target=self.watch, daemon=True).start()

    def ask(self, line=b'{"command":"status"}\n', timeout=10):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(self.control)
            s.sendall(line)
            answer = b""
            while not answer.endswith(b"\n"):
                more = s.recv(65536)
                if not more:
                    break
                answer += more
            return answer

    def watch(self):
        """How long status takes, all the time."""
        while not self.done:
            begin = time.monotonic()
            try:
                if not self.ask():
                    time.sleep(0.02)  # turned away: too many clients
                    continue
            except OSError:
                pass
            self.slowest = max(self.slowest, time.monotonic() - begin)
            time.sleep(0.05)

    def still_works(self, after):
        check(self.daemon.alive(), f"{after}: the daemon lives")
        self.turn += 1
        prefix = f"10.{self.turn}.0.0/24"
        self.honest.sendall(self.peer.route(bmpgen.update([prefix], [64501])))
        self.lab.wait(f"{after}: the honest router's route is judged", lambda: any(
            v["prefix"] == prefix and v["state"] == "valid" for m in json_lines(self.station.output()) for v in m.get("verdicts", [])), 10)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.child.pid}/fd"))

    def memory(self):
        with open(f"/proc/{self.daemon.child.pid}/statm") as f:
            return int(f.read().split()[1]) * 4096

    # ---- the attacks ----

    def garbage(self):
        heads = [b"", b"\x03", b"\x03\0\0\0\0\x04", b"\x03\0\0\0\x05\x04", b"\x03\x7f\xff\xff\xff\x04", b"\x03\0\0\xff\xff\x04", b"\x04",
                 b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"]
        for _ in range(100 * WORK):
            pelt(self.port, RANDOM.choice(heads) + RANDOM.randbytes(RANDOM.choice((0, 1, 100, 5000))))

    def mutants(self):
        stories = [story("fuzz")] * 3 + captured()
        for _ in range(150 * WORK):
            pelt(self.port, mutated(RANDOM.choice(stories)))

    def cuts(self):
        whole = b"".join(story("fuzz"))
        for i in range(0, len(whole), max(1, len(whole) // (100 * WORK))):
            pelt(self.port, whole[:i])

    def crowd(self):
        for _ in range(400 * WORK):
            pelt(self.port, b"")
        held = []
        for _ in range(CONNECTIONS_MAX + 20):
            s = connect(self.port)
            s.sendall(bmpgen.initiation("fuzz")[:RANDOM.randrange(1, 20)])
            held.append(s)
        self.still_works("among too many connections")
        for s in held:
            s.close()

    def flaps(self):
        """One router whose peers, new ones each time, come and go with routes."""
        with connect(self.port) as s:
            s.sendall(bmpgen.initiation("flaps"))  # a name of its own: who comes late under another's takes its place
            routes = [bmpgen.update([f"172.{16 + i // 8}.{i % 8 * 32}.0/24"], [64501]) for i in range(50)]
            for i in range(300 * WORK):
                p = bmpgen.Peer(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 64501)
                s.sendall(p.up() + b"".join(map(p.route, routes)) + (p.down() if i % 3 else p.up()))

    def questions(self):
        lines = [b"\n", b"{}\n", b"[" * 3000 + b"\n", b'{"command":' * 300 + b"\n", b"\0\xff\xfe\n", b'{"command":"status","command":"x"}\n',
                 b'{"command":"\\ud800"}\n', b'{"command":1e999}\n', b"x" * 5000, b'{"command":"status"}\n' * 100]
        for line in lines * 3 * WORK:
            try:
                self.ask(line, 0.3)
            except OSError:
                pass
        held = []
        for _ in range(40):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(5)
            try:
                s.connect(self.control)
                s.sendall(b'{"command":"status"}\n' * 150)  # and never reads
            except OSError:
                pass
            held.append(s)
        time.sleep(0.2)
        for s in held:
            s.close()


def main():
    with Lab() as lab:
        siege = Siege(lab)
        siege.still_works("at first")
        slow = [connect(siege.port) for _ in range(20)]
        dribble = bmpgen.initiation("creep") * 3

        def creep():
            for octet in dribble:
                for s in slow:
                    try:
                        s.sendall(bytes([octet]))
                    except OSError:
                        pass
                time.sleep(0.1)
        threading.Thread(target=creep, daemon=True).start()
        attacks = (siege.garbage, siege.mutants, siege.cuts, siege.flaps, siege.crowd, siege.questions)
        memory = []
        for _ in range(2):
            for attack in attacks:
                begin = time.monotonic()
                attack()
                print(f"{attack.__name__}: {time.monotonic() - begin:.1f} s")
                siege.still_works(attack.__name__)
            memory.append(siege.memory())
        lab.wait("every cache was met", lambda: all(c.met for c in siege.caches.values()), 10)
        check(all(s.met for s in siege.stations.values()), "every station was met")
        for enemy in (*siege.caches.values(), *siege.stations.values()):
            enemy.over = True
        for s in slow:
            s.close()
        siege.done = True
        print(f"slowest answer {siege.slowest:.2f} s; memory {[m >> 20 for m in memory]} MiB")
        check(siege.slowest < 5, "status always answered within 5 s")
        # store, listeners, loop, control, honest router, stations, caches, what reconnects at this moment
        lab.wait("no descriptor is left over", lambda: siege.descriptors() < 30 + 2 * len(CACHES), 10)
        check(memory[1] - memory[0] < 150 << 20, "the second round took no more memory than endless data may")
        check(siege.daemon.stop() == 0, "the daemon ends cleanly, without a leak")


main()
