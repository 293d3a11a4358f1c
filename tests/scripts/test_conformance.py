#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/conformance on a sample tree: it finds clauses, names functions, and rejects clauses that do not exist."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "conformance"
TREE = {
    "cmake/layers.txt": "# rooms\nbase:\nwire: base\n",
    "docs/conformance/sections.txt": "# list\nRFC 7606: 3 7.5 7.9 7.11\nRFC 4271: 4.1\ndraft-x-y-01: 5.2.1 A\n",
    "wire/a.c": """/*
 * An essay. RFC
 * 7606 §3 (j) and §7.11 are read here.
 *
 * CHOICE: spread over
 * two lines.
 */
#include <stdio.h>

static int first(int a,
                 int b) {
  if (a) {
    return b; /* draft-x-y-01 §5.2.1: so it is. DEVIATION: not quite. */
  }
  return fail("RFC 4271 §4.1", "{ no brace");
}

/* RFC 7606 §7.5, §7.9: both. */
int second(void) { return 0; }
""",
    "wire/a.h": "/* draft-x-y-01 §A: an appendix of draft-x-y-01, and RFC 1 */\n",
    "tests/wire/test_a.c": "/* RFC 7606 §7.5: tested. CHOICE: a test chooses nothing */\n",
    "vectors/rov.json": '{"ref": ["RFC 4271 §4.1"]}\n',
}


class Conformance(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for path, text in TREE.items():
            self.put(path, text)

    def put(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def run_tool(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, "--root", self.root, *arguments], capture_output=True, text=True,
                              env={**os.environ, "PYTHONIOENCODING": "utf-8"})

    def page(self):
        return (self.root / "docs" / "conformance.md").read_text(encoding="utf-8")

    def test_clauses_functions_and_tests_are_found(self):
        result = self.run_tool()
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))
        page = self.page()
        for line in ("| §3 | `wire/a.c` | — |", "| §7.11 | `wire/a.c` | — |",
                     "| §7.5 | `wire/a.c`: `second` | `tests/wire/test_a.c` |", "| §7.9 | `wire/a.c`: `second` | — |",
                     "| §4.1 | `wire/a.c`: `first` | `vectors/rov.json` |", "| §5.2.1 | `wire/a.c`: `first` | — |",
                     "| §A | `wire/a.h` | — |", "| as a whole | `wire/a.h` | — |", "- `wire/a.c`: **CHOICE:** spread over two lines.",
                     "- `wire/a.c`: `first`: draft-x-y-01 §5.2.1: so it is. **DEVIATION:** not quite."):
            self.assertIn(line, page.split("\n"))
        self.assertLess(page.index("## RFC 4271"), page.index("## RFC 7606"))
        self.assertLess(page.index("| §7.5 |"), page.index("| §7.11 |"))
        self.assertNotIn("a test chooses", page)

    def test_check_wants_the_page_as_it_would_be_written(self):
        self.assertEqual(self.run_tool("--check").returncode, 1)
        self.run_tool()
        self.assertEqual(self.run_tool("--check").returncode, 0)
        # Lines that move change nothing; a clause that moves does.
        self.put("wire/a.c", "\n\n" + TREE["wire/a.c"])
        self.assertEqual(self.run_tool("--check").returncode, 0)
        self.put("wire/a.c", TREE["wire/a.c"].replace("§7.5, ", ""))
        result = self.run_tool("--check")
        self.assertEqual(result.returncode, 1)
        self.assertIn("out of date", result.stdout)

    def test_what_does_not_exist_is_rejected(self):
        for text, expect in (("RFC 7606 §7.5, §7.99", "RFC 7606 §7.99: there is no such section"),
                             ("RFC 3379 §1", "RFC 3379 §1: the document is not in"),
                             ("draft-x-y-02 §5.2.1", "draft-x-y-02 §5.2.1: the document is not in")):
            with self.subTest(text):
                self.put("wire/b.c", f"/* {text}: wrong. */\n")
                self.run_tool()
                result = self.run_tool("--check")
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"wire/b.c: {expect}", result.stdout)

    def test_sections_come_from_the_texts(self):
        texts = self.root / "texts"
        self.put("texts/rfc1234.txt", "Table of Contents\n\n   1.  Begin . . . . 1\n     1.1.  More . . . . 2\n"
                                      "   Appendix A.  End . . . 3\n\n1.  Begin\n\n   Text.\n\n1.1.  More\n")
        self.put("texts/draft-a-b-03.xml", "<rfc><front/><middle><section><section/></section><section/></middle>"
                                           "<back><references/><section/></back></rfc>")
        self.assertEqual(self.run_tool("--sections", texts).returncode, 0)
        lines = (self.root / "docs" / "conformance" / "sections.txt").read_text().split("\n")
        self.assertIn("RFC 1234: 1 1.1 A", lines)
        self.assertIn("draft-a-b-03: 1 1.1 2 3 A", lines)
        self.assertIn("RFC 4271: 4.1", lines)


if __name__ == "__main__":
    unittest.main()
