#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""TLS at both ends: `waywarden station` refuses every client it should, the daemon refuses every station it should, and
each says why in words. What is left speaks TLS 1.3 and ends with close_notify."""
import os
import socket
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import bmpgen  # noqa: E402
from harness import WAYWARDEN, Lab, check, free_port, json_lines, need  # noqa: E402

openssl = need("openssl")
VRPS = 'static { vrp = {"198.51.100.0/24 AS64510"} }'


def make_pki(lab):
    for folder in ("pki", "other"):
        lab.run(WAYWARDEN, "pki", "init", folder)
    lab.run(WAYWARDEN, "pki", "issue", "pki", "station", "--dns", "localhost", "--ip", "127.0.0.1")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "sidecar")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "elsewhere", "--dns", "elsewhere.example")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "nameless")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "expired", "--days", "-2", "--dns", "localhost")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "listener", "--server", "--dns", "localhost")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "caller", "--client", "--dns", "localhost")
    lab.run(WAYWARDEN, "pki", "issue", "other", "foreign", "--dns", "localhost")


# ---- the station as server ----

def s_client(lab, port, *argv):
    done = subprocess.run([openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", "pki/ca.pem", "-quiet", *argv],
                          cwd=lab.folder, input=b"x", capture_output=True, timeout=30)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def pair(name, folder="pki"):
    return ("-cert", f"{folder}/{name}.pem", "-key", f"{folder}/{name}.key")


def server_side(lab):
    port, plain = free_port(), free_port()
    station = lab.start("station", WAYWARDEN, "station", "--listen", f"127.0.0.1:{port}", "--plain", f"127.0.0.1:{plain}",
                        "--cert", "pki/station.pem", "--key", "pki/station.key", "--ca", "pki/ca.pem")
    lab.wait("the station listens", lambda: station.output().count("listening") == 2)
    for what, argv, alert, says in (
            ("no certificate", (), "alert certificate required", "presented no certificate"),
            ("a foreign CA's certificate", pair("foreign", "other"), "alert unknown ca", "not signed by a CA that is trusted"),
            ("an expired certificate", pair("expired"), "alert certificate expired", "certificate of CN=expired expired at"),
            ("a server's certificate", pair("listener"), "alert", "certificate of CN=listener: unsuitable certificate purpose"),
            ("TLS 1.2", ("-tls1_2", *pair("sidecar")), "alert protocol version", "does not speak TLS 1.3"),
            ("TLS 1.1", ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0", *pair("sidecar")), "alert", "does not speak TLS 1.3")):
        before = len(station.output())
        said = s_client(lab, port, *argv)
        check(alert in said, f"{what}: the client is told ({alert})")
        lab.wait(f"{what}: the station says why", lambda: says in station.output()[before:], 10)

    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(bmpgen.initiation())
        lab.wait("plain BMP on the TLS port is refused", lambda: "does not speak TLS" in station.output(), 10)
    with socket.create_connection(("127.0.0.1", port)):
        pass
    with socket.create_connection(("127.0.0.1", plain)) as s:
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        lab.wait("TLS on the plain port is refused", lambda: "BMP version 22" in station.output(), 10)

    context = ssl.create_default_context(cafile=lab.path("pki/ca.pem"))
    context.load_cert_chain(lab.path("pki/sidecar.pem"), lab.path("pki/sidecar.key"))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as s:
        check(s.version() == "TLSv1.3" and s.cipher()[0] == "TLS_AES_256_GCM_SHA384", "a good client gets TLS 1.3")
        s.sendall(bmpgen.initiation()[:7])
        s.sendall(bmpgen.initiation()[7:] + bmpgen.Peer("192.0.2.1", 64501).up())
        lab.wait("and is heard", lambda: [m["type"] for m in json_lines(station.output())] == ["initiation", "peer-up"])
        check(station.stop() == 0, "the station ends cleanly")
        s.settimeout(5)
        check(s.recv(10) == b"", "with close_notify")  # without one: SSLEOFError


def server_refusals(lab):
    def station(*argv):
        return subprocess.run([WAYWARDEN, "station", *argv], cwd=lab.folder, capture_output=True, text=True, timeout=30)
    files = ("--cert", "pki/station.pem", "--key", "pki/station.key", "--ca", "pki/ca.pem")
    done = station("--listen", "127.0.0.1:0", "--cert", "pki/none.pem", *files[2:])
    check(done.returncode == 1 and "certificate file 'pki/none.pem': No such file" in done.stderr, "a missing certificate")
    done = station("--listen", "127.0.0.1:0", *files[:2], "--key", "pki/sidecar.key", *files[4:])
    check(done.returncode == 1 and "key file 'pki/sidecar.key' does not belong" in done.stderr, "another's key")
    done = station("--listen", "127.0.0.1:0", *files[:4], "--ca", "pki/station.key")
    check(done.returncode == 1 and "CA file 'pki/station.key'" in done.stderr, "a CA file without certificates")
    done = station("--listen", "localhost:1", *files)
    check(done.returncode == 1 and "'localhost' is not an address" in done.stderr, "a name to listen on")
    for argv in ((), ("--listen", "127.0.0.1:0"), ("--plain", "127.0.0.1:0", "--ca", "x"), ("--plain", "127.0.0.1:0", "more"),
                 ("--plain", "127.0.0.1:0", "--count", "0"), ("--plain", "127.0.0.1:0", "--format", "xml")):
        check(station(*argv).returncode == 2, f"usage: {' '.join(argv) or 'nothing'}")


# ---- the daemon as client ----

class Server(threading.Thread):
    """A TLS server that takes connections one after another and remembers what it got."""

    def __init__(self, lab, cert=None, folder="pki", ca=None, version=None, talk=None):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.octets, self.ended, self.talk, self.context = b"", None, talk, None
        if cert:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(lab.path(folder, cert + ".pem"), lab.path(folder, cert + ".key"))
            if ca:
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.load_verify_locations(lab.path(ca, "ca.pem"))
            if version:
                self.context.maximum_version = version
        self.start()

    def run(self):
        while True:
            s, _ = self.listener.accept()
            try:
                s.settimeout(60)
                if self.talk is not None:
                    s.sendall(self.talk)
                if self.context:
                    s = self.context.wrap_socket(s, server_side=True)
                while True:
                    got = s.recv(65536)
                    if not got:
                        self.ended = "close_notify"
                        break
                    self.octets += got
            except OSError as error:
                self.ended = repr(error)
            s.close()


def client_side(lab):
    cases = {
        "foreign": (Server(lab, "foreign", "other"), "not signed by a CA that is trusted here"),
        "wrong-name": (Server(lab, "elsewhere"), "is for another name: wanted localhost, it has DNS:elsewhere.example"),
        "no-name": (Server(lab, "nameless"), "is for another name: wanted localhost, it has no DNS or IP name"),
        "expired": (Server(lab, "expired"), "certificate of CN=expired expired at"),
        "client-only": (Server(lab, "caller"), "certificate of CN=caller: unsuitable certificate purpose"),
        "tls12": (Server(lab, "station", version=ssl.TLSVersion.TLSv1_2), "does not speak TLS 1.3"),
        "refuses-us": (Server(lab, "station", ca="other"), "the server refused: it does not trust the CA of our certificate"),
        "http": (Server(lab, talk=b"HTTP/1.1 400 Bad Request\r\n\r\n"), "the server does not speak TLS"),
    }
    good = Server(lab, "station", ca="pki")
    by_address = Server(lab, "station", ca="pki")
    dead = free_port()
    bmp = free_port()

    def station(name, port, host="127.0.0.1", server_name='server-name = "localhost"'):
        return (f'station "{name}" {{ host = "{host}"  port = {port}  {server_name}\n'
                f'  certificate = "{lab.path("pki/sidecar.pem")}"  key = "{lab.path("pki/sidecar.key")}"\n'
                f'  ca = "{lab.path("pki/ca.pem")}"  retry-min = 1  retry-max = 2 }}\n')

    text = f'store = "{lab.path("store")}"\n{VRPS}\nbmp-listen "127.0.0.1:{bmp}" {{ }}\n'
    text += "".join(station(name, server.port) for name, (server, _) in cases.items())
    text += station("good", good.port) + station("by-address", by_address.port, server_name="")
    text += station("dead", dead) + station("lost", 1, host="does-not-exist.invalid")
    lab.write("waywarden.conf", text)
    bad = lab.write("bad.conf", text.replace("pki/sidecar.key", "pki/station.key"))
    for more in ((), ("--check-config",)):
        done = subprocess.run([WAYWARDEN, "run", "-c", bad, *more], capture_output=True, text=True, timeout=30)
        check(done.returncode == 1 and "station.key' does not belong to certificate file" in done.stderr,
              f"run {' '.join(more)} refuses another's key")
    daemon = lab.start("daemon", WAYWARDEN, "run", "-c", lab.path("waywarden.conf"))
    lab.wait("the daemon listens", lambda: "BMP: listening" in daemon.output())
    router = socket.create_connection(("127.0.0.1", bmp))
    router.sendall(bmpgen.initiation())

    def line_of(name, says):
        return any(f"station {name}," in line and says in line for line in daemon.output().splitlines())
    for name, (server, says) in cases.items():
        lab.wait(f"{name}: {says}", lambda: line_of(name, says), 20)
    lab.wait("dead: refused", lambda: line_of("dead", f"127.0.0.1:{dead}: Connection refused"), 20)
    lab.wait("lost: no such host", lambda: line_of("lost", "look-up of"), 20)
    for server in (good, by_address):
        lab.wait("a good station gets Initiation", lambda: server.octets[:1] == b"\x04" and server.octets[5:6] == b"\x04", 20)
    for name, (server, _) in cases.items():
        check(server.octets == b"" or name == "http", f"{name}: got no octet of BMP")
    check(line_of("good", "TLSv1.3, TLS_AES_256_GCM_SHA384, peer CN=station"), "what was agreed on is said")
    check(daemon.stop() == 0, "the daemon stops cleanly")
    lab.wait("with close_notify to the station", lambda: good.ended == "close_notify", 10)
    at = last = 0
    while at < len(good.octets):
        last, at = at, at + int.from_bytes(good.octets[at + 1:at + 5], "big")
    check(at == len(good.octets) and good.octets[last + 5] == 5, "after a Termination message")


with Lab() as lab:
    make_pki(lab)
    server_side(lab)
    server_refusals(lab)
    client_side(lab)
