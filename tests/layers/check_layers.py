#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks the layering: every #include of every room against cmake/layers.txt, the table itself for cycles, the public
headers for standing alone, and (given the built archives) that the rooms below the daemon do no I/O.

    check_layers.py [--root DIR] [--archives BUILD_DIR]      exit 0 when clean, 1 with one line a violation
"""
import argparse
import os
import re
import subprocess
import sys

PUBLIC = "include/waywarden"
GENERATED = {"ww_version.h"}
# Rooms that are fed bytes, events and the time, and hand out bytes and events.
SANS_IO = {"base", "wire", "validator", "slurm", "rib", "feeds", "bmpout", "engine"}
# Those that may also read and write files, but know no sockets, clocks or threads of their own.
FILES_ONLY = {"store", "sources"}
SANS_IO_HEADERS = re.compile(r"^(uv|pthread|threads|signal|poll|netdb|sys/(socket|epoll|poll|select|un)|netinet/.*)\.h$")
NETWORK_OR_CLOCK = {
    "socket", "connect", "bind", "listen", "accept", "accept4", "send", "sendto", "sendmsg", "recv", "recvfrom",
    "recvmsg", "getaddrinfo", "poll", "epoll_wait", "select", "time", "clock_gettime", "gettimeofday", "timespec_get",
    "sleep", "usleep", "nanosleep", "pthread_create", "thrd_create", "fork", "vfork", "execve", "system", "popen",
    "signal", "sigaction", "exit", "_exit", "quick_exit", "abort", "printf", "vprintf", "puts", "putchar", "perror",
    "__printf_chk", "__vprintf_chk", "syslog", "getenv", "secure_getenv", "rand", "random", "srand", "getrandom",
}
FILE_CALLS = {"fopen", "fopen64", "open", "open64", "openat", "read", "write", "fread", "fwrite", "fprintf",
              "__fprintf_chk", "stat", "unlink", "rename", "mkdir"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def read_table(path, complain):
    """{room: set of rooms it may use}; complains about anything that is not a room, a comment or a known name."""
    table = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            match = re.fullmatch(r"([a-z]+):((?:[ \t]+[a-z]+)*)", line)
            if not match:
                complain(f"cmake/layers.txt:{number}: not \"room: room ...\"")
            elif match.group(1) in table:
                complain(f"cmake/layers.txt:{number}: {match.group(1)} stands twice")
            else:
                # A room may use only rooms that stand above it in the table: that rules out upward edges and cycles.
                for used in match.group(2).split():
                    if used not in table:
                        complain(f"cmake/layers.txt:{number}: {match.group(1)} uses {used}, which is not below it")
                table[match.group(1)] = set(match.group(2).split())
    return table


def sources(root, folder):
    for directory, _, names in sorted(os.walk(os.path.join(root, folder))):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(directory, name), root)


def includes(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        text = f.read()
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def check_includes(root, table, complain):
    for room, allowed in table.items():
        for path in sources(root, room):
            for line, kind, name in includes(root, path):
                where = f"{path}:{line}"
                if kind == "<":
                    if name.startswith("waywarden/"):
                        if not os.path.isfile(os.path.join(root, "include", name)):
                            complain(f"{where}: <{name}> is not a public header")
                    elif room in SANS_IO | FILES_ONLY and SANS_IO_HEADERS.match(name):
                        complain(f"{where}: {room} does no I/O, but includes <{name}>")
                    continue
                if name in GENERATED:
                    continue
                target = name.split("/", 1)[0]
                if "/" not in name or target not in table:
                    complain(f"{where}: \"{name}\" does not begin with the name of a room")
                elif not os.path.isfile(os.path.join(root, name)):
                    complain(f"{where}: \"{name}\" does not exist")
                elif target != room and target not in allowed:
                    complain(f"{where}: {room} may not use {target} (\"{name}\")")
    for path in sources(root, PUBLIC):
        for line, kind, name in includes(root, path):
            if kind == '"':
                complain(f"{path}:{line}: a public header includes \"{name}\"")
            elif "/" in name and not name.startswith("waywarden/"):
                complain(f"{path}:{line}: a public header includes <{name}>")
            elif name.startswith("waywarden/") and not os.path.isfile(os.path.join(root, "include", name)):
                complain(f"{path}:{line}: <{name}> is not a public header")


def check_archives(build, table, complain):
    for room in table:
        banned = NETWORK_OR_CLOCK | FILE_CALLS if room in SANS_IO else NETWORK_OR_CLOCK if room in FILES_ONLY else set()
        archive = os.path.join(build, room, f"libww_{room}.a")
        if not banned or not os.path.isfile(archive):
            continue
        listing = subprocess.run(["nm", "-A", "-u", archive], check=True, capture_output=True, text=True).stdout
        for line in listing.splitlines():
            fields = line.split()
            if fields and fields[-1] in banned:
                member = re.search(r":([^:]+\.o):", line)
                complain(f"{room}/{member.group(1) if member else '?'}: calls {fields[-1]}()")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    parser.add_argument("--archives")
    args = parser.parse_args()
    violations = []
    table = read_table(os.path.join(args.root, "cmake", "layers.txt"), violations.append)
    check_includes(args.root, table, violations.append)
    if args.archives:
        check_archives(args.archives, table, violations.append)
    for line in violations:
        print(line)
    checked = sum(1 for room in list(table) + [PUBLIC] for _ in sources(args.root, room))
    print(f"{checked} files in {len(table)} rooms, {len(violations)} violations")
    # A check that finds nothing to check has failed.
    return 1 if violations or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
