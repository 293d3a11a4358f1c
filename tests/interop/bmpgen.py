# SPDX-License-Identifier: BSD-2-Clause
"""Builds BMP version 3 and BGP octets, independent of the program's own encoders (RFC 7854, RFC 4271, RFC 4760)."""
import ipaddress
import struct


def bgp(kind, body):
    return b"\xff" * 16 + struct.pack(">HB", 19 + len(body), kind) + body


def bgp_open(asn, bgp_id, extra=b""):
    caps = struct.pack(">BBHBB", 1, 4, 1, 0, 1) + struct.pack(">BBHBB", 1, 4, 2, 0, 1) + struct.pack(">BBI", 65, 4, asn) + extra
    params = struct.pack(">BB", 2, len(caps)) + caps
    my_as = asn if asn < 65536 else 23456
    return bgp(1, struct.pack(">BHH4sB", 4, my_as, 90, ipaddress.ip_address(bgp_id).packed, len(params)) + params)


def attribute(flags, code, value):
    if len(value) > 255:
        return struct.pack(">BBH", flags | 0x10, code, len(value)) + value
    return struct.pack(">BBB", flags, code, len(value)) + value


def as_path(path):
    """Numbers, and lists for AS_SETs."""
    out, run = b"", []

    def flush():
        nonlocal out, run
        if run:
            out += struct.pack(">BB", 2, len(run)) + b"".join(struct.pack(">I", a) for a in run)
            run = []
    for item in path:
        if isinstance(item, list):
            flush()
            out += struct.pack(">BB", 1, len(item)) + b"".join(struct.pack(">I", a) for a in item)
        else:
            run.append(item)
    flush()
    return out


def nlri(prefix):
    net = ipaddress.ip_network(prefix)
    return bytes([net.prefixlen]) + net.network_address.packed[:(net.prefixlen + 7) // 8]


def update(prefixes=(), path=(), withdraw=(), next_hop="192.0.2.254"):
    """One family at a time."""
    v6 = ":" in (list(prefixes) + list(withdraw))[0]
    attrs = b""
    if prefixes:
        attrs += attribute(0x40, 1, b"\0") + attribute(0x40, 2, as_path(path))
        if v6:
            hop = ipaddress.ip_address("2001:db8:ffff::1").packed
            attrs += attribute(0x80, 14, struct.pack(">HBB", 2, 1, 16) + hop + b"\0" + b"".join(map(nlri, prefixes)))
        else:
            attrs += attribute(0x40, 3, ipaddress.ip_address(next_hop).packed)
    gone = b"".join(map(nlri, withdraw))
    if withdraw and v6:
        attrs += attribute(0x80, 15, struct.pack(">HB", 2, 1) + gone)
        gone = b""
    return bgp(2, struct.pack(">H", len(gone)) + gone + struct.pack(">H", len(attrs)) + attrs +
               (b"" if v6 else b"".join(map(nlri, prefixes))))


def eor(v6=False):
    attrs = attribute(0x80, 15, struct.pack(">HB", 2, 1)) if v6 else b""
    return bgp(2, struct.pack(">HH", 0, len(attrs)) + attrs)


def message(kind, body):
    return struct.pack(">BIB", 3, 6 + len(body), kind) + body


def tlv(kind, text):
    return struct.pack(">HH", kind, len(text)) + text.encode()


def initiation(name="edge1", descr="test router"):
    return message(4, tlv(1, descr) + tlv(2, name))


def termination(reason=0):
    return message(5, struct.pack(">HHH", 1, 2, reason))


class Peer:
    def __init__(self, address, asn, bgp_id="192.0.2.99", local="192.0.2.100", local_as=65000):
        self.address, self.asn, self.bgp_id, self.local, self.local_as = address, asn, bgp_id, local, local_as

    def header(self, flags=0, kind=0):
        ip = ipaddress.ip_address(self.address)
        if ip.version == 6:
            flags |= 0x80
        return struct.pack(">BB8s16sI4sII", kind, flags, b"\0" * 8, ip.packed.rjust(16, b"\0"), self.asn,
                           ipaddress.ip_address(self.bgp_id).packed, 1700000000, 0)

    def up(self):
        local = ipaddress.ip_address(self.local).packed.rjust(16, b"\0")
        return message(3, self.header() + local + struct.pack(">HH", 179, 33000) +
                       bgp_open(self.local_as, self.local) + bgp_open(self.asn, self.bgp_id))

    def down(self, reason=4):
        return message(2, self.header() + bytes([reason]) + (b"\0\0" if reason == 2 else b""))

    def route(self, update_octets, flags=0):
        return message(0, self.header(flags) + update_octets)
