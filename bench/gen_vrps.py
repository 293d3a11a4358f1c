#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Synthetic, realistically distributed VRP set.  Fixed PRNG seed -> byte-identical output.

usage: gen_vrps.py [-n 700000] [-s 8210] [-o vrps] [--routes 1000000] [--aspas N] [--rkeys N]
writes  <o>.json   (rpki-client style JSON: metadata, roas, aspas, bgpsec_keys)
        <o>.csv    (asn,prefix,maxlen,ta)   same order
        <o>-routes.csv  (prefix,origin)     ~60 % derived from VRPs (valid / wrong-AS / too-long), ~40 % random (mostly not-found)
        <o>-bird.conf   (BIRD 2 static roa4/roa6 protocols)

Distribution (modelled on the public 2024-25 VRP sets: ~80 % v4):
  v4 length: /24 58 %, /23 9, /22 13, /21 5, /20 6, /19 4, /18 2, /17 1, /16 2
  v6 length: /32 25, /48 45, /40 8, /44 7, /36 6, /33-/35 4, /29->/32 none, others 5
  maxlen: 75 % == plen; 15 % == 24 (48 for v6); 10 % uniform plen..24/48
  15 % of v4 entries are more-specifics of an earlier v4 entry (same AS 60 %, other AS 40 %)
  3 % of the entries repeat an earlier prefix with another AS (multi-origin)
  ASNs: 75k distinct, Zipf-ish (power law) so that big holders have thousands of VRPs
