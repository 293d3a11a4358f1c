#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpus of the RPKI_CONFIG fuzz target: one message for each kind of group."""
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "config_message")
PEN = bytes.fromhex("00007ed9")


def tlv(kind, value, index=0, group=False):
    value = PEN + value
    return struct.pack(">HHH", 0x8000 | kind, len(value), (0x8000 if group else 0) | index) + value


def group(index, members, subtype, draft=21):
    body = b"".join(struct.pack(">H", m) for m in members)
    return (struct.pack(">HHH", 1 if draft == 21 else 2, len(body), 0x8000 | index) + body +
            tlv(6, bytes([subtype]), index, True))


def message(body, draft=21, version=4, peer=False):
    front = (bytes(42) if peer else b"") + tlv(1, bytes([1, draft]) + bytes.fromhex("000300000001"))
    if peer:
        front += tlv(5, b"\x01")
    return struct.pack(">BIB", version, 6 + len(front) + len(body), 251) + front + body


def source(first, kind, name, *fields):
    out, n = tlv(16, bytes([kind, 0]) + struct.pack(">I", 7) + name, first) + tlv(17, b"\x01", first + 1), first + 2
    for number, value in fields:
        out += tlv(number, value, n)
        n += 1
    return out, range(first, n)


RTR, RTR_M = source(1, 1, b"rtr-a", (18, bytes.fromhex("010000000000000005" "030000000000000007")),
                    (19, bytes.fromhex("016955b8f600000000")), (20, bytes(8)), (21, b"\x01\x01" + bytes(32)),
                    (24, bytes.fromhex("02012c")), (25, b"\x02"), (26, b"\x02"), (27, bytes.fromhex("00000144") + b"rtr.example"))
EBGP, EBGP_M = source(1, 3, b"", (28, bytes.fromhex("0001" "0000fbf4" "c0000201")), (29, b"\x03"))
SLURM, SLURM_M = source(1, 5, b"slurm", (30, bytes(8)), (31, bytes.fromhex("0100000001" "0600000002")),
                        (32, bytes.fromhex("0000000100000000") + b"a.json:1"))
POLICY = (tlv(68, b"strict", 1) + tlv(64, bytes.fromhex("010101" "020201" "030001"), 2) +
          tlv(66, bytes.fromhex("01020002"), 3) + tlv(66, bytes.fromhex("02020014" "050400000032" "0804fde8ffff"), 4))
OVERRIDES = (tlv(67, bytes.fromhex("01010001" "18180100" "0000fbf4" "c0000200"), 1) +
             tlv(67, bytes.fromhex("0202000220000000" "00000000" "20010db8" + "00" * 12), 2) +
             tlv(67, bytes.fromhex("0602000000000100" "0000fbf4"), 3))
FILES = {
    "empty": message(b""),
    "rtr": message(group(1, RTR_M, 1) + RTR),
    "rtr-draft-19": message(group(1, RTR_M, 1, 19) + RTR, draft=19, version=3),
    "ebgp": message(group(1, EBGP_M, 1) + EBGP),
    "slurm": message(group(1, SLURM_M, 1) + SLURM),
    "policy": message(group(1, range(1, 5), 2) + POLICY),
    "policy-of-a-peer": message(group(1, range(1, 5), 2) + POLICY, peer=True),
    "overrides": message(group(1, range(1, 4), 3) + OVERRIDES),
    "two-groups": message(group(1, EBGP_M, 1) + EBGP + group(2, [20], 9) + tlv(68, b"x", 20)),
    "member-twice": message(group(1, [1, 1], 1) + EBGP),
    "no-status": message(group(1, [1], 1) + tlv(16, bytes(6), 1)),
}

os.makedirs(HERE, exist_ok=True)
for name, data in FILES.items():
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(data)
