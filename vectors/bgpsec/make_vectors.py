#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the vectors of suite bgpsec: keys, signed UPDATEs and what a receiver must find, from RFC 8205 alone.

It shares nothing with the verifier: its own P-256 on Python's integers, its own octets to be hashed, its own UPDATEs.
Private keys are hashes of names, and signatures are deterministic as in RFC 6979 (the examples of RFC 8608: their fixed
k), so a run always gives the same files. Such keys and such k are good for nothing but tests.

  make_vectors.py            writes *.json beside itself
  make_vectors.py --check    says which of them would change, exit 1 if any
"""
import base64
import hashlib
import hmac
import json
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# --- P-256 -----------------------------------------------------------------------------------------------------------

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def double(p):
    x, y, z = p
    if not y or not z:
        return (0, 1, 0)
    s = 4 * x * y * y % P
    m = 3 * (x - z * z) * (x + z * z) % P
    x3 = (m * m - 2 * s) % P
    return (x3, (m * (s - x3) - 8 * pow(y, 4, P)) % P, 2 * y * z % P)


def add(p, q):
    if not p[2]:
        return q
    if not q[2]:
        return p
    z1, z2 = p[2] * p[2] % P, q[2] * q[2] % P
    u1, u2 = p[0] * z2 % P, q[0] * z1 % P
    s1, s2 = p[1] * z2 * q[2] % P, q[1] * z1 * p[2] % P
    if u1 == u2:
        return double(p) if s1 == s2 else (0, 1, 0)
    h, r = (u2 - u1) % P, (s2 - s1) % P
    h2 = h * h % P
    h3, v = h2 * h % P, u1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return (x3, (r * (v - x3) - s1 * h3) % P, p[2] * q[2] * h % P)


def multiply(k, point):
    result, base = (0, 1, 0), (point[0], point[1], 1)
    while k:
        if k & 1:
            result = add(result, base)
        base = double(base)
        k >>= 1
    inverse = pow(result[2], -1, P)
    return (result[0] * inverse * inverse % P, result[1] * pow(inverse, 3, P) % P)


def octets(v):
    return v.to_bytes(32, "big")


def rfc6979_k(x, digest):
    v, k = b"\x01" * 32, b"\x00" * 32
    seed = octets(x) + octets(int.from_bytes(digest, "big") % N)
    for tag in (b"\x00", b"\x01"):
        k = hmac.new(k, v + tag + seed, hashlib.sha256).digest()
        v = hmac.new(k, v, hashlib.sha256).digest()
    while True:
        v = hmac.new(k, v, hashlib.sha256).digest()
        candidate = int.from_bytes(v, "big")
        if 0 < candidate < N:
            return candidate
        k = hmac.new(k, v + b"\x00", hashlib.sha256).digest()
        v = hmac.new(k, v, hashlib.sha256).digest()


def der_integer(v):
    body = v.to_bytes(v.bit_length() // 8 + 1, "big")
    return b"\x02" + bytes([len(body)]) + body


def der_signature(r, s):
    body = der_integer(r) + der_integer(s)
    return b"\x30" + bytes([len(body)]) + body


class Key:
    def __init__(self, asn, name="", private=None):
        self.asn = asn
        seed = f"waywarden test key {asn} {name}".encode()
        self.private = private or int.from_bytes(hashlib.sha256(seed).digest(), "big") % (N - 1) + 1
        self.point = multiply(self.private, G)
        public = b"\x04" + octets(self.point[0]) + octets(self.point[1])
        self.spki = bytes.fromhex("3059301306072A8648CE3D020106082A8648CE3D030107034200") + public
        self.ski = hashlib.sha1(public).digest()

    def rs(self, message, k=None):
        digest = hashlib.sha256(message).digest()
        k = k or rfc6979_k(self.private, digest)
        r = multiply(k, G)[0] % N
        return r, pow(k, -1, N) * (int.from_bytes(digest, "big") + r * self.private) % N

    def sign(self, message, k=None):
        return der_signature(*self.rs(message, k))

    def record(self, asn=None, ski=None, spki=None):
        return {"asn": self.asn if asn is None else asn, "SKI": (ski or self.ski).hex().upper(),
                "routerPublicKey": base64.b64encode(spki or self.spki).decode()}


_keys = {}


def key(asn, name=""):
    if (asn, name) not in _keys:
        _keys[asn, name] = Key(asn, name)
    return _keys[asn, name]


# --- UPDATEs ---------------------------------------------------------------------------------------------------------

CONFED = 0x80


class Hop:
    """One AS of a path: what it puts into Secure_Path, and the key it signs with."""

    def __init__(self, asn, pcount=1, flags=0, signer=None, ski=None, target=None):
        self.asn, self.pcount, self.flags = asn, pcount, flags
        self.signer = signer or key(asn)
        self.ski = ski or self.signer.ski
        self.target = target  # signs for this AS instead of the next one

    def segment(self):
        return struct.pack(">BBI", self.pcount, self.flags, self.asn)


def nlri(prefix, length):
    return bytes([length]) + prefix[:(length + 7) // 8]


def address(text):
    import ipaddress
    net = ipaddress.ip_network(text)
    return (1 if net.version == 4 else 2), nlri(net.network_address.packed, net.prefixlen)


def to_be_signed(segments, signatures, target, suite, prefix):
    """RFC 8205 Figure 8; both lists newest first, signatures without the one to be made."""
    afi, octets_of_prefix = address(prefix)
    data = struct.pack(">I", target)
    for segment, signature in zip(segments, signatures):
        data += signature + segment
    return data + segments[-1] + struct.pack(">BHB", suite, afi, 1) + octets_of_prefix


def sign_path(hops, target, prefix, suite=1, k=None):
    """Signature Segments of the hops, which come origin first; the result is newest first."""
    segments, signatures = [], []
    for i, hop in enumerate(hops):
        segments.insert(0, hop.segment())
        to = hop.target or (hops[i + 1].asn if i + 1 < len(hops) else target)
        signature = hop.signer.sign(to_be_signed(segments, signatures, to, suite, prefix), k)
        signatures.insert(0, signature_segment(hop.ski, signature))
    return signatures


def signature_segment(ski, signature):
    return ski + struct.pack(">H", len(signature)) + signature


def secure_path(hops):
    body = b"".join(hop.segment() for hop in reversed(hops))
    return struct.pack(">H", len(body) + 2) + body


def block(suite, signatures):
    body = b"".join(signatures)
    return struct.pack(">HB", len(body) + 3, suite) + body


def attribute(code, value, flags):
    if len(value) > 255:
        return struct.pack(">BBH", flags | 0x10, code, len(value)) + value
    return struct.pack(">BBB", flags, code, len(value)) + value


def mp_reach(prefix, raw=None):
    afi, octets_of_prefix = address(prefix)
    hop = bytes([192, 0, 2, 100]) if afi == 1 else bytes.fromhex("20010db8000000000000000000000064")
    return attribute(14, struct.pack(">HBB", afi, 1, len(hop)) + hop + b"\0" +
                     (octets_of_prefix if raw is None else raw), 0x80)


ORIGIN, MED = attribute(1, b"\0", 0x40), attribute(4, bytes(4), 0x80)
AS_PATH = attribute(2, b"\x02\x01" + struct.pack(">I", 64496), 0x40)
NEXT_HOP = attribute(3, bytes([192, 0, 2, 100]), 0x40)


def update(attributes, classic=b"", withdrawn=b""):
    body = struct.pack(">H", len(withdrawn)) + withdrawn + struct.pack(">H", len(attributes)) + attributes + classic
    return b"\xff" * 16 + struct.pack(">HB", len(body) + 19, 2) + body


def bgpsec_update(prefix, path, flags=0x80, extra=b"", raw=None):
    return update(ORIGIN + MED + mp_reach(prefix, raw) + attribute(33, path, flags) + extra)


def signed(hops, target=65537, prefix="192.0.2.0/24", suites=(1,), **kw):
    path = secure_path(hops) + b"".join(block(s, sign_path(hops, target, prefix, s)) for s in suites)
    return bgpsec_update(prefix, path, **kw)


# --- files -----------------------------------------------------------------------------------------------------------

LOCAL = 65537
ALL = []  # (file name, document)


def test(name, message, peer, state, local=LOCAL, comment=None, ref=None, reason=None, path=None, checked=None,
         keys=None, **given):
    expect = {"state": state}
    if reason:
        expect["reason"] = reason
    if path is not None:
        expect["as_path"] = path
    if checked is not None:
        expect["signatures_checked"] = checked
    out = {"id": name}
    if ref:
        out["ref"] = ref
    if comment:
        out["comment"] = comment
    if keys is not None:
        out["payloads"] = {"routerKeys": keys}
    out["input"] = {"update": message.hex().upper(), "peer_as": peer, "local_as": local, **given}
    out["expect"] = expect
    return out


def document(name, title, groups, spec=("RFC 8205", "RFC 8608")):
    ALL.append((name, {"schema": "waywarden-vectors-1", "suite": "bgpsec", "title": title, "spec": list(spec),
                       "groups": groups}))


def group(name, ref, keys, tests, comment=None):
    out = {"id": name, "ref": ref}
    if comment:
        out["comment"] = comment
    out["payloads"] = {"routerKeys": keys}
    out["tests"] = tests
    return out


def records(*asns):
    return [key(asn).record() for asn in asns]


# --- the examples of the RFCs ----------------------------------------------------------------------------------------

RFC_K = 0xA6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60
RFC_A = Key(64496, private=0xD8AA4DFBE2478F86E88A7451BF075565709C575AC1C136D081C540254CA440B9)
RFC_B = Key(65536, private=0x6CB2E931B112F24554BCDCAAFD9553A9519A9AF33C023B60846A21FC95583172)
# The second half of each signature, as printed; the first half is the same in all.
RFC_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
RFC_S = {("192.0.2.0/24", 64496): 0x8E21F60E44C6066C8B8A95A3C09D3AD4379585A2D728EEAD07A17ED7AA055ECA,
         ("192.0.2.0/24", 65536): 0x90F2C129ABB2F39B6A07963BD555A87AB2B7333B7B91F1668FD8618C83FAC3F1,
         ("2001:db8::/32", 64496): 0xE2A02C68FE53CB96934C781F5A14A2971979200C9156EDF855058E8053F4ACD3,
         ("2001:db8::/32", 65536): 0xD1B94F6251046D2136A105B0F4727CC5BCD674D97D28E61B8F43BDDE91C30626}


def rfc_update(prefix, next_hop):
    hops = [Hop(64496, signer=RFC_A), Hop(65536, signer=RFC_B)]
    made = sign_path(hops, 65537, prefix, k=RFC_K)
    for hop, segment in zip(reversed(hops), made):
        assert segment == signature_segment(hop.ski, der_signature(RFC_R, RFC_S[prefix, hop.asn])), "not the RFC's"
    afi, octets_of_prefix = address(prefix)
    reach = struct.pack(">HBB", afi, 1, len(next_hop)) + next_hop + b"\0" + octets_of_prefix
    # The RFCs' messages have an extended length, and the attribute type that was to be: 30.
    path = secure_path(hops) + block(1, made)
    return update(attribute(1, b"\x02", 0x40) + MED + attribute(14, reach, 0x80) +
                  struct.pack(">BBH", 0x90, 33, len(path)) + path)


def rfc():
    v4, tests = bytes([198, 51, 100, 100]), []
    for number, head in ((8608, bytes.fromhex("FD00")), (8208, bytes.fromhex("20010010"))):
        hop6 = head + bytes(12 - len(head)) + v4
        for name, prefix, hop in ((f"rfc{number}-ipv4", "192.0.2.0/24", v4), (f"rfc{number}-ipv6", "2001:db8::/32", hop6)):
            tests.append(test(name, rfc_update(prefix, hop), 65536, "valid", ref=[f"RFC {number} §A"],
                              path=[65536, 64496], checked=2))
    document("rfc", "The examples of RFC 8608 and RFC 8208", [
        group("bgpsec.rfc", ["RFC 8608 §A"], [RFC_A.record(), RFC_B.record()], tests,
              "The attribute type is 33; the RFCs print 30, which was another's. It is not signed.")],
        ("RFC 8208", "RFC 8608"))


# --- lengths of paths ------------------------------------------------------------------------------------------------

def hops():
    chain = [Hop(64512 + i) for i in range(40)]
    tests = []
    for n in range(1, 41):
        path = chain[:n]
        target = chain[n].asn if n < 40 else LOCAL
        tests.append(test(f"hops-{n}", signed(path, target), path[-1].asn, "valid", local=target,
                          path=[h.asn for h in reversed(path)], checked=n))
    keys = records(*(h.asn for h in chain))
    bad = []
    for n, where in ((32, 0), (32, 1), (32, 15), (32, 31), (40, 0), (40, 39)):
        path = chain[:n]
        target = chain[n].asn if n < 40 else LOCAL
        made = sign_path(path, target, "192.0.2.0/24")
        made[where] = made[where][:-1] + bytes([made[where][-1] ^ 1])
        # Newer signatures cover the one that is bad, so they are made anew; only the bad one is wrong.
        segments = [h.segment() for h in reversed(path)]
        for i in range(where - 1, -1, -1):
            to = target if i == 0 else path[n - i].asn
            hop = path[n - 1 - i]
            made[i] = signature_segment(hop.ski, hop.signer.sign(
                to_be_signed(segments[i:], made[i + 1:], to, 1, "192.0.2.0/24")))
        message = bgpsec_update("192.0.2.0/24", secure_path(path) + block(1, made))
        bad.append(test(f"hops-{n}-bad-{where + 1}", message, path[-1].asn, "not-valid", local=target,
                        reason="signature", checked=where + 1, ref=["RFC 8205 §7.3"],
                        comment=f"signature {where + 1}, counted from the newest, is wrong, all others are good"))
    document("hops", "Paths of 1 to 40 ASes, and early termination", [
        group("bgpsec.hops", ["RFC 8205 §5.2"], keys, tests), group("bgpsec.early", ["RFC 8205 §7.3"], keys, bad)])


# --- the checks of RFC 8205 §5.2, each failing alone -----------------------------------------------------------------

def three():
    return [Hop(64496), Hop(65536), Hop(64497)]


def checks():
    prefix = "192.0.2.0/24"
    h = three()
    made = sign_path(h, LOCAL, prefix)
    good = secure_path(h) + block(1, made)
    segments = b"".join(x.segment() for x in reversed(h))
    keys = records(64496, 65536, 64497)

    def broken(name, path, reason="syntax", comment=None, **kw):
        return test(name, bgpsec_update(prefix, path, **kw), 64497, "withdraw", reason=reason, checked=0, comment=comment)

    one = block(1, made)
    other = block(0xF7, made)
    tests = [
        test("good", bgpsec_update(prefix, good), 64497, "valid", path=[64497, 65536, 64496], checked=3,
             comment="what all the others are made of"),
        broken("secure-path-length-odd", struct.pack(">H", 21) + segments + one),
        broken("secure-path-length-short", struct.pack(">H", 19) + segments + one),
        broken("secure-path-length-one-less", struct.pack(">H", 14) + segments + one,
               comment="a whole segment less than there is: the rest is no Signature_Block"),
        broken("secure-path-length-zero", struct.pack(">H", 0) + segments + one),
        broken("secure-path-without-segment", struct.pack(">H", 2) + block(1, [])),
        broken("secure-path-too-long", struct.pack(">H", 65534) + segments + one),
        broken("attribute-empty", b""),
        broken("attribute-one-octet", b"\0"),
        broken("no-block", secure_path(h)),
        broken("block-length-one-octet", secure_path(h) + b"\0"),
        broken("block-length-zero", secure_path(h) + struct.pack(">HB", 0, 1) + b"".join(made)),
        broken("block-length-two", secure_path(h) + struct.pack(">HB", 2, 1) + b"".join(made)),
        broken("block-too-long", secure_path(h) + struct.pack(">H", len(one) + 1) + one[2:]),
        broken("block-too-short", secure_path(h) + struct.pack(">H", len(one) - 1) + one[2:]),
        broken("block-trailing-octet", good + b"\0"),
        broken("ski-cut-short", secure_path(h) + block(1, made[:2] + [made[2][:19]])),
        broken("signature-cut-short", secure_path(h) + block(1, made[:2] + [made[2][:-1]])),
        broken("three-blocks", good + other + block(0xF8, made)),
        broken("second-block-cut-short", good + other[:-1]),
        broken("two-blocks-of-one-suite", good + one, "suite-repeated"),
        broken("suite-0", secure_path(h) + block(0, made), "suite-reserved"),
        broken("suite-255", secure_path(h) + block(255, made), "suite-reserved"),
        broken("suite-255-second", good + block(255, made), "suite-reserved"),
        broken("flags-transitive", good, flags=0xC0, comment="optional transitive"),
        broken("flags-well-known", good, flags=0x40),
        broken("check-3-one-signature-less", secure_path(h) + block(1, made[:2]), "segments"),
        broken("check-3-one-signature-more", secure_path(h) + block(1, made + made[:1]), "segments"),
        broken("check-3-no-signature", secure_path(h) + block(1, []), "segments"),
        broken("check-3-second-block", good + block(0xF7, made[:2]), "segments",
               "a block that is not even supported must be well formed"),
        broken("check-4-as-path", good, "as-path", extra=AS_PATH),
        broken("nlri-two-prefixes", good, "nlri", raw=nlri(bytes([192, 0, 2]), 24) + nlri(bytes([198, 51, 100]), 24)),
        broken("nlri-no-prefix", good, "nlri", raw=b""),
        test("nlri-in-the-old-field", update(ORIGIN + NEXT_HOP + attribute(33, good, 0x80),
                                              classic=nlri(bytes([192, 0, 2]), 24)), 64497, "withdraw", reason="nlri",
             checked=0, ref=["RFC 8205 §4.1"]),
        test("nlri-in-both-fields", update(ORIGIN + NEXT_HOP + mp_reach(prefix) + attribute(33, good, 0x80),
                                            classic=nlri(bytes([198, 51, 100]), 24)), 64497, "withdraw", reason="nlri",
             checked=0, ref=["RFC 8205 §4.1"]),
        test("beside-a-withdrawal", update(ORIGIN + mp_reach(prefix) + attribute(33, good, 0x80),
                                            withdrawn=nlri(bytes([198, 51, 100]), 24)), 64497, "valid", checked=3,
             comment="only one prefix is advertised"),
        test("origin-missing", update(MED + mp_reach(prefix) + attribute(33, good, 0x80)), 64497, "withdraw",
             reason="update", checked=0, ref=["RFC 7606 §3"]),
        test("origin-undefined", update(attribute(1, b"\x03", 0x40) + mp_reach(prefix) + attribute(33, good, 0x80)),
             64497, "withdraw", reason="update", checked=0, ref=["RFC 7606 §7.1"]),
        test("attribute-twice", update(ORIGIN + mp_reach(prefix) + attribute(33, good, 0x80) +
                                        attribute(33, b"\0", 0x80)), 64497, "valid", checked=3,
             ref=["RFC 7606 §3"], comment="all but the first are discarded"),
        test("no-bgpsec-path", update(ORIGIN + NEXT_HOP + AS_PATH, classic=nlri(bytes([192, 0, 2]), 24)), 64496,
             "unsigned", reason="no-path", checked=0),
        test("check-2-peer-as", bgpsec_update(prefix, good), 64498, "withdraw", reason="peer-as", checked=0),
        test("check-2-not-when-internal", bgpsec_update(prefix, good), LOCAL, "valid", checked=3,
             comment="the newest segment is of the AS that the ingress router heard it from"),
        test("check-5-newest", signed([Hop(64496), Hop(65536, flags=CONFED)]), 65536, "withdraw", reason="confed-set",
             checked=0),
        test("check-5-oldest", signed([Hop(64496, flags=CONFED), Hop(65536)]), 65536, "withdraw", reason="confed-set",
             checked=0),
        test("check-5-other-confederation", signed([Hop(64496), Hop(65536, flags=CONFED)]), 65536, "withdraw",
             reason="confed-set", checked=0, confed={"id": 64500, "members": [65001, 65002]}),
        test("check-5-internal", signed([Hop(64496), Hop(65536, flags=CONFED)]), LOCAL, "withdraw",
             reason="confed-set", checked=0, comment="an internal peer, and no confederation"),
        test("check-7-newest", signed([Hop(64496), Hop(65536, pcount=0)]), 65536, "withdraw", reason="pcount-zero",
             checked=0),
        test("check-7-allowed", signed([Hop(64496), Hop(65536, pcount=0)]), 65536, "valid", path=[64496], checked=2,
             allow_pcount0=True, comment="a route server"),
        test("check-7-older", signed([Hop(64496), Hop(65536, pcount=0), Hop(64497)]), 64497, "valid",
             path=[64497, 64496], checked=3, comment="what others allowed is theirs"),
        test("check-7-internal", signed([Hop(64496), Hop(65536, pcount=0)]), LOCAL, "valid", path=[64496], checked=2,
             ref=["RFC 8206 §5.3"]),
        test("check-8-newest-but-one", signed([Hop(64496), Hop(LOCAL), Hop(64497)]), 64497, "withdraw",
             reason="loop", checked=0),
        test("check-8-origin", signed([Hop(LOCAL), Hop(64497)]), 64497, "withdraw", reason="loop", checked=0),
        test("check-8-pcount-0", signed([Hop(64496), Hop(LOCAL, pcount=0), Hop(64497)]), 64497, "valid",
             path=[64497, 64496], checked=3, keys=keys + records(LOCAL),
             comment="not in the equivalent AS_PATH, so no loop"),
        test("check-8-other-as-of-ours", bgpsec_update(prefix, good), 64497, "withdraw", reason="loop", checked=0,
             own_as=[65536]),
    ]
    pcounts = [
        test("pcount-prepends", signed([Hop(64496, pcount=3), Hop(65536, pcount=2)]), 65536, "valid",
             path=[65536] * 2 + [64496] * 3, checked=2),
        test("pcount-255-twice", signed([Hop(64496, pcount=255), Hop(65536, pcount=255)]), 65536, "valid",
             path=[65536] * 255 + [64496] * 255, checked=2),
        test("pcount-segment-overflows", signed([Hop(64496, pcount=254), Hop(65536, pcount=3)]), 65536, "valid",
             path=[65536] * 3 + [64496] * 254, checked=2),
        test("same-as-twice", signed([Hop(64496), Hop(65536), Hop(65536)]), 65536, "valid",
             path=[65536, 65536, 64496], checked=3, comment="SHOULD NOT be produced (RFC 8205 §4.2), but is no error"),
        test("as-0-and-largest", signed([Hop(0), Hop(4294967295)]), 4294967295, "valid", path=[4294967295, 0],
             checked=2, keys=records(0, 4294967295)),
    ]
    document("checks", "The checks of RFC 8205 §5.2, each failing alone", [
        group("bgpsec.checks", ["RFC 8205 §5.2"], keys, tests),
        group("bgpsec.pcount", ["RFC 8205 §4.4"], keys, pcounts)])


# --- signatures ------------------------------------------------------------------------------------------------------

def der_raw(r, s):
    """Contents of two INTEGERs as given, right or wrong."""
    body = b"\x02" + bytes([len(r)]) + r + b"\x02" + bytes([len(s)]) + s
    return b"\x30" + bytes([len(body)]) + body


def signatures():
    prefix, h = "192.0.2.0/24", three()
    keys = records(64496, 65536, 64497)
    tests = []

    def altered(name, hops_now, checked, comment=None, prefix_now=prefix, suite=1, local=LOCAL):
        path = secure_path(hops_now) + block(suite, sign_path(h, LOCAL, prefix))
        tests.append(test(name, bgpsec_update(prefix_now, path), hops_now[-1].asn, "not-valid", local=local,
                          reason="signature", checked=checked, comment=comment))

    altered("pcount-changed-newest", [Hop(64496), Hop(65536), Hop(64497, pcount=2)], 1)
    altered("pcount-changed-oldest", [Hop(64496, pcount=2), Hop(65536), Hop(64497)], 1)
    altered("flags-changed", [Hop(64496), Hop(65536, flags=1), Hop(64497)], 1, "an unassigned bit is signed, too")
    altered("target-changed", h, 1, "made for another AS than the one that received it", local=65538)
    altered("prefix-changed", h, 1, prefix_now="192.0.3.0/24")
    altered("prefix-length-changed", h, 1, prefix_now="192.0.2.0/25")
    altered("family-changed", h, 1, prefix_now="c000:200::/24",
            comment="the same NLRI octets, of another family")
    tests.append(test("unassigned-flags-signed", signed([Hop(64496, flags=0x7F), Hop(65536, flags=0x01)]), 65536,
                      "valid", path=[65536, 64496], checked=2, ref=["RFC 8205 §3.1"],
                      comment="ignored by the receiver, and covered by the signature"))
    # One hop replayed to another AS: 65536 hands 64496's route on, though 64496 signed for 64499.
    tests.append(test("replayed-to-another-as", signed([Hop(64496, target=64499), Hop(65536)]), 65536, "not-valid",
                      reason="signature", checked=2, comment="the newest is good; the origin did not mean this AS"))
    newest, middle, oldest = sign_path(h, LOCAL, prefix)
    tests.append(test("two-signatures-exchanged", bgpsec_update(prefix, secure_path(h) + block(1, [
        middle, newest, oldest])), 64497, "not-valid", checked=0, reason="no-key",
        comment="the SKIs go with them, so that no key is found"))

    one = [Hop(64496)]
    message = to_be_signed([one[0].segment()], [], LOCAL, 1, prefix)
    r, s = key(64496).rs(message)
    ro, so = octets(r), octets(s)
    rp, sp = (o if o[0] < 0x80 else b"\0" + o for o in (ro, so))
    plain = der_signature(r, s)

    def encoded(name, signature, state="not-valid", comment=None, checked=None):
        path = secure_path(one) + block(1, [signature_segment(key(64496).ski, signature)])
        tests.append(test("der-" + name, bgpsec_update(prefix, path), 64496, state,
                          reason="signature" if state == "not-valid" else "none",
                          checked=1 if checked is None else checked, ref=["RFC 8608 §4"], comment=comment))

    encoded("good", plain, "valid")
    encoded("other-s", der_signature(r, N - s), "valid", "n - s verifies where s does; RFC 8205 does not forbid it")
    encoded("empty", b"")
    encoded("one-octet", b"\x30")
    encoded("trailing-octet", plain + b"\0")
    encoded("trailing-octet-inside", b"\x30" + bytes([plain[1] + 1]) + plain[2:] + b"\0")
    encoded("length-long-form", b"\x30\x81" + plain[1:])
    encoded("length-indefinite", b"\x30\x80" + plain[2:] + b"\0\0")
    encoded("cut-short", plain[:-1])
    encoded("r-idle-zero", der_raw(b"\0" + rp, sp))
    encoded("s-idle-zero", der_raw(rp, b"\0" + sp))
    encoded("r-negative", der_raw(octets(r | 1 << 255), sp))
    encoded("s-negative", der_raw(rp, octets(s | 1 << 255)))
    encoded("r-zero", der_raw(b"\0", sp))
    encoded("s-zero", der_raw(rp, b"\0"))
    encoded("r-and-s-zero", der_raw(b"\0", b"\0"))
    encoded("r-empty", der_raw(b"", sp))
    encoded("r-is-n", der_raw(b"\0" + octets(N), sp))
    encoded("s-is-n", der_raw(rp, b"\0" + octets(N)))
    encoded("r-above-n", der_signature(r + N, s), comment="r + n")
    encoded("s-above-n", der_signature(r, s + N), comment="s + n")
    encoded("r-of-40-octets", der_raw(b"\x01" + bytes(39), sp))
    encoded("r-one-s-one", der_signature(1, 1))
    encoded("r-n-1-s-n-1", der_signature(N - 1, N - 1))
    encoded("set-instead", b"\x31" + plain[1:])
    encoded("raw-r-and-s", ro + so, comment="64 octets without DER")
    encoded("third-integer", b"\x30" + bytes([plain[1] + 3]) + plain[2:] + b"\x02\x01\x01")
    encoded("exchanged", der_signature(s, r))
    document("signatures", "What signatures cover, and how they are written", [
        group("bgpsec.signatures", ["RFC 8205 §5.2"], keys, tests)])


# --- keys ------------------------------------------------------------------------------------------------------------

def keys_file():
    h = [Hop(64496), Hop(65536)]
    good, a, b = signed(h), key(64496), key(65536)
    stranger, second = key(64499), key(64496, "second")
    extra = [key(64496, f"extra {i}").record(ski=a.ski) for i in range(6)]
    off = a.spki[:-1] + bytes([a.spki[-1] ^ 1])
    p384 = base64.b64decode("MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE") + bytes(96)
    compressed = bytes.fromhex("3039301306072A8648CE3D020106082A8648CE3D030107032200") + \
        bytes([2 + (a.point[1] & 1)]) + octets(a.point[0])

    def t(name, keys, state="valid", checked=2, comment=None, message=good, peer=65536, **kw):
        reason = kw.pop("reason", "none" if state == "valid" else "no-key")
        return test(name, message, peer, state, keys=keys, reason=reason, checked=checked, comment=comment, **kw)

    # The path of 64499's making: it names 64496 as the origin and signs with its own key.
    forged = signed([Hop(64496, signer=stranger), Hop(65536)])
    both = signed([Hop(64496, signer=second, ski=a.ski), Hop(65536)])
    repeated = signed([Hop(64496), Hop(65536, signer=a, ski=a.ski)])
    tests = [
        t("keys-both", [a.record(), b.record()]),
        t("keys-none", [], "not-valid", 0),
        t("keys-origin-missing", [b.record()], "not-valid", 1, "spec order: the newest first, then no key"),
        t("keys-newest-missing", [a.record()], "not-valid", 0),
        t("ski-of-another-as", [stranger.record(), b.record()], "not-valid", 1, message=forged,
          comment="the key is there, but as 64499's: who looks for the SKI alone takes 64499 for 64496"),
        t("ski-of-another-as-besides", [stranger.record(), a.record(), b.record()], "not-valid", 1, message=forged,
          comment="as before; 64496 has a key of its own, with another SKI"),
        t("same-ski-other-as", [a.record(asn=64499), b.record()], "not-valid", 1,
          comment="the right key and the right SKI, bound to another AS"),
        t("same-ski-two-ases", [a.record(asn=64499), a.record(), b.record()], comment="one key of two ASes"),
        t("same-ski-two-ases-other-keys", [stranger.record(ski=a.ski), a.record(), b.record()],
          comment="another AS's key under the SKI of 64496's: not to be tried, nor to stop the search"),
        t("as-matches-ski-not", [a.record(ski=bytes(20)), b.record()], "not-valid", 1),
        t("two-keys-of-one-pair", [a.record(), second.record(ski=a.ski), b.record()], checked=3,
          comment="at most: one of them is tried in vain"),
        t("two-keys-of-one-pair-the-other", [a.record(), second.record(ski=a.ski), b.record()], checked=3,
          message=both, comment="who gives up after the first key of a pair fails either this or the one before"),
        t("seven-keys-of-one-pair", extra + [a.record(), b.record()], checked=8),
        t("two-keys-none-fits", [second.record(ski=a.ski), extra[0], b.record()], "not-valid", 3, reason="signature"),
        t("one-key-two-hops", [a.record(), a.record(asn=65536)], message=repeated,
          comment="two ASes sign with the same key"),
        t("key-not-on-the-curve", [a.record(spki=off), b.record()], "not-valid", 1),
        t("key-not-on-the-curve-besides", [a.record(spki=off), a.record(), b.record()]),
        t("key-of-another-curve", [a.record(spki=p384), b.record()], "not-valid", 1),
        t("key-of-another-curve-besides", [a.record(spki=p384), a.record(), b.record()]),
        t("key-compressed", [a.record(spki=compressed), b.record()], "not-valid", 1, ref=["RFC 8608 §3.1"],
          comment="only uncompressed points are public keys of BGPsec"),
        t("key-no-der", [a.record(spki=b"\x30\x00"), b.record()], "not-valid", 1),
        t("record-twice", [a.record(), a.record(), b.record()]),
    ]
    document("keys", "Keys are found by AS and SKI together", [
        group("bgpsec.keys", ["RFC 8205 §5.2"], [], tests)])


# --- two blocks ------------------------------------------------------------------------------------------------------

def blocks():
    prefix, h = "192.0.2.0/24", [Hop(64496), Hop(65536)]
    keys = records(64496, 65536)

    def make(suite, kind):
        made = sign_path(h, LOCAL, prefix, suite)
        if kind == "bad":
            made = [made[0][:-1] + bytes([made[0][-1] ^ 1]), made[1]]
        if kind == "bad-origin":
            origin = made[1][:-1] + bytes([made[1][-1] ^ 1])
            segments = [x.segment() for x in reversed(h)]
            made = [signature_segment(h[1].ski, h[1].signer.sign(
                to_be_signed(segments, [origin], LOCAL, suite, prefix))), origin]
        if kind == "no-key":
            made = [bytes(20) + made[0][20:], made[1]]
        return block(suite, made)

    cost = {"good": 2, "bad": 1, "bad-origin": 2, "no-key": 0}
    tests = []
    for first in cost:
        for second in cost:
            valid = "good" in (first, second)
            checked = cost[first] if first == "good" else cost[first] + cost[second]
            message = bgpsec_update(prefix, secure_path(h) + make(1, first) + make(0xF7, second))
            tests.append(test(f"{first}-then-{second}", message, 65536, "valid" if valid else "not-valid",
                              path=[65536, 64496], checked=checked, algorithms=[1, 0xF7]))
    for kind in cost:
        for name, suites in (("then-unsupported", (1, 0xF7)), ("after-unsupported", (0xF7, 1))):
            parts = [make(s, kind if s == 1 else "good") for s in suites]
            tests.append(test(f"{kind}-{name}", bgpsec_update(prefix, secure_path(h) + b"".join(parts)), 65536,
                              "valid" if kind == "good" else "not-valid", path=[65536, 64496], checked=cost[kind]))
    for suite in (0x02, 0x7F, 0xF6, 0xF7, 0xFA, 0xFB, 0xFE):
        tests.append(test(f"unsupported-{suite:02x}", bgpsec_update(prefix, secure_path(h) + make(suite, "good")), 65536,
                          "unsigned", reason="no-suite", path=[65536, 64496], checked=0,
                          ref=["RFC 8608 §2.1", "RFC 8205 §5.2"]))
    tests.append(test("unsupported-both", bgpsec_update(prefix, secure_path(h) + make(0xF7, "good") + make(0xF8, "bad")),
                      65536, "unsigned", reason="no-suite", path=[65536, 64496], checked=0))
    tests.append(test("unsupported-loop", bgpsec_update(prefix, secure_path(h) + make(0xF7, "good")), 65536, "withdraw",
                      reason="loop", checked=0, own_as=[64496], comment="the checks come before the suites"))
    tests.append(test("only-the-other-supported", bgpsec_update(
        prefix, secure_path(h) + make(1, "bad") + make(0xF7, "good")), 65536, "valid", path=[65536, 64496], checked=2,
        algorithms=[0xF7]))
    moved = secure_path(h) + make(1, "good")[:2] + b"\xf7" + make(1, "good")[3:]
    tests.append(test("suite-changed", bgpsec_update(prefix, moved), 65536, "not-valid", reason="signature", checked=1,
                      algorithms=[1, 0xF7], comment="the suite is signed"))
    document("blocks", "One and two Signature_Blocks, of suites that are supported or not", [
        group("bgpsec.blocks", ["RFC 8205 §5.2"], keys, tests,
              "Suite 247 is for experiments (RFC 8608 §2.1). Where `algorithms` names it, it means ECDSA P-256 with "
              "SHA-256, as suite 1.")])


# --- prefixes --------------------------------------------------------------------------------------------------------

def prefixes():
    import ipaddress
    h, tests = [Hop(64496), Hop(65536)], []
    keys = records(64496, 65536)
    for base, lengths in (("203.0.113.255", (0, 1, 7, 8, 9, 12, 15, 16, 17, 23, 24, 25, 31, 32)),
                          ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                           (0, 1, 3, 8, 19, 29, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128))):
        for length in lengths:
            net = ipaddress.ip_network(f"{base}/{length}", strict=False)
            text, family = str(net), net.version
            tests.append(test(f"ipv{family}-{length}", signed(h, prefix=text), 65536, "valid", path=[65536, 64496],
                              checked=2))
            if length % 8:
                raw = bytes([length]) + ipaddress.ip_address(base).packed[:(length + 7) // 8]
                tests.append(test(f"ipv{family}-{length}-trailing-bits", signed(h, prefix=text, raw=raw), 65536, "valid",
                                  checked=2, comment="bits beyond the length are set on the wire and hashed as 0"))
    document("prefixes", "Prefix lengths that are whole octets and that are not", [
        group("bgpsec.prefixes", ["RFC 8205 §5.2"], keys, tests)])


# --- confederations and migration ------------------------------------------------------------------------------------

def confederations():
    confed = {"id": 64500, "members": [65001, 65002, 65003]}
    asns = (64496, 64499, 64500, 65001, 65002, 65003, 64501)
    keys = records(*asns)
    outside = [Hop(64496), Hop(64499)]
    ingress = Hop(64500, pcount=0, flags=CONFED)  # what the border router adds, signed to its own Member-AS
    m1, m2 = Hop(65001, flags=CONFED), Hop(65002, flags=CONFED)

    def t(name, message, peer, state, local, **kw):
        return test(name, message, peer, state, local=local, confed=confed, **kw)

    inside = outside + [ingress]
    tests = [
        t("border-from-outside", signed(outside, 64500), 64499, "valid", 64500, path=[64499, 64496], checked=2),
        t("border-from-outside-own-member-as", signed(outside, 64500), 64499, "valid", 64500, path=[64499, 64496],
          checked=2, own_as=[65001]),
        t("border-from-outside-flag", signed([Hop(64496), Hop(64499, flags=CONFED)], 64500), 64499, "withdraw", 64500,
          reason="confed-set", checked=0),
        t("internal-of-member", signed(inside, 65001), 65001, "valid", 65001, path=[64499, 64496], checked=3,
          ref=["RFC 8205 §4.3"], comment="what the border router made, inside its own Member-AS"),
        t("member-to-member", signed(inside + [m1], 65002), 65001, "valid", 65002,
          path=[{"confed": [65001]}, 64499, 64496], checked=4),
        t("three-members", signed(inside + [m1, m2], 65003), 65002, "valid", 65003,
          path=[{"confed": [65002, 65001]}, 64499, 64496], checked=5),
        t("member-originates", signed([m1], 65002), 65001, "valid", 65002, path=[{"confed": [65001]}], checked=1),
        t("member-prepends", signed([Hop(65001, pcount=3, flags=CONFED)], 65002), 65001, "valid", 65002,
          path=[{"confed": [65001, 65001, 65001]}], checked=1),
        t("check-6-flag-clear", signed(inside + [Hop(65001)], 65002), 65001, "withdraw", 65002,
          reason="confed-clear", checked=0),
        t("check-2-member", signed(inside + [m1], 65002), 65003, "withdraw", 65002, reason="peer-as", checked=0),
        t("check-7-member", signed(inside + [Hop(65001, pcount=0, flags=CONFED)], 65002), 65001, "withdraw", 65002,
          reason="pcount-zero", checked=0),
        t("check-7-member-allowed", signed(inside + [Hop(65001, pcount=0, flags=CONFED)], 65002), 65001, "valid", 65002,
          path=[64499, 64496], checked=4, allow_pcount0=True),
        t("loop-member", signed(inside + [m2, m1], 65002), 65001, "withdraw", 65002, reason="loop", checked=0,
          ref=["RFC 5065 §4"]),
        t("loop-identifier", signed([Hop(64496), Hop(64500), Hop(64499)], 64500), 64499, "withdraw", 64500,
          reason="loop", checked=0),
        t("loop-identifier-inside", signed([Hop(64496), Hop(64500), Hop(64499), ingress, m1], 65002), 65001, "withdraw",
          65002, reason="loop", checked=0),
        t("target-is-identifier", signed(inside + [m1], 64500), 65001, "not-valid", 65002, reason="signature",
          checked=1, comment="inside, the target is the Member-AS of the OPEN"),
        t("mixed-runs", signed([Hop(64496), Hop(64499, flags=CONFED), Hop(64501), ingress, m1], 65002), 65001, "valid",
          65002, path=[{"confed": [65001]}, 64501, {"confed": [64499]}, 64496], checked=5, ref=["RFC 8205 §4.4"],
          comment="an older Confed_Segment flag: someone else let it out; it is rebuilt where it stands"),
        t("skip-good", signed(inside + [m1], 65002), 65001, "valid", 65002, path=[{"confed": [65001]}, 64499, 64496],
          checked=2, skip_confed=True, ref=["RFC 8205 §4.3"]),
        t("skip-without-keys", signed(inside + [m1], 65002), 65001, "valid", 65002, checked=2, skip_confed=True,
          keys=records(64496, 64499), comment="members' keys need not even be known"),
        t("skip-outside-bad", signed([Hop(64496, target=64501), Hop(64499), ingress, m1], 65002), 65001, "not-valid",
          65002, reason="signature", checked=2, skip_confed=True),
        t("not-skipped", signed(inside + [Hop(65001, flags=CONFED, target=65003)], 65002), 65001, "not-valid", 65002,
          reason="signature", checked=1),
        t("skipped-bad", signed(inside + [Hop(65001, flags=CONFED, target=65003)], 65002), 65001, "valid", 65002,
          checked=2, skip_confed=True, comment="the same message: the member's signature is bad and not looked at"),
        test("egress-stripped", signed(outside + [Hop(64500)], 64501), 64500, "valid", local=64501,
             path=[64500, 64499, 64496], checked=3, comment="what leaves the confederation"),
        test("egress-not-stripped", signed(inside + [m1, Hop(64500)], 64501), 64500, "withdraw", local=64501,
             reason="confed-set", checked=0),
    ]
    old, new, ce = 64510, 64500, 64496
    mkeys = records(ce, 64499, old, new, 64505)
    migration = [
        test("outbound", signed([Hop(64499), Hop(new, pcount=0), Hop(old)], ce), old, "valid", local=ce,
             path=[old, 64499], checked=3, ref=["RFC 8206 §5.1"], comment="PE-1 to CE-1: signed for both ASes"),
        test("inbound-from-customer", signed([Hop(ce)], old), ce, "valid", local=old, own_as=[new], path=[ce], checked=1,
             ref=["RFC 8206 §5.2"], comment="CE-1 to PE-1, which says that it is still the old AS"),
        test("inbound-over-ibgp", signed([Hop(ce), Hop(old, pcount=0)], new), new, "valid", local=new, path=[ce],
             checked=2, ref=["RFC 8206 §5.3"], comment="PE-1 to PE-2"),
        test("inbound-over-ibgp-old-as", signed([Hop(ce), Hop(old, pcount=0)], new), old, "valid", local=new, path=[ce],
             internal=True, checked=2, ref=["RFC 8206 §5.3"],
             comment="iBGP though the peer's OPEN has the old AS (RFC 7705 §4)"),
        test("inbound-not-internal", signed([Hop(ce), Hop(old, pcount=0)], new), old, "withdraw", local=new,
             reason="pcount-zero", checked=0, comment="the same message from a peer that is not taken for internal"),
        test("inbound-onwards", signed([Hop(ce), Hop(old, pcount=0), Hop(new)], 64505), new, "valid", local=64505,
             path=[new, ce], checked=3, ref=["RFC 8206 §5.4"], comment="PE-2 to 64505: length 2, not 3"),
        test("loop-through-the-new-as", signed([Hop(64499), Hop(new), Hop(ce)], old), ce, "withdraw", local=old,
             own_as=[new], reason="loop", checked=0, comment="the router goes by two AS numbers"),
    ]
    document("confed", "Confederations and AS migration", [
        group("bgpsec.confed", ["RFC 8205 §4.3", "RFC 8205 §5.2"], keys, tests),
        group("bgpsec.migration", ["RFC 8206 §5"], mkeys, migration)], ("RFC 8205", "RFC 8206"))


def main():
    rfc(), hops(), checks(), signatures(), keys_file(), blocks(), prefixes(), confederations()
    changed = []
    for name, content in ALL:
        text = json.dumps(content, indent=1, ensure_ascii=False)
        path = os.path.join(HERE, name + ".json")
        old = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        if old != text + "\n":
            changed.append(name)
            if "--check" not in sys.argv:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text + "\n")
    if "--check" in sys.argv and changed:
        sys.exit("would change: " + ", ".join(changed))


main()
