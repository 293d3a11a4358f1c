#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/fuzz/corpus/engine/: scripts for tests/engine/harness.c, named for what they show.

usage: make_engine_corpus.py [folder]
The numbers are those of operate() and begin() there.
"""
import pathlib
import sys


def announce(peer, first, count=1, attrs=0, path=0, stride=1, post=False):
    return [0, peer, 0 if post else 1, first, stride - 1, count - 1, path, attrs]


def withdraw(peer, first, count=1, path=0, stride=1, post=False):
    return [18, peer, 0 if post else 1, first, stride - 1, count - 1, path]


def up(peer, role=0): return [27, peer, role]
def down(peer): return [30, peer]
def vrps(source, first, count=1, stride=1): return [31, source, first, stride - 1, count - 1]
def anew(source, first): return [39, source, first]
def refresh(source, first): return [40, source, first]
def ready(): return [41, 0]
def work(budget): return [43, 0, budget - 1]
def read(station, steps): return [47, station, steps - 1]
def connect(station): return [57, station]
def leave(station): return [59, station, 1]
def router_gone(): return [59, 0, 0]
def eor(peer, view, afi): return [60, peer, view, afi - 1]
def check(): return [62, 0]
def pull(octets): return [64, 0, octets // 100 - 1]
def session(): return [69, 0]
def aspas(source, first, count, kind, counted=False): return [70 if counted else 75, source, first, count - 1, kind]
def role(who, what, without=0): return [80, 0, who, what, without]


PROVIDER, CUSTOMER, RS_CLIENT, PEER = 1, 2, 3, 4
OTHERS = 4  # who: neighbours 0 to 2, their AS, all others
PLAIN, TWO_VIEWS, LONG_JOURNAL, EXPORT = 0, 2, 4, 8
ALL_V4 = [op for first in range(0, 12, 4) for op in announce(0, first, 4)]

SCRIPTS = {
    "empty": [],
    "announce-and-withdraw": [PLAIN, *ready(), *up(0), *announce(0, 1, 4), *read(0, 3), *withdraw(0, 2, 2), *check()],
    "held-until-ready": [PLAIN, *up(0), *announce(0, 0, 4), *eor(0, 0, 1), *withdraw(0, 1), *read(0, 9), *vrps(0, 0, 5),
                         *ready(), *eor(0, 0, 2), *work(2), *check()],
    "not-ready-in-between": [PLAIN, *ready(), *vrps(0, 0, 5), *up(0), *announce(0, 0, 4), *eor(0, 0, 1), *check(), *ready(),
                             *connect(1), *withdraw(0, 1), *announce(0, 9, 2), *check(), *ready(), *check()],
    "deltas-before-work": [PLAIN, *ready(), *up(0), *ALL_V4, *vrps(0, 0, 5), *work(3), *vrps(1, 3, 5, 3), *vrps(0, 0, 5),
                           *work(2), *anew(1, 7), *refresh(0, 4), *check()],
    "told-newer-than-stored": [LONG_JOURNAL, *ready(), *up(0), *announce(0, 1, 4), *connect(1), *vrps(0, 0, 5), *vrps(0, 5, 5),
                               *vrps(0, 10, 5), *read(1, 20), *vrps(0, 0, 5), *vrps(0, 5, 5), *vrps(0, 10, 5), *check()],
    "station-falls-off": [PLAIN, *ready(), *up(0), *up(1), *ALL_V4, *read(0, 2), *ALL_V4, *vrps(0, 1, 5), *work(12),
                          *announce(1, 0, 4, 2), *announce(1, 4, 4, 2), *announce(0, 0, 4, 3), *announce(0, 4, 4, 3), *check()],
    "peer-flaps-during-walk": [PLAIN, *ready(), *up(0), *up(1), *ALL_V4, *announce(1, 3, 4), *connect(1), *read(1, 4), *down(0),
                               *read(1, 2), *up(0), *announce(0, 2, 2, 1), *up(1), *read(1, 3), *check()],
    "route-moves-during-walk": [PLAIN, *ready(), *up(0), *announce(0, 0, 4, 0), *announce(0, 4, 4, 1), *connect(1), *read(1, 3),
                                *announce(0, 0, 4, 1), *withdraw(0, 5), *announce(0, 8, 1, 0), *check()],
    "back-before-anybody-read": [PLAIN, *ready(), *up(2), *announce(2, 3, 1, 0, 1), *read(0, 9), *withdraw(2, 3, 1, 1),
                                 *announce(2, 3, 1, 2, 1), *withdraw(2, 3, 1, 1), *announce(2, 3, 1, 0, 1), *check()],
    "two-views": [TWO_VIEWS, *ready(), *up(0), *announce(0, 1, 3), *announce(0, 1, 3, 1, post=True), *eor(0, 1, 1),
                  *withdraw(0, 1, post=True), *vrps(1, 0, 5), *check(), *down(0), *check()],
    "export-falls-off": [EXPORT, *ready(), *up(0), *up(1), *ALL_V4, *pull(200), *ALL_V4, *vrps(0, 1, 5), *work(12), *pull(300),
                         *announce(1, 0, 4, 2), *down(0), *up(0), *ALL_V4, *eor(0, 0, 1), *pull(100), *withdraw(0, 0, 4), *check()],
    "export-while-not-ready": [EXPORT, *up(0), *ALL_V4, *eor(0, 0, 1), *pull(2000), *ready(), *pull(400), *work(3), *vrps(0, 0, 5),
                               *ready(), *pull(900), *withdraw(0, 3), *session(), *ready(), *check()],
    "router-gone-and-back": [PLAIN, *ready(), *up(0), *up(2), *ALL_V4, *announce(2, 5, 4, 4, 1), *withdraw(0, 1, 3), *router_gone(),
                             *connect(1), *up(0), *announce(0, 2, 2), *leave(1), *connect(1), *check()],
    "aspa-delta": [EXPORT, *ready(), *role(0, PROVIDER), *up(0), *announce(0, 0, 2, 3), *announce(0, 4, 2, 9), *announce(0, 6, 1, 5),
                   *aspas(0, 1, 3, 2, True), *check(), *aspas(1, 2, 1, 4, True), *aspas(0, 2, 1, 0, True), *check()],
    "aspa-valley": [EXPORT, *ready(), *up(0, CUSTOMER), *announce(0, 0, 4, 9), *announce(0, 4, 2, 11), *aspas(0, 0, 3, 1), *work(3),
                    *aspas(1, 3, 2, 5), *check()],
    "roles-change": [PLAIN, *ready(), *aspas(0, 1, 3, 3), *up(0, PEER), *up(1), *announce(0, 0, 4, 7), *announce(1, 0, 4, 8), *check(),
                     *role(OTHERS, CUSTOMER), *work(2), *role(0, RS_CLIENT), *check(), *role(1, 0, 1), *role(OTHERS, 0, 2), *check()],
    "aspa-while-walking-a-path": [PLAIN, *ready(), *role(OTHERS, PROVIDER), *up(0), *up(1), *announce(0, 0, 4, 7), *announce(1, 0, 4, 7),
                                  *aspas(0, 3, 1, 2), *work(3), *announce(0, 8, 2, 7), *down(1), *aspas(1, 3, 1, 5), *work(2),
                                  *withdraw(0, 0, 2), *check()],
    "aspa-while-not-ready": [EXPORT, *role(OTHERS, CUSTOMER), *up(0), *announce(0, 0, 4, 7), *aspas(0, 1, 3, 2), *ready(), *work(2),
                             *aspas(0, 1, 3, 3), *ready(), *ready(), *pull(900), *check()],
}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "corpus" / "engine")
    folder.mkdir(parents=True, exist_ok=True)
    for name, script in SCRIPTS.items():
        (folder / name).write_bytes(bytes(script))


main()
