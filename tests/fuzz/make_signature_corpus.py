#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpus of the signature fuzz target: COSE_Sign1 structures alone and in messages."""
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "signature")
SIGNATURE = bytes(range(64))
PROTECTED = bytes.fromhex("a2012604423131")  # {1: -7, 4: '11'}


def octets(value):
    return (bytes([0x40 | len(value)]) if len(value) < 24 else bytes([0x58, len(value)])) + value


def sign1(protected=PROTECTED, unprotected=b"\xa0", payload=b"\xf6", signature=SIGNATURE, front=b"\x84"):
    return front + octets(protected) + unprotected + payload + octets(signature)


def tlv(kind, value, index=0):
    value = bytes.fromhex("00007ed9") + value
    return struct.pack(">HHH", 0x8000 | kind, len(value), index) + value


def message(kind, value, peer=True, last=b""):
    body = (bytes(42) if peer else b"") + tlv(1, bytes.fromhex("0115000800000001")) + tlv(4, value) + last
    return struct.pack(">BIB", 4, 6 + len(body), kind) + body


FILES = {
    "sign1": sign1(),
    "sign1-tagged": sign1(front=b"\xd2\x84"),
    "sign1-key-id-unprotected": sign1(bytes.fromhex("a10126"), bytes.fromhex("a104423131")),
    "sign1-eddsa": sign1(bytes.fromhex("a2012704423131")),
    "sign1-critical": sign1(bytes.fromhex("a301260442313102810a")),
    "sign1-nested-unprotected": sign1(unprotected=bytes.fromhex("a20a8301a20102030463616263f4")),
    "sign1-payload-inside": sign1(payload=b"\x43abc"),
    "sign1-short-signature": sign1(signature=b"\x00" * 63),
    "sign1-zero-signature": sign1(signature=bytes(64)),
    "validation": message(252, sign1()),
    "impact": message(253, sign1()),
    "config-global": message(251, sign1(), peer=False),
    "config-peer": message(251, sign1()),
    "not-last": message(252, sign1(), last=tlv(133, b"\x00\x00\x00\x01\x01a")),
    "other-index": message(252, sign1())[:-1],
}

os.makedirs(HERE, exist_ok=True)
for name, data in FILES.items():
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(data)
