#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

cat >main.json <<'J'
{"roas":[{"asn":64500,"prefix":"192.0.2.0/24","maxLength":24,"ta":"t","expires":1795305600},
{"asn":64501,"prefix":"192.0.2.0/23","maxLength":25,"ta":"t"},
{"asn":0,"prefix":"198.51.100.0/24","ta":"t"},
{"asn":64500,"prefix":"2001:db8::/32","maxLength":48}]}
J
cat >second.csv <<'J'
ASN,IP Prefix,Max Length,Trust Anchor
AS64500,192.0.2.0/24,24,ripe
J
sed -i 's,192.0.2.0/23,192.0.2.0/24,' main.json
now="--now 2026-11-21T00:00:00Z"

# Bad usage and bad input first.
try check 192.0.2.0/24 64500
exits 2 "no payloads"
try check 192.0.2.0/24 --payloads main.json
exits 2 "no route"
try check 192.0.2.0/24 64500 --payloads main.json --store .
exits 2 "payloads and store"
try check 192.0.2.1/24 64500 --payloads main.json
exits 2 "host bits"
has err "192.0.2.1/24 has bits set beyond its length" "host bits are named"
try check 192.0.2.0/33 64500 --payloads main.json
exits 2 "a length of 33"
try check 192.0.2.0/24 AS4294967296 --payloads main.json
exits 2 "an AS number out of range"
has err "AS4294967296 is not an AS number" "the AS number is named"
try check 192.0.2.0/24 --path "64500 {" --payloads main.json
exits 2 "a path cut short"
try check 192.0.2.0/24 64500 --payloads main.json --fail-on broken
exits 2 "an unknown state"
try check 192.0.2.0/24 64500 --payloads nowhere.json
exits 1 "no such file"
has err "nowhere.json: No such file" "the file is named"
head -c 100 main.json >cut.json
try check 192.0.2.0/24 64500 --payloads cut.json
exits 1 "a file cut short"
has err "cut.json:2: roas[1]" "line and place of the cut"
try check 192.0.2.0/24 64500 --store nowhere
exits 4 "no store"
echo '{"roas":[{"asn":64500,"prefix":"192.0.2.0/24","expires":5}]}' >old.json
try check 192.0.2.0/24 64500 --payloads old.json
exits 4 "all of it has expired"
has err "all 1 records have expired" "that it has expired is said"
try check 192.0.2.0/24 64500 --payloads old.json --ignore-expiry
exits 0 "expiry ignored"

# Words.
try check 192.0.2.0/24 AS64500 --payloads main=main.json --payloads second.csv $now
exits 0 "a valid route"
prints out "a valid route, in words" <<'T'
192.0.2.0/24 AS64500: valid
AS64500 is authorised to originate this prefix.
  matches   192.0.2.0/24-24 AS64500            from main, expires 2026-11-22T00:00:00Z
  matches   192.0.2.0/24-24 AS64500            from second.csv
  other AS  192.0.2.0/24-25 AS64501            from main
T
try check 192.0.2.0/26 64501 --payloads main=main.json $now
prints out "too long, in words" <<'T'
192.0.2.0/26 AS64501: invalid (length)
AS64501 is authorised, but for nothing longer than /25 here; this is a /26.
  too long  192.0.2.0/24-25 AS64501            from main
  other AS  192.0.2.0/24-24 AS64500            from main, expires 2026-11-22T00:00:00Z
T
try check 198.51.100.0/24 1 --payloads main=main.json $now
prints out "AS 0, in words" <<'T'
198.51.100.0/24 AS1: invalid (as0)
The holder says with AS 0 that nobody is to originate this prefix.
  AS 0      198.51.100.0/24-24 AS0             from main
T
try check 203.0.113.0/24 1 --payloads main=main.json $now
prints out "not found, in words" <<'T'
203.0.113.0/24 AS1: not-found
No VRP covers this prefix: the RPKI says nothing about it.
T
exits 0 "an answer is no failure"
try check 203.0.113.0/24 1 --payloads main.json --fail-on not-found
exits 3 "--fail-on"
try check 203.0.113.0/24 1 --payloads main.json --fail-on invalid --fail-on valid
exits 0 "--fail-on another state"

# Paths and origins.
try check 192.0.2.0/24 --path "1 2 64500" --payloads main.json
has out "AS64500: valid" "the origin of a path"
try check 192.0.2.0/24 --path "1 2 {64500}" --payloads main.json
has out "AS_SET: invalid (as-set)" "an AS_SET has no origin"
try check 192.0.2.0/24 --path "" --local-as 64500 --payloads main.json
has out "AS64500: valid" "an empty path"
try check 192.0.2.0/24 --path "(64512)" --local-as 64500 --payloads main.json
has out "AS64500: valid" "a path of the confederation"

