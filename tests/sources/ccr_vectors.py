#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The set of lengths_of_every_size in test_ccr_hash.c, encoded another way: prints the hashes that stand there."""
import base64
import hashlib

ASNS = [0, 127, 128, 255, 256, 32767, 32768, 65535, 8388607, 8388608, 2147483647, 2147483648, 4294967295]


def tlv(tag, body):
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 128 | size]) + len(body).to_bytes(size, "big") + body


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return tlv(0x30, b"".join(parts))


def address(value, length, max_length):
    octets = (length + 7) // 8
    bits = tlv(3, bytes([octets * 8 - length]) + value[:octets])
    return sequence(bits, integer(max_length)) if max_length != length else sequence(bits)


def masked(width, length):
    pattern = int.from_bytes(b"\xa5" * (width // 8), "big")
    return (pattern >> (width - length) << (width - length)).to_bytes(width // 8, "big")


def main():
    roas, aspas = [], []
    for a, asn in enumerate(ASNS):
        v4, v6 = [], []
        for length in range(0, 129, 1 if a == 3 else 16):
            v6.append((masked(128, length), length, 128))
            if length <= 32:
                v4.append((masked(32, length), length, length + (32 - length) // 2))
        families = [
            sequence(tlv(4, afi), sequence(*(address(*x) for x in sorted(records))))
            for afi, records in ((b"\0\1", v4), (b"\0\2", v6))
        ]
        roas.append(sequence(integer(asn), sequence(*families)))
        providers = [ASNS[12]] if a == 0 else ASNS[1:a + 1]
        aspas.append(sequence(integer(asn), sequence(*map(integer, providers))))
    for name, parts in (("vrps", roas), ("aspas", aspas)):
        print(name, base64.b64encode(hashlib.sha256(sequence(*parts)).digest()).decode())


main()
