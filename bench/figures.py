#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The samples of a run -> the table on the terminal and summary.json.

Usage: figures.py FOLDER [SCENARIO…]

FOLDER/samples/SCENARIO.jsonl is what bench/lib.sh writes: figures, goals, samples, raw files of latencies
and what was missing, one a line. FOLDER/machine.json goes into the summary as it is.

In the summary, "figures" has each number with its goal by a name of its own, for those who compare runs: SIDE.FIGURE, and
SIDE.FIGURE_vs_OTHER for the ratio of the two, where a figure of paths has no scenario in its name
(socket.connects_vs_direct). The "median" of a percentile is that of all requests. "measured" has the same, side by side, for table, plots and report. A "median", "low" or "high" of
null is infinite, which JSON cannot say: no answer came, which is later than any that did.
"""
import json
import math
import os
import sys

import stats

PERCENTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
ROUNDS = 7  # at least, where nothing else is said
COSTS = {
    "failed": ("failed requests", "requests"),
    "slow": ("requests slower than 100 ms", "requests"),
    "last_ms": ("to the end of the last of either", "ms"),
}
OUTAGE_COLUMNS = {
    "failed": "failed",
    "slow": "> 100 ms",
    "last_ms": "last after, ms",
    "back_failed": "return: failed",
    "back_slow": "> 100 ms",
    "back_last_ms": "last after, ms",
}
# Of a sum that is in the table; they are in summary.json, and in the report.
PARTS = (".cpu_client", ".cpu_server", ".cpu_agent")


class Run:
    """What the scenarios wrote, in their order."""

    def __init__(self, folder):
        self.folder = folder
        self.figures = {}
        self.goals = []
        self.samples = {}  # figure -> side -> round -> value
        self.runs = {}  # figure -> round -> run of the load, where it has several rounds
        self.missing = []
        self.sides = {}  # scenario -> side -> words
        self.requests = {}  # figure -> side -> round -> latencies of every request, infinite without a good answer
        self.pooled = {}  # figure that is a percentile -> of which figure, and which
        self.pools = {}  # figure -> side -> stats.Pool of its requests
        self.timelines = {}  # figure -> records, one for each side

    def read(self, scenario):
        with open(f"{self.folder}/samples/{scenario}.jsonl", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                getattr(self, "take_" + record.pop("kind"))(record)
        self.pool_requests()

    def take_figure(self, record):
        self.figures[record["name"]] = record

    def take_side(self, record):
        self.sides.setdefault(record["scenario"], {})[record["side"]] = record["words"]

    def take_goal(self, record):
        self.goals.append(record)

    def take_missing(self, record):
        self.missing.append(record)

    def take_sample(self, record):
        sides = self.samples.setdefault(record["figure"], {})
        sides.setdefault(record["side"], {})[record["round"]] = float(record["value"])
        if "run" in record:
            self.runs.setdefault(record["figure"], {})[record["round"]] = record["run"]

    def lines(self, file):
        """Of bench/load --requests: [ROUND, SIDE, START, CONNECT, LATENCY, OUTCOME] -> round, side, times and outcome."""
        with open(os.path.join(self.folder, file), encoding="utf-8") as lines:
            for line in lines:
                number, side, *request = json.loads(line)
                yield number, side, request

    def requests_of(self, file, side):
        return [(start, latency, outcome) for _, name, (start, _, latency, outcome) in self.lines(file) if name == side]

    def derived(self, record, part, title, unit=None):
        """The figure whose name has one more part, made of the recorded one."""
        whole = self.figures[record["figure"]]
        name = f"{whole['name']}.{part}"
        made = {**whole, "name": name, "title": f"{whole['title']}, {title}", "unit": unit or whole["unit"]}
        self.figures.setdefault(name, made)
        return name

    def take_raw(self, record):
        of_figure = self.requests.setdefault(record["figure"], {})
        for number, side, (_, connect, latency, outcome) in self.lines(record["file"]):
            took = connect if record.get("of") == "connect" else latency
            of_figure.setdefault(side, {}).setdefault(number, []).append(took if outcome == "ok" else math.inf)
        for part, share in PERCENTILES.items():
            self.pooled[self.derived(record, part, part)] = record["figure"], share

    def pool_requests(self):
        """Once a scenario is read: percentiles, by round, and of all rounds together."""
        for name, (whole, share) in self.pooled.items():
            if name in self.samples:
                continue
            for side, rounds in self.requests[whole].items():
                self.samples.setdefault(name, {})[side] = {r: stats.percentile(one, share) for r, one in rounds.items()}
                self.pools.setdefault(whole, {}).setdefault(side, stats.Pool(rounds))

    def alone(self, name, side):
        if name not in self.pooled:
            return stats.alone(list(self.samples[name][side].values()))
        whole, share = self.pooled[name]
        return stats.pooled(self.pools[whole][side], share)

    def compared(self, name, side, base):
        if name not in self.pooled:
            return stats.compared(self.samples[name][side], self.samples[name][base], self.runs.get(name))
        whole, share = self.pooled[name]
        return stats.pools_compared(self.pools[whole][side], self.pools[whole][base], share)

    def take_timeline(self, record):
        self.timelines.setdefault(record["figure"], []).append(record)
        requests = self.requests_of(record["file"], record["side"])
        back_us = record["back_us"] or math.inf
        phases = [("", "", record["begin_us"], back_us)]
        if record["back_us"]:
            phases.append(("back_", " after the return", back_us, math.inf))
        for prefix, when, begin_us, end_us in phases:
            for part, value in stats.cost(requests, begin_us, end_us).items():
                title, unit = COSTS[part]
                name = self.derived(record, prefix + part, title + when, unit)
                self.take_sample({**record, "figure": name, "round": 0, "value": value})


def base_of(declared, sides):
    """The side that the others are compared with, if there is something to compare."""
    return declared["base"] if declared["base"] in sides and len(sides) > 1 else None


def summed_up(run, figure):
    declared, sides = run.figures[figure], run.samples[figure]
    base = base_of(declared, sides)
    rows = []
    for name in sorted(sides, key=lambda side: side != base):
        row = {"side": name, **run.alone(figure, name)}
        if base and name != base:
            row["ratio"] = run.compared(figure, name, base)
        rows.append(row)
    return {**declared, "base": base, "pooled": figure in run.pooled, "sides": rows}


def judged(goal, run):
    goal = {**goal, "unit": run.figures[goal["figure"]]["unit"] if goal["figure"] in run.figures else ""}
    sides = run.samples.get(goal["figure"], {})
    if goal["side"] not in sides or goal.get("of", goal["side"]) not in sides:
        return {**goal, "verdict": "not measured"}
    if "of" in goal:
        seen = run.compared(goal["figure"], goal["side"], goal["of"])
    else:
        seen = run.alone(goal["figure"], goal["side"])
    if not seen:
        return {**goal, "verdict": "not measured"}
    return {**goal, "seen": seen, "verdict": stats.verdict(goal, seen)}


def outage(run, name):
    """What a time line came to: a row for each side."""
    rows = []
    for record in run.timelines[name]:
        side = record["side"]
        costs = {part: run.samples.get(f"{name}.{part}", {}).get(side, {}).get(0) for part in OUTAGE_COLUMNS}
        rows.append({"side": side, **costs})
    return {**run.figures[name], "sides": rows}


def name_of(figure, side, other=None):
    name = figure.removeprefix("paths.")
    if side != "value":
        name = f"{side}.{name}"
    return f"{name}_vs_{other}" if other else name


def by_name(measured, goals):
    """Every number of what was measured, and of what goals compare: a flat list."""
    rows = {}

    def add(name, seen, better, unit, goal=None):
        numbers = {part: seen[part] for part in ("median", "low", "high")}
        rows[name] = {"name": name, **numbers, "goal": goal, "better": better, "unit": unit, "rounds": seen["rounds"]}

    better = {}
    for one in measured:
        better[one["name"]] = one["better"]
        for row in one["sides"]:
            add(name_of(one["name"], row["side"]), row, one["better"], one["unit"])
            if row.get("ratio"):
                add(name_of(one["name"], row["side"], one["base"]), row["ratio"], one["better"], "ratio")
    for goal in goals:
        if "seen" in goal:
            unit = "ratio" if "of" in goal else goal["unit"]
            name = name_of(goal["figure"], goal["side"], goal.get("of"))
            add(name, goal["seen"], better[goal["figure"]], unit, goal["value"])
    return list(rows.values())


def summary(run):
    with open(f"{run.folder}/machine.json", encoding="utf-8") as text:
        machine = json.load(text)
    measured = [summed_up(run, name) for name in run.samples]
    goals = [judged(goal, run) for goal in run.goals]
    return {
        "machine": machine,
        "figures": by_name(measured, goals),
        "measured": measured,
        "goals": goals,
        "outages": [outage(run, name) for name in run.timelines],
        "missing": run.missing,
        "sides": run.sides,
    }


def as_json(value):
    """The value with null for what is infinite."""
    if isinstance(value, dict):
        return {key: as_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return None if isinstance(value, float) and math.isinf(value) else value


def from_json(made):
    """For json.load(object_hook=): the same back."""
    return {key: math.inf if one is None and key in ("median", "low", "high") else one for key, one in made.items()}


def write_summary(folder, whole):
    with open(f"{folder}/summary.json", "w", encoding="utf-8") as out:
        json.dump(as_json(whole), out, indent=1, allow_nan=False)
        out.write("\n")


def read_summary(folder):
    with open(f"{folder}/summary.json", encoding="utf-8") as text:
        return json.load(text, object_hook=from_json)


def ratio_number(value):
    return "∞" if math.isinf(value) else f"{value:.3f}"


def number(value):
    if math.isinf(value):
        return "∞"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def between(row, before="", after=""):
    """What 95 % lie between, if there is more than one."""
    return f"{before}{number(row['low'])} to {number(row['high'])}{after}" if row["rounds"] > 1 else ""


def ratio_words(figure, row):
    ratio = row.get("ratio")
    if not ratio:
        return ""
    low, median, high = (ratio_number(ratio[key]) for key in ("low", "median", "high"))
    if ratio["rounds"] == 1:
        return f"{median} of {figure['base']}, by one round"
    seen = f"{median} of {figure['base']} ({low} to {high})"
    none = stats.difference_words(ratio)
    return f"{seen}, {none}" if none else seen


def goal_words(goal):
    words = f"{'≥' if goal['is'] == 'at_least' else '≤'} {number(goal['value'])}"
    return words + (f" × {goal['of']}" if "of" in goal else f" {goal['unit']}").rstrip()


def outage_cells(row):
    return ["" if row[part] is None else number(row[part]) for part in OUTAGE_COLUMNS]


def in_tables(whole):
    """The figures but for parts of sums, and what stands in an outage's own table."""
    lines = tuple(one["name"] + "." for one in whole["outages"])
    return [one for one in whole["measured"] if not one["name"].endswith(PARTS) and not one["name"].startswith(lines)]


