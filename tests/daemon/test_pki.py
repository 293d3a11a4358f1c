#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`waywarden pki`: openssl agrees with what it makes, and it never overwrites anything."""
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from harness import WAYWARDEN, Lab, check, need  # noqa: E402

openssl = need("openssl")


def pki(lab, *argv):
    return subprocess.run([WAYWARDEN, "pki", *argv], cwd=lab.folder, capture_output=True, text=True, timeout=60)


def verifies(lab, ca, name, purpose):
    done = subprocess.run([openssl, "verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca, name],
                          cwd=lab.folder, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def text(lab, name):
    return lab.run(openssl, "x509", "-in", name, "-noout", "-text")


def read(lab, name):
    with open(lab.path(name), "rb") as f:
        return f.read()


with Lab() as lab:
    check(pki(lab, "init", "a").returncode == 0 and pki(lab, "init", "b").returncode == 0, "two labs are made")
    check(pki(lab, "issue", "a", "both", "--dns", "station.example", "--dns", "localhost", "--ip", "127.0.0.1",
              "--ip", "::1").returncode == 0, "a certificate with names is issued")
    check(pki(lab, "issue", "a", "client", "--client", "--days", "3").returncode == 0, "one to connect with")
    check(pki(lab, "issue", "a", "server", "--server").returncode == 0, "one to listen with")
    check(pki(lab, "issue", "a", "expired", "--days", "-2").returncode == 0, "one that has expired")

    for name, purpose, good in (("both", "sslserver", True), ("both", "sslclient", True), ("client", "sslclient", True),
                                ("client", "sslserver", False), ("server", "sslserver", True),
                                ("server", "sslclient", False), ("expired", "sslclient", False)):
        ok, said = verifies(lab, "a/ca.pem", f"a/{name}.pem", purpose)
        check(ok == good, f"openssl {'takes' if good else 'refuses'} {name} as {purpose}" + ("" if ok == good else said))
    check("certificate has expired" in verifies(lab, "a/ca.pem", "a/expired.pem", "sslclient")[1], "because it has expired")
    check(not verifies(lab, "b/ca.pem", "a/both.pem", "sslserver")[0], "another lab's CA does not vouch for it")
    check(not verifies(lab, "a/both.pem", "a/client.pem", "sslclient")[0], "an issued certificate is no CA")

    ca, leaf = text(lab, "a/ca.pem"), text(lab, "a/both.pem")
    check("X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0" in ca, "CA: basicConstraints")
    check("X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign" in ca, "CA: keyUsage")
    check("CA:FALSE" in leaf and "Digital Signature" in leaf, "leaf: basicConstraints and keyUsage")
    check("DNS:station.example, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1" in leaf, "leaf: names")
    check("Subject Key Identifier" in leaf and "Authority Key Identifier" in leaf, "leaf: key identifiers")
    check("prime256v1" in leaf and "Version: 3" in leaf, "leaf: P-256, version 3")

    for key in ("ca.key", "both.key", "client.key"):
        check(stat.S_IMODE(os.stat(lab.path("a", key)).st_mode) == 0o600, f"{key} has mode 0600")
    serials = {lab.run(openssl, "x509", "-in", f"a/{n}.pem", "-noout", "-serial") for n in ("both", "client", "server", "ca")}
    check(len(serials) == 4, "serial numbers differ")

    # nothing is overwritten
    before = {n: read(lab, n) for n in ("a/ca.pem", "a/ca.key", "a/both.pem", "a/both.key")}
    again = pki(lab, "init", "a")
    check(again.returncode == 1 and "never overwritten" in again.stderr, "init does not overwrite a CA")
    again = pki(lab, "issue", "a", "both")
    check(again.returncode == 1 and "never overwritten" in again.stderr, "issue does not overwrite a certificate")
    os.unlink(lab.path("a/client.pem"))
    again = pki(lab, "issue", "a", "client")
    check(again.returncode == 1 and "client.key" in again.stderr, "nor a key whose certificate is gone")
    check(not os.path.exists(lab.path("a/client.pem")), "and leaves no certificate without its key")
    check(before == {n: read(lab, n) for n in before}, "every file is as it was")

    # bad input
    for argv, says in ((("issue", "a", "../x"), "a name has"), (("issue", "a", "ca"), "a name has"),
                       (("issue", "a", ""), "a name has"), (("issue", "a", "n", "--ip", "300.1.1.1"), "not an address"),
                       (("issue", "a", "n", "--dns", "a b"), "not a DNS name"), (("issue", "a", "n", "--dns", ""), "not a DNS"),
                       (("issue", "a", "n", "--days", "0"), "--days"), (("issue", "a", "n", "--days", "9x"), "--days"),
                       (("issue", "a"), "takes a folder and a name"), (("revoke", "a"), "no action"), ((), "say init")):
        done = pki(lab, *argv)
        check(done.returncode == 2 and says in done.stderr, f"usage: {' '.join(argv) or 'nothing'}: {says}")
    check(not os.path.exists(lab.path("a/n.key")), "and nothing was made")
    done = pki(lab, "issue", "nowhere", "n")
    check(done.returncode == 1 and "nowhere/ca.pem: No such file" in done.stderr, "a folder without a CA is named")
    lab.write("a/ca.key", read(lab, "b/ca.key"), 0o600)
    done = pki(lab, "issue", "a", "n")
    check(done.returncode == 1 and "does not belong" in done.stderr, "a foreign ca.key is refused")
    lab.write("a/ca.pem", "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n")
    done = pki(lab, "issue", "a", "n")
    check(done.returncode == 1 and "ca.pem is not PEM" in done.stderr, "a broken ca.pem is refused")
