#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

cat >all.json <<'J'
{"roas":[{"asn":64500,"prefix":"192.0.2.0/24","maxLength":24,"ta":"t","expires":1895305600},
{"asn":64501,"prefix":"192.0.2.0/24","maxLength":25},
{"asn":64501,"prefix":"192.0.0.0/16","maxLength":24},
{"asn":64501,"prefix":"192.0.0.0/24","maxLength":24},
{"asn":0,"prefix":"::/0","maxLength":0},
{"asn":4294967295,"prefix":"2001:db8::/32","maxLength":48}],
"aspas":[{"customer_asid":64500,"providers":[64501,64502],"expires":1895305600},{"customer_asid":64510,"providers":[0]}],
"bgpsec_keys":[{"asn":65542,"ski":"88C5DE295A3276D69E9BB7469BD46EF972DE32AC","pubkey":
"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE64mxtNmdKd1bxIjgWrGJutr11LDeA56L8cc1NLL/WW9RZ+rbi+G4rFSvfrEjxzRPt6tcNWpgEINq7tOR7J5dAg=="}]}
J
cat >vrps.json <<'J'
{"roas":[{"asn":64500,"prefix":"192.0.2.0/24","maxLength":24},{"asn":64501,"prefix":"2001:db8::/32","maxLength":48}]}
J
now="--now 1795219200"

try payloads convert all.json -
exits 2 "no format"
try payloads convert all.json - --to sgml
exits 2 "no such format"
has err "rpki-client (or json), routinator" "the formats are named"
try payloads convert all.json --to ccr
exits 2 "nowhere to write"
try payloads summary all.json --to ccr
exits 2 "a format, and nothing to convert"
try payloads convert nowhere.json - --to ccr
exits 1 "nothing to read"
try payloads convert all.json nowhere/out.ccr --to ccr
exits 1 "no folder to write to"

# Every pair that can hold all of it: the same records, the same hashes.
"$WAYWARDEN" payloads hash all.json $now >want
for a in rpki-client routinator ccr; do
  try payloads convert all.json "a.$a" --to $a $now --strict
  exits 0 "to $a"
  for b in rpki-client routinator ccr; do
    try payloads convert "a.$a" "b.$b" --to $b $now --strict
    exits 0 "from $a to $b"
    "$WAYWARDEN" payloads hash "b.$b" $now >have
    cmp -s want have
    verdict $? "from $a to $b, the same hashes"
  done
done
try payloads diff all.json b.ccr $now
exits 0 "no difference after three conversions"
try payloads convert a.rpki-client - --to rpki-client $now
cmp -s out a.rpki-client
verdict $? "rpki-client to itself, expiry and all, octet for octet"
has a.rpki-client '"expires": 1895305600' "expiry is kept"

# Every pair, VRPs alone.
"$WAYWARDEN" payloads hash vrps.json >want
for a in rpki-client routinator stayrtr rtrtr csv csv-routinator ccr; do
  for b in rpki-client routinator stayrtr rtrtr csv csv-routinator ccr; do
    "$WAYWARDEN" payloads convert vrps.json - --to $a --strict >one && "$WAYWARDEN" payloads convert one two --to $b --strict &&
      "$WAYWARDEN" payloads hash two >have && cmp -s want have
    verdict $? "VRPs from $a to $b"
  done
done

# What does not fit.
try payloads convert all.json out.csv --to csv $now
exits 0 "to CSV"
has err "csv has no place for 2 ASPAs and 1 router keys: they are left out" "what is lost is counted"
try payloads convert all.json strict.csv --to csv $now --strict
exits 1 "an error, if strict"
[ ! -e strict.csv ]
verdict $? "and nothing is written"
try payloads convert all.json out.ccr --to ccr $now
has err "ccr does not say when records expire: 2 lose it" "lost expiry is said"

# Text for routing daemons.
try payloads convert all.json - --to openbgpd $now
prints out "openbgpd" <<'T'
# VRPs and ASPAs of 2026-11-21T00:00:00Z
roa-set {
	192.0.0.0/16 maxlen 24 source-as 64501
	192.0.0.0/24 source-as 64501
	192.0.2.0/24 source-as 64500 expires 1895305600
	192.0.2.0/24 maxlen 25 source-as 64501
	::/0 source-as 0
	2001:db8::/32 maxlen 48 source-as 4294967295
}

aspa-set {
	customer-as 64500 expires 1895305600 provider-as { 64501, 64502 }
	customer-as 64510 provider-as { 0 }
}
T
try payloads convert all.json - --to bird $now
has out "	route 192.0.2.0/24 max 25 as 64501;" "bird: a VRP"
has out "	route aspa 64500 providers 64501, 64502;" "bird: an ASPA"

# A CCR keeps its time, packed or not, whatever it is called.
try payloads convert vrps.json odd.name --to ccr --now 2026-05-15T00:00:10Z
gzip -c odd.name >packed.json
try payloads summary packed.json
has out "CCR           of 2026-05-15T00:00:10Z, with 0 manifests and 0 trust anchors" "a packed CCR"
try payloads convert packed.json copy --to ccr
cmp -s copy odd.name
verdict $? "a copy is the same, its time included"
try check --payloads packed.json 192.0.2.0/24 AS64500
exits 0 "check reads CCR"
has out "valid" "and answers from it"
head -c 100 odd.name >cut.ccr
try payloads summary cut.ccr
exits 1 "a CCR cut short"
has err "cut short" "and says so"

# The hashes in rpki-client's metadata.
sed 's/"maxLength": 25/"maxLength": 26/' a.rpki-client >changed.json
try payloads summary changed.json $now
exits 0 "a wrong hash is a warning"
has err "warning: metadata.ccr_vrps_hash is not the hash of the records in the file" "which names it"
try payloads summary changed.json $now --strict
exits 1 "and an error if strict"
try payloads summary a.rpki-client --now 1900000000 --strict
exits 0 "the hash covers records that have expired since"
has out "expired       2 of 9 records, dropped" "which are dropped all the same"

finish
