#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""bench/figures.py on files as bench/lib.sh writes them."""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../bench"))
import figures


def figure(name, better="higher", base="direct"):
    return {"kind": "figure", "scenario": "s", "name": name, "unit": "/s", "better": better,
            "title": "Title", "base": base}


def goal(name, side, value, of=None, which="at_least"):
    return {"kind": "goal", "scenario": "s", "figure": name, "side": side, "is": which, "value": value,
            **({"of": of} if of else {})}


def samples(name, side, values):
    return [{"kind": "sample", "figure": name, "side": side, "round": r, "value": value, "unit": "/s"}
            for r, value in enumerate(values)]


class Figures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkdir(f"{self.folder}/samples")
        with open(f"{self.folder}/machine.json", "w", encoding="utf-8") as out:
            out.write("{}")

    def summary(self, records):
        with open(f"{self.folder}/samples/s.jsonl", "w", encoding="utf-8") as out:
            for record in records:
                out.write(json.dumps(record) + "\n")
        run = figures.Run(self.folder)
        run.read("s")
        return figures.summary(run)

    def table(self, records):
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            figures.print_table(self.summary(records))
        return text.getvalue()

    def test_each_side_is_beside_the_base(self):
        records = [figure("a"), *samples("a", "x", [50] * 7), *samples("a", "direct", [100] * 7),
                   *samples("a", "y", [100, 99, 101] * 3)]
        rows = {row["side"]: row for row in self.summary(records)["measured"][0]["sides"]}
        self.assertEqual(list(rows), ["direct", "x", "y"])
        self.assertNotIn("ratio", rows["direct"])
        self.assertEqual(rows["x"]["ratio"]["median"], 0.5)
        self.assertFalse(rows["y"]["ratio"]["differs"])
        text = self.table(records)
        self.assertRegex(text, r"a +x .*0\.500 of direct \(0\.500 to 0\.500\)\n")
        self.assertRegex(text, r"a +y .*no difference seen\n")

    def test_without_its_base_a_side_stands_alone(self):
        whole = self.summary([figure("a"), *samples("a", "x", [1, 2, 3]), *samples("a", "y", [1, 2, 3])])
        self.assertIsNone(whole["measured"][0]["base"])
        self.assertEqual([row.get("ratio") for row in whole["measured"][0]["sides"]], [None, None])

    def test_goals(self):
        records = [figure("a"), *samples("a", "direct", [100] * 7), *samples("a", "x", [50] * 7),
                   *samples("a", "y", [10] * 7)]
        cases = (
            (goal("a", "x", 0.4, of="direct"), "reached"),
            (goal("a", "x", 0.6, of="direct"), "missed"),
            (goal("a", "x", 3, of="y"), "reached"),
            (goal("a", "x", 60), "missed"),
            (goal("a", "x", 50, which="at_most"), "reached"),
            (goal("a", "x", 3, of="peer"), "not measured"),
            (goal("b", "x", 3), "not measured"),
        )
        for one, wanted in cases:
            with self.subTest(goal=one):
                self.assertEqual(self.summary([*records, one])["goals"][0]["verdict"], wanted)

    def test_each_number_has_a_name_of_its_own(self):
        records = [figure("a"), *samples("a", "direct", [100] * 7), *samples("a", "x", [50] * 7),
                   *samples("a", "y", [10] * 8), figure("b", "lower"), *samples("b", "value", [3]),
                   goal("a", "x", 0.4, of="direct"), goal("a", "x", 3, of="y"), goal("b", "value", 4, which="at_most"),
                   goal("a", "none", 1), figure("c"), *samples("c", "direct", [0]), *samples("c", "x", [1]),
                   figure("paths.d"), *samples("paths.d", "x", [1])]
        seen = {one.pop("name"): one for one in self.summary(records)["figures"]}
        unit = records[0]["unit"]

        def number(value, goal, unit, rounds=7, better="higher"):
            return {"median": value, "low": value, "high": value, "goal": goal, "better": better, "unit": unit,
                    "rounds": rounds}

        self.assertEqual(seen, {
            "direct.a": number(100, None, unit), "x.a": number(50, None, unit), "y.a": number(10, None, unit, 8),
            "x.a_vs_direct": number(0.5, 0.4, "ratio"), "y.a_vs_direct": number(0.1, None, "ratio"),
            "x.a_vs_y": number(5, 3, "ratio"), "b": number(3, 4, unit, 1, "lower"),
            "direct.c": number(0, None, unit, 1), "x.c": number(1, None, unit, 1),
            "x.d": number(1, None, unit, 1)})

    def test_percentiles_come_from_every_request(self):
        with open(f"{self.folder}/raw", "w", encoding="utf-8") as out:
            out.writelines(f'[{us % 7}, "x", {us * 10}, 0, {us}, "ok"]\n' for us in range(1, 1001))
            out.writelines(f'[0, "y", 0, 0, {us}, "{"refused" if us == 1 else "ok"}"]\n' for us in range(1, 101))
        raw = {"kind": "raw", "scenario": "s", "figure": "a", "round": 0, "file": "raw"}
        whole = self.summary([figure("a"), raw, goal("a.p99", "x", 1000, which="at_most")])
        seen = {(one["name"], row["side"]): row["median"] for one in whole["measured"] for row in one["sides"]}
        # A request without an answer is later than any that has one.
        self.assertEqual(seen, {("a.p50", "x"): 500, ("a.p99", "x"): 990, ("a.p99.9", "x"): 999,
                                ("a.p50", "y"): 51, ("a.p99", "y"): 100, ("a.p99.9", "y"): float("inf")})
        self.assertEqual(whole["goals"][0]["verdict"], "reached")

    def test_a_percentile_is_of_all_rounds_and_plots_have_each(self):
        for number in (0, 1):
            with open(f"{self.folder}/raw-{number}", "w", encoding="utf-8") as out:
                for r in (2 * number, 2 * number + 1):
                    out.writelines(f'[{r}, "{side}", 0, 0, {slow if r == 3 else 1}, "ok"]\n'
                                   for side, slow in (("direct", 1), ("x", 9)) for _ in range(10))
        raws = [{"kind": "raw", "scenario": "s", "figure": "a", "file": f"raw-{number}"} for number in (0, 1)]
        whole = self.summary([figure("a", "lower"), *raws, goal("a.p99", "x", 9, of="direct", which="at_most")])
        p99 = next(one for one in whole["measured"] if one["name"] == "a.p99")
        self.assertEqual([(row["median"], row["rounds"]) for row in p99["sides"]], [(1, 4), (9, 4)])
        self.assertEqual(p99["sides"][1]["ratio"], whole["goals"][0]["seen"])
        self.assertEqual(whole["goals"][0]["seen"]["median"], 9)
        run = figures.Run(self.folder)
        run.read("s")
        self.assertEqual(run.samples["a.p99"]["x"], {0: 1, 1: 1, 2: 1, 3: 9})

    def test_who_has_few_rounds_is_named(self):
        with open(f"{self.folder}/raw", "w", encoding="utf-8") as out:
            out.write('[0, "x", 1000, 0, 10, "ok"]\n')
        line = {"kind": "timeline", "scenario": "s", "figure": "out", "side": "x", "file": "raw", "begin_us": 0, "back_us": None}
        records = [figure("a"), *samples("a", "x", [1] * 7), *samples("a", "y", [1] * 9)]
        self.assertEqual(figures.few_rounds(self.summary(records)), {})
        self.assertEqual(figures.few_rounds_words(self.summary(records)), "Every figure has 7 rounds at least.")
        records += [figure("b"), *samples("b", "x", [1] * 5), figure("c"), *samples("c", "x", [1]),
                    figure("d"), *samples("d", "x", [1] * 9), *samples("d", "y", [1] * 5), figure("out"), line]
        self.assertEqual(figures.few_rounds_words(self.summary(records)),
                         "There are 7 rounds at least, but for these: 1 of c, out; 5 of b, d.")

    def test_what_is_infinite_is_null_in_the_summary(self):
        records = [figure("a", "lower"), *samples("a", "direct", [1, 2, "inf"]), *samples("a", "x", [3, "inf", "inf"]),
                   goal("a", "x", 5, which="at_most")]
        whole = self.summary(records)
        figures.write_summary(self.folder, whole)

        def refuse(word):
            self.fail(f"{word} is not JSON")

        with open(f"{self.folder}/summary.json", encoding="utf-8") as text:
            made = json.load(text, parse_constant=refuse)
        seen = {one["name"]: (one["median"], one["low"], one["high"], one["rounds"]) for one in made["figures"]}
        # A round in which neither was answered compares nothing.
        self.assertEqual(seen, {"direct.a": (2, 1, None, 3), "x.a": (None, 3, None, 3), "x.a_vs_direct": (None, 3, None, 2)})
        self.assertEqual(made["goals"][0]["verdict"], "missed")
        self.assertEqual(figures.read_summary(self.folder), whole)
        self.assertRegex(self.table(records), r"a +x +∞ +3 to ∞ .* ∞ of direct \(3\.000 to ∞\)")

    def test_an_outage_costs_what_its_time_line_says(self):
        with open(f"{self.folder}/raw", "w", encoding="utf-8") as out:
            out.write('[0, "x", 1000, 0, 10, "ok"]\n[0, "x", 2000, 0, 7000, "refused"]\n'
                      '[0, "x", 3000, 0, 200000, "ok"]\n[0, "x", 9000, 0, 1000, "503"]\n')
        line = {"kind": "timeline", "scenario": "s", "figure": "a", "side": "x", "file": "raw", "begin_us": 2000,
                "back_us": 8000}
        whole = self.summary([figure("a", "lower"), line, goal("a.failed", "x", 0, which="at_most")])
        seen = {one["name"]: (one["sides"][0]["median"], one["unit"]) for one in whole["measured"]}
        self.assertEqual(seen, {"a.failed": (1, "requests"), "a.slow": (1, "requests"), "a.last_ms": (201, "ms"),
                                "a.back_failed": (1, "requests"), "a.back_slow": (0, "requests"),
                                "a.back_last_ms": (2, "ms")})
        self.assertEqual(whole["goals"][0]["verdict"], "missed")
        del line["back_us"]
        whole = self.summary([figure("a", "lower"), {**line, "back_us": None}])
        self.assertEqual([one["sides"][0]["median"] for one in whole["measured"]], [2, 1, 201])

    def test_parts_of_a_sum_are_in_the_summary_alone(self):
        records = [figure("a.cpu"), figure("a.cpu_client"), *samples("a.cpu", "x", [3]),
                   *samples("a.cpu_client", "x", [2])]
        self.assertEqual(len(self.summary(records)["measured"]), 2)
        self.assertNotIn("cpu_client", self.table(records))

    def test_what_is_missing_is_a_skip_that_says_how_to_get_it(self):
        lack = {"kind": "missing", "scenario": "s", "what": "envoy", "how": "ENVOY= names one"}
        self.assertIn("SKIP s: envoy: ENVOY= names one\n", self.table([lack]))


if __name__ == "__main__":
    unittest.main()
