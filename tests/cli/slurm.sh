#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"

cat >a.json <<'J'
{"roas":[{"asn":64500,"prefix":"192.0.2.0/24","maxLength":24,"expires":1895305600},
{"asn":64496,"prefix":"192.0.0.0/16","maxLength":24},{"asn":64501,"prefix":"2001:db8::/32","maxLength":48},
{"asn":64502,"prefix":"198.51.100.0/24","expires":100}],
"aspas":[{"customer_asid":64496,"providers":[64501]},{"customer_asid":64510,"providers":[1]}],
"bgpsec_keys":[{"asn":64496,"ski":"88C5DE295A3276D69E9BB7469BD46EF972DE32AC","pubkey":"MAA="}]}
J
cat >good.json <<'J'
{ "slurmVersion": 2,
  "validationOutputFilters": {
    "prefixFilters": [ { "prefix": "192.0.2.0/24", "comment": "gone\nfor good" }, { "asn": 7 } ],
    "bgpsecFilters": [ { "asn": 64496 } ],
    "aspaFilters": [ { "customerAsid": 64510 } ] },
  "locallyAddedAssertions": {
    "prefixAssertions": [ { "asn": 64500, "prefix": "203.0.113.0/24", "maxPrefixLength": 25 },
                          { "asn": 64496, "prefix": "192.0.0.0/16", "maxPrefixLength": 24 } ],
    "bgpsecAssertions": [],
    "aspaAssertions": [ { "customerAsn": 64496, "providerAsns": [64502] } ] } }
J
cat >bad.json <<'J'
{ "slurmVersion": 1,
  "validationOutputFilters": {
    "prefixFilters": [ { "asn": 1 },
      { "prefix": "192.0.2.1/24" } ],
    "bgpsecFilters": [ {} ] },
  "locallyAddedAssertions": { "prefixAssertions": [] } }
J
cat >other.json <<'J'
{ "slurmVersion": 1,
  "validationOutputFilters": { "prefixFilters": [], "bgpsecFilters": [] },
  "locallyAddedAssertions": {
    "prefixAssertions": [ { "asn": 1, "prefix": "203.0.113.128/25" } ],
    "bgpsecAssertions": [] } }
J
now="--now 1795219200"

try slurm
exits 2 "nothing asked"
try slurm frobnicate good.json
exits 2 "something unknown"
try slurm check
exits 2 "no file"
try slurm check --report good.json
exits 2 "an option of apply"
try slurm apply good.json
exits 2 "no payloads"
try slurm apply --payloads a.json
exits 2 "no SLURM file"
try slurm apply --payloads a.json --format xml good.json
exits 2 "an unknown format"
try slurm apply --payloads a.json --json good.json
exits 2 "--json without --report"
try slurm check nowhere.json
exits 1 "no such file"
has err "nowhere.json: No such file or directory" "named"

try slurm check bad.json
exits 1 "a bad file"
prints out "every error, with line and pointer" <<'T'
bad.json:4: /validationOutputFilters/prefixFilters/1/prefix: must be a string, an IPv4 or IPv6 prefix without bits set beyond its length (RFC 8416 §3.3.1)
bad.json:5: /validationOutputFilters/bgpsecFilters/0: needs an "asn", an "SKI" or both (RFC 8416 §3.3.2)
bad.json:6: /locallyAddedAssertions: the member "bgpsecAssertions" is missing (RFC 8416 §3.2)
T
try slurm check bad.json --json
exits 1 "the same as JSON"
has out '"good": false' "not good"
has out '"pointer": "/validationOutputFilters/bgpsecFilters/0"' "the pointer"

