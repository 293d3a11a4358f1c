#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The layer check must fail when it should: a clean sample tree passes, and each way to spoil it is reported."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_layers.py")
CLEAN = {
    "cmake/layers.txt": "# rooms\nbase:\nwire: base\ndaemon: base wire\n",
    "include/waywarden/error.h": "#include <stddef.h>\n",
    "base/a.h": "#include <waywarden/error.h>\n",
    "base/a.c": '#include "base/a.h"\n#include "ww_version.h"\n',
    "wire/b.c": '#include "base/a.h"\n#include <string.h>\n',
    "daemon/c.c": '#include <uv.h>\n#include <sys/socket.h>\n#include "base/a.h"\n',
}
SPOILT = [
    ("upward include", {"base/a.c": '#include "wire/b.h"\n', "wire/b.h": ""}, "base/a.c:1: base may not use wire"),
    ("indented include", {"base/a.c": '  #  include "wire/b.h"\n', "wire/b.h": ""}, "may not use wire"),
    ("upward edge", {"cmake/layers.txt": "base: wire\nwire:\ndaemon:\n"}, "base uses wire, which is not below it"),
    ("cycle", {"cmake/layers.txt": "base:\nwire: base daemon\ndaemon: wire\n"}, "wire uses daemon"),
    ("self", {"cmake/layers.txt": "base: base\nwire: base\ndaemon: base\n"}, "base uses base"),
    ("room twice", {"cmake/layers.txt": "base:\nwire: base\nbase:\ndaemon: base\n"}, "base stands twice"),
    ("junk in the table", {"cmake/layers.txt": "base\n"}, 'not "room: room ..."'),
    ("include without a room", {"base/a.c": '#include "a.h"\n'}, "does not begin with the name of a room"),
    ("include out of the tree", {"base/a.c": '#include "../base/a.h"\n'}, "does not begin with the name of a room"),
    ("include of nothing", {"base/a.c": '#include "base/no.h"\n'}, "does not exist"),
    ("missing public header", {"base/a.c": "#include <waywarden/no.h>\n"}, "is not a public header"),
    ("sockets below the daemon", {"wire/b.c": "#include <sys/socket.h>\n"}, "wire does no I/O"),
    ("event loop below the daemon", {"base/a.c": "#include <uv.h>\n"}, "base does no I/O"),
    ("public header with a private one", {"include/waywarden/error.h": '#include "base/a.h"\n'}, "a public header"),
    ("public header with a library", {"include/waywarden/error.h": "#include <openssl/evp.h>\n"}, "a public header"),
]


def check(files, *arguments):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        arguments = [a.replace("ROOT", root) for a in arguments]
        return subprocess.run([sys.executable, CHECK, "--root", root, *arguments], capture_output=True, text=True)


class Layers(unittest.TestCase):
    def test_clean_tree_passes(self):
        result = check(CLEAN)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)

    def test_empty_tree_fails(self):
        self.assertEqual(check({"cmake/layers.txt": ""}).returncode, 1)

    def test_every_violation_is_reported(self):
        for name, spoil, expect in SPOILT:
            with self.subTest(name):
                result = check({**CLEAN, **spoil})
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertIn(expect, result.stdout)

    def test_archive_that_reads_the_clock_is_reported(self):
        with tempfile.TemporaryDirectory() as build:
            os.makedirs(os.path.join(build, "wire"))
            source, obj = os.path.join(build, "clock.c"), os.path.join(build, "clock.o")
            with open(source, "w", encoding="utf-8") as f:
                f.write("#include <time.h>\nlong f(void);\nlong f(void) { return time(0); }\n")
            subprocess.run(["cc", "-c", source, "-o", obj], check=True)
            subprocess.run(["ar", "rc", os.path.join(build, "wire", "libww_wire.a"), obj], check=True)
            result = check(CLEAN, "--archives", build)
            self.assertEqual(result.returncode, 1)
            self.assertIn("wire/clock.o: calls time()", result.stdout)


if __name__ == "__main__":
    unittest.main()
