#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/fuzz/corpus/rtr, tests/fuzz/corpus/rtr_client and tests/fuzz/corpus/rtr_server anew. Names say what each input shows."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def pdu(version, kind, session=0, body=b""):
    return struct.pack(">BBHI", version, kind, session, 8 + len(body)) + body


def v4(flags, plen, maxlen, addr=b"\xc0\x00\x02\x00", asn=64500, version=1):
    return pdu(version, 4, 0, bytes([flags, plen, maxlen, 0]) + addr + struct.pack(">I", asn))


def v6(flags, plen, maxlen, addr=b"\x20\x01\x0d\xb8" + bytes(12), asn=64501, version=1):
    return pdu(version, 6, 0, bytes([flags, plen, maxlen, 0]) + addr + struct.pack(">I", asn))


def key(flags, spki=bytes(91), version=1):
    return pdu(version, 9, flags << 8, bytes(range(20)) + struct.pack(">I", 64500) + spki)


def error(code, quoted=b"", text=b"", version=1):
    return pdu(version, 10, code, struct.pack(">I", len(quoted)) + quoted + struct.pack(">I", len(text)) + text)


def u32(*values):
    return struct.pack(">%dI" % len(values), *values)


def aspa(flags, customer, *providers):
    return pdu(2, 11, flags << 8, u32(customer, *providers))


def old_aspa(flags, customer, *providers):
    """As revisions up to -15 of draft-ietf-sidrops-8210bis had it, and StayRTR 0.5.1 sends it."""
    return pdu(2, 11, 0, bytes([flags, 0]) + struct.pack(">H", len(providers)) + u32(customer, *providers))


RTR = {
    "full-set-v1": pdu(1, 3, 7) + v4(1, 24, 24) + v6(1, 32, 48) + key(1) + pdu(1, 7, 7, u32(5, 3600, 600, 7200)),
    "full-set-v0": pdu(0, 3, 7) + v4(1, 24, 24, version=0) + v6(1, 32, 48, version=0) + pdu(0, 7, 7, u32(5)),
    "delta": pdu(1, 3, 7) + v4(1, 24, 24, asn=1) + v4(0, 24, 24) + key(0) + pdu(1, 7, 7, u32(6, 3600, 600, 7200)),
    "queries": pdu(1, 2) + pdu(1, 1, 7, u32(5)) + pdu(0, 2),
    "notify-any-version": pdu(0, 0, 7, u32(5)) + pdu(1, 0, 7, u32(5)) + pdu(9, 0, 7, u32(5)),
    "cache-reset": pdu(1, 8),
    "error-report": error(6, v4(0, 24, 24), b"unknown"),
    "error-report-of-version-2": error(4, pdu(1, 2), b"", 2),
    "error-report-inner-too-long": pdu(1, 10, 0, u32(0xFFFFFFFF, 0)),
    "error-report-inner-too-short": pdu(1, 10, 0, u32(1, 0, 0)),
    "host-bits": v4(1, 8, 24, b"\x0a\xff\xff\xff") + v6(1, 64, 128, b"\xff" * 16),
    "default-routes": v4(1, 0, 0, bytes(4)) + v6(1, 0, 128, bytes(16)),
    "max-length-below-length": v4(1, 24, 23),
    "length-above-family": v4(1, 33, 33),
    "length-zero": b"\x01\x04\x00\x00\x00\x00\x00\x00",
    "length-huge": b"\x01\x04\x00\x00\x7f\xff\xff\xff",
    "key-in-version-0": b"\x00" + key(1)[1:],
    "key-empty": pdu(1, 9, 256, bytes(24)),
    "key-too-long": key(1, bytes(1025)),
    "full-set-v2": pdu(2, 3, 7) + v4(1, 24, 24, version=2) + key(1, version=2) + aspa(1, 64500, 1, 2, 3) + pdu(2, 7, 7, u32(5, 3600, 600, 7200)),
    "aspa-of-version-2": aspa(1, 1, 2),
    "aspa-in-version-1": b"\x01" + aspa(1, 1, 2)[1:],
    "aspa-withdrawal": aspa(0, 64500),
    "aspa-withdrawal-with-list": aspa(0, 64500, 9, 4),
    "aspa-without-providers": aspa(1, 64500),
    "aspa-unsorted": aspa(1, 64500, 3, 2),
    "aspa-as0-with-others": aspa(1, 64500, 0, 2),
    "aspa-of-old-layout": old_aspa(1, 65000, 65001),
    "aspa-of-old-layout-reserved": b"\x02\x0b\x00\x2d" + old_aspa(1, 65000, 65001)[4:],
    "aspa-length-odd": pdu(2, 11, 256, u32(1) + b"\0\0"),
    "type-5": pdu(1, 5),
    "truncated": v6(1, 32, 48)[:-1],
}

