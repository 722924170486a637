#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""bench/results.py and bench/report.py on a run of three requests: what they write, and where."""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest
from xml.dom import minidom

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../bench")
sys.path.insert(0, BENCH)
import figures
import plots
import report

MACHINE = {"kernel": "6.1", "cores": 2, "date": "2026-01-01", "cpu": "C", "memory_mib": 2048, "version": "v",
           "hypervisor": "", "quick": False, "seconds": 1443}
RECORDS = (
    {"kind": "side", "side": "x", "words": "what <x> is"},
    {"kind": "figure", "name": "a", "unit": "/s", "better": "higher", "title": "Title & more", "base": "direct"},
    {"kind": "figure", "name": "late", "unit": "us", "better": "lower", "title": "Latency", "base": "direct"},
    {"kind": "figure", "name": "out", "unit": "us", "better": "lower", "title": "Outage", "base": "direct"},
    {"kind": "goal", "figure": "a", "side": "x", "is": "at_least", "value": 0.4, "of": "direct"},
    {"kind": "goal", "figure": "a", "side": "x", "is": "at_least", "value": 60},
    {"kind": "missing", "what": "envoy", "how": "ENVOY= names one"},
    *({"kind": "sample", "figure": "a", "side": side, "round": r, "value": value, "unit": "/s"}
      for side, value in (("direct", 100), ("x", 50)) for r in range(7)),
    {"kind": "figure", "name": "never", "unit": "us", "better": "lower", "title": "Never", "base": "direct"},
    *({"kind": "sample", "figure": "never", "side": side, "round": r, "value": value, "unit": "us"}
      for side, values in (("direct", (1, 2, "inf")), ("x", ("inf",) * 3), ("y", (7, "inf", "inf")))
      for r, value in enumerate(values)),
    {"kind": "figure", "name": "nobody", "unit": "us", "better": "lower", "title": "Nobody", "base": "direct"},
    *({"kind": "sample", "figure": "nobody", "side": side, "round": r, "value": "inf", "unit": "us"}
      for side in ("direct", "x") for r in range(2)),
    {"kind": "goal", "figure": "nobody", "side": "x", "is": "at_most", "value": 2, "of": "direct"},
    {"kind": "raw", "figure": "late", "round": 0, "file": "requests"},
    {"kind": "timeline", "figure": "out", "side": "x", "file": "requests", "begin_us": 1000, "back_us": None},
)


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkdir(f"{self.folder}/samples")
        self.write("machine.json", json.dumps(MACHINE))
        self.write("requests", "".join(json.dumps(one) + "\n" for one in (
            (0, "direct", 1000, 0, 10, "ok"), (0, "x", 1000, 0, 10, "ok"), (0, "x", 2000, 0, 20, "refused"))))
        self.write("samples/s.jsonl", "".join(json.dumps({"scenario": "s", **record}) + "\n" for record in RECORDS))
        self.run_tool("figures.py", "s")

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def read(self, name):
        with open(f"{self.folder}/{name}", encoding="utf-8") as text:
            return text.read()

    def run_tool(self, name, *arguments):
        return subprocess.run([sys.executable, "-B", f"{BENCH}/{name}", self.folder, *arguments], check=True,
                              stdout=subprocess.DEVNULL, timeout=60)

    def test_report_has_a_plot_for_each_kind_and_asks_for_nothing_else(self):
        self.run_tool("report.py", "s")
        page = self.read("report.html")
        for name in ("a", "never", "nobody", "late.all", "out.line"):
            with self.subTest(plot=name):
                minidom.parse(f"{self.folder}/plots/{name}.svg")
                with open(f"{self.folder}/plots/{name}.png", "rb") as picture:
                    self.assertEqual(picture.read(4), b"\x89PNG")
        self.assertIn(">0.500</text>", self.read("plots/a.svg"))
        self.assertEqual(page.count("<svg"), len(os.listdir(f"{self.folder}/plots")) // 2)
        for wanted in ("Title &amp; more", "what &lt;x&gt; is", "0.500 of direct", "reached", "ENVOY= names one",
                       "prefers-color-scheme:dark", "∞", "1443",
                       "1 of late.p50, late.p99, late.p99.9, out; 2 of nobody; 3 of never"):
            self.assertIn(wanted, page)
        self.assertNotRegex(page, r"(src|href)=\"[^#\"]|@import|url\([^#]")

    def test_time_line_of_a_minute_is_small(self):
        self.write("requests", "".join(f'[0, "x", {i * 10000}, 0, {1000 + i}.5, "{"ok" if i % 9 else "reset"}"]\n' for i in range(6000)))
        self.run_tool("report.py", "s")
        size = os.path.getsize(f"{self.folder}/plots/out.line.svg")
        self.assertLess(size, 1_000_000)

    def test_ids_of_plots_do_not_meet_in_the_page(self):
        self.run_tool("report.py", "s")
        ids = [part.split('"')[0] for part in self.read("report.html").split(' id="')[1:]]
        self.assertGreater(len(ids), 10)
        self.assertEqual(len(ids), len(set(ids)))

    def test_requests_without_an_answer_leave_the_plot_at_the_right(self):
        drawn = plots.latencies({"unit": "us"}, {"x": [30, 10, math.inf, 20], "y": [5, 5], "z": [math.inf]}, plots.Palette([]))
        curves = {line.get_label(): line for line in drawn.axes[0].lines}
        self.assertEqual(list(curves["x"].get_xdata()), [10, 20, 30, 60])
        self.assertEqual(list(curves["x"].get_ydata()), [1, 0.75, 0.5, 0.25])
        self.assertEqual(list(curves["y"].get_xdata()), [5, 5])
        self.assertEqual(list(curves["z"].get_xdata()), [60])
        self.assertEqual(drawn.axes[0].get_xlim(), (2.5, 60))

    def test_a_failed_request_is_in_the_report(self):
        seen = []
        self.addCleanup(setattr, plots, "latencies", plots.latencies)
        plots.latencies = lambda one, by_side, palette: seen.append(by_side) or plots.pyplot.subplots()[0]
        run = figures.Run(self.folder)
        run.read("s")
        report.Report(run, figures.read_summary(self.folder)).scenario("s")
        self.assertEqual(seen, [{"direct": [10], "x": [10, math.inf]}])

    def test_results_replaces_what_is_between_its_marks(self):
        self.write("RESULTS.md", "head\n<!-- figures: written by bench/results.py -->\nold\n<!-- end of figures -->\ntail\n")
        for _ in range(2):
            self.run_tool("results.py", f"{self.folder}/RESULTS.md")
        text = self.read("RESULTS.md")
        self.assertTrue(text.startswith("head\n<!--"), text)
        self.assertTrue(text.endswith("-->\ntail\n"), text)
        self.assertNotIn("old", text)
        self.assertIn("| Title & more | s | x | ≥ 0.4 × direct | 0.5 (0.5 to 0.5) | reached |", text)
        self.assertIn("| Title & more | s | x | ≥ 60 /s | 50 (50 to 50) | missed |", text)
        self.assertIn("- x: what <x> is\n", text)
        self.assertIn("## Outage\n\n| side | failed |", text)
        self.assertIn("| x | 1 | 0 | 1.02 |  |  |  |", text)
        self.assertIn("2 processors (C), 2.0 GiB, Linux 6.1. Its scenarios took 24 min 3 s.", text)
        self.assertIn("1 of late.p50, late.p99, late.p99.9, out; 2 of nobody; 3 of never.\n\n## Goals", text)

    def test_a_quick_run_or_a_part_is_none_to_quote(self):
        for lack in ({"quick": True}, {"only": "paths"}):
            self.write("machine.json", json.dumps({**MACHINE, **lack}))
            self.run_tool("figures.py", "s")
            self.write("RESULTS.md", "untouched")
            with self.assertRaises(subprocess.CalledProcessError):
                self.run_tool("results.py", f"{self.folder}/RESULTS.md")
            self.assertEqual(self.read("RESULTS.md"), "untouched")


if __name__ == "__main__":
    unittest.main()