def few_rounds(whole):
    """Names of those that have fewer rounds than the others, by how many: {rounds: names}."""
    few = {}
    for one in in_tables(whole):
        rounds = min(row["rounds"] for row in one["sides"])
        if rounds < ROUNDS:
            few.setdefault(rounds, []).append(one["name"])
    if whole["outages"]:
        few.setdefault(1, []).extend(one["name"] for one in whole["outages"])
    return dict(sorted(few.items()))


def few_rounds_words(whole):
    few = few_rounds(whole)
    if not few:
        return f"Every figure has {ROUNDS} rounds at least."
    parts = (f"{rounds} of {', '.join(names)}" for rounds, names in few.items())
    return f"There are {ROUNDS} rounds at least, but for these: {'; '.join(parts)}."


def duration(seconds):
    return f"{seconds // 60} min {seconds % 60} s"


def print_table(whole):
    print(f"{'figure':<32} {'side':<16} {'median':>10}  {'95 %':<22} {'unit':<13} {'n':>5}  beside")
    for figure in in_tables(whole):
        for row in figure["sides"]:
            print(
                f"{figure['name']:<32} {row['side']:<16} {number(row['median']):>10}  {between(row):<22} "
                f"{figure['unit']:<13} {row['rounds']:>5}  {ratio_words(figure, row)}".rstrip()
            )
    for one in whole["outages"]:
        print(f"\n{one['title']:<48} " + " ".join(f"{words:>14}" for words in OUTAGE_COLUMNS.values()))
        for row in one["sides"]:
            print(f"{one['name']:<31} {row['side']:<16} " + " ".join(f"{cell:>14}" for cell in outage_cells(row)))
    print(f"\n{'goal':<32} {'side':<16} {'wanted':<22} {'seen':<30} verdict")
    for goal in whole["goals"]:
        seen = number(goal["seen"]["median"]) + between(goal["seen"], " (", ")") if "seen" in goal else ""
        print(f"{goal['figure']:<32} {goal['side']:<16} {goal_words(goal):<22} {seen:<30} {goal['verdict']}")
    for lack in whole["missing"]:
        print(f"SKIP {lack['scenario']}: {lack['what']}: {lack['how']}")


def main():
    folder, scenarios = sys.argv[1], sys.argv[2:]
    run = Run(folder)
    for scenario in scenarios:
        run.read(scenario)
    whole = summary(run)
    write_summary(folder, whole)
    print_table(whole)


if __name__ == "__main__":
    main()
