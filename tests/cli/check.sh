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
    "state": "not-evaluated",
    "reason": "no-role"
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

# Paths and ASPAs: 3 and 4 are customers of 2 and 1, 5 has no provider, 6 says nothing.
cat >aspas.json <<'J'
{"roas":[{"asn":3,"prefix":"192.0.2.0/24"}],
"aspas":[{"customer":3,"providers":[2]},{"customer":4,"providers":[1,2],"expires":1795305600},
{"customer":5,"providers":[0]}]}
J
echo '{"aspas":[{"customer":4,"providers":[7]}]}' >more.json
with="--payloads main=aspas.json --payloads more=more.json $now"
try check 192.0.2.0/24 --path "1 3" --role brother $with
exits 2 "no such role"
try check 192.0.2.0/24 --path "1 3" --direction sideways $with
exits 2 "no such direction"
try check 192.0.2.0/24 --path "1 3" --direction upstream --role peer $with
exits 2 "role and direction"
try check 192.0.2.0/24 3 --role peer $with
exits 2 "a role without a path"
try check 192.0.2.0/24 --path "1 3" --role peer --neighbor x $with
exits 2 "no AS number for the neighbor"
try check 192.0.2.0/24 --path "1 3" --role peer $with
exits 0 "an Invalid path is an answer"
prints out "a hop that is refused" <<'T'
192.0.2.0/24 AS3: invalid (origin valid, aspa invalid: not-provider)
AS3 is authorised to originate this prefix.
AS1 is not a provider of AS3: its ASPA of source main lists AS2.
  matches   192.0.2.0/24-24 AS3                from main
  hop up    AS3 to AS1: not a provider, fails
  forbids   ASPA AS3: AS2 from main
T
try check 192.0.2.0/24 --path "2 2 3 3" --role provider --neighbor 2 $with
prints out "prepends do not matter" <<'T'
192.0.2.0/24 AS3: valid (origin valid, aspa valid)
AS3 is authorised to originate this prefix.
Every hop of the path goes from a customer to a provider that its ASPA lists.
  matches   192.0.2.0/24-24 AS3                from main
  hop up    AS3 to AS2: provider
  allows    ASPA AS3: AS2 from main
T
try check 192.0.2.0/24 --path "5 4 1 3" --role customer $with
prints out "a leak" <<'T'
192.0.2.0/24 AS3: invalid (origin valid, aspa invalid: valley)
AS3 is authorised to originate this prefix.
The path goes down and up again: from its origin it climbs no further than to AS3, and to us it comes down from no higher than AS5; these do not stand side by side. It is a leak, or a forged path.
AS1 is not a provider of AS3: its ASPA of source main lists AS2.
AS4 is not a provider of AS5: its ASPA of source main says with AS 0 that it has none.
  matches   192.0.2.0/24-24 AS3                from main
  hop up    AS3 to AS1: not a provider, fails
  hop up    AS1 to AS4: no ASPA
  hop up    AS4 to AS5: not a provider
  hop down  AS4 to AS5: not a provider, fails
  hop down  AS1 to AS4: provider
  hop down  AS3 to AS1: no ASPA
  forbids   ASPA AS3: AS2 from main
  forbids   ASPA AS5: AS0 from main
  no part   ASPA AS4: AS1, AS2 from main, expires 2026-11-22T00:00:00Z
  no part   ASPA AS4: AS7 from more