"""
import argparse, json, random, ipaddress, socket, struct, base64, hashlib, os

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('-n', type=int, default=700000)
    ap.add_argument('-s', type=int, default=8210)
    ap.add_argument('-o', default='vrps')
    ap.add_argument('--routes', type=int, default=1000000)
    ap.add_argument('--aspas', type=int, default=0)
    ap.add_argument('--rkeys', type=int, default=0)
    a = ap.parse_args()
    R = random.Random(a.s)
    asns = []
    seen = set()
    while len(asns) < 75000:
        x = R.choice((R.randrange(1, 64496), R.randrange(131072, 400000)))
        if x not in seen: seen.add(x); asns.append(x)
    def asn(): return asns[min(74999, int(75000 * R.random() ** 2.2))]
    l4 = [24]*58+[23]*9+[22]*13+[21]*5+[20]*6+[19]*4+[18]*2+[17]*1+[16]*2
    l6 = [32]*25+[48]*45+[40]*8+[44]*7+[36]*6+[33,34,35,35]+[38,42,45,46,47]
    # first octets of real unicast space only
    oct4 = [o for o in range(1, 224) if o not in (10, 127, 0, 100, 169, 172, 192, 198, 203)]
    oct6 = [0x2001, 0x2400, 0x2401, 0x2402, 0x2403, 0x2404, 0x2405, 0x2406, 0x2407, 0x240e, 0x2600, 0x2602, 0x2604,
            0x2605, 0x2606, 0x2607, 0x2620, 0x2800, 0x2801, 0x2803, 0x2804, 0x2806, 0x2a00, 0x2a01, 0x2a02, 0x2a03,
            0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a09, 0x2a0a, 0x2a0b, 0x2a0c, 0x2a0d, 0x2a0e, 0x2a0f, 0x2a10, 0x2a12,
            0x2a13, 0x2a14, 0x2c0e, 0x2c0f]
    def mlen(p, top):
        if p >= top: return p
        r = R.random()
        if r < .75: return p
        if r < .90: return top
        return R.randint(p, top)
    V = []; S = set(); v4 = []
    n4 = int(a.n * .8)
    while len(v4) < n4:
        r = R.random()
        if v4 and r < .15:                      # more specific of an earlier one
            p, l, m, o = R.choice(v4)
            if l >= 24: continue
            nl = R.randint(l + 1, 24)
            np = p | (R.getrandbits(nl - l) << (32 - nl))
            e = (np, nl, mlen(nl, 24), o if R.random() < .6 else asn())
        elif v4 and r < .18:                    # multi origin
            p, l, m, o = R.choice(v4); e = (p, l, m, asn())
        else:
            l = R.choice(l4)
            p = (R.choice(oct4) << 24 | R.getrandbits(24)) >> (32 - l) << (32 - l)
            e = (p, l, mlen(l, 24), asn())
        if e in S: continue
        S.add(e); v4.append(e)
    S.clear(); v6 = []
    while len(v6) < a.n - n4:
        l = R.choice(l6)
        if v6 and R.random() < .12:
            p, ll, m, o = R.choice(v6)
            if ll >= 48: continue
            l = R.randint(ll + 1, 48); p |= R.getrandbits(l - ll) << (128 - l)
            e = (p, l, mlen(l, 48), o)
        else:
            p = ((R.choice(oct6) << 112) | (R.getrandbits(32) << 80)) >> (128 - l) << (128 - l)
            e = (p, l, mlen(l, 48), asn())
        if e in S: continue
        S.add(e); v6.append(e)
    def f4(p): return socket.inet_ntoa(struct.pack('>I', p))
    def f6(p): return socket.inet_ntop(socket.AF_INET6, p.to_bytes(16, 'big'))
    T = ('ripe', 'arin', 'apnic', 'lacnic', 'afrinic')
    allv = [(f4(p), l, m, o) for p, l, m, o in v4] + [(f6(p), l, m, o) for p, l, m, o in v6]
    R.shuffle(allv)
    exp = 4102444800          # 2100-01-01, so that nothing expires
    with open(a.o + '.json', 'w') as f:
        f.write('{"metadata":{"generated":1700000000,"buildtime":"2023-11-14T22:13:20Z","vrps":%d,"counts":%d,"valid":1700000000},\n"roas":[\n' % (len(allv), len(allv)))
        f.write(',\n'.join('{"asn":%d,"prefix":"%s/%d","maxLength":%d,"ta":"%s","expires":%d}' % (o, p, l, m, T[i % 5], exp) for i, (p, l, m, o) in enumerate(allv)))
        f.write('\n],\n"bgpsec_keys":[\n')
        ks = []
        for i in range(a.rkeys):   # SPKI of a P-256 point; need not be on the curve for caches
            pub = b'\x04' + hashlib.sha512(b'k%d' % i).digest()
            spki = bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d030107034200') + pub
            ks.append('{"asn":%d,"ski":"%s","pubkey":"%s","ta":"ripe","expires":%d}' % (asns[i], hashlib.sha1(pub).hexdigest().upper(), base64.b64encode(spki).decode(), exp))
        f.write(',\n'.join(ks))
        f.write('\n],\n"aspas":[\n')
        f.write(',\n'.join('{"customer_asid":%d,"expires":%d,"providers":%s}' % (asns[i], exp, json.dumps(sorted(R.sample(asns, min(R.randint(1, 8), 8))))) for i in range(a.aspas)))
        f.write('\n]}\n')
    with open(a.o + '.csv', 'w') as f:
        for i, (p, l, m, o) in enumerate(allv): f.write('%d,%s/%d,%d,%s\n' % (o, p, l, m, T[i % 5]))
    with open(a.o + '-bird.conf', 'w') as f:
        f.write('roa4 table r4;\nroa6 table r6;\nprotocol static sroa4 { roa4 { table r4; };\n')
        for p, l, m, o in allv:
            if ':' not in p: f.write('route %s/%d max %d as %d;\n' % (p, l, m, o))
        f.write('}\nprotocol static sroa6 { roa6 { table r6; };\n')
        for p, l, m, o in allv:
            if ':' in p: f.write('route %s/%d max %d as %d;\n' % (p, l, m, o))
        f.write('}\n')
    # routes
    rs = {}
    n = 0
    while len(rs) < a.routes:
        r = R.random(); six = R.random() < .18
        if r < .60:                             # derived from a VRP
            p, l, m, o = R.choice(v6 if six else v4)
            w, top = (128, 48) if six else (32, 24)
            q = R.random()
            if q < .80: nl = R.randint(l, m); oo = o                       # valid
            elif q < .90: nl = l; oo = asn()                               # wrong AS mostly
            else: nl = min(R.randint(l, top) , w); oo = o                  # perhaps too long
            p |= R.getrandbits(nl - l) << (w - nl) if nl > l else 0
            l, o = nl, oo
        elif six:
            l = R.choice(l6); p = ((R.choice(oct6) << 112) | (R.getrandbits(32) << 80)) >> (128 - l) << (128 - l); o = asn()
        else:
            l = R.choice(l4); p = (R.choice(oct4) << 24 | R.getrandbits(24)) >> (32 - l) << (32 - l); o = asn()
        k = (six, p, l)
        if k in rs: continue
        rs[k] = o
    items = list(rs.items()); R.shuffle(items)
    with open(a.o + '-routes.csv', 'w') as f:
        for (six, p, l), o in items: f.write('%s/%d,%d\n' % ((f6 if six else f4)(p), l, o))
main()
