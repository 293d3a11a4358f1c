# SPDX-License-Identifier: BSD-2-Clause
"""RFC 6811 and ASPA verification once more, in the slowest and plainest words, to judge what the program says in the live
tests."""
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


def combined(origin_validation, aspa):
    """The state of both kinds together."""
    states = (overall(origin_validation), aspa)
    return next((s for s in ("invalid", "valid") if s in states), "unknown")


def authorized(aspas, customer, provider):
    """draft-ietf-sidrops-aspa-verification-28 §5.3"""
    if customer not in aspas:
        return "no attestation"
    return "provider" if provider in aspas[customer] else "not provider"


def aspa_state(aspas, path, role, neighbor):
    """draft-ietf-sidrops-aspa-verification-28 §5.4 to §5.6. path: neighbor first, lists are sets."""
    if any(isinstance(asn, list) for asn in path):
        return "invalid"
    path = [asn for i, asn in enumerate(path) if i == 0 or path[i - 1] != asn]
    if not path or (path[0] != neighbor and role != "rs-client"):
        return "invalid"
    up, n = path[::-1], len(path)  # up[0] is AS(1)

    def ramp(ases, bad):
        return next((i for i in range(1, n) if authorized(aspas, ases[i - 1], ases[i]) in bad), n)

    downstream = role in ("customer", "mutual-transit")
    for state, bad in (("invalid", ("not provider",)), ("unknown", ("not provider", "no attestation"))):
        if ramp(up, bad) + (ramp(path, bad) if downstream else 0) < n:
            return state
    return "valid"
