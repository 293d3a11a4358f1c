#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpora of the BGPsec fuzz targets: small inputs, each named for what it shows."""
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def save(target, name, data):
    folder = os.path.join(HERE, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def secure(*segments):
    body = b"".join(struct.pack(">BBI", *s) for s in segments)
    return struct.pack(">H", len(body) + 2) + body


def block(suite, *signatures):
    body = b"".join(bytes(20) + struct.pack(">H", len(s)) + s for s in signatures)
    return struct.pack(">HB", len(body) + 3, suite) + body


ONE, TWO = secure((1, 0, 64496)), secure((1, 0, 65536), (1, 0, 64496))
SIG = bytes.fromhex("3006020101020101")
PATHS = {
    "one-hop": ONE + block(1, SIG),
    "two-hops": TWO + block(1, SIG, SIG),
    "two-blocks": TWO + block(1, SIG, SIG) + block(0xF7, b"", SIG),
    "empty-signature": ONE + block(1, b""),
    "pcounts": secure((255, 0, 1), (255, 0x80, 2), (0, 0, 3), (3, 0x80, 4)) + block(1, SIG, SIG, SIG, SIG),
    "run-over-255": secure((200, 0, 1), (200, 0, 2), (200, 0, 3)) + block(1, SIG, SIG, SIG),
    "all-pcount-0": secure((0, 0, 1), (0, 0x80, 2)) + block(1, SIG, SIG),
    "empty": b"",
    "no-block": ONE,
    "no-segment": secure() + block(1),
    "odd-length": struct.pack(">H", 9) + ONE[2:] + block(1, SIG),
    "block-too-long": ONE + struct.pack(">H", 99) + block(1, SIG)[2:],
    "signature-too-long": ONE + block(1, SIG)[:-1],
    "one-signature-less": TWO + block(1, SIG),
    "one-signature-more": ONE + block(1, SIG, SIG),
    "three-blocks": ONE + block(1, SIG) + block(2, SIG) + block(3, SIG),
    "one-suite-twice": ONE + block(1, SIG) + block(1, SIG),
    "suite-0": ONE + block(0, SIG),
    "suite-255": ONE + block(255, SIG),
    "trailing": ONE + block(1, SIG) + b"\0",
}

N = bytes.fromhex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551")
NN = int.from_bytes(N, "big")
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296


def integer(v):
    body = v.to_bytes(v.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(body)]) + body


def signature(r, s):
    body = integer(r) + integer(s)
    return b"\x30" + bytes([len(body)]) + body


def good(digest_octet):
    """With the private key 1 and k = 1: r = x(G), s = e + r."""
    return signature(GX % NN, (int.from_bytes(bytes([digest_octet]) * 32, "big") + GX) % NN)


SIGNATURES = {
    "good": b"\x05" + good(5),
    "good-digest-0": b"\0" + good(0),
    "good-digest-above-n": b"\xff" + good(255),
    "another-digest": b"\x06" + good(5),
    "other-s": b"\x05" + signature(GX % NN, NN - (int.from_bytes(b"\x05" * 32, "big") + GX) % NN),
    "small": b"\0" + SIG,
    "r-0": b"\0" + signature(0, 1),
    "s-0": b"\0" + signature(1, 0),
    "r-n": b"\0" + signature(NN, 1),
    "s-n": b"\0" + signature(1, NN),
    "n-1": b"\0" + signature(NN - 1, NN - 1),
    "negative": b"\0" + bytes.fromhex("300602018102 0101".replace(" ", "")),
    "idle-octet": b"\0" + bytes.fromhex("30070202000 1020101".replace(" ", "")),
    "long-length": b"\0" + bytes.fromhex("308106020101020101"),
    "indefinite": b"\0" + bytes.fromhex("30800201010201010000"),
    "trailing": b"\x05" + good(5) + b"\0",
    "cut": b"\x05" + good(5)[:-1],
    "empty": b"\0",
}


def script(prefix_len, how, hops, mode, flags, rest=b""):
    return bytes([prefix_len, 192, 0, 2, 0, how, hops - 1, mode]) + bytes(flags) + rest


VERIFY = {
    "one-hop": script(24, 0, 1, 2, [1]),
    "three-hops": script(24, 0, 3, 2, [1, 1, 1]),
    "eight-hops": script(24, 0, 8, 2, [1] * 8),
    "two-blocks": script(32, 0, 3, 0, [1, 2, 3]),
    "other-suite": script(0, 0, 2, 3, [1, 1]),
    "pcount-0-allowed": script(17, 2, 2, 2, [1, 0]),
    "pcount-0": script(17, 0, 2, 2, [1, 0]),
    "internal": script(24, 4, 2, 2, [1, 0]),
    "confederation": script(24, 16, 3, 2, [1, 5, 5]),
    "confederation-skipped": script(24, 24, 3, 2, [1, 5, 5]),
    "confederation-left": script(24, 0, 3, 2, [1, 5, 9]),
    "without-key": script(24, 0, 5, 0x12, [1] * 5),
    "key-withdrawn": script(24, 32, 4, 2, [1] * 4),
    "wrong-peer": script(24, 1, 2, 2, [1, 1], b"\x09"),
    "newest-bad": script(24, 0, 3, 2, [1] * 3, struct.pack(">HB", 60, 1)),
    "oldest-bad": script(24, 0, 3, 2, [1] * 3, struct.pack(">HB", 250, 1)),
    "cut-short": script(24, 0, 2, 2, [1, 1], b"\x03"),
    "second-block-bad": script(24, 0, 2, 0, [1, 1], struct.pack(">HB", 380, 1)),
}

for target, inputs in (("bgpsec_path", PATHS), ("bgpsec_der", SIGNATURES), ("bgpsec_verify", VERIFY)):
    for name, data in inputs.items():
        save(target, name, data)