try slurm check good.json
exits 0 "a good file"
prints out "its warning and what it holds" <<'T'
good.json:5: warning: /validationOutputFilters/aspaFilters/0/customerAsid: should be named "customerAsn" (draft-ietf-sidrops-aspa-slurm-04 §3.1)
good.json: good, slurmVersion 2: 4 filters (2 prefix, 1 BGPsec, 1 ASPA), 3 assertions (2 prefix, 0 BGPsec, 1 ASPA)
T
try slurm check --strict good.json
exits 1 "strictly it is bad"
try slurm check --json good.json
has out '"prefixFilters": 2' "counted as JSON"
try slurm check good.json other.json
exits 1 "files that overlap"
has out "other.json:4: /locallyAddedAssertions/prefixAssertions/0: has addresses in common with good.json:7: /locallyAddedAssertions/prefixAssertions/0 (RFC 8416 §4.2)" "both are named"
try slurm check other.json
exits 0 "each is good alone"

try slurm apply --payloads a.json --slurm good.json $now
exits 0 "apply"
prints out "the payloads that result" <<'T'
{
"metadata": {"buildtime": "2026-11-21T00:00:00Z", "vrps": 3, "bgpsec_pubkeys": 0, "aspas": 1, "ccr_vrps_hash": "8HWKYk66b+YercsH23j4WQ3ylxplpIZzGCK8F0zQlFE=", "ccr_vaps_hash": "YKTcJpfoMlN8P40+BHS2WTJVD7jGYjZdOoPfEgQhbkI=", "ccr_brks_hash": "5PYNCqbX89O2pklLHIYbmfZJxvnsUauvIBsg8pcyfJU="},
"roas": [
{"asn": 64496, "prefix": "192.0.0.0/16", "maxLength": 24},
{"asn": 64500, "prefix": "203.0.113.0/24", "maxLength": 25},
{"asn": 64501, "prefix": "2001:db8::/32", "maxLength": 48}
],
"bgpsec_keys": [
],
"aspas": [
{"customer_asid": 64496, "providers": [64501, 64502]}
]
}
T
cp out result.json
try payloads summary result.json
exits 0 "which are payloads again"
try slurm apply --payloads a.json good.json --format csv $now
prints out "as CSV" <<'T'
ASN,IP Prefix,Max Length,Trust Anchor,Expires
AS64496,192.0.0.0/16,24,,
AS64500,203.0.113.0/24,25,,
AS64501,2001:db8::/32,48,,
T
has err "csv has no place for 1 ASPAs and 0 router keys: they are left out" "what CSV leaves out"
try slurm apply --payloads a.json good.json --report $now
exits 0 "the report"
prints out "what matched and what is new" <<'T'
good.json:3: /validationOutputFilters/prefixFilters/0: 192.0.2.0/24: matches 1  (gone?for good)
good.json:3: /validationOutputFilters/prefixFilters/1: AS7: matches 0
good.json:4: /validationOutputFilters/bgpsecFilters/0: AS64496: matches 1
good.json:5: /validationOutputFilters/aspaFilters/0: AS64510: matches 1
good.json:7: /locallyAddedAssertions/prefixAssertions/0: 203.0.113.0/24-25 AS64500: new
good.json:8: /locallyAddedAssertions/prefixAssertions/1: 192.0.0.0/16-24 AS64496: there already
good.json:10: /locallyAddedAssertions/aspaAssertions/0: AS64496 with AS64502: new
VRPs         3 in, 1 filtered, 3 out
ASPAs        2 in, 1 filtered, 1 out
router keys  1 in, 1 filtered, 0 out
T
try slurm apply --payloads a.json good.json --report --json $now
has out '"matches": 1' "the report as JSON"
has out '"comment": "gone\nfor good"' "comments are kept"

try slurm apply --payloads a.json good.json -o new.json $now
exits 0 "into a file"
cmp -s new.json result.json
verdict $? "the same as on standard output"
try slurm apply --payloads a.json bad.json -o new.json
exits 1 "a bad file"
has err "bad.json:4:" "said on standard error"
cmp -s new.json result.json
verdict $? "what was there stays"
try slurm apply --payloads a.json good.json -o nowhere/new.json
exits 1 "a folder that is not there"
try slurm apply --payloads nowhere.json good.json
exits 1 "payloads that are not there"
[ -z "$(ls new.json.* 2>/dev/null)" ]
verdict $? "nothing is left over"

finish
