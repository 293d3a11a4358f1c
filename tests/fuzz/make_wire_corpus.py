#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpora of the BGP, BMP and AS path fuzz targets: small inputs, each named for what it shows."""
import os
import struct
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def h(text):
    return bytes.fromhex(text.replace(" ", ""))


def save(target, name, data):
    folder = os.path.join(HERE, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


ORIGIN = "40010100"
PATH = "4002060201 0000fbf4"
PATH2 = "4002040201 fbf4"
HOP = "400304c0000201"
GOOD = ORIGIN + PATH + HOP
GOOD2 = ORIGIN + PATH2 + HOP
NET = "18c63364"
HOP6 = "20010db8000000000000000000000001"
REACH6 = "800e1a 0002 01 10" + HOP6 + "00 2020010db8"
AS2, AS4, PATH4, PATH6, EBGP, CONFED, EMPTY = 0, 1, 2, 4, 8, 16, 32


def body(withdrawn, attrs, nlri):
    w, a, n = h(withdrawn), h(attrs), h(nlri)
    return struct.pack(">H", len(w)) + w + struct.pack(">H", len(a)) + a + n


UPDATES = {
    "plain": (AS4, "", GOOD, NET),
    "plain-2octet": (AS2, "", GOOD2, NET),
    "withdraw": (AS4, NET + "00", "", ""),
    "eor-ipv4": (AS4, "", "", ""),
    "eor-ipv6": (AS4, "", "800f03 0002 01", ""),
    "mp-ipv6": (AS4, "", REACH6 + ORIGIN + PATH, ""),
    "mp-ipv6-link-local": (AS4, "", "800e2a 0002 01 20" + HOP6 + HOP6 + "00 2020010db8" + ORIGIN + PATH, ""),
    "mp-ipv4-ipv6-hop": (AS4, "", "800e19 0001 01 10" + HOP6 + "00" + NET + ORIGIN + PATH, ""),
    "mp-unreach": (AS4, "", "800f08 0002 01 2020010db8", ""),
    "other-family": (AS4, "", GOOD + "800e0a 0001 02 04 c0000201 00 00", NET),
    "add-path": (AS4 | PATH4, "", GOOD, "00000001" + NET + "00000002" + NET),
    "add-path-ipv6": (AS4 | PATH6, "", "800e1e 0002 01 10" + HOP6 + "00 00000009 2020010db8" + ORIGIN + PATH, ""),
    "as4-path": (AS2, "", ORIGIN + "4002060202 fbf4 5ba0" + HOP + "c01106 0201 00011170", NET),
    "as4-path-sets": (AS2 | CONFED, "", ORIGIN + "40020e 0301 fde9 0102 0001 0002 0201 5ba0" + HOP +
                      "c0110c 0301 00000001 0201 00011170", NET),
    "as4-aggregator": (AS2, "", GOOD2 + "c00706 5ba0 c0000201 c01208 00011170 c0000202", NET),
    "as4-on-4octet": (AS4, "", GOOD + "c01106 0201 00011170", NET),
    "everything": (AS4, NET, GOOD + "800404 00000001 400504 00000064 400600 c00708 0000fbf4 c0000201 c00804 00000001"
                   "800904 00000001 800a04 00000001 c01008 ff00000000000000 c0200c 0000fbf40000000100000002"
                   "802104 deadbeef c02304 0000fbf4 d0c80003 aabbcc", NET),
    "bgpsec": (AS4, "", REACH6 + ORIGIN + "902100080008 0100 0000fbf4", ""),
    "confederation": (AS4 | CONFED, "", ORIGIN + "40020c 0301 0000fde9 0401 0000fdea" + HOP, NET),
    "ebgp-local-pref": (AS4 | EBGP, "", GOOD + "400504 00000064", NET),
    "empty-mandatory": (AS4 | EMPTY, "", "400100" + PATH + "400300", NET),
    "duplicate": (AS4, "", GOOD + "40010102", NET),
    "duplicate-mp": (AS4, "", REACH6 + REACH6 + ORIGIN + PATH, ""),
    "bad-flags": (AS4, "", "c0010100" + PATH + HOP, NET),
    "missing-origin": (AS4, "", PATH + HOP, NET),
    "overrun-attribute": (AS4, "", GOOD + "c008050000", NET),
    "overrun-segment": (AS4, "", ORIGIN + "4002060202 0000fbf4" + HOP, NET),
    "no-nlri-error": (AS4, "", ORIGIN + "800403000000", ""),
    "prefix-33": (AS4, "", GOOD, "21c633640000"),
    "unknown-well-known": (AS4, "", GOOD + "40c801aa", NET),
}
for name, (bits, w, a, n) in UPDATES.items():
    save("bgp_update", name, bytes([bits]) + body(w, a, n))
save("bgp_update", "field-lengths", bytes([AS4]) + h("ffff0000"))
path = b"".join(h("02ff") + h("fbf4") * 255 for _ in range(2))
save("bgp_update", "long-path-2octet",
     bytes([AS2]) + struct.pack(">HH", 0, 11 + 4 + len(path)) + h(ORIGIN + HOP) +
     h("5002") + struct.pack(">H", len(path)) + path + h("00"))

OPEN = "04 fbf4 005a c0000201"
OPENS = {
    "plain": "00",
    "as4": "08 02 06 4104 00011170",
    "several-parameters": "0c 02 06 4104 00011170 02 02 0600",
    "add-path": "0c 02 0a 4508 0001 01 03 0002 01 01",
    "role": "05 02 03 0901 03",
    "extended": "ff ff 0009 02 0006 4104 00011170",
    "extended-empty": "ff ff 0000",
    "other-parameter": "06 01 00 02 02 0600",
    "capability-overrun": "04 02 02 4101",
    "parameter-overrun": "01",
}
for name, tail in OPENS.items():
    save("bgp_open", name, h(OPEN + tail))
save("bgp_open", "notification", h("0602 05 68656c6c6f"))
save("bgp_open", "version-3", h("03" + OPEN[2:] + "00"))
save("bgp_open", "keepalive", h("ff" * 16 + "001304"))

PEER = "00{flags} 0000000000000000 000000000000000000000000c0000201 0000fbf4 c0000202 00000001 00000002"
LOC = "0300 0000000000000000 00000000000000000000000000000000 0000fde8 c0000202 00000001 00000002"
LOCAL = "000000000000000000000000c0000263 00b3 9c40"
MARKER = "ff" * 16


def bgp(kind, octets):
    return h(MARKER) + struct.pack(">HB", 19 + len(octets), kind) + octets


def bmp(kind, octets, version=3):
    return struct.pack(">BIB", version, 6 + len(octets), kind) + octets


def peer(flags=0):
    return h(PEER.format(flags="%02x" % flags))


def tlv(kind, value):
    return struct.pack(">HH", kind, len(value)) + value


SENT = bgp(1, h("04 fde8 005a c0000263 0e 02 0c 4104 0000fde8 4504 0001 01 01"))
RECEIVED = bgp(1, h("04 fbf4 005a c0000202 0e 02 0c 4104 0000fbf4 4504 0001 01 02"))
PLAIN = bgp(1, h(OPEN + "08 02 06 4104 0000fbf4"))
ROUTE = bgp(2, body("", GOOD, NET))
FRR = bgp(2, body("", ORIGIN + "5002000a 0202 0000fde8 0000fbf4" + HOP, NET))
EOR = bgp(2, body("", "", ""))

MESSAGES = {
    "route": bmp(0, peer() + ROUTE),
    "route-trailing-tlv": bmp(0, peer() + ROUTE + tlv(0, b"x")),
    "loc-rib": bmp(0, h(LOC) + ROUTE),
    "stats": bmp(1, peer() + h("00000002 0000 0004 00000001 0009 000b 000101 0000000000000005")),
    "stats-count-lies": bmp(1, peer() + h("ffffffff 0000 0004 00000001")),
    "down-1": bmp(2, peer() + b"\1" + bgp(3, h("0602"))),
    "down-2": bmp(2, peer() + h("020011")),
    "down-4": bmp(2, peer() + b"\4"),
    "down-6": bmp(2, h(LOC) + b"\6" + tlv(3, b"global")),
    "up": bmp(3, peer() + h(LOCAL) + SENT + RECEIVED),
    "up-name": bmp(3, h(LOC) + bytes(20) + PLAIN + PLAIN + tlv(3, b"global")),
    "up-one-open": bmp(3, peer() + h(LOCAL) + SENT),
    "initiation": bmp(4, tlv(1, b"FRRouting 8.4.4") + tlv(2, b"r1")),
    "termination": bmp(5, tlv(1, b"\0\0") + tlv(0, b"bye")),
    "mirror": bmp(6, peer() + tlv(0, ROUTE)),
    "mirror-errored": bmp(6, peer() + tlv(1, b"\0\0") + tlv(0, ROUTE)),
    "mirror-lost": bmp(6, peer() + tlv(1, b"\0\1")),
    "unknown-type": bmp(252, b"abc"),
    "tlvs-of-version-4": bmp(252, h("8001000c0000 00007ed9 1501000300000001 0001000c8001 000100020003000400050006"), 4),
    "length-5": h("030000000504"),
    "length-huge": h("037fffffff04"),
}
for name, data in MESSAGES.items():
    save("bmp", name, data)

INIT = MESSAGES["initiation"]
UP = bmp(3, peer() + h(LOCAL) + PLAIN.replace(h("0000fbf4"), h("0000fde8")).replace(h("04fbf4"), h("04fde8")) + PLAIN)
STREAMS = {
    "frr": INIT + bmp(2, peer() + h("020000")) + UP + bmp(6, peer() + tlv(0, ROUTE)) + bmp(0, peer(0x40) + FRR) +
           bmp(0, peer() + FRR) + bmp(0, peer() + EOR) + MESSAGES["down-4"],
    "gobgp-loc-rib": bmp(4, tlv(2, b"g") + tlv(1, b"GoBGP")) + UP + bmp(0, peer() + ROUTE) + MESSAGES["loc-rib"] * 2,
    "up-twice": UP + bmp(0, peer() + ROUTE) + UP + bmp(0, peer(0x40) + ROUTE),
    "add-path": MESSAGES["up"] + bmp(0, peer() + bgp(2, body("", GOOD, "00000001" + NET))),
    "two-octet": UP + bmp(0, peer(0x20) + bgp(2, body("", GOOD2, NET))),
    "adj-out": UP + bmp(0, peer(0x10) + bgp(2, body("", "400100 400200 400300", NET))) + bmp(0, peer(0x50) + ROUTE),
    "withdrawn-by-error": UP + bmp(0, peer() + ROUTE) + bmp(0, peer() + bgp(2, body("", "400101ff" + PATH + HOP, NET))),
    "reset-is-dropped": UP + bmp(0, peer() + bgp(2, body("21ffffffffff", "", ""))) + bmp(0, peer() + ROUTE),
    "mirror-lost": UP + MESSAGES["mirror"] + MESSAGES["mirror-lost"] + bmp(0, peer() + ROUTE),
    "mirror-errored": UP + MESSAGES["mirror"] + MESSAGES["mirror-errored"],
    "stats": UP + MESSAGES["stats"],
    "unknown-peer": MESSAGES["route"] + MESSAGES["mirror"] + MESSAGES["stats"] + MESSAGES["down-4"],
    "broken-inside": bmp(0, b"abc") + bmp(3, peer()) + UP + MESSAGES["route"],
    "termination": UP + MESSAGES["termination"] + MESSAGES["route"],
    "version-4": UP + bmp(0, peer() + ROUTE, 4),
    "length-5": UP + h("030000000504"),
    "cut": UP[:-7],
}
for name, data in STREAMS.items():
    save("bmp_feed", name, b"\x0c" + data)

TEXTS = {
    "sequence": "64500 64501",
    "all-segments": "(65001 65002) [65003,65004] 1 {2,3} 4",
    "spellings": "AS64500  as1\t{ 2 3 }4",
    "empty": " ",
    "open-bracket": "{1",
    "comma-end": "{1,}",
    "too-big": "4294967296",
    "split-at-255": " ".join(str(i) for i in range(1, 300)),
}
for name, text in TEXTS.items():
    save("as_path_text", name, text.encode())
save("as_path_text", "octets", h("0202 0000fbf4 0000fbf5 0102 00000001 00000002"))
save("as_path_text", "octets-cut", h("0203 0000fbf4 0000fbf5"))
sys.exit(0)
