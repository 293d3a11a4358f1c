# SPDX-License-Identifier: BSD-2-Clause
"""Waywarden's own parts in the live tests: lab certificates, a station and what it heard, the daemon, a cache."""
import json

from harness import WAYWARDEN, free_port, json_lines, need


def lab_pki(lab, client="sidecar", server="station"):
    lab.run(WAYWARDEN, "pki", "init", "pki")
    lab.run(WAYWARDEN, "pki", "issue", "pki", server, "--dns", "localhost", "--ip", "127.0.0.1")
    lab.run(WAYWARDEN, "pki", "issue", "pki", client)


def start_station(lab, name="station"):
    port = free_port()
    process = lab.start(name, WAYWARDEN, "station", "--listen", f"127.0.0.1:{port}", "--cert", "pki/station.pem",
                        "--key", "pki/station.key", "--ca", "pki/ca.pem", "--format", "ndjson")
    lab.wait(f"{name} listens", lambda: "listening" in process.output())
    return process, port


def start_daemon(lab, config, stations=(), name="waywarden"):
    """stations: (name, TLS port) pairs."""
    text = f'store = "{lab.path("store")}"\ncontrol = "{lab.path("control.sock")}"\n{config}\n'
    for station, port in stations:
        text += (f'station "{station}" {{ host = "127.0.0.1"  port = {port}  server-name = "localhost"\n'
                 f'  certificate = "{lab.path("pki/sidecar.pem")}"  key = "{lab.path("pki/sidecar.key")}"\n'
                 f'  ca = "{lab.path("pki/ca.pem")}"  retry-min = 1  retry-max = 2 }}\n')
    lab.write(name + ".conf", text)
    lab.run(WAYWARDEN, "run", "-c", lab.path(name + ".conf"), "--check-config")
    process = lab.start(name, WAYWARDEN, "run", "-c", lab.path(name + ".conf"))
    lab.wait("the daemon is up", lambda: not process.alive() or "BMP" in process.output())
    return process


def status(lab, name="waywarden"):
    return json.loads(lab.run(WAYWARDEN, "status", "--control", lab.path("control.sock"), "--json"))


def start_stayrtr(lab, file, *more):
    stayrtr, port = need("stayrtr"), free_port()
    process = lab.start("stayrtr", stayrtr, "-bind", f"127.0.0.1:{port}", "-cache", file, "-checktime=false",
                        "-metrics.addr", f"127.0.0.1:{free_port()}", "-refresh", "600", *more)

    def listening():
        import socket
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False
    lab.wait("stayrtr listens", listening)
    return process, port


class Verdicts:
    """What a station would believe: folds its NDJSON into one state a prefix."""

    def __init__(self, process):
        self.process = process

    def messages(self):
        return json_lines(self.process.output())

    def changes(self):
        return [route for m in self.messages() if m.get("type") == "rpki-validation" for route in m["verdicts"]]

    def verdicts(self):
        """The whole verdict of each prefix."""
        table = {}
        for m in self.messages():
            peer = json.dumps(m.get("peer", {}).get("address"))
            if m.get("type") == "peer-down":
                table = {k: v for k, v in table.items() if k[0] != peer}
            elif m.get("type") == "rpki-validation":
                for route in m.get("withdrawn", []):
                    table.pop((peer, route["prefix"], route.get("path_id")), None)
                for route in m["verdicts"]:
                    table[peer, route["prefix"], route.get("path_id")] = route
        return {prefix: verdict for (_, prefix, _), verdict in table.items()}

    def states(self):
        return {prefix: verdict["state"] for prefix, verdict in self.verdicts().items()}
