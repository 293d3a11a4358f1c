#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/fuzz/corpus/slurm/: an octet that says strict (1) or not (0), then files with 0xff between them."""
import json
import os

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "slurm")
SKI = "AAECAwQFBgcICQoLDA0ODxAREhM"
KEY = ("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgFcjQ_g__LAQerAH2Mpp-GucoDAGBbhIqD33wNPsXxnAGb-mtZ7XQrVO9DQ6UlAShtig5-QfE"
       "KpTtFgiqfiAFQ")


def slurm(version=2, pf=(), bf=(), af=(), pa=(), ba=(), aa=()):
    filters = {"prefixFilters": list(pf), "bgpsecFilters": list(bf)}
    assertions = {"prefixAssertions": list(pa), "bgpsecAssertions": list(ba)}
    if version == 2:
        filters["aspaFilters"] = list(af)
        assertions["aspaAssertions"] = list(aa)
    return json.dumps({"slurmVersion": version, "validationOutputFilters": filters,
                       "locallyAddedAssertions": assertions}).encode()


def main():
    full = slurm(pf=[{"prefix": "192.0.2.0/24", "comment": "c\u00e9"}, {"asn": 64496},
                     {"prefix": "198.51.100.0/24", "asn": 64497}],
                 bf=[{"asn": 64496}, {"SKI": SKI}, {"asn": 64497, "SKI": SKI}], af=[{"customerAsn": 64496}],
                 pa=[{"asn": 64496, "prefix": "198.51.100.0/24"},
                     {"asn": 64496, "prefix": "2001:DB8::/32", "maxPrefixLength": 48}],
                 ba=[{"asn": 64496, "SKI": SKI, "routerPublicKey": KEY}],
                 aa=[{"customerAsn": 64496, "providerAsns": [64497, 64498]}])
    nested = slurm(1, pf=[{"prefix": p} for p in ("0.0.0.0/0", "192.0.0.0/8", "192.0.2.0/24", "192.0.2.0/32", "::/0")])
    lists = {
        "full": b"\0" + full,
        "full-strict": b"\1" + full,
        "empty-v1": b"\1" + slurm(1),
        "empty-v2": b"\1" + slurm(2),
        "no-file": b"\0",
        "nested-filters": b"\0" + nested,
        "loose-spellings": b"\0" + slurm(bf=[{"SKI": SKI + "="}, {"SKI": "Zm9v"}], af=[{"customerAsid": 1}]),
        "two-apart": b"\0" + slurm(1, pf=[{"prefix": "10.0.0.0/8"}]) + b"\xff" + slurm(1, pf=[{"prefix": "11.0.0.0/8"}]),
        "two-overlap": b"\0" + slurm(1, pf=[{"prefix": "10.0.0.0/8"}]) + b"\xff" + slurm(
            1, pa=[{"prefix": "10.1.0.0/16", "asn": 1}], ba=[{"asn": 1, "SKI": SKI, "routerPublicKey": KEY}]),
        "two-one-cut": b"\0" + slurm(1) + b"\xff" + full[:200],
        "duplicate-member": b'\0{"slurmVersion": 1,\n"slurmVersion": 2}',
        "unknown-member": b'\0{"slurmVersion": 1, "a/b~": {"c": [[[]]]}}',
        "version-3": b'\0{"slurmVersion": 3}',
        "providers-bad": b"\0" + slurm(aa=[{"customerAsn": 1, "providerAsns": [3, 2]},
                                           {"customerAsn": 1, "providerAsns": [1]},
                                           {"customerAsn": 1, "providerAsns": [0]}]),
        "max-length-bad": b"\0" + slurm(1, pa=[{"asn": 1, "prefix": "10.0.0.0/8", "maxPrefixLength": 7}]),
        "deep": b"\0" + b"[" * 3000,
        "escapes": b'\0{"\\u0073lurmVersion": 1, "\\"\\\\": "\\n\\u0000"}',
    }
    os.makedirs(OUT, exist_ok=True)
    for name, data in lists.items():
        with open(os.path.join(OUT, name), "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main()