# JSON.
try check 192.0.2.0/24 --path "64499 64500" --payloads main=main.json --json $now
prints out "the verdict object" <<'T'
{
  "prefix": "192.0.2.0/24",
  "as_path": [
    64499,
    64500
  ],
  "origin": 64500,
  "state": "valid",
  "epoch": 1,
  "origin_validation": {
    "state": "valid",
    "reason": "none"
  },
  "aspa": {
    "state": "not-evaluated"
  },
  "bgpsec": {
    "state": "not-evaluated"
  },
  "rules": [
    {
      "kind": "vrp",
      "prefix": "192.0.2.0/24",
      "maxLength": 24,
      "asn": 64500,
      "state": "valid",
      "source": "main",
      "expires": "2026-11-22T00:00:00Z"
    }
  ],
  "covering": [
    {
      "kind": "vrp",
      "prefix": "192.0.2.0/24",
      "maxLength": 25,
      "asn": 64501,
      "state": "invalid",
      "why": "as",
      "source": "main"
    }
  ]
}
T

# Batches: every form, and bad lines that are named while the others are answered.
try_input '192.0.2.0/24 => AS64500\n192.0.2.0 24 64502\nnonsense\n\n# a comment\n192.0.2.0/24,64501\n192.0.2.0/24=>64501
192.0.2.1/24 64500\n{"prefix":"2001:db8::/48","as_path":[1,64500]}\n{"prefix":"2001:db8::/49","asn":"AS64500"}
{"prefix":"192.0.2.0/24","as_path":[1,[2,3]]}\n{"prefix":"192.0.2.0/24","origin":null}\n{"prefix":7}\n{"prefix":"10.0.0.0/8","asn":-1}
{"prefix":"10.0.0.0/8","asn":1\n10.0.0.0/8 1 2 3 4\n10.0.0.0/8 = 1\n10.0.0.0/8 64500' check --batch - --payloads main.json $now
exits 1 "a batch with bad lines"
prints out "the good lines of a batch" <<'T'
192.0.2.0/24 AS64500 valid
192.0.2.0/24 AS64502 invalid (as)
192.0.2.0/24 AS64501 valid
192.0.2.0/24 AS64501 valid
2001:db8::/48 AS64500 valid
2001:db8::/49 AS64500 invalid (length)
192.0.2.0/24 AS_SET invalid (as-set)
192.0.2.0/24 AS_SET invalid (as-set)
10.0.0.0/8 AS64500 not-found
T
for line in 3 8 13 14 15 16 17; do
  has err "waywarden check: -:$line: " "line $line is named"
done
[ "$(wc -l <err)" = 7 ]
verdict $? "no other line is"

try_input '{"routes":[{"prefix":"192.0.2.0/24","asn":"AS64500"},\n{"prefix":"192.0.2.0/24"},\n{"prefix":"10.0.0.0/8","asn":1}]}\n' \
  check --batch - --payloads main.json --json $now
exits 1 "a document of routes"
has err "routes[1]: one of" "the bad route is named by its place"
[ "$(wc -l <out)" = 2 ] && [ "$(grep -c '"state":"unknown"' out)" = 1 ]
verdict $? "the others are answered, one object a line"
try_input '{"routes":[{"prefix":"192.0.2.0/24",\n"asn":"AS64500"}' check --batch - --payloads main.json
exits 1 "a document cut short"
lacks out "192" "and nothing is answered"
try_input '192.0.2.0/24 64500\n10.0.0.0/8 64500\n' check --batch - --payloads main.json --fail-on not-found
exits 3 "--fail-on in a batch"
try check --batch nowhere --payloads main.json
exits 1 "no such batch"

# A store: two sources, and one that is not complete.
"$MAKE_STORE" store first main.json && "$MAKE_STORE" store other second.csv && "$MAKE_STORE" store waiting -
try check 192.0.2.0/24 64500 --store store $now
prints out "from a store, with its sources" <<'T'
192.0.2.0/24 AS64500: valid
AS64500 is authorised to originate this prefix.
  matches   192.0.2.0/24-24 AS64500            from first, expires 2026-11-22T00:00:00Z
  matches   192.0.2.0/24-24 AS64500            from other
  other AS  192.0.2.0/24-25 AS64501            from first
T
try check 192.0.2.0/24 64500 --store store --json --now 2026-11-23T00:00:00Z
has out '"epoch": 2' "the epoch of the store"
lacks out "2026-11-22" "what has expired by then is not in it"
"$MAKE_STORE" empty waiting -
try check 192.0.2.0/24 64500 --store empty
exits 4 "no source of the store is complete"
[ ! -s out ]
verdict $? "and there is no verdict"
head -c 5000 store/data.mdb >piece && mkdir broken && cp piece broken/data.mdb
try check 192.0.2.0/24 64500 --store broken
exits 1 "a damaged store"

finish
