#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/install-packages against stand-ins for apt-get and dpkg-query: a policy-rc.d that was there comes back as it was
on every way out, new daemons are denied while it runs, and nothing is done when nothing is missing."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "install-packages"
OLD = '#!/bin/sh\necho "old policy asked: $*"\nexit 42\n'

# dpkg-query: -W lists the file "installed", -S knows who owns what, -L knows nothing.
DPKG_QUERY = """#!/bin/sh
case $1 in
-W) sed 's/^/installed /' "$STUB/installed" ;;
-S) case $2 in */sshd*) echo "openssh-server: $2" ;; */frr*) echo "frr: $2" ;; *) exit 1 ;; esac ;;
esac
"""
# apt-get install: notes what it was asked and what the policy answers, "installs" the last words, then ends as told.
APT_GET = """#!/bin/sh
echo "$*" >> "$STUB/asked"
case " $* " in *" update "*) exit 0 ;; esac
for service in frr sshd other; do
  "$WW_INSTALL_ROOT/usr/sbin/policy-rc.d" --quiet $service start > "$STUB/answer" 2>&1
  echo "$service $?" >> "$STUB/policy"
done
echo frr >> "$STUB/installed"
[ -z "$STUB_KILL" ] || kill -TERM "$PPID"
exit "${STUB_EXIT:-0}"
"""


class Install(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.stub = pathlib.Path(self.folder.name)
        for name, text in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET),
                           ("apt-cache", "#!/bin/sh\necho '  Candidate: 1'\n")):
            (self.stub / name).write_text(text)
            (self.stub / name).chmod(0o755)
        (self.stub / "installed").write_text("openssh-server\nbash\n")
        self.sbin = self.stub / "root" / "usr" / "sbin"
        self.sbin.mkdir(parents=True)
        self.policy = self.sbin / "policy-rc.d"

    def run_script(self, *arguments, **environment):
        env = {**os.environ, "PATH": f"{self.stub}:{os.environ['PATH']}", "STUB": str(self.stub), "STUB_KILL": "",
               "WW_INSTALL_ROOT": str(self.stub / "root"), **environment}
        return subprocess.run([SCRIPT, *arguments], env=env, capture_output=True, text=True, timeout=60)

    def put_old_policy(self):
        self.policy.write_text(OLD)
        self.policy.chmod(0o751)
        os.utime(self.policy, (1500000000, 1500000000))
        return self.policy.stat()

    def assert_same_policy(self, before):
        after = self.policy.stat()
        self.assertEqual((after.st_ino, after.st_mode, after.st_mtime, after.st_uid),
                         (before.st_ino, before.st_mode, before.st_mtime, before.st_uid))
        self.assertEqual(self.policy.read_text(), OLD)
        self.assertEqual([p.name for p in self.sbin.iterdir()], ["policy-rc.d"])

    def answers(self):
        return dict(line.split() for line in (self.stub / "policy").read_text().splitlines())

    def test_without_a_policy_none_is_left(self):
        result = self.run_script("--as-root", "frr")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(list(self.sbin.iterdir()), [])
        self.assertEqual(self.answers(), {"frr": "101", "sshd": "104", "other": "101"})

    def test_old_policy_is_asked_about_old_daemons_and_comes_back(self):
        before = self.put_old_policy()
        result = self.run_script("--as-root", "frr")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_same_policy(before)
        self.assertEqual(self.answers(), {"frr": "101", "sshd": "42", "other": "101"})

    def test_old_policy_comes_back_after_a_failure(self):
        before = self.put_old_policy()
        result = self.run_script("--as-root", "frr", STUB_EXIT="100")
        self.assertEqual(result.returncode, 100)
        self.assert_same_policy(before)
        # The lists may have been stale: one update, one more try.
        self.assertEqual([line.split()[-1] for line in (self.stub / "asked").read_text().splitlines()],
                         ["frr", "update", "frr"])

    def test_old_policy_comes_back_after_an_interruption(self):
        before = self.put_old_policy()
        result = self.run_script("--as-root", "frr", STUB_KILL="1")
        self.assertEqual(result.returncode, 143)
        self.assert_same_policy(before)

    def test_policy_left_by_a_killed_run_is_cleared(self):
        before = self.put_old_policy()
        self.policy.rename(self.sbin / "policy-rc.d.saved-by-waywarden")
        self.policy.write_text("#!/bin/sh\n# temporary, by Waywarden's scripts/install-packages\nexit 101\n")
        result = self.run_script("--as-root", "frr")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_same_policy(before)

    def test_recommended_packages_stay_out(self):
        self.run_script("--as-root", "frr")
        asked = (self.stub / "asked").read_text()
        self.assertIn("--no-install-recommends", asked)
        self.assertIn("DPkg::Lock::Timeout=", asked)

    def test_nothing_is_done_when_nothing_is_missing(self):
        (self.stub / "installed").write_text("python3\n")
        result = self.run_script("demo")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertFalse((self.stub / "asked").exists())

    def test_says_what_it_would_install(self):
        result = self.run_script("--dry-run", "interop")
        self.assertEqual(result.returncode, 0)
        self.assertIn("systemd-standalone-sysusers", result.stdout)
        self.assertIn("stayrtr", result.stdout)
        (self.stub / "installed").write_text("systemd\n")
        self.assertNotIn("sysusers", self.run_script("--dry-run", "interop").stdout)
        self.assertFalse((self.stub / "asked").exists())

    def test_wrong_use(self):
        self.assertEqual(self.run_script().returncode, 1)
        result = self.run_script("nonsense")
        self.assertEqual(result.returncode, 1)
        self.assertIn("nonsense", result.stderr)


if __name__ == "__main__":
    unittest.main()
