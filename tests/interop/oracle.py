# SPDX-License-Identifier: BSD-2-Clause
"""RFC 6811 once more, in the slowest and plainest words, to judge what the program says in the live tests."""
import ipaddress


def origin_state(vrps, prefix, origin):
    """vrps: (prefix text, maxLength, asn); origin None for AS_SET."""
    route = ipaddress.ip_network(prefix)
    covered = False
    for vrp_prefix, max_len, asn in vrps:
        vrp = ipaddress.ip_network(vrp_prefix)
        if vrp.version != route.version or not route.subnet_of(vrp):
            continue
        covered = True
        if origin is not None and asn != 0 and asn == origin and route.prefixlen <= max_len:
            return "valid"
    return "invalid" if covered else "not-found"


def overall(origin_validation):
    """The combined state when origin validation is the only kind that was run."""
    return {"valid": "valid", "invalid": "invalid", "not-found": "unknown"}[origin_validation]
