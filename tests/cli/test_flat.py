#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Plain lines of a batch take a short cut past the JSON parser. Here every line is asked twice: as it is, and with a member
that nobody knows, which sends it to the parser. Answers must be the same, and the same lines must be refused."""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

PROGRAM = os.environ["WAYWARDEN"]
PAYLOADS = {"roas": [{"asn": 3, "prefix": "192.0.2.0/24"}, {"asn": 3, "prefix": "2001:db8::/32", "maxLength": 48}],
            "aspas": [{"customer": 3, "providers": [2]}, {"customer": 2, "providers": [1]}]}
SEEDS = [
    '{"prefix":"192.0.2.0/24","as_path":[1,2,3],"role":"provider","neighbor_as":1}',
    '{"prefix":"2001:db8::/48","as_path":[1,2,2,3],"direction":"downstream"}',
    '{"prefix":"192.0.2.0/24","asn":3}', '{"prefix":"192.0.2.0/24","origin":"AS3"}',
    '{ "as_path" : [ 1 , "2" , "AS3" ] , "prefix" : "192.0.2.0/24" }', '{"prefix":"192.0.2.0/24","as_path":[]}',
    '{"prefix":"192.0.2.0/24","origin":null}', '{"prefix":"192.0.2.0/24","as_path":[1,[2,3]]}',
    '{"prefix":"192.0.2.0/24","as_path":"1 2 3","role":"rs-client","neighbor_as":"AS7"}',
    '{"prefix":"192.0.2.0/24","as_path":[%s],"role":"peer"}' % ",".join(["2"] * 300 + ["3"]),
    '{"prefix":"192.0.2.0/24","asn":4294967295}', '{"prefix":"192.0.2.0/24","asn":4294967296}',
    '{"prefix":"192.0.2.0/24","asn":03}', '{"prefix":"192.0.2.0/24","asn":3.0}', '{"prefix":"192.0.2.0/24","asn":3e0}',
    '{"prefix":"192.0.2.0/24","asn":-3}', '{"prefix":"192.0.2.0/24","asn":3,"asn":3}', '{"prefix":"192.0.2.0/24","asn":3,}',
    '{"prefix":"192.0.2.0/24","asn":3}}', '{"prefix":"192.0.2.0\\/24","asn":3}', '{"prefix":"192.0.2.0/24","asn":3} x',
    '{"prefix":"192.0.2.0/24","asn":3,"origin":3}', '{"prefix":"192.0.2.0/24","role":"peer"}',
    '{"prefix":"192.0.2.0/24","as_path":[1,2],"role":"peer","direction":"upstream"}',
    '{"prefix":"192.0.2.0/24","as_path":[1,2],"role":null}', '{"prefix":"192.0.2.0/24","as_path":[1,,2]}',
]
CHARACTERS = '{}[]:,"\\ 0123456789.eE-+AS/nulprefixasnrole\t\x7f'


def mutate(line):
    line = list(line)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(1, len(line))
        what = random.randrange(4)
        if what == 0:
            del line[at]
        elif what == 1:
            line.insert(at, random.choice(CHARACTERS))
        elif what == 2:
            line[at] = random.choice(CHARACTERS)
        else:
            end = min(len(line), at + random.randrange(8))
            line[at:at] = line[at:end]
        if len(line) < 3:
            break
    return "".join(line)


def ask(folder, name, lines):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("# lines\n" + "192.0.2.0/24 3\n" + "\n".join(lines) + "\n")
    done = subprocess.run([PROGRAM, "check", "--batch", path, "--payloads", os.path.join(folder, "payloads.json"), "--json"],
                          capture_output=True, text=True, timeout=120)
    return done.stdout.splitlines(), [int(n) for n in re.findall(r"^waywarden check: [^\n:]*:(\d+):", done.stderr, re.M)]


def main():
    seed = int(os.environ.get("WW_SEED", "7"))
    random.seed(seed)
    lines = SEEDS + [mutate(random.choice(SEEDS)) for _ in range(6000)]
    lines = [line for line in lines if line.startswith("{") and "routes" not in line]
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "payloads.json"), "w", encoding="utf-8") as f:
            json.dump(PAYLOADS, f)
        plain = ask(folder, "batch", lines)
        # An empty object stays one: a member before nothing needs no comma, and an unclosed one stays unclosed.
        marked = ask(folder, "batch", ['{"x-mark":0' + ("" if line[1:].lstrip(" \t").startswith("}") else ",") + line[1:]
                                       for line in lines])
    if plain != marked:
        for one, two in zip(*[p[0] for p in (plain, marked)]):
            if one != two:
                print("not the same:", one, two, sep="\n  ")
                break
        for number in sorted(set(plain[1]) ^ set(marked[1]))[:5]:
            print("refused by one only:", lines[number - 3])
        print(f"WW_SEED={seed}")
        return 1
    print(f"{len(lines)} lines, {len(plain[0])} answers, {len(plain[1])} refused: the same both ways")
    return 0 if len(plain[0]) > 100 and len(plain[1]) > 100 else 1


if __name__ == "__main__":
    sys.exit(main())
