#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpora of the bmpout fuzz targets (validation, bmp_render, session): run from the project's folder."""
import pathlib
import re
import struct

HERE = pathlib.Path(__file__).parent
PEN = bytes.fromhex("00007ed9")


def documented():
    """The worked octets of docs/formats/bmp-rpki.md."""
    text = (HERE.parents[2] / "docs/formats/bmp-rpki.md").read_text()
    for block in re.findall(r"```hex\n(.*?)```", text, re.S):
        yield bytes.fromhex("".join(line.split("   ")[0] for line in block.splitlines()))


def bmp(kind, body, version=3):
    return struct.pack("!BIB", version, 6 + len(body), kind) + body


def peer(kind=0, flags=0, address="c0000201", asn=64501):
    return struct.pack("!BBQ", kind, flags, 0) + bytes(12) + bytes.fromhex(address) + struct.pack(
        "!IIII", asn, 0xC0000201, 1767200000, 0)


def bgp(kind, body=b""):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def tlv(kind, value):
    return struct.pack("!HH", kind, len(value)) + value


def itlv(kind, value, index=0, ours=False):
    value = PEN + value if ours else value
    return struct.pack("!HHH", kind | (0x8000 if ours else 0), len(value), index) + value


OPEN = bgp(1, struct.pack("!BHHIB", 4, 23456, 90, 0xC0000201, 16) + bytes.fromhex("020e" "41040000fbf5" "450400010103" "0200"))
ATTRS = bytes.fromhex("40010100" "40020a02020000fbf50000fbfe" "400304c0000201" "c00804fdea0001" "80040400000064")
UPDATE = bgp(2, struct.pack("!HH", 0, len(ATTRS)) + ATTRS + bytes.fromhex("18c63364"))
UPDATE_PATH_ID = bgp(2, struct.pack("!HH", 0, len(ATTRS)) + ATTRS + bytes.fromhex("0000004d18c63364"))
NOTIFICATION = bgp(3, bytes.fromhex("0602" "6279"))

INITIATION = bmp(4, tlv(1, "a router".encode()) + tlv(2, b"edge1") + tlv(0, b"\xff\x1b[31m"))
PEER_UP = bmp(3, peer() + bytes(12) + bytes.fromhex("c0000202" "00b3" "1267") + OPEN + OPEN + tlv(3, b"global"))

STREAMS = {
    "initiation-with-escape": INITIATION,
    "peer-up-add-path-then-route": INITIATION + PEER_UP + bmp(0, peer() + UPDATE_PATH_ID),
    "peer-down-notification": bmp(2, peer() + b"\x01" + NOTIFICATION),
    "peer-down-fsm": bmp(2, peer() + b"\x02\x00\x07"),
    "peer-down-loc-rib": bmp(2, peer(3) + b"\x06" + tlv(3, b"global")),
    "statistics": bmp(1, peer() + struct.pack("!I", 3) + tlv(7, bytes(8)) + tlv(1, bytes(4)) + tlv(35, bytes(11))),
    "statistics-count-too-high": bmp(1, peer() + struct.pack("!I", 0x7FFFFFFF) + tlv(7, bytes(8))),
    "mirror-message-and-loss": bmp(6, peer() + tlv(0, UPDATE) + tlv(1, b"\x00\x01")),
    "mirror-broken-bgp": bmp(6, peer() + tlv(0, UPDATE[:30])),
    "termination": bmp(5, tlv(0, b"bye") + tlv(1, b"\x00\x00")),
    "type-251": bmp(251, b"\x80\x01"),
    "empty-body": bmp(0, b""),
    "v4-initiation": bmp(4, tlv(2, b"edge1") + tlv(5, bytes(8)) + tlv(7, b"\x02" + bytes.fromhex("6955b901")), 4),
    "v4-route-monitoring": bmp(0, peer() + itlv(3, bytes.fromhex("41040000fbf5")) + itlv(4, UPDATE) + itlv(5, bytes(8)), 4),
    "v4-statistics": bmp(1, peer() + tlv(1, struct.pack("!I", 1) + tlv(0x8001, PEN + bytes(8))), 4),
    "v4-peer-down": bmp(2, peer() + b"\x02\x00\x00" + tlv(5, bytes(8)), 4),
}


