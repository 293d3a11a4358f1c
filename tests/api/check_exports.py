#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_exports.py LIBRARY ROOT: what the library exports, what cmake/libwaywarden.map lists and what the public headers
mark WW_EXPORT must be the same names."""
import os
import re
import subprocess
import sys


def from_library(path):
    out = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout
    # "A" is the version node itself. Instrumented builds may add the instrumentation's own names.
    names = {f[2].split("@")[0] for f in (line.split() for line in out.splitlines()) if f[1] != "A"}
    return {n for n in names if not re.match(r"__(asan|odr_asan|ubsan|tsan|sanitizer|gcov|llvm)", n)}


def from_map(path):
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    return set(re.search(r"global:(.*?)local:\s*\*;", text, re.S).group(1).replace(";", " ").split())


def from_headers(folder):
    marked = set()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        for declaration in re.findall(r"^WW_EXPORT\b([^;{]*)", text, re.M):
            marked.add(re.search(r"\b(\w+)\s*\(", declaration).group(1))
        # Every function that a public header declares is either exported or inline.
        for declaration in re.findall(r"^(?!static|WW_EXPORT|#|typedef| |\})[\w \*]*?\b(ww_\w+)\(", text, re.M):
            marked.add(f"{declaration} (declared in {name} without WW_EXPORT)")
    return marked


def main():
    library, root = sys.argv[1:]
    sets = {
        "the library": from_library(library),
        "cmake/libwaywarden.map": from_map(os.path.join(root, "cmake", "libwaywarden.map")),
        "the public headers": from_headers(os.path.join(root, "include", "waywarden")),
    }
    everything = set().union(*sets.values())
    wrong = 0
    for name in sorted(everything):
        missing = [where for where, names in sets.items() if name not in names]
        if missing:
            print(f"{name}: missing in {', '.join(missing)}")
            wrong += 1
    print(f"{len(everything)} names, {wrong} that differ")
    return 1 if wrong or not everything else 0


if __name__ == "__main__":
    sys.exit(main())