TICK, CONNECTED, FAILED, CLOSED, SENT = b"\x00", b"\x01", b"\x02", b"\x03", b"\x07"


def tick(power=0):
    return bytes([0, power])


def feed(octets, bytewise=True):
    out = b""
    while octets:
        n = min(len(octets), 255 if bytewise else 254)
        if (n & 1) != bytewise:
            n -= 1
        if n == 0:
            n = 1
        out += bytes([4, n]) + octets[:n]
        octets = octets[n:]
    return out


def commit(ok=True, unknown=0):
    return bytes([6, (unknown << 1) | ok])


OPEN = tick() + CONNECTED + SENT
V2, V1, V0, RESUMED, RESUMED_V2, LIMITED, AT_LEAST_V1 = 16, 1, 0, 2 | 4 | 1, 16 | 32 | 2, 8 | 1, 64 | 16
EOD = pdu(1, 7, 1, u32(2, 3600, 600, 7200))
SYNC = OPEN + feed(pdu(1, 3, 1) + v4(1, 24, 24) + v6(1, 32, 48) + EOD) + commit()

EOD2 = pdu(2, 7, 1, u32(2, 3600, 600, 7200))
SYNC2 = OPEN + feed(pdu(2, 3, 1) + v4(1, 24, 24, version=2) + aspa(1, 64500, 1, 2) + EOD2) + commit()

