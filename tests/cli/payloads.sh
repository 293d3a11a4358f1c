#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

cat >a.json <<'J'
{"roas":[{"asn":64500,"prefix":"192.0.2.0/24","maxLength":24,"ta":"t","expires":1795305600},
{"asn":64501,"prefix":"192.0.2.0/24","maxLength":25,"ta":"t"},
{"asn":64501,"prefix":"2001:db8::/32","maxLength":48,"expires":1895305600},
{"asn":64502,"prefix":"198.51.100.0/24","expires":100}],
"aspas":[{"customer_asid":64500,"providers":[64501]},{"customer_asid":64510,"providers":[1]}],
"bgpsec_keys":[{"asn":65542,"ski":"88C5DE295A3276D69E9BB7469BD46EF972DE32AC","pubkey":"MAA="}]}
J
cat >b.json <<'J'
{"roas":[{"asn":64501,"prefix":"192.0.2.0/24","maxLength":25},
{"asn":64500,"prefix":"192.0.2.0/24","maxLength":26},
{"asn":64501,"prefix":"2001:db8::/32","maxLength":48}],
"aspas":[{"customer_asid":64500,"providers":[64501,64502]},{"customer_asid":64511,"providers":[1]}]}
J
now="--now 1795219200"

try payloads
exits 2 "nothing asked"
try payloads frobnicate a.json
exits 2 "something unknown"
try payloads summary
exits 2 "no file"
try payloads summary a.json b.json
exits 2 "two files"
try payloads diff a.json
exits 2 "nothing to compare with"
try payloads summary --now yesterday a.json
exits 2 "a time that is none"
try payloads hash nowhere.json
exits 1 "no such file"
try payloads summary --store nowhere
exits 4 "no store"
echo '{"roas":[{"asn":1,"prefix":"10.0.0.1/8"}]}' >bad.json
try payloads hash bad.json
exits 1 "a bad record"
has err "bad.json:1: roas[0].prefix: the prefix has bits set beyond its length" "named by file, line and place"

try payloads summary a.json $now
exits 0 "summary"
prints out "summary" <<'T'
a.json
  VRPs          3: 2 IPv4, 1 IPv6, of 2 AS numbers
  ASPAs         2
  router keys   1
  expiry        from 2026-11-22T00:00:00Z to 2030-01-22T09:46:40Z
                4 without one
  expired       1 of 7 records, dropped
T
try payloads summary a.json --json --ignore-expiry
has out '"vrps": 4' "summary as JSON, expiry ignored"
has out '"distinct_asns": 3' "AS numbers"
has out '"earliest_expiry": "1970-01-01T00:01:40Z"' "the earliest expiry"

# The draft's example, and that order does not matter.
cat >draft.csv <<'J'
ASN,IP Prefix,Max Length
65551,3fff::/32,32
65550,3fff::/32,32
65536,198.51.100.0/24,28
65536,2001:db8::/48,48
0,192.0.2.0/24,24
J
try payloads hash draft.csv
prints out "CCR hashes" <<'T'
vrps   D7GXkab9xejDm5KqaoYNDnApeP+5BX/9ExEBesfHTHo=
aspas  5PYNCqbX89O2pklLHIYbmfZJxvnsUauvIBsg8pcyfJU=
keys   5PYNCqbX89O2pklLHIYbmfZJxvnsUauvIBsg8pcyfJU=
client D7GXkab9xejDm5KqaoYNDnApeP+5BX/9ExEBesfHTHo=
T
"$WAYWARDEN" payloads hash - --json <draft.csv >out 2>err
has out '"roas_hash": "D7GXkab9xejDm5KqaoYNDnApeP+5BX/9ExEBesfHTHo="' "from standard input, as JSON"

try payloads diff a.json a.json $now
exits 0 "no difference"
[ ! -s out ]
verdict $? "and nothing is printed"
try payloads diff a.json b.json $now
exits 1 "a difference"
prints out "the differences" <<'T'
- vrp 192.0.2.0/24-24 AS64500
+ vrp 192.0.2.0/24-26 AS64500
~ aspa AS64500: AS64501 -> AS64501 AS64502
- aspa AS64510: AS1
+ aspa AS64511: AS1
- router-key AS65542 88C5DE295A3276D69E9BB7469BD46EF972DE32AC MAA=
T
try payloads diff a.json b.json $now --json
exits 1 "a difference, as JSON"
has out '"changed": [' "as JSON"

# A store is compared and hashed like a file.
"$MAKE_STORE" store one a.json && "$MAKE_STORE" store two b.json && "$MAKE_STORE" single one draft.csv
try payloads summary --store store $now
prints out "a store by source, and together" <<'T'
epoch 2
source one
  type          file
  last update   2026-11-21T00:00:00Z
  VRPs          3: 2 IPv4, 1 IPv6, of 2 AS numbers
  ASPAs         2
  router keys   1
  expiry        from 2026-11-22T00:00:00Z to 2030-01-22T09:46:40Z
                4 without one
  expired       1 of 7 records, dropped
source two
  type          file
  last update   2026-11-21T00:00:00Z
  VRPs          3: 2 IPv4, 1 IPv6, of 2 AS numbers
  ASPAs         2
  router keys   0
                5 without one
all complete sources
  VRPs          4: 3 IPv4, 1 IPv6, of 2 AS numbers
  ASPAs         3
  router keys   1
  expiry        from 2026-11-22T00:00:00Z to 2026-11-22T00:00:00Z
                7 without one
T
try payloads diff single draft.csv
exits 0 "a folder is a store"
try payloads hash --store single
has out "D7GXkab9xejDm5KqaoYNDnApeP+5BX/9ExEBesfHTHo=" "the hash of a store"

finish
