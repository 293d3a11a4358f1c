#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for fuzz_in_force: lives of caches that an operator would recognise. Writes to tests/fuzz/corpus/in_force/."""
import os
import struct

A, B, RESERVE, FILE = range(4)


def says(source, bits, customer=0, providers=0):
    return bytes([source << 6 | customer << 3]) + struct.pack("!I", bits) + bytes([providers])


def lost(source):
    return bytes([source << 6 | 3])


def flush(source):
    return bytes([source << 6 | 4])


def slurm(number):
    return bytes([number << 3 | 5])


def later(seconds):
    return bytes([7, seconds])


SEEDS = {
    "union": says(A, 0x0f) + says(B, 0xf0) + says(A, 0x11),
    "reserve-first": says(RESERVE, 0xff) + says(A, 0x0f, 1, 2) + says(RESERVE, 0x3),
    "failover-and-back": says(A, 0xff) + says(RESERVE, 0xff00) + lost(A) + later(11) + says(A, 0),
    "all-lost": says(A, 1) + says(RESERVE, 2) + lost(A) + later(20) + lost(RESERVE) + later(20) + flush(RESERVE) + flush(A),
    "flush-with-reserve": says(A, 0xff) + says(RESERVE, 0xf0f0) + flush(A) + says(A, 0xff),
    "slurm-both-sides": slurm(1) + says(A, 0xffffffff) + says(A, 0x22222222) + slurm(0),
    "slurm-in-turn": says(FILE, 0xffffffff, 1, 3) + b"".join(slurm(i) for i in (1, 2, 3, 4, 0, 2)) + says(FILE, 0x10f, 2, 1),
    "slurm-over-failover": says(A, 0xffff) + says(RESERVE, 0xffff0000) + slurm(2) + lost(A) + later(30) + slurm(4) + slurm(3),
}

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "in_force")
os.makedirs(folder, exist_ok=True)
for name, seed in SEEDS.items():
    with open(os.path.join(folder, name), "wb") as f:
        f.write(seed)