CLIENT = {
    "v2-full-set": bytes([V2]) + SYNC2,
    "v2-delta-replaces": bytes([RESUMED_V2]) + OPEN + feed(pdu(2, 3, 1) + aspa(1, 1, 2, 3) + aspa(0, 2) + EOD2) + commit(),
    "v2-announce-then-withdraw": bytes([RESUMED_V2]) + OPEN + feed(pdu(2, 3, 1) + aspa(1, 1, 2) + aspa(0, 1, 3) + EOD2) + commit(),
    "v2-twice": bytes([RESUMED_V2]) + OPEN + feed(pdu(2, 3, 1) + aspa(1, 1, 2) + aspa(1, 1, 3) + EOD2) + CLOSED,
    "v2-old-layout": bytes([V2]) + OPEN + feed(pdu(2, 3, 1) + old_aspa(1, 1, 2)) + CLOSED + OPEN + feed(RTR["full-set-v1"]) + commit(),
    "v2-shutdown": bytes([V2]) + SYNC2 + feed(error(13, version=2)) + CLOSED + tick(20) + CONNECTED,
    "v2-restart": bytes([V2]) + SYNC2 + feed(error(12, version=2)) + CLOSED + tick(20) + CONNECTED,
    "v2-stall": bytes([V2]) + OPEN + feed(pdu(2, 3, 1)) + tick(21) + CLOSED,
    "v2-down-to-0": bytes([V2]) + OPEN + feed(error(4, version=1)) + CLOSED + OPEN + feed(error(4, version=0)) + CLOSED + OPEN,
    "v2-min-version": bytes([AT_LEAST_V1]) + OPEN + feed(pdu(0, 3, 1)) + CLOSED + tick(12) + CONNECTED + feed(error(4, version=0)),
    "v2-host-bits": bytes([V2]) + OPEN + feed(pdu(2, 3, 1) + v4(1, 8, 24, version=2)),
    "v2-structured": bytes([V2]) + OPEN + bytes([5, 3, 0x82, 0, 5, 11, 0x82, 0x29, 5, 11, 0x82, 0x3b, 5, 4, 0x82, 1, 5, 7, 0x82, 9]) + commit(),
    "full-set": bytes([V1]) + SYNC,
    "full-set-in-chunks": bytes([V1]) + OPEN + feed(pdu(1, 3, 1) + v4(1, 24, 24) + key(1) + EOD, False) + commit(),
    "full-set-v0": bytes([V0]) + OPEN + feed(RTR["full-set-v0"]) + commit(),
    "refresh-then-delta": bytes([V1]) + SYNC + tick(22) + feed(pdu(1, 3, 1) + v4(0, 24, 24) + EOD) + commit(),
    "notify-then-delta": bytes([V1]) + SYNC + tick(11) + feed(pdu(1, 0, 1, u32(3))) + tick(1) + feed(pdu(1, 3, 1) + EOD),
    "notify-storm": bytes([V1]) + OPEN + feed(pdu(1, 0, 1, u32(3)) * 8) + tick(11) + feed(pdu(1, 3, 1) + EOD) + commit(),
    "resume-serial": bytes([RESUMED]) + OPEN + feed(pdu(1, 3, 1) + v4(1, 24, 24) + EOD) + commit(),
    "resume-cache-reset": bytes([RESUMED]) + OPEN + feed(pdu(1, 8) + pdu(1, 3, 2) + v4(1, 24, 24) + pdu(1, 7, 2, u32(1, 1, 1, 600))) + commit(),
    "resume-session-mismatch": bytes([RESUMED]) + OPEN + feed(pdu(1, 3, 2)) + CLOSED + tick(11) + CONNECTED,
    "resume-expires": bytes([RESUMED]) + tick(10) + FAILED + tick(20) + FAILED + tick(20),
    "resume-answered-in-v0": bytes([RESUMED]) + OPEN + feed(pdu(0, 3, 1)) + CLOSED + tick() + CONNECTED,
    "downgrade-error-4": bytes([V1]) + OPEN + feed(error(4, version=0)) + CLOSED + tick() + CONNECTED + feed(RTR["full-set-v0"]),
    "downgrade-in-place": bytes([V1]) + OPEN + feed(RTR["full-set-v0"]) + commit(),
    "downgrade-by-close": bytes([V1]) + OPEN + CLOSED + OPEN + CLOSED + tick(12) + CONNECTED + CLOSED,
    "no-data": bytes([V1]) + OPEN + feed(error(2)) + tick(16) + feed(error(2)),
    "error-report-fatal": bytes([V1]) + SYNC + feed(error(0)) + CLOSED + tick(11) + CONNECTED,
    "duplicate": bytes([V1]) + OPEN + feed(pdu(1, 3, 1) + v4(1, 24, 24) * 2 + EOD),
    "duplicate-key": bytes([V1]) + OPEN + feed(pdu(1, 3, 1) + key(1) * 2 + EOD),
    "withdrawn-twice": bytes([RESUMED]) + OPEN + feed(pdu(1, 3, 1) + v6(0, 32, 48) * 2 + EOD),
    "announced-and-withdrawn": bytes([RESUMED]) + OPEN + feed(pdu(1, 3, 1) + v4(1, 24, 24) + v4(0, 24, 24) + EOD) + commit(True, 1),
    "unknown-withdrawal": bytes([RESUMED]) + OPEN + feed(pdu(1, 3, 1) + v4(0, 24, 24) + EOD) + commit(True, 1) + CLOSED + tick(11) + CONNECTED,
    "withdrawal-in-full-set": bytes([V1]) + OPEN + feed(pdu(1, 3, 1) + v4(0, 24, 24)),
    "too-many-records": bytes([LIMITED]) + OPEN + feed(pdu(1, 3, 1) + b"".join(v4(1, 24, 24, asn=i) for i in range(6))),
    "store-refuses": bytes([V1]) + OPEN + feed(pdu(1, 3, 1) + EOD) + commit(False) + tick(11) + feed(pdu(1, 3, 1) + EOD) + commit(),
    "commit-after-close": bytes([V1]) + OPEN + feed(pdu(1, 3, 1) + EOD) + CLOSED + tick(20) + commit() + tick(11) + CONNECTED,
    "stall": bytes([V1]) + OPEN + feed(pdu(1, 3, 1)) + tick(21) + CLOSED,
    "other-version-inside": bytes([V1]) + SYNC + feed(pdu(0, 0, 1, u32(9))),
    "structured": bytes([V1]) + OPEN + bytes([5, 3, 3, 0, 5, 4, 1, 1, 5, 6, 1, 1, 5, 9, 1, 1, 5, 7, 3, 9]) + commit(),
}


# The server's script: see fuzz_rtr_server.c.
ANY, ONLY_V1, READY = 0x08, 0x05, 0x10
TAKE, BUILD, STOP, ANEW = bytes([4, 255]), bytes([5]), bytes([6]), bytes([7])


def publish(n):
    return bytes([1, n])


def ask(version, back=None, wrong_session=False):
    return bytes([3, 0, version]) if back is None else bytes([3, 1, version | wrong_session << 2 | back << 3])


def to_server(octets, one_by_one=False):
    n = len(octets) | 1 if one_by_one else len(octets) + len(octets) % 2
    return bytes([2, n]) + octets.ljust(n, b"\0")


