#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the BMP recording that ./demo plays: what a router edge1 (AS 64496) says of two neighbors.

    make_recording.py [DIR]     writes table.bmp and withdrawal.bmp there; default: beside this script

Addresses and AS numbers are those set aside for documentation (RFC 5737, RFC 3849, RFC 5398) and benchmarks (RFC 2544).
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[1] / "tests" / "interop"))
import bmpgen  # noqa: E402

TRANSIT = bmpgen.Peer("192.0.2.1", 64497, bgp_id="192.0.2.1", local="192.0.2.254", local_as=64496)
CUSTOMER = bmpgen.Peer("2001:db8:ffff::2", 64498, bgp_id="192.0.2.2", local="2001:db8:ffff::fe", local_as=64496)

# What stands in payloads.json about each is said in README.md.
FROM_TRANSIT = [
    (["203.0.113.0/24"], [64497, 64500]),
    (["198.18.0.0/17", "198.18.128.0/17"], [64497, 64503, 64501]),
    (["198.51.100.0/24"], [64497, 64511]),
    (["192.0.2.128/25"], [64497, 64502]),
    (["198.19.255.0/24"], [64497, 64503]),
    (["203.0.113.128/25"], [64497, [64500, 64504]]),
    (["198.19.0.0/16"], [64497, 64505]),
]
FROM_CUSTOMER = [
    (["2001:db8:1::/48"], [64498]),
    (["2001:db8:1:a::/64"], [64498]),
    (["2001:db8:2::/48"], [64498, 64509]),
    (["2001:db8:4::/48"], [64498, 64506]),
]


def table():
    out = bmpgen.initiation("edge1", "a recorded router") + TRANSIT.up() + CUSTOMER.up()
    for peer, routes in ((TRANSIT, FROM_TRANSIT), (CUSTOMER, FROM_CUSTOMER)):
        for prefixes, path in routes:
            out += peer.route(bmpgen.update(prefixes, path))
        out += peer.route(bmpgen.eor(v6=peer is CUSTOMER))
    return out


def withdrawal():
    return TRANSIT.route(bmpgen.update(withdraw=["192.0.2.128/25"]))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    (folder / "table.bmp").write_bytes(table())
    (folder / "withdrawal.bmp").write_bytes(withdrawal())
