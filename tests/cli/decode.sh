#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
corpus=$(cd "$(dirname "$0")/../fuzz/corpus" && pwd)
. "$(dirname "$0")/lib.sh"

# Bad usage and bad input first.
try decode
exits 2 "no file"
try decode --as mrt x
exits 2 "an unknown protocol"
has err "'mrt' is not bmp, rtr or bgp" "the protocol is named"
try decode --pen 4294967296 x
exits 2 "an enterprise number out of range"
try decode nowhere.bmp
exits 1 "no such file"
has err "nowhere.bmp: No such file" "the file is named"

initiation="$corpus/bmp_render/initiation-with-escape"
example="$corpus/bmp_render/validation-example"
cat "$initiation" "$example" >two.bmp
head -c 200 two.bmp >cut.bmp
try decode cut.bmp
exits 1 "a message cut off"
has out '"type":"initiation"' "what was decoded before stands"
has err "at octet 200: message of 337 octets cut off after 163 (RFC 7854 §4.1)" "the place is named"

# A message that is wrong inside does not stop the next one.
(cat "$corpus/validation/group-of-unknown-nlri" "$initiation") >inside.bmp
try decode inside.bmp
exits 1 "a message that breaks the format"
has err "octet" "its place is named"
has out '"type":"initiation"' "the next one is decoded"

(cat "$initiation" "$corpus/validation/length-5") >framing.bmp
try decode framing.bmp
exits 1 "a length of 5"
has err "BMP message length 5 is below 6" "the length is named"

try decode two.bmp
exits 0 "two messages"
has out '"router":"edge1"' "the router's name"
has out '"prefix":"203.0.113.0/24","as_path":[64501,64510],"origin":64510,"state":"valid"' "a verdict"
has out '"why":"as","source":"main"' "its evidence"
try decode --pen 9 two.bmp
exits 0 "another enterprise's message is no error"
lacks out '"verdicts"' "and is not read"

try decode "$corpus/bmp_render/peer-up-add-path-then-route"
exits 0 "a standard session"
has out '"announced":[{"prefix":"198.51.100.0/24","path_id":77}]' "path ids as the OPENs agreed"

try decode "$corpus/rtr/full-set-v1"
exits 0 "RTR, by its first octet"
has out '{"version":1,"type":"cache-response"' "its first PDU"
has out '"type":"ipv4-prefix"' "a prefix"
has out '"type":"end-of-data"' "End of Data"
try_input '\002\013\001\000\000\000\000\024\000\000\374\000\000\000\374\001\000\000\374\002' decode --as rtr -
exits 0 "an ASPA of version 2"
has out '"action":"announce","customer":64512,"providers":[64513,64514]' "its customer and providers"
try decode "$corpus/rtr/truncated"
exits 1 "RTR cut off"

try_input '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\000\023\004' decode -
exits 0 "BGP on standard input, by its marker"
has out '"bgp":"keepalive"' "a KEEPALIVE"
try_input '\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\000\022\004' decode --as bgp -
exits 1 "a BGP length of 18"
has err "standard input: at octet" "its place is named"
finish
