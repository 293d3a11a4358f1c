#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpus of the MRT fuzz target: one small file for each kind of record."""
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "mrt")
ORIGIN, PATH4, HOP = "40010100", "40020a02020000fbf40000fbf5", "400304c0000201"
HOP6 = "20010db8000000000000000000000001"
ATTRS = ORIGIN + PATH4 + HOP
REACH6 = "800e1110" + HOP6 + ORIGIN + PATH4
FULL6 = "800e1a00020110" + HOP6 + "002020010db8" + ORIGIN + PATH4
ATTRS2 = ORIGIN + "4002060202fbf4fbf5" + HOP


def record(kind, subtype, body):
    data = bytes.fromhex(body)
    return struct.pack(">IHHI", 1700000000, kind, subtype, len(data)) + data


def sized(attrs):
    return "%04x" % (len(attrs) // 2) + attrs


PEERS = record(13, 1, "c0000200" "0000" "0002" "020a000001c00002010000fbf4" "010a000002" + HOP6 + "fbf5")
UPDATE = "ff" * 16 + "%04x" % (19 + 4 + len(ATTRS) // 2 + 4) + "02" + "0000" + sized(ATTRS) + "18c63364"
HEAD2, HEAD4 = "fbf4fbf500000001c0000201c0000202", "0000fbf40000fbf500000002" + HOP6 + HOP6
FILES = {
    "table-ipv4": PEERS + record(13, 2, "0000000116c633fc0002" + 2 * ("000065000000" + sized(ATTRS))),
    "table-ipv6": PEERS + record(13, 4, "000000012020010db80001" "000165000000" + sized(REACH6)),
    "table-ipv6-full-mp-reach": PEERS + record(13, 4, "000000012020010db80001" "000165000000" + sized(FULL6)),
    "table-add-path": PEERS + record(13, 8, "0000000118c633640001" "000065000000" "00000009" + sized(ATTRS)),
    "table-generic": PEERS + record(13, 6, "0000000100010118c633640001" "000065000000" + sized(ATTRS)),
    "table-generic-add-path": PEERS + record(13, 12, "000000010001010000000518c633640001" "000065000000" + sized(ATTRS)),
    "table-dump": record(12, 1, "00000001c633640018013d000000c0000201fbf4" + sized(ATTRS2)),
    "table-dump-ipv6": record(12, 2, "00000001" + HOP6 + "80013d000000" + HOP6 + "fbf4" + sized(ORIGIN)),
    "message-as4": record(16, 4, HEAD4 + UPDATE),
    "message-as2": record(16, 1, HEAD2 + "ff" * 16 + "001304"),
    "message-et": record(17, 4, "000186a0" + HEAD4 + UPDATE),
    "state-change": record(16, 0, HEAD2 + "00060001"),
    "state-change-as4": record(16, 5, HEAD4 + "00030006"),
    "count-too-high": PEERS + record(13, 2, "0000000118c63364ffff" "000065000000" + sized(ATTRS)),
    "cut": PEERS[:30],
}

os.makedirs(HERE, exist_ok=True)
for name, data in FILES.items():
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(data)
