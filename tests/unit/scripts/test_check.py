#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""scripts/check.sh with a make of this test's own."""
import glob
import os
import subprocess
import tempfile
import unittest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
FUZZERS = sorted(os.path.basename(path)[len("fuzz_"):-len(".c")] for path in glob.glob(f"{TOP}/tests/fuzz/fuzz_*.c"))


class Fuzz(unittest.TestCase):
    def lines_of(self, text, status):
        """What check.sh says where "make fuzz" says this, and ends so."""
        with tempfile.TemporaryDirectory() as folder:
            make = f"{folder}/make"
            with open(make, "w", encoding="utf-8") as out:
                out.write(f"#!/bin/sh\ncat <<'END'\n{text}END\nexit {status}\n")
            os.chmod(make, 0o755)
            ran = subprocess.run([f"{TOP}/scripts/check.sh", "fuzz"], env={**os.environ, "MAKE": make, "OUT": folder, "T": ""},
                                 stdout=subprocess.PIPE, text=True, check=False, timeout=60)
        return ran.stdout.splitlines(), ran.returncode

    def test_all_that_ran(self):
        lines, status = self.lines_of("".join(f"PASS fuzz/{name}: 5 runs\n" for name in FUZZERS), 0)
        self.assertEqual(lines[-1], f"{len(FUZZERS)} passed, 0 failed, 0 skipped")
        self.assertEqual(status, 0)

    def test_one_that_is_not_built_has_failed(self):
        text = "tests/fuzz/fuzz_x.c:1: error\n" + "".join(f"PASS fuzz/{name}: 5 runs\n" for name in FUZZERS[1:])
        lines, status = self.lines_of(text, 2)
        self.assertIn(f"FAIL fuzz/{FUZZERS[0]}: not built", lines)
        self.assertEqual(lines[-1], f"{len(FUZZERS) - 1} passed, 1 failed, 0 skipped")
        self.assertEqual(status, 1)

    def test_one_that_failed_is_counted_once(self):
        text = f"FAIL fuzz/{FUZZERS[0]}\n" + "".join(f"PASS fuzz/{name}: 5 runs\n" for name in FUZZERS[1:])
        lines, status = self.lines_of(text, 2)
        self.assertEqual(lines[-1], f"{len(FUZZERS) - 1} passed, 1 failed, 0 skipped")
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
