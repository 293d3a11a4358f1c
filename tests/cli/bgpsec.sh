#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# `waywarden bgpsec`: what is refused, then a route from its origin to a verdict, by keys and certificates made here.
set -eu
ww=${WAYWARDEN:?the program to test}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

fails() { # code, then the command
  want=$1
  shift
  code=0
  "$@" >out 2>err || code=$?
  [ "$code" = "$want" ] || { echo "exit code $code instead of $want: $*" >&2; cat out err >&2; exit 1; }
}
says() { grep -qF -- "$1" out err || { echo "no '$1' in:" >&2; cat out err >&2; exit 1; }; }

fails 2 "$ww" bgpsec
fails 2 "$ww" bgpsec fly
fails 2 "$ww" bgpsec keygen
fails 2 "$ww" bgpsec keygen a --as 1
says 'keygen does not take --as'
fails 2 "$ww" bgpsec sign --key k --as 1 --target 2
fails 2 "$ww" bgpsec sign --key k --as 1 --target 2 --prefix 192.0.2.1/24
fails 2 "$ww" bgpsec sign --key k --as 1 --target 2 --prefix 192.0.2.0/24 --suite 2
fails 2 "$ww" bgpsec sign --key k --as 1 --target 2 --prefix 192.0.2.0/24 --pcount 256
fails 2 "$ww" bgpsec verify x --peer-as 1 --local-as 2
fails 2 "$ww" bgpsec verify x --payloads y --peer-as 1 --local-as 2 --fail-on maybe
fails 1 "$ww" bgpsec ski absent
says 'No such file'
fails 1 "$ww" bgpsec sign --key absent --as 1 --target 2 --prefix 192.0.2.0/24
echo 'no key' >nokey
fails 1 "$ww" bgpsec sign --key nokey --as 1 --target 2 --prefix 192.0.2.0/24
says 'not an unencrypted private key'
fails 1 "$ww" bgpsec ski nokey

fails 0 "$ww" bgpsec keygen a.key
a=$(cat out)
[ ${#a} = 40 ]
[ "$(stat -c %a a.key)" = 600 ]
fails 1 "$ww" bgpsec keygen a.key
says 'never overwritten'
fails 0 "$ww" bgpsec keygen b.key
b=$(cat out)
fails 0 "$ww" bgpsec ski a.key
says "$a"
fails 0 "$ww" bgpsec csr a.key
cp out a.csr
openssl req -in a.csr -noout -verify 2>/dev/null
openssl req -in a.csr -noout -text | grep -qE '1\.3\.6\.1\.5\.5\.7\.3\.30|BGPsec Router'
fails 0 "$ww" bgpsec csr a.key --as 64496 --out a.der
openssl req -inform DER -in a.der -noout -subject | grep -q 'ROUTER-0000FBF0'
fails 1 "$ww" bgpsec csr a.key --out a.der
fails 0 "$ww" bgpsec ski a.csr --key a.key
says "$a"
fails 1 "$ww" bgpsec ski a.der --key b.key
says 'not the public key'

# Certificates of an RSA CA. 64496 has AS resources 3009A0073005020300FBF0, 65536 has 3009A00730050203010000.
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 2 2>/dev/null
mkdir certs
certify() { # key, name, AS resources
  cat >ext <<EOF
keyUsage=critical,digitalSignature
extendedKeyUsage=1.3.6.1.5.5.7.3.30
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid:always
1.3.6.1.5.5.7.1.8=critical,DER:$3
crlDistributionPoints=URI:rsync://example.net/ca.crl
authorityInfoAccess=caIssuers;URI:rsync://example.net/ca.cer
certificatePolicies=critical,1.3.6.1.5.5.7.14.2
EOF
  "$ww" bgpsec csr "$1" >req.pem
  openssl x509 -req -in req.pem -subj "/CN=$2" -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 1 -extfile ext \
    -outform DER -out "certs/$2.cer" 2>/dev/null ||
    openssl x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 1 -extfile ext \
      -outform DER -out "certs/$2.cer" 2>/dev/null
}
certify a.key a 3009A0073005020300FBF0
certify b.key b 3009A00730050203010000
fails 0 "$ww" bgpsec ski certs/a.cer --key a.key
says "AS64496 $a"
openssl crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out with-ca.p7c
openssl x509 -inform DER -in certs/b.cer >b.pem
openssl crl2pkcs7 -nocrl -certfile ca.pem -certfile b.pem -outform DER -out b.p7c
fails 0 "$ww" bgpsec ski b.p7c --key b.key
says "AS65536 $b"
fails 1 "$ww" bgpsec ski b.p7c --key a.key
fails 1 "$ww" bgpsec ski with-ca.p7c
fails 1 "$ww" bgpsec ski certs/a.cer --now 2001-01-01T00:00:00Z
says 'not valid yet'

# From 64496 by 65536 to 65537.
"$ww" bgpsec sign --key a.key --as 64496 --target 65536 --prefix 192.0.2.0/24 --next-hop 192.0.2.1 >one
"$ww" bgpsec sign --key b.key --as 65536 --target 65537 --update one --pcount 2 >two
keys=router-certs:certs
verify() { "$ww" bgpsec verify "$@" --payloads "$keys" --local-as 65537 --peer-as 65536; }
fails 0 verify two
says 'valid'
says 'AS path 65536 65536 64496'
says "$a valid"
fails 0 verify - <two
says 'valid'
fails 3 verify two --fail-on valid
fails 0 verify two --reference --json
says '"signatures_checked": 2'
says '"as_path": "65536 65536 64496"'
xxd -r -p two >two.bin 2>/dev/null || python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(open("two").read()))' >two.bin
cat two.bin two.bin >four.bin
fails 0 verify four.bin
[ "$(grep -c '^valid' out)" = 2 ]
sed 's/.$/0/; t' two | sed 's/.$/1/' >bad # the end of the origin's signature
cmp -s bad two && sed 's/.$/2/' two >bad
fails 3 verify bad --fail-on not-valid
says 'not-valid: signature'
fails 0 "$ww" bgpsec verify two --payloads $keys --local-as 65538 --peer-as 65536
says 'not-valid: signature'
fails 0 "$ww" bgpsec verify two --payloads $keys --local-as 65537 --peer-as 64496
says 'withdraw: peer-as (treat-as-withdraw)'
fails 0 "$ww" bgpsec verify two --payloads $keys --local-as 65537 --peer-as 65536 --own-as 64496
says 'withdraw: loop'
cut -c1-100 two >short
fails 1 verify short
echo zz >text
fails 1 verify text
says 'neither a BGP message nor hexadecimal digits'
rm certs/a.cer
fails 0 verify two
says 'not-valid: no-key'
echo 'no certificate' >certs/c.cer
fails 0 verify two
says 'c.cer'
rm certs/b.cer
fails 4 verify two
says 'no router certificate that will do'

# Two blocks; one suite known, then the other, then neither.
"$ww" bgpsec sign --key a.key --as 64496 --target 65536 --prefix 2001:db8::/33 --suite 1 --suite 247 >one
certify a.key a 3009A0073005020300FBF0
for suite in 1 247; do
  fails 3 "$ww" bgpsec verify one --payloads $keys --local-as 65536 --peer-as 64496 --suite $suite --fail-on valid
done
fails 3 "$ww" bgpsec verify one --payloads $keys --local-as 65536 --peer-as 64496 --suite 250 --fail-on unsigned
fails 1 "$ww" bgpsec sign --key b.key --as 65536 --target 65537 --update one --suite 250
says 'may only go on unsigned'
echo "bgpsec: all as expected"