T
try check 192.0.2.0/24 --path "4 1 2 3" --role customer $with
has out "climbs to AS2, crosses to AS1 and comes down from there" "a peering at the top"
try check 192.0.2.0/24 --path "4 2 3" --role customer $with
has out "climbs to AS2 and comes down" "one AS at the top"
try check 192.0.2.0/24 --path "4 3" --role customer $with
has out "aspa valid" "two ASes are always valid downstream"
try check 192.0.2.0/24 --path "3" --role customer --neighbor 3 $with
has out "neighbor alone" "one AS"
try check 192.0.2.0/24 --path "6 2 3" --role peer $with
has out "aspa unknown: unattested" "nobody says"
has out "AS2 has no ASPA, so nobody can tell whether AS6 is its provider" "who says nothing"
try check 192.0.2.0/24 --path "2 3" --role peer --neighbor 9 $with
has out "The path does not begin with the neighbor, AS9." "another first AS"
try check 192.0.2.0/24 --path "2 3" --role rs-client --neighbor 9 $with
has out "aspa valid" "a route server's client does not compare it"
try check 192.0.2.0/24 --path "2 {3}" --direction upstream $with
has out "aspa invalid: as-set" "an AS_SET in the path"
try check 192.0.2.0/24 --path "(2) 3" --direction downstream $with
has out "aspa invalid: confed" "a segment of a confederation"
try check 192.0.2.0/24 --path "" --direction downstream $with
has out "aspa invalid: empty" "no AS at all"
try check 192.0.2.0/24 --path "2 3" $with
has out "our role towards the neighbor is not known" "no role"
try check 192.0.2.0/24 --path "1 3" --role peer --fail-on invalid $with
exits 3 "--fail-on looks at all kinds together"
try check 192.0.2.0/24 --path "4 2 3" --role customer --json $with
has out '"procedure": "downstream"' "the procedure in JSON"
has out '"ramp": "down"' "hops in JSON"
has out '"kind": "aspa"' "ASPAs in JSON"

# A batch of paths, with what they say themselves before what the options say.
try_input '{"prefix":"192.0.2.0/24","as_path":[1,3]}\n{"prefix":"192.0.2.0/24","as_path":[1,3],"role":"customer"}
{"prefix":"192.0.2.0/24","as_path":"2 3","neighbor_as":1}\n{"prefix":"192.0.2.0/24","as_path":[2,3],"direction":"downstream","neighbor_as":"AS2"}
{"prefix":"192.0.2.0/24","as_path":[2,3],"role":"x"}\n{"prefix":"192.0.2.0/24","as_path":[2,3],"role":"peer","direction":"upstream"}
{"prefix":"192.0.2.0/24","as_path":[2,3],"neighbor_as":-1}\n{"prefix":"192.0.2.0/24","asn":3}' check --batch - --role peer $with
exits 1 "a batch of paths with bad lines"
prints out "a batch of paths" <<'T'
192.0.2.0/24 AS3 invalid (origin valid, aspa invalid: not-provider)
192.0.2.0/24 AS3 valid (origin valid, aspa valid)
192.0.2.0/24 AS3 invalid (origin valid, aspa invalid: first-as)
192.0.2.0/24 AS3 valid (origin valid, aspa valid)
192.0.2.0/24 AS3 valid
T
for line in 5 6 7; do
  has err "waywarden check: -:$line: " "line $line is named"
done

# Many lines: parts go to threads, and the answers come in order.
awk 'BEGIN { for (i = 0; i < 20000; i++)
  printf "{\"prefix\":\"192.0.%d.0/24\",\"as_path\":[%d,2,3],\"role\":\"%s\"}\n", i % 256, 1 + i % 7,
         i % 3 ? "customer" : "peer" }' >many.json
try check --batch many.json $with
exits 0 "many lines"
[ "$(wc -l <out)" = 20000 ]
verdict $? "each has its answer"
mv out many.out
split -l 1000 many.json piece.
: >pieces.out
for piece in piece.??; do
  "$WAYWARDEN" check --batch "$piece" $with >>pieces.out
done
cmp -s many.out pieces.out
verdict $? "the same as in pieces, in order"

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
if [ -c /dev/full ]; then # more than a stream's buffer holds
  for _ in $(seq 2000); do echo '192.0.2.0/24 64500'; done >full
  code=0
  # shellcheck disable=SC2034 # exits reads it
  "$WAYWARDEN" check --batch full --payloads main.json $now >/dev/full 2>err || code=$?
  exits 1 "a batch that cannot be written"
fi
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