FULL = [ask(v) + BUILD + TAKE for v in range(3)]
SERVER = {
    **{f"whole-set-v{v}": bytes([ANY | READY]) + b"".join(publish(n) for n in range(1, 8)) + FULL[v] for v in range(3)},
    "no-data-then-data": bytes([ANY]) + FULL[2] + publish(0) + FULL[2],
    "delta": bytes([ANY | READY]) + FULL[2] + publish(1) + publish(4) + publish(6) + TAKE + ask(2, 3) + TAKE,
    "delta-net-nothing": bytes([ANY | READY]) + FULL[2] + publish(4) + publish(4) + ask(2, 2) + TAKE,
    "delta-of-part-of-the-window": bytes([ANY | READY]) + FULL[1] + publish(1) + publish(2) + publish(1) + ask(1, 1) + TAKE,
    "serial-out-of-window": bytes([ANY | READY]) + ask(2, 9) + TAKE,
    "window-cleared": bytes([ANY | READY]) + FULL[2] + publish(0x81) + TAKE + ask(2, 1) + TAKE,
    "wrong-session-first": bytes([ANY | READY]) + ask(2, 0, True) + TAKE,
    "wrong-session-later": bytes([ANY | READY]) + FULL[2] + ask(2, 0, True) + TAKE,
    "version-3": bytes([ANY | READY]) + to_server(pdu(3, 2)) + TAKE + FULL[2],
    "version-3-twice": bytes([ANY | READY]) + to_server(pdu(3, 2) * 2) + TAKE,
    "version-above": bytes([ONLY_V1 | READY]) + FULL[2],
    "version-below": bytes([ONLY_V1 | READY]) + FULL[0],
    "other-version-inside": bytes([ANY | READY]) + FULL[1] + ask(2) + TAKE,
    "type-of-a-cache": bytes([ANY | READY]) + to_server(v4(1, 24, 24)) + TAKE,
    "type-unknown": bytes([ANY | READY]) + to_server(pdu(2, 99)) + TAKE,
    "length-huge": bytes([ANY | READY]) + to_server(b"\x02\x02\0\0\xff\xff\xff\xff") + TAKE,
    "octet-by-octet": bytes([ANY | READY]) + to_server(pdu(2, 2) + b"\2", True) + BUILD + TAKE,
    "error-report": bytes([ANY | READY]) + FULL[2] + to_server(error(6, v4(0, 24, 24), b"unknown", 2)) + TAKE,
    "error-report-inside-answer": bytes([ANY | READY]) + ask(2) + BUILD + bytes([4, 1]) + to_server(error(7, b"", b"", 2)) + TAKE,
    "error-report-malformed": bytes([ANY | READY]) + to_server(pdu(2, 10, 0, u32(9, 9))) + TAKE,
    "asked-ahead": bytes([ANY | READY]) + to_server(pdu(2, 2) * 20) + BUILD + TAKE + TAKE,
    "published-while-encoding": bytes([ANY | READY]) + ask(2) + publish(3) + BUILD + TAKE + ask(2, 1) + TAKE,
    "published-while-sending": bytes([ANY | READY]) + ask(2) + BUILD + bytes([4, 1]) + publish(3) + TAKE,
    "notify-later": bytes([ANY | READY]) + FULL[1] + publish(1) + TAKE + publish(2) + tick(15) + TAKE + tick(16) + TAKE,
    "stall": bytes([ANY | READY]) + ask(2) + BUILD + tick(21) + TAKE,
    "never-asks": bytes([ANY]) + tick(16) + TAKE,
    "stop": bytes([ANY | READY]) + FULL[2] + STOP + TAKE,
    "stop-inside-answer": bytes([ANY | READY]) + ask(2) + BUILD + bytes([4, 1]) + STOP + TAKE,
    "stop-while-waiting": bytes([ANY | READY]) + ask(2) + STOP + TAKE + BUILD,
    "comes-back": bytes([ANY | READY]) + FULL[2] + ANEW + publish(5) + ask(2, 1) + TAKE,
    "serial-wraps": bytes([ANY | READY]) + FULL[2] + publish(1) + publish(2) + publish(3) + ask(2, 3) + TAKE,
}

def write(name, inputs):
    folder = os.path.join(HERE, "corpus", name)
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        if old not in inputs:
            os.remove(os.path.join(folder, old))
    for title, octets in inputs.items():
        with open(os.path.join(folder, title), "wb") as f:
            f.write(octets)


write("rtr", RTR)
write("rtr_client", CLIENT)
write("rtr_server", SERVER)
