#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The RTR client's transports: TLS and SSH against StayRTR, TCP MD5 and (where the kernel has it) TCP-AO against a cache of
our own, and every refusal with its one line in the log.

usage: rtr_transport.py [tls] [ssh] [ssh-rude] [md5] [ao] [addresses]
"""
import errno
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

from harness import SKIP, WAYWARDEN, Lab, check, free_port, need
from rtr import Cache, same, source, write
from station import start_daemon

TCP_MD5SIG, TCP_AO_ADD_KEY = 14, 38


def start_caches(lab, sections, name="waywarden"):
    text = "".join(f'rtr-cache "{title}" {{ host = "127.0.0.1"  {options} }}\n' for title, options in sections.items())
    return start_daemon(lab, f'log-level = "info"\n{text}bmp-listen "127.0.0.1:{free_port()}" {{ }}', name=name)


def started(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def stay(lab, *options, port):
    stayrtr = need("stayrtr")
    write(lab, 0)
    cache = lab.start("stayrtr", stayrtr, "-bind", "", "-cache", "payloads.json", "-checktime=false", "-refresh", "600",
                      "-metrics.addr", f"127.0.0.1:{free_port()}", *options)
    lab.wait("stayrtr listens", lambda: started(port))
    return cache


def says(lab, daemon, expected, patience=30):
    """One line of the log for each cache; {title: part of it}."""
    for title, part in expected.items():
        def said(title=title, part=part):
            return any(f"rtr cache {title}: cannot connect: " in line and part in line
                       for line in daemon.output().splitlines())
        lab.wait(f"{title}: \"{part}\"", said, patience)


def works(lab, daemon, version=1):
    lab.wait("in sync", lambda: source(lab)["state"] == "established")
    lab.wait("the store holds what the cache has", same(lab, version))


def finish(lab, daemon):
    check(daemon.stop() == 0, "the daemon stops, and nothing leaks")
    lab.processes.remove(daemon)


class Rude(threading.Thread):
    """Takes connections and does `what` with each."""

    def __init__(self, what):
        super().__init__(daemon=True)
        self.listener, self.what, self.met = socket.create_server(("127.0.0.1", 0)), what, 0
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            s, _ = self.listener.accept()
            self.met += 1
            threading.Thread(target=self.meet, args=(s,), daemon=True).start()

    def meet(self, s):
        try:
            self.what(s)
        except (OSError, ssl.SSLError):
            pass
        s.close()


def stall(s):
    time.sleep(60)


def flood(octets):
    def pour(s):
        while True:
            s.sendall(octets)
    return pour


def closing(octets=b""):
    def end(s):
        if octets:
            s.sendall(octets)
            s.recv(1000)
    return end


# ------------------------------------------------------------------ TLS

def make_pki(lab):
    for folder in ("pki", "other"):
        lab.run(WAYWARDEN, "pki", "init", folder)
        lab.run(WAYWARDEN, "pki", "issue", folder, "cache", "--dns", "localhost", "--dns", "rtr.example")
        lab.run(WAYWARDEN, "pki", "issue", folder, "router", "--client", "--ip", "127.0.0.1")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "address", "--ip", "127.0.0.1")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "nameless")
    lab.run(WAYWARDEN, "pki", "issue", "pki", "expired", "--days", "-2", "--dns", "localhost")


def tls_options(lab, port, more='server-name = "localhost"', ca="pki", own="pki"):
    return (f'transport = "tls"  port = {port}  ca = "{lab.path(ca, "ca.pem")}"  {more}\n'
            f'  certificate = "{lab.path(own, "router.pem")}"  key = "{lab.path(own, "router.key")}"')


def tls_cache(lab, cert, folder="pki", ca="pki", top=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.path(folder, cert + ".pem"), lab.path(folder, cert + ".key"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(lab.path(ca, "ca.pem"))
    if top:
        context.maximum_version = top
    return Cache(wrap=lambda s: context.wrap_socket(s, server_side=True))


def tls(lab):
    make_pki(lab)
    port = free_port()
    stay(lab, "-tls.bind", f"127.0.0.1:{port}", "-tls.cert", lab.path("pki/cache.pem"), "-tls.key", lab.path("pki/cache.key"),
         port=port)
    daemon = start_caches(lab, {"c": tls_options(lab, port)})
    works(lab, daemon)
    now = source(lab)
    check(now["transport"] == "tls" and now["address"] == f"127.0.0.1:{port}", "status names transport and address")
    check("TLSv1.3" in now["agreed"] and "peer" in now["agreed"], "and what TLS agreed on: " + now["agreed"])
    shown = lab.run(WAYWARDEN, "status", "--control", lab.path("control.sock"), expect=None)
    check(f"tls to 127.0.0.1:{port}: TLSv1.3" in shown, "in the table too")
    finish(lab, daemon)

    # the cache asks for our certificate, and gets it; its name is its address
    cache = tls_cache(lab, "address")
    shutil.rmtree(lab.path("store"))
    daemon = start_caches(lab, {"c": tls_options(lab, cache.port, "")}, "waywarden-2")
    works(lab, daemon, 2)
    subject = cache.connections[-1].getpeercert()
    check(("IP Address", "127.0.0.1") in subject.get("subjectAltName", ()), "our certificate carries our address")
    finish(lab, daemon)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.path("pki/cache.pem"), lab.path("pki/cache.key"))

    def handshake_then(what):
        def meet(s):
            with context.wrap_socket(s, server_side=True) as t:
                what(t)
        return meet
    silent, early = Rude(handshake_then(stall)), Rude(handshake_then(closing()))
    garbage = Rude(handshake_then(flood(os.urandom(4096))))
    cases = {
        "wrong-name": (tls_options(lab, port, 'server-name = "rtr.example.net"'),
                       "wanted rtr.example.net, it has DNS:localhost, DNS:rtr.example"),
        "wrong-ca": (tls_options(lab, port, ca="other"), "not signed by a CA that is trusted here"),
        "no-cn": (tls_options(lab, tls_cache(lab, "nameless").port, 'server-name = "nameless"'),
                  "wanted nameless, it has no DNS or IP name"),
        "expired": (tls_options(lab, tls_cache(lab, "expired").port), "certificate of CN=expired expired at"),
        "old": (tls_options(lab, tls_cache(lab, "cache", top=ssl.TLSVersion.TLSv1_2).port), "does not speak TLS 1.3"),
        "plain": (tls_options(lab, Rude(closing(b"\0" * 64)).port), "does not speak TLS"),
        "closes": (tls_options(lab, Rude(closing()).port), "closed"),
        "stalls": (tls_options(lab, Rude(stall).port), "TLS: handshake not finished in 10 s"),
        "floods": (tls_options(lab, Rude(flood(b"\x16\x03\x03\x40\x00" + bytes(16384))).port), "TLS: handshake of more than 512 KiB"),
        "refused": (tls_options(lab, free_port()), "Connection refused"),
    }
    sections = {title: options for title, (options, _) in cases.items()}
    sections["unknown-router"] = tls_options(lab, tls_cache(lab, "cache", ca="other").port)
    sections["silent"], sections["early"] = tls_options(lab, silent.port), tls_options(lab, early.port)
    sections["garbage"] = tls_options(lab, garbage.port)
    daemon = start_caches(lab, sections, "waywarden-3")
    says(lab, daemon, {title: part for title, (_, part) in cases.items()})
    # TLS 1.3 tells a client that it is refused after its handshake
    lab.wait("unknown-router: the server's alert in words", lambda: "rtr cache unknown-router: the connection was lost: TLS: "
             "the server refused: it does not trust the CA of our certificate" in daemon.output())
    check("rtr cache unknown-router: going to version" not in daemon.output(), "which is not taken for a matter of versions")
    lab.wait("a cache that closes after the handshake is said so", lambda: "rtr cache early: the cache closed the connection" in
             daemon.output())
    lab.wait("one that talks nonsense too", lambda: re.search(r"rtr cache garbage: .*\(we report", daemon.output()))
    check(source_named(lab, "silent")["state"] == "negotiating", "one that says nothing is waited for")
    finish(lab, daemon)

    # what is wrong with files is said at the start, by --check-config too
    os.chmod(lab.path("pki/router.key"), 0o644)
    for what, options, part in (
            ("a certificate that is none", tls_options(lab, port).replace(lab.path("pki/router.pem"), lab.path("payloads.json")),
             "certificate file"),
            ("another's key", tls_options(lab, port).replace(lab.path("pki/router.key"), lab.path("other/router.key")),
             "does not belong to certificate file"),
            ("an encrypted key", tls_options(lab, port).replace(lab.path("pki/router.key"), encrypted(lab)), "key file")):
        done = refuses_to_start(lab, options)
        check(part in done, f"{what} is refused at the start: {done.splitlines()[-1]}")
    check("'" + lab.path("pki/router.key") + "' is a secret and has mode 0644" in refuses_to_start(lab, tls_options(
        lab, port), good=True), "a key that others may read is warned of")


def encrypted(lab):
    lab.run(need("openssl"), "pkey", "-in", "pki/router.key", "-aes256", "-passout", "pass:sesame", "-out", "locked.key")
    return lab.path("locked.key")


def source_named(lab, name):
    import json
    out = lab.run(WAYWARDEN, "status", "--control", lab.path("control.sock"), "--json", expect=None)
    return next(s for s in json.loads(out)["sources"] if s["name"] == name)


def refuses_to_start(lab, options, good=False):
    lab.write("try.conf", f'store = "{lab.path("store-try")}"\nrtr-cache "c" {{ host = "127.0.0.1"  {options} }}\n')
    done = subprocess.run([WAYWARDEN, "run", "-c", lab.path("try.conf"), "--check-config"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=30)
    check((done.returncode == 0) == good, f"--check-config {'takes' if good else 'refuses'} it")
    if not good:
        run = subprocess.run([WAYWARDEN, "run", "-c", lab.path("try.conf")], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=30)
        check(run.returncode != 0 and done.stderr.split("rtr cache", 1)[1].strip() in run.stderr, "run says the same and ends")
    return done.stderr


# ------------------------------------------------------------------ SSH

def ssh_options(lab, port, key="user", hosts="known_hosts", user="rpki"):
    return (f'transport = "ssh"  port = {port}  ssh-user = "{user}"  ssh-key = "{lab.path(key)}"  '
            f'ssh-known-hosts = "{lab.path(hosts)}"')


def known(lab, *entries, name="known_hosts"):
    """entries: (port, key file); `name` gets a line for each."""
    lines = []
    for port, key in entries:
        with open(lab.path(key + ".pub"), encoding="ascii") as f:
            kind, blob = f.read().split()[:2]
        lines.append(f"[127.0.0.1]:{port} {kind} {blob}\n")
    lab.write(name, "".join(lines))


def keygen(lab, name, *more):
    lab.run(need("ssh-keygen"), "-q", "-N", "", "-C", "", "-f", name, *(more or ("-t", "rsa", "-b", "2048", "-m", "PEM")))


def ssh(lab):
    need("ssh-keygen")
    for name in ("host", "user"):
        keygen(lab, name)
    keygen(lab, "stranger", "-t", "ed25519")
    keygen(lab, "otherhost")
    keygen(lab, "edhost", "-t", "ed25519")
    lab.run("ssh-keygen", "-q", "-N", "sesame", "-t", "ed25519", "-C", "", "-f", "locked")
    lab.run("ssh-keygen", "-q", "-N", "sesame", "-t", "rsa", "-b", "2048", "-m", "PEM", "-C", "", "-f", "locked-pem")
    port = free_port()
    cache = stay(lab, "-ssh.bind", f"127.0.0.1:{port}", "-ssh.key", lab.path("host"), "-ssh.method.key", "-ssh.auth.key.file",
                 lab.path("user.pub"), "-ssh.auth.user", "rpki", port=port)
    known(lab, (port, "host"))
    daemon = start_caches(lab, {"c": ssh_options(lab, port)})
    works(lab, daemon)
    now = source(lab)
    check(now["transport"] == "ssh" and now["agreed"].startswith("SSH-2.0, ") and "host key ssh-rsa SHA256:" in now["agreed"],
          "status says what SSH agreed on: " + now["agreed"])
    # a delta over the same channel
    write(lab, 1)
    cache.send(1)
    lab.wait("a delta over SSH", lambda: "delta complete at serial 1" in daemon.output())
    lab.wait("and the store holds it", same(lab, 1))
    cache.stop(9)
    lab.wait("a cache that goes is noticed", lambda: source(lab)["state"] == "backoff")
    finish(lab, daemon)

    stay(lab, "-ssh.bind", f"127.0.0.1:{port}", "-ssh.key", lab.path("host"), "-ssh.method.key", "-ssh.auth.key.file",
         lab.path("user.pub"), "-ssh.auth.user", "rpki", port=port)
    known(lab, (port, "otherhost"), name="changed")
    known(lab, (port, "edhost"), name="othertype")
    known(lab, name="empty")
    banner = b"SSH-2.0-rude_1.0\r\n"
    cases = {
        "changed": (ssh_options(lab, port, hosts="changed"), "the host key of 127.0.0.1 has changed to ssh-rsa SHA256:"),
        "other-type": (ssh_options(lab, port, hosts="othertype"), "has one of another type"),
        "unknown": (ssh_options(lab, port, hosts="empty"), "is not in '" + lab.path("empty") + "'"),
        "wrong-key": (ssh_options(lab, port, key="stranger"), "the server refused user 'rpki' with the key of"),
        "refused": (ssh_options(lab, free_port()), "Connection refused"),
        "no-ssh": (ssh_options(lab, Rude(closing(b"HTTP/1.1 400 Bad Request\r\n\r\n")).port), "SSH: no session"),
        "closes": (ssh_options(lab, Rude(closing()).port), "SSH: no session"),
        "closes-after-banner": (ssh_options(lab, Rude(closing(banner)).port), "SSH: no session"),
        "stalls": (ssh_options(lab, Rude(stall).port), "SSH: handshake not finished in 10 s"),
        "stalls-after-banner": (ssh_options(lab, Rude(lambda s: (s.sendall(banner), time.sleep(60))).port),
                                "SSH: handshake not finished in 10 s"),
        "version-1": (ssh_options(lab, Rude(closing(b"SSH-1.5-old\r\n")).port), "SSH: no session"),
        "floods": (ssh_options(lab, Rude(flood(bytes(65536))).port), "SSH: "),
        "floods-lines": (ssh_options(lab, Rude(flood(b"hello\r\n" * 1000)).port), "SSH: "),
        "floods-after-banner": (ssh_options(lab, Rude(lambda s: (s.sendall(banner), flood(b"\xff" * 65536)(s))).port), "SSH: "),
    }
    daemon = start_caches(lab, {title: options for title, (options, _) in cases.items()}, "waywarden-2")
    says(lab, daemon, {title: part for title, (_, part) in cases.items()})
    finish(lab, daemon)
    for what, options, part in (
            ("a key that is none", ssh_options(lab, port, key="known_hosts"), "is no private key for SSH, or has a passphrase"),
            ("a key with a passphrase", ssh_options(lab, port, key="locked"), "or has a passphrase"),
            ("one in PEM", ssh_options(lab, port, key="locked-pem"), "or has a passphrase")):
        said = refuses_to_start(lab, options)
        check(part in said, f"{what} is refused at the start")


def memory(daemon):
    with open(f"/proc/{daemon.child.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) // 1024


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.child.pid}/fd"))


def ssh_rude(lab):
    """A server that behaves up to a point, for each point."""
    program = os.environ.get("WW_SSH_RUDE")
    if not program:
        print("skipped: WW_SSH_RUDE does not name the rude server")
        sys.exit(SKIP)
    keygen(lab, "host", "-t", "ed25519")
    keygen(lab, "user", "-t", "ed25519")
    refused = {
        "deny": "the server refused user 'rpki' with the key of", "partial": "is not enough for the server",
        "stall-auth": "SSH: handshake not finished in 10 s", "close-auth": "SSH: authentication failed: the connection ended",
        "deny-channel": "SSH: the server opens no channel", "stall-channel": "SSH: handshake not finished in 10 s",
        "close-channel": "SSH: the server opens no channel", "deny-subsystem": "SSH: the server has no subsystem 'rpki-rtr'",
        "stall-subsystem": "SSH: handshake not finished in 10 s", "close-subsystem": "SSH: the server has no subsystem",
    }
    opened = {
        "close": "the cache closed the connection", "eof": "the cache closed the connection",
        "stderr": "SSH: the server ended the channel, saying: no cache today",
        "shell": "(we report", "flood": "(we report", "flood-stderr": None, "stall": None,
    }
    servers, sections = {}, {}
    for mode in [*refused, *opened]:
        servers[mode] = lab.start("rude-" + mode, program, lab.path("host"), lab.path("user.pub"), mode)
        lab.wait(f"{mode}: listens", servers[mode].output)
        sections[mode] = int(servers[mode].output().split()[0])
    known(lab, *[(port, "host") for port in sections.values()])
    sections = {mode: ssh_options(lab, port) for mode, port in sections.items()}
    sections["wrong-user"] = sections["eof"].replace('"rpki"', '"nobody"')
    daemon = start_caches(lab, sections)
    says(lab, daemon, dict(refused, **{"wrong-user": "the server refused user 'nobody'"}), 45)
    for mode, part in opened.items():
        if part:
            lab.wait(f"{mode}: {part}", lambda mode=mode, part=part: any(
                f"rtr cache {mode}: " in line and part in line for line in daemon.output().splitlines()), 45)
    for mode in ("flood-stderr", "stall"):
        check(source_named(lab, mode)["state"] == "negotiating", f"{mode}: waited for")
    time.sleep(5)
    before, fds = memory(daemon), descriptors(daemon)
    time.sleep(10)
    check(memory(daemon) < before + 100, f"a flood is not kept: {before} MB, then {memory(daemon)} MB")
    check(descriptors(daemon) < fds + 16, f"descriptors come back: {fds}, then {descriptors(daemon)}")
    for mode, server in servers.items():
        check("asked for method" not in server.output(), f"{mode}: nothing but a key was tried")
    finish(lab, daemon)


# ------------------------------------------------------------------ TCP MD5 and TCP-AO

def md5_listener(password):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    address = struct.pack("=H2x4s", socket.AF_INET, socket.inet_aton("127.0.0.1")).ljust(128, b"\0")
    try:
        listener.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, address + struct.pack("=BBHi", 0, 0, len(password), 0) +
                            password.ljust(80, b"\0"))
    except OSError as error:
        print(f"skipped: TCP MD5: {error}")
        sys.exit(SKIP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    return listener


def password(lab, name, text):
    lab.write(name, text)
    os.chmod(lab.path(name), 0o600)
    return lab.path(name)


def md5(lab):
    longest = "".join(chr(33 + i) for i in range(80)).encode()
    write(lab, 0)
    for name, key, text in (("word", b"correct horse battery", "correct horse battery\n"), ("longest", longest, longest.decode()),
                            ("octets", bytes(range(16)), "hex:000102030405060708090A0b0c0d0e0f\n")):
        cache = Cache(md5_listener(key))
        daemon = start_caches(lab, {"c": f'transport = "tcp-md5"  port = {cache.port}  '
                                    f'password-file = "{password(lab, name, text)}"'}, "waywarden-" + name)
        works(lab, daemon, 2)
        check(source(lab)["transport"] == "tcp-md5", f"a password of {len(key)} octets")
        check(key.decode("latin-1") not in daemon.output() and "warning" not in daemon.output(), "that is not in the log")
        finish(lab, daemon)
        shutil.rmtree(lab.path("store"))

    signed, plain = Cache(md5_listener(b"right")), Cache()
    wrong = password(lab, "wrong", "wrong\n")
    daemon = start_caches(lab, {
        "other": f'transport = "tcp-md5"  port = {signed.port}  password-file = "{wrong}"',
        "unsigned": f'transport = "tcp-md5"  port = {plain.port}  password-file = "{wrong}"',
        "we-unsigned": f"port = {signed.port}"}, "waywarden-wrong")
    says(lab, daemon, {"other": "no answer in 10 s: perhaps another password there, or no TCP MD5, or nobody listens",
                       "unsigned": "no answer in 10 s: perhaps another password", "we-unsigned": "no answer in 10 s"})
    check(not signed.connections and not plain.connections, "and no connection came to be")
    finish(lab, daemon)
    for what, text, part in (("an empty password", "", "the password is empty"), ("an empty line", "\n", "the password is empty"),
                             ("two lines", "a\nb\n", "has more than one line"), ("81 octets", "x" * 81, "longer than 80 octets"),
                             ("no ASCII", "caf\u00e9", "no printable ASCII"), ("bad hex", "hex:0x", "hexadecimal digits"),
                             ("half an octet", "hex:123", "odd number"), ("too much hex", "hex:" + "00" * 81, "longer than 80")):
        said = refuses_to_start(lab, f'transport = "tcp-md5"  password-file = "{password(lab, "bad", text)}"')
        check(part in said, f"{what}: {part}")
    os.chmod(lab.path("wrong"), 0o640)
    said = refuses_to_start(lab, f'transport = "tcp-md5"  password-file = "{wrong}"', good=True)
    check("is a secret and has mode 0640" in said, "a password that others may read is warned of")


def ao_key(send, receive, algorithm, key, address="127.0.0.1"):
    peer = struct.pack("=H2x4s", socket.AF_INET, socket.inet_aton(address)).ljust(128, b"\0")
    return (peer + algorithm.ljust(64, b"\0") + struct.pack("=iIHBBBBBB", 0, 0, 0, 32, send, receive, 12, 0, len(key)) +
            key.ljust(80, b"\0"))


def ao(lab):
    write(lab, 0)
    keys = password(lab, "keys", "# send receive algorithm key\n\n1 2 hmac-sha1-96 first key\n3 4 cmac-aes-128 hex:" + "5a" * 16)
    for what, text, part in (("no key", "# nothing\n", "has no key"), ("no ids", "hmac-sha1-96 x\n", "line 1 must begin with the"),
                             ("an id too large", "1 256 hmac-sha1-96 x", "line 1 must begin with the"),
                             ("another algorithm", "1 1 hmac-md5 x\n", "line 1 must name hmac-sha1-96 or cmac-aes-128"),
                             ("no secret", "\n1 1 hmac-sha1-96\n", "line 2 has no key at its end"),
                             ("an id twice", "1 2 hmac-sha1-96 x\n1 3 hmac-sha1-96 y\n", "line 2 has an id of a line before"),
                             ("too long a key", "1 1 hmac-sha1-96 " + "x" * 81, "is longer than 80 octets")):
        said = refuses_to_start(lab, f'transport = "tcp-ao"  key-file = "{password(lab, "bad", text)}"')
        check(part in said, f"{what}: {part}")
    listener = socket.socket()
    try:
        # the cache's ids are ours the other way round
        listener.setsockopt(socket.IPPROTO_TCP, TCP_AO_ADD_KEY, ao_key(2, 1, b"hmac(sha1)", b"first key"))
    except OSError as error:
        check(error.errno == errno.ENOPROTOOPT, "this kernel has no TCP-AO")
        said = refuses_to_start(lab, f'transport = "tcp-ao"  key-file = "{keys}"')
        check("rtr cache c: this kernel has no TCP-AO: it takes Linux 6.7 or later, built with CONFIG_TCP_AO" in said,
              "which is said at the start, with what it takes")
        return
    listener.setsockopt(socket.IPPROTO_TCP, TCP_AO_ADD_KEY, ao_key(4, 3, b"cmac(aes128)", b"\x5a" * 16))
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    cache = Cache(listener)
    daemon = start_caches(lab, {"c": f'transport = "tcp-ao"  port = {cache.port}  key-file = "{keys}"'})
    works(lab, daemon, 2)
    finish(lab, daemon)
    other = password(lab, "other", "1 2 hmac-sha1-96 another key\n")
    daemon = start_caches(lab, {"c": f'transport = "tcp-ao"  port = {cache.port}  key-file = "{other}"'}, "waywarden-2")
    says(lab, daemon, {"c": "no answer in 10 s: perhaps another password there, or no TCP-AO"})
    finish(lab, daemon)


# ------------------------------------------------------------------ addresses

def addresses(lab):
    write(lab, 0)
    v6 = Cache(socket.create_server(("::1", 0), family=socket.AF_INET6))
    v4 = Cache()
    text = (f'rtr-cache "c" {{ host = "::1"  port = {v6.port} }}\n'
            f'rtr-cache "from" {{ host = "127.0.0.1"  port = {v4.port}  source-address = "127.0.0.9" }}\n'
            f'rtr-cache "from6" {{ host = "::1"  port = {v6.port}  source-address = "::1" }}\n'
            f'rtr-cache "family" {{ host = "127.0.0.1"  port = {v4.port}  source-address = "::1" }}\n'
            f'rtr-cache "not-ours" {{ host = "127.0.0.1"  port = {v4.port}  source-address = "192.0.2.77" }}\n'
            f'rtr-cache "refused" {{ host = "127.0.0.1"  port = {free_port()} }}\n')
    daemon = start_daemon(lab, f'log-level = "info"\n{text}bmp-listen "127.0.0.1:{free_port()}" {{ }}')
    works(lab, daemon, 2)
    check(source(lab)["address"] == f"[::1]:{v6.port}", "IPv6")
    lab.wait("from a source address", lambda: v4.peers and v4.peers[0][0] == "127.0.0.9")
    says(lab, daemon, {"family": "not of the family of the source address ::1",
                       "not-ours": "source address 192.0.2.77: Cannot assign requested address",
                       "refused": "Connection refused"})
    check("trusted network" not in daemon.output(), "loopback needs no warning")
    finish(lab, daemon)


def namespace(lab):
    """Inside a network namespace of its own: an address of the world, and a link-local one with its scope."""
    def ip(*argv):
        subprocess.run([need("ip"), *argv], check=True)
    ip("link", "set", "lo", "up")
    ip("address", "add", "192.0.2.1/32", "dev", "lo")
    ip("link", "add", "left", "type", "veth", "peer", "name", "right")
    for end, address in (("left", "fe80::a/64"), ("right", "fe80::b/64")):
        ip("link", "set", end, "addrgenmode", "none", "up")
        ip("-6", "address", "add", address, "dev", end, "nodad")
    write(lab, 0)
    wide = Cache(socket.create_server(("192.0.2.1", 0)))
    listener = socket.socket(socket.AF_INET6)
    listener.bind(("fe80::b", 0, 0, socket.if_nametoindex("right")))
    listener.listen(8)
    near = Cache(listener)
    text = (f'rtr-cache "c" {{ host = "fe80::b%left"  port = {near.port}  source-address = "fe80::a%left" }}\n'
            f'rtr-cache "wide" {{ host = "192.0.2.1"  port = {wide.port} }}\n'
            f'rtr-cache "unresolved" {{ host = "no-such-name.invalid"  transport = "tcp" }}\n'
            f'rtr-cache "unreachable" {{ host = "198.51.100.1" }}\n')
    daemon = start_daemon(lab, f'log-level = "info"\n{text}bmp-listen "127.0.0.1:{free_port()}" {{ }}')
    works(lab, daemon, 2)
    check(near.peers[0][0].startswith("fe80::a"), "a link-local cache, by its scope, from a link-local address")
    lab.wait("plain TCP to an address of the world is warned of",
             lambda: "rtr cache wide: plain TCP to 192.0.2.1:" in daemon.output())
    says(lab, daemon, {"unreachable": "198.51.100.1:323: Network is unreachable",
                       "unresolved": "look-up of 'no-such-name.invalid' failed: "}, 60)
    wide.connections[-1].shutdown(socket.SHUT_RDWR)
    lab.wait("it comes back", lambda: len(wide.connections) > 1)
    check(daemon.output().count("RFC 8210 §9 wants a trusted network") == 1, "once, and the link-local one is not")
    finish(lab, daemon)


PARTS = {"tls": tls, "ssh": ssh, "ssh-rude": ssh_rude, "md5": md5, "ao": ao, "addresses": addresses, "namespace": namespace}

if __name__ == "__main__":
    for part in sys.argv[1:] or [p for p in PARTS if p != "namespace"]:
        if part == "namespace" and "WW_INSIDE" not in os.environ:
            inside = ["unshare", "--user", "--map-root-user", "--net"]
            if not shutil.which("unshare") or not shutil.which("ip") or \
                    subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
                print("skipped: no network namespaces here")
                sys.exit(SKIP)
            os.environ["WW_INSIDE"] = "1"
            os.execvp("unshare", [*inside, sys.executable, __file__, part])
        print(f"# {part}", flush=True)
        with Lab() as laboratory:
            PARTS[part](laboratory)
