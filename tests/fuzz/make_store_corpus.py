#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/fuzz/corpus/store_history anew. Names say what each input shows; docs/formats/store.md has the forms."""
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def number(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def vrp(length, more, shared, address, asn, expiry=b"", code=None):
    code = len(expiry) if code is None else code
    return bytes([length, more, shared << 4 | code]) + address + number(asn) + expiry


def aspa(customer, *providers, expiry=b"", code=None):
    code = len(expiry) if code is None else code
    steps = [p - (providers[i - 1] if i else 0) for i, p in enumerate(providers)]
    return number(customer) + bytes([code]) + expiry + number(len(providers)) + b"".join(number(s) for s in steps)


def key(asn, spki=b"k" * 91, expiry=b""):
    return number(asn) + bytes(range(20)) + bytes([len(expiry)]) + expiry + number(len(spki)) + spki


def delta(source, announced=((), (), (), ()), withdrawn=((), (), (), ()), replaced=()):
    lists = list(announced) + list(withdrawn) + [replaced]
    return b"d" + struct.pack(">H", source) + b"".join(number(len(x)) for x in lists) + b"".join(b"".join(x) for x in lists)


def text(s):
    return bytes([0x60 + len(s)]) + s.encode()


def cbor(value):
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, bytes):
        return b"\x58" + bytes([len(value)]) + value
    if isinstance(value, str):
        return text(value)
    return b"\x1b" + struct.pack(">Q", value) if value >= 0 else b"\x3b" + struct.pack(">Q", -1 - value)


def record(kind, **members):
    return kind + bytes([0xA0 + len(members)]) + b"".join(text(k.replace("_", "-")) + cbor(v) for k, v in members.items())


LATE = struct.pack(">I", 1800000000)
V4 = [vrp(24, 2, 0, b"\xc0\x00\x02", 64500, LATE), vrp(24, 0, 2, b"\x03", 64501, code=9), vrp(32, 0, 3, b"\x01", 0)]
V6 = [vrp(32, 16, 0, b"\x20\x01\x0d\xb8", 4294967295), vrp(48, 0, 4, b"\x00\x01", 1)]
ASPAS = [aspa(1, 0), aspa(64999, 1, 5, 4294967295, expiry=LATE)]

INPUTS = {
    "head": record(b"h", time=1795219200, cause=1, source=7, vrps_ipv4=580366, vrps_ipv6=143155, aspas=100, router_keys=2,
                   hashes=bytes(96), announced=5, withdrawn=3, refreshed=9, complete=True, octets=77),
    "head-smallest": record(b"h", time=-1, cause=255, complete=False),
    "head-without-time": record(b"h", cause=1, complete=True),
    "head-hashes-too-short": record(b"h", time=1, cause=1, complete=True, hashes=bytes(95)),
    "head-too-many-octets": record(b"h", time=1, cause=1, complete=True, octets=(16 << 20) + 1),
    "nothing": b"d",
    "a-delta-of-nothing": delta(1),
    "vrps": delta(7, (V4, V6, (), ())),
    "all-kinds": delta(7, (V4, V6, ASPAS, [key(1)]), (V4, V6, [aspa(65000), aspa(7)], [key(2, b"k", LATE)]), ASPAS),
    "two-sources": delta(7, (V4, (), (), ())) + delta(65535, ((), (), (), ()), (V4, (), (), ()))[1:],
    "aspa-replaced": delta(1, ((), (), [aspa(65000, 2)], ()), ((), (), (), ()), [aspa(65000, 1)]),
    "aspa-gone-for-good": delta(1, ((), (), (), ()), ((), (), [aspa(65000)], ())),
    "default-routes": delta(1, ([vrp(0, 32, 0, b"", 0)], [vrp(0, 128, 0, b"", 0)], (), ())),
    "expiry-of-8-octets": delta(1, ([vrp(8, 0, 0, b"\x0a", 1, b"\xff" * 8)], (), (), ())),
    "expiry-with-a-zero": delta(1, ([vrp(8, 0, 0, b"\x0a", 1, b"\x00\x01")], (), (), ())),
    "expiry-code-10": delta(1, ([vrp(8, 0, 0, b"\x0a", 1, code=10)], (), (), ())),
    "shared-beyond-length": delta(1, ([vrp(8, 0, 2, b"", 1)], (), (), ())),
    "host-bits": delta(1, ([vrp(7, 0, 0, b"\xff", 1)], (), (), ())),
    "length-above-family": delta(1, ([vrp(33, 0, 0, b"\x0a\x00\x00\x00\x01", 1)], (), (), ())),
    "wrong-order": delta(1, ([V4[0], vrp(8, 0, 0, b"\x0a", 1)], (), (), ())),
    "number-too-long": b"d\x00\x01\x81\x00" + bytes(8),
    "endless-counts": b"d\x00\x01" + number(0xFFFFFFFF) * 9,
    "aspa-as0-beside-another": delta(1, ((), (), [aspa(1, 0, 1)], ())),
    "aspa-too-many-providers": delta(1, ((), (), [number(1) + b"\x00" + number(10001)], ())),
    "key-too-long": delta(1, ((), (), (), [key(1, bytes(1025))])),
    "key-empty": delta(1, ((), (), (), [key(1, b"")])),
    "cut": delta(7, (V4, V6, ASPAS, [key(1)]))[:-5],
    "slurm-set": record(b"s", time=1795219200, strict=True, files=2),
    "slurm-set-too-many-files": record(b"s", time=1, files=4097),
    "slurm-file": record(b"s", name="/etc/w/a.json", octets=1234),
    "slurm-file-too-long": record(b"s", name="a", octets=(256 << 20) + 1),
    "slurm-file-without-name": record(b"s", octets=1),
}


def main():
    folder = os.path.join(HERE, "corpus", "store_history")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    for name, octets in INPUTS.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(octets)


if __name__ == "__main__":
    main()
