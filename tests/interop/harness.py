# SPDX-License-Identifier: BSD-2-Clause
"""What the live tests share: a scratch folder, free loopback ports, processes that are ended by their own handle, and
waiting for a condition instead of sleeping.

A test is a script that builds a Lab in a with-statement, starts peers and waywarden in it, and calls check(). A peer that
is not installed ends the script with code 77, which ctest counts as skipped. Nothing outlives the with-statement.
"""
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WAYWARDEN = os.environ.get("WAYWARDEN", os.path.join(SOURCE, "build", "asan", "cli", "waywarden"))
SKIP = 77
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/lib/frr"


def need(*programs):
    """Paths of the named programs; leaves with 77 when one is missing."""
    found = []
    for program in programs:
        path = shutil.which(program, path=PATH)
        if path is None:
            print(f"skipped: {program} is not installed")
            sys.exit(SKIP)
        found.append(path)
    return found[0] if len(found) == 1 else found


def check(condition, what):
    """One assertion with a sentence; the first failure ends the test."""
    print(("ok: " if condition else "FAILED: ") + what, flush=True)
    if not condition:
        raise AssertionError(what)


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class Process:
    """A child whose output goes to a file. Ended by handle, in its own process group."""

    def __init__(self, name, argv, folder, env=None, stdin=subprocess.DEVNULL, cwd=None):
        self.name = name
        self.log_path = os.path.join(folder, name + ".log")
        self.log = open(self.log_path, "ab")
        self.child = subprocess.Popen(argv, stdin=stdin, stdout=self.log, stderr=subprocess.STDOUT, cwd=cwd or folder,
                                      env=dict(os.environ, **(env or {})), start_new_session=True)

    def output(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def alive(self):
        return self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout=10):
        """Ends it and returns the exit code (negative: signal)."""
        if self.alive():
            try:
                self.child.send_signal(number)
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                pass
        try:  # what the child itself left behind in its own group
            os.killpg(self.child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.child.wait(10)
        self.log.close()
        return self.child.returncode


class Lab:
    """A scratch folder and the processes in it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ww-interop-")
        os.chmod(self.folder, 0o755)
        self.processes = []
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and kind is not SystemExit:
            for p in self.processes:
                print(f"--- last output of {p.name}")
                print("\n".join(p.output().splitlines()[-40:]), flush=True)
        self.close()
        return False

    def close(self):
        for p in reversed(self.processes):
            p.stop()
        self.processes = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(self.path(name), mode)
        return self.path(name)

    def start(self, name, *argv, env=None, **more):
        p = Process(name, list(argv), self.folder, env=env, **more)
        self.processes.append(p)
        return p

    def run(self, *argv, expect=0):
        done = subprocess.run(list(argv), cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.decode()}")
        return done.stdout.decode()

    def wait(self, what, condition, timeout=30):
        """Polls until condition() is true; its value is returned."""
        end = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                print(f"ok: {what}", flush=True)
                return value
            if time.monotonic() > end:
                check(False, f"{what} (waited {timeout} s)")
            time.sleep(0.05)


def json_lines(text):
    """Every complete JSON line of a text; other lines are passed over."""
    out = []
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                out.append(json.loads(line))
            except ValueError:
                pass
    return out
