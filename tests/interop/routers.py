# SPDX-License-Identifier: BSD-2-Clause
"""Real routers on loopback: ExaBGP announces, FRR or GoBGP hears it and exports BMP. No kernel route is touched."""
import getpass
import os

from harness import free_port, need

SPEAKER, SPEAKER_AS = "127.0.0.2", 65010


def announcement(prefix, path, extra=""):
    hop = "2001:db8:ffff::1" if ":" in prefix else "192.0.2.1"
    words = " ".join("( " + " ".join(map(str, a)) + " )" if isinstance(a, list) else str(a) for a in path)
    return f"announce route {prefix} next-hop {hop} as-path [ {words} ] {extra}".rstrip()


def withdrawal(prefix):
    hop = "2001:db8:ffff::1" if ":" in prefix else "192.0.2.1"
    return f"withdraw route {prefix} next-hop {hop}"


class Speaker:
    """ExaBGP, told what to announce by lines appended to a file."""

    def __init__(self, lab, neighbor, neighbor_as, port):
        exabgp = need("exabgp")
        self.commands = lab.write("speaker.cmd", "")
        feed = lab.write("speaker.py", "import sys, time\n"
                         f"at = 0\nf = open({self.commands!r})\n"
                         "while True:\n"
                         "    line = f.readline()\n"
                         "    if not line.endswith('\\n'):\n"
                         "        f.seek(at); time.sleep(0.05)\n"
                         "        if __import__('os').getppid() == 1: break\n"
                         "        continue\n"
                         "    at = f.tell(); sys.stdout.write(line); sys.stdout.flush()\n")
        config = lab.write("exabgp.conf", f"""
process feed {{ run /usr/bin/python3 {feed}; encoder text; }}
neighbor {neighbor} {{
  local-address {SPEAKER}; local-as {SPEAKER_AS}; peer-as {neighbor_as}; router-id {SPEAKER}; hold-time 90; connect {port};
  family {{ ipv4 unicast; ipv6 unicast; }}
  capability {{ route-refresh enable; graceful-restart disable; }}
  api {{ processes [ feed ]; }}
}}
""")
        self.process = lab.start("exabgp", exabgp, config, env={
            "exabgp.daemon.user": getpass.getuser(), "exabgp.daemon.drop": "false", "exabgp.tcp.bind": "",
            "exabgp.api.cli": "false", "exabgp.log.level": "WARNING"})

    def say(self, lines):
        with open(self.commands, "a") as f:
            f.write("".join(line + "\n" for line in lines))


class Frr:
    """bgpd alone: no zebra, no kernel."""
    address, asn, name = "127.0.0.11", 65000, "frr"

    def __init__(self, lab, bmp_port, extra=""):
        bgpd = need("/usr/lib/frr/bgpd")
        self.port = free_port()
        os.makedirs(lab.path("frrsock"), exist_ok=True)
        os.chmod(lab.path("frrsock"), 0o777)
        config = lab.write("frr.conf", f"""
log stdout informational
router bgp {self.asn}
 bgp router-id {self.address}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor {SPEAKER} remote-as {SPEAKER_AS}
 neighbor {SPEAKER} disable-connected-check
 neighbor {SPEAKER} passive
 address-family ipv4 unicast
  neighbor {SPEAKER} activate
  neighbor {SPEAKER} soft-reconfiguration inbound
 exit-address-family
 address-family ipv6 unicast
  neighbor {SPEAKER} activate
  neighbor {SPEAKER} soft-reconfiguration inbound
 exit-address-family
 bmp mirror buffer-limit 16777216
 bmp targets t1
  bmp mirror
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv6 unicast pre-policy
  bmp connect 127.0.0.1 port {bmp_port} min-retry 200 max-retry 1000
 exit
exit
{extra}
""")
        self.process = lab.start("frr", bgpd, "-S", "-Z", "-M", "bmp", "-f", config, "-l", self.address,
                                 "-p", str(self.port), "-i", lab.path("frr.pid"), "--vty_socket", lab.path("frrsock"),
                                 "-A", self.address, "-P", str(free_port()))


class Gobgp:
    address, asn, name = "127.0.0.12", 65001, "gobgp"

    def __init__(self, lab, bmp_port, policy="pre-policy"):
        gobgpd = need("gobgpd")
        self.port = free_port()
        config = lab.write("gobgpd.toml", f"""
[global.config]
  as = {self.asn}
  router-id = "{self.address}"
  port = {self.port}
  local-address-list = ["{self.address}"]
[[bmp-servers]]
  [bmp-servers.config]
    address = "127.0.0.1"
    port = {bmp_port}
    route-monitoring-policy = "{policy}"
    statistics-timeout = 15
    sys-name = "gobgp-test"
    sys-descr = "GoBGP"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{SPEAKER}"
    peer-as = {SPEAKER_AS}
  [neighbors.transport.config]
    passive-mode = true
    local-address = "{self.address}"
  [neighbors.ebgp-multihop.config]
    enabled = true
    multihop-ttl = 5
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
""")
        self.process = lab.start("gobgpd", gobgpd, "-f", config, "-l", "info", "--api-hosts",
                                 f"127.0.0.1:{free_port()}", "--pprof-disable")
