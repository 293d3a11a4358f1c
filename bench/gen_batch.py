#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What bench/check_batch.sh asks: gen_batch.py ROUTES.csv OUT [ROUTES]

Takes the prefixes and origins of gen_vrps.py's OUT-routes.csv and gives each a path of 6 ASes that follows random ASPAs:
climbing all the way (role provider), or climbing and coming down again (role customer); one in eight has a leak or an AS
without an ASPA. Writes
  OUT-aspas.json   100,000 ASPAs of 1 to 8 providers, half of the origins among them
  OUT.ndjson       {"prefix", "as_path", "role"}, one a line
  OUT-origin.ndjson   {"prefix", "origin"}, one a line
"""
import json
import random
import sys

CUSTOMERS, HOPS = 100000, 6


def main():
    routes, out = sys.argv[1], sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1000000
    rng = random.Random(8210)
    lines = [line.rstrip("\n").split(",") for line in open(routes)][:count]
    origins = sorted({int(asn) for _, asn in lines})
    customers = rng.sample(origins, min(len(origins) // 2, CUSTOMERS))
    taken = set(origins)
    while len(customers) < CUSTOMERS:
        asn = rng.randrange(400000, 4000000)
        if asn not in taken:
            taken.add(asn)
            customers.append(asn)
    providers = {asn: sorted(rng.sample(customers, rng.randint(1, 8))) for asn in customers}
    with open(out + "-aspas.json", "w") as f:
        aspas = ({"customer_asid": asn, "providers": providers[asn], "expires": 4102444800} for asn in sorted(customers))
        f.write('{"aspas":[\n' + ",\n".join(map(json.dumps, aspas)) + "\n]}\n")

    def climb(asn, hops):
        path = [asn]
        while len(path) < hops:
            path.append(rng.choice(providers.get(path[-1]) or customers))
        return path

    with open(out + ".ndjson", "w") as f, open(out + "-origin.ndjson", "w") as g:
        for prefix, origin in lines:
            g.write('{"prefix":"%s","origin":%s}\n' % (prefix, origin))
            down = rng.random() < 0.5
            up = climb(int(origin), rng.randint(1, HOPS - 1) if down else HOPS)
            path = (climb(rng.choice(customers), HOPS - len(up)) if down else []) + up[::-1]
            if rng.random() < 0.125:
                path[rng.randrange(HOPS - 1)] = rng.choice(customers)
            f.write('{"prefix":"%s","as_path":%s,"role":"%s"}\n' %
                    (prefix, json.dumps(path, separators=(",", ":")), "customer" if down else "provider"))


main()
