#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The samples of a run -> the table on the terminal and summary.json.

Usage: figures.py FOLDER [SCENARIO…]

FOLDER/samples/SCENARIO.jsonl is what bench/lib.sh writes: figures, goals, samples, raw files of latencies
and what was missing, one a line. FOLDER/machine.json goes into the summary as it is.
"""
import json
import math
import os
import sys

import stats

PERCENTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
# Of a sum that is in the table; they are in summary.json, and in the report.
PARTS = (".cpu_client", ".cpu_server", ".cpu_agent")


class Run:
    """What the scenarios wrote, in their order."""

    def __init__(self, folder):
        self.folder = folder
        self.figures = {}
        self.goals = []
        self.samples = {}  # figure -> side -> round -> value
        self.missing = []

    def read(self, scenario):
        with open(f"{self.folder}/samples/{scenario}.jsonl", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                getattr(self, "take_" + record.pop("kind"))(record)

    def take_figure(self, record):
        self.figures[record["name"]] = record

    def take_goal(self, record):
        self.goals.append(record)

    def take_missing(self, record):
        self.missing.append(record)

    def take_sample(self, record):
        sides = self.samples.setdefault(record["figure"], {})
        sides.setdefault(record["side"], {})[record["round"]] = float(record["value"])

    def take_raw(self, record):
        """Lines of bench/load --requests: SLICE SIDE START CONNECT LATENCY OUTCOME."""
        whole = self.figures[record["figure"]]
        latencies = {}
        with open(os.path.join(self.folder, record["file"]), encoding="utf-8") as lines:
            for line in lines:
                _, side, _, _, latency, outcome = line.split()
                latencies.setdefault(side, []).append(float(latency) if outcome == "ok" else math.inf)
        for name, part in PERCENTILES.items():
            figure = f"{whole['name']}.{name}"
            self.figures.setdefault(figure, {**whole, "name": figure, "title": f"{whole['title']}, {name}"})
            for side, values in latencies.items():
                value = stats.percentile(values, part)
                self.take_sample({**record, "figure": figure, "side": side, "value": value})


def base_of(declared, sides):
    """The side that the others are compared with, if there is something to compare."""
    return declared["base"] if declared["base"] in sides and len(sides) > 1 else None


def summed_up(declared, sides):
    base = base_of(declared, sides)
    rows = []
    for name in sorted(sides, key=lambda side: side != base):
        rounds = sides[name]
        row = {"side": name, **stats.alone(list(rounds.values()))}
        if base and name != base:
            row["ratio"] = stats.compared(rounds, sides[base])
        rows.append(row)
    return {**declared, "base": base, "sides": rows}


def judged(goal, samples):
    sides = samples.get(goal["figure"], {})
    if goal["side"] not in sides or goal.get("of", goal["side"]) not in sides:
        return {**goal, "verdict": "not measured"}
    if "of" in goal:
        seen = stats.compared(sides[goal["side"]], sides[goal["of"]])
    else:
        seen = stats.alone(list(sides[goal["side"]].values()))
    return {**goal, "seen": seen, "verdict": stats.verdict(goal, seen)}


def summary(run):
    with open(f"{run.folder}/machine.json", encoding="utf-8") as text:
        machine = json.load(text)
    return {
        "machine": machine,
        "figures": [summed_up(run.figures[name], sides) for name, sides in run.samples.items()],
        "goals": [judged(goal, run.samples) for goal in run.goals],
        "missing": run.missing,
    }


def number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def between(row):
    return f"{number(row['low'])} to {number(row['high'])}" if row["rounds"] > 1 else ""


def ratio_words(figure, row):
    ratio = row.get("ratio")
    if not ratio:
        return ""
    seen = f"{ratio['median']:.3f} of {figure['base']} ({ratio['low']:.3f} to {ratio['high']:.3f})"
    return seen if ratio["differs"] else seen + ", no difference seen"


def goal_words(goal):
    words = f"{'≥' if goal['is'] == 'at_least' else '≤'} {number(goal['value'])}"
    return words + (f" × {goal['of']}" if "of" in goal else "")


def print_table(whole):
    print(f"{'figure':<32} {'side':<16} {'median':>10}  {'95 %':<22} {'unit':<13} {'n':>5}  beside")
    for figure in whole["figures"]:
        if figure["name"].endswith(PARTS):
            continue
        for row in figure["sides"]:
            print(
                f"{figure['name']:<32} {row['side']:<16} {number(row['median']):>10}  {between(row):<22} "
                f"{figure['unit']:<13} {row['rounds']:>5}  {ratio_words(figure, row)}".rstrip()
            )
    print(f"\n{'goal':<32} {'side':<16} {'wanted':<22} {'seen':<30} verdict")
    for goal in whole["goals"]:
        seen = f"{number(goal['seen']['median'])} ({between(goal['seen'])})".replace(" ()", "") if "seen" in goal else ""
        print(f"{goal['figure']:<32} {goal['side']:<16} {goal_words(goal):<22} {seen:<30} {goal['verdict']}")
    for lack in whole["missing"]:
        print(f"SKIP {lack['scenario']}: {lack['what']}: {lack['how']}")


def main():
    folder, scenarios = sys.argv[1], sys.argv[2:]
    run = Run(folder)
    for scenario in scenarios:
        run.read(scenario)
    whole = summary(run)
    with open(f"{folder}/summary.json", "w", encoding="utf-8") as out:
        json.dump(whole, out, indent=1)
        out.write("\n")
    print_table(whole)


if __name__ == "__main__":
    main()
