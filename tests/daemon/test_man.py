#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""waywarden(1) and the program's own help name the same commands and the same options; both pages are sound mdoc."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from harness import SOURCE, WAYWARDEN, check  # noqa: E402


def say(*argv):
    return subprocess.run([WAYWARDEN, *argv], capture_output=True, text=True, timeout=30).stdout


with open(os.path.join(SOURCE, "docs", "man", "waywarden.1")) as page:
    parts = re.split(r"^\.Ss (\w+)$", page.read(), flags=re.M)
manual = parts[1::2]
commands = re.findall(r"^  (\w+) ", say("help"), flags=re.M)
check(sorted(commands) == sorted(manual), f"the page has every command: {sorted(set(commands) ^ set(manual))}")
for command in commands:
    known = set(re.findall(r"(?<![\w-])--\w[\w-]*", say("help", command)))
    listed = set(re.findall(r"(?:Fl -)(\w[\w-]*)", parts[parts.index(command) + 1].split("\n.Sh ")[0]))
    check(known == {"--" + o for o in listed}, f"{command}: options differ: {known ^ {'--' + o for o in listed}}"
          if known != {"--" + o for o in listed} else f"{command}: the same options")
mandoc = shutil.which("mandoc")
for name in ("waywarden.1", "waywarden.conf.5") if mandoc else ():
    lint = subprocess.run([mandoc, "-Tlint", "-Wwarning", os.path.join(SOURCE, "docs", "man", name)], capture_output=True, text=True)
    check(lint.returncode == 0, f"{name}: {lint.stdout.strip() or 'no complaint'}")