def main():
    example, eor, path = documented()
    head, rest = example[:48], example[48:]
    validation = {
        "example": example,
        "end-of-rib": eor,
        "path-result": path,
        "path-hops-beyond-tlv": path.replace(bytes.fromhex("010000010000000200000001"), bytes.fromhex("010003e80000000200000001")),
        "path-hop-state-3": path.replace(bytes.fromhex("0000fbfe0000fbf50103"), bytes.fromhex("0000fbfe0000fbf50303")),
        "path-empty-invalid": bmp(252, path[6:path.index(bytes.fromhex("8080000a"))]
                                  + itlv(128, bytes.fromhex("02010000002a"), ours=True) + itlv(129, bytes.fromhex("02020015"), ours=True), 4),
        "aspa-providers-unsorted": path.replace(bytes.fromhex("0000fbf00000fbff"), bytes.fromhex("0000fbff0000fbf0")),
        "aspa-providers-beyond-tlv": path.replace(bytes.fromhex("0000fbfe00020000fbf0"), bytes.fromhex("0000fbfeffff0000fbf0")),
        "bare": bmp(252, example[6:48] + itlv(1, bytes.fromhex("0115000100000001"), ours=True), 4),
        "foreign-enterprise": example.replace(PEN, b"\x00\x00\x00\x09"),
        "length-0": example[:1] + bytes(4) + example[5:],
        "length-5": example[:1] + b"\x00\x00\x00\x05" + example[5:],
        "length-7fffffff": example[:1] + b"\x7f\xff\xff\xff" + example[5:],
        "cut-in-header": example[:40],
        "cut-in-tlv": bmp(252, example[6:100], 4),
        "draft-19": bmp(252, head[6:] + itlv(1, bytes.fromhex("0113000000000001"), ours=True)
                        + itlv(1, bytes.fromhex("41040000fbf5")) + itlv(4, UPDATE)
                        + itlv(128, bytes.fromhex("01010000002a"), ours=True)),
        "group-of-unknown-nlri": bmp(252, rest.join([head[6:], b""]).replace(
            bytes.fromhex("800100010003"), bytes.fromhex("800100010009")), 4),
    }
    for name, data in validation.items():
        (HERE / "validation" / name).write_bytes(data)
    for name, data in {**STREAMS, "validation-example": example, "validation-end-of-rib": eor, "validation-path": path}.items():
        (HERE / "bmp_render" / name).write_bytes(data)
    up, down, withdraw, eor_op, dataset, ready, burst, pull, add = 0, 1, 2, 3, 4, 5, 6, 7, 11
    all_up = [(up, i, 0, 0) for i in range(6)]
    scripts = {
        "walk-then-changes": [(0, 6, 1, 0)] + all_up + [(burst, 0, 0, 40), (pull, 50, 50, 0), (withdraw, 0, 3, 0),
                                                        (eor_op, 0, 0, 0), (pull, 9, 9, 0), (add, 0, 3, 1)],
        "not-ready-then-ready": [(0, 2, 0, 0)] + all_up + [(burst, 1, 0, 60), (eor_op, 1, 0, 0), (pull, 99, 99, 0),
                                                           (ready, 0, 0, 0), (pull, 99, 99, 0)],
        "loss": [(0, 0, 1, 0)] + all_up + [(pull, 99, 99, 0), (burst, 2, 0, 90), (down, 1, 0, 0), (pull, 3, 3, 0),
                                           (burst, 3, 9, 90), (pull, 3, 3, 0), (dataset, 0, 0, 0)],
        "loss-exp3": [(1, 0, 1, 0)] + all_up + [(pull, 99, 99, 0), (burst, 2, 0, 90), (burst, 3, 0, 90)],
        "loss-std3": [(2, 0, 1, 0)] + all_up + [(pull, 99, 99, 0), (burst, 2, 0, 90), (down, 2, 0, 0)],
        "flap-during-walk": [(24, 5, 1, 0)] + all_up + [(burst, 1, 0, 40), (pull, 40, 40, 0), (down, 1, 0, 0),
                                                        (up, 1, 0, 0), (add, 1, 5, 2), (pull, 10, 10, 0)],
        "draft-19-small-messages": [(20, 5, 1, 0)] + all_up + [(burst, 1, 0, 97), (burst, 3, 0, 97), (pull, 99, 99, 0)],
    }
    for name, steps in scripts.items():
        (HERE / "session" / name).write_bytes(b"".join(bytes(s) for s in steps))


if __name__ == "__main__":
    main()
