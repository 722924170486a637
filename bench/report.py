#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""A run's summary and samples -> plots/, as SVG and PNG, and report.html, which needs no other file.

Usage: report.py FOLDER SCENARIO…      after figures.py
"""
import html
import os
import re
import sys

import figures
import plots
import stats

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Meridian: what it costs</title>
<style>
%(variables)s
:root{--ground:#fff;--band:#f4f4f6;--good:#1d7a4f;--bad:#b3263a}
@media(prefers-color-scheme:dark){:root{--ground:#18181a;--band:#232326;--good:#5fd3a0;--bad:#ff8c99}}
:root{color-scheme:light dark}
body{background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid var(--pale)}h3{font-size:1rem;margin:1.5rem 0 .3rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;width:100%%}
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--pale);white-space:nowrap}
td.n{text-align:right;font-variant-numeric:tabular-nums}
tr:nth-child(even) td{background:var(--band)}
.reached{color:var(--good)}.missed{color:var(--bad)}
td:first-child,td:last-child{white-space:normal}td:first-child{min-width:11rem}td:last-child{min-width:7rem}
th.n,td.n:last-child{text-align:right;min-width:0}
svg{width:100%%;height:auto}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;font-size:.9rem}dt{font-weight:600}dd{margin:0}
summary{cursor:pointer}code{background:var(--band);padding:0 .25rem}
</style>
%(body)s
</html>
"""

METHOD = """
<p>Every comparison is a ratio between things that were run in the same minute on the same machine, in turn, in an order
that changes with every round: each is first, second and so on as often as any other. Rates are taken in slices of 40 ms,
so that whatever slows a shared machine for longer slows all sides alike. The median of the ratios of all rounds is given
with a bootstrap 95 %% interval; where that holds 1, <b>no difference was seen</b>. A side called “again” is the base a
second time: what it differs by is noise. Where there is no base, the interval is what 95 %% of the single values lie
between.</p>
<p>Latencies are taken at a constant rate: each request has a time at which it is to start, whether or not earlier ones were
answered, and its latency counts from then. Every request is kept, and percentiles are exact: values that were measured, of
all requests of a side together. Their intervals, and those of their ratios, are of the bootstrap by round: the same rounds of
both sides, with all that is in them. Where such an interval holds 1 and is wide, <b>cannot tell</b> stands in the place of “no
difference seen”.</p>
<p>Each side has a client, a server and a node of its own, of the same shape, in network namespaces; what one of them has
installed, no other pays for. Processor time for a request is what the cgroups of client, server, and agent or proxy
had during the slices of that side, softirqs included unless the kernel accounts for them apart.</p>
<p>Nothing is pinned: client, server and proxy share the processors as the scheduler places them, as on a node. Before
the first round each side is run once, uncounted.</p>
<p>%s</p>
"""


def cell(text, kind=""):
    return f"<td{kind and f' class={chr(34)}{kind}{chr(34)}'}>{html.escape(str(text))}</td>"


def table(head, rows):
    numbers = [" class=n" if text.startswith('<td class="n"') else "" for text in rows[0]] if rows else [""] * len(head)
    lines = ["<div class=scroll><table><tr>"
             + "".join(f"<th{kind}>{html.escape(word)}</th>" for kind, word in zip(numbers, head)) + "</tr>"]
    lines += ["<tr>" + "".join(row) + "</tr>" for row in rows]
    return "\n".join(lines) + "</table></div>"


def goals_table(whole, titles):
    rows = []
    for goal in whole["goals"]:
        seen = goal.get("seen")
        words = figures.number(seen["median"]) + figures.between(seen, " (", ")") if seen else ""
        rows.append([
            cell(titles.get(goal["figure"], goal["figure"])), cell(goal["scenario"]), cell(goal["side"]),
            cell(figures.goal_words(goal)), cell(words), cell(goal["verdict"], goal["verdict"].split(",")[0]),
        ])
    return table(("figure", "scenario", "side", "goal", "seen (95 %)", "verdict"), rows)


def figures_table(of_scenario):
    rows = []
    for one in of_scenario:
        for row in one["sides"]:
            rows.append([
                cell(one["title"]), cell(row["side"]), cell(figures.number(row["median"]), "n"), cell(one["unit"]),
                cell(figures.between(row)), cell(row["rounds"], "n"), cell(figures.ratio_words(one, row)),
            ])
    return table(("figure", "side", "median", "unit", "95 %", "rounds", "beside"), rows)


class Report:
    def __init__(self, run, whole):
        self.run = run
        self.whole = whole
        self.folder = os.path.join(run.folder, "plots")
        self.palette = None  # the scenario's
        self.by_name = {one["name"]: one for one in whole["measured"]}
        os.makedirs(self.folder, exist_ok=True)

    def plot(self, drawn, name, title):
        safe = re.sub(r"[^A-Za-z0-9_.-]", "-", name)
        return f"<h3>{html.escape(title)}</h3>\n{plots.saved(drawn, self.folder, safe)}"

    def compared(self, one):
        goals = [goal for goal in self.whole["goals"] if goal["figure"] == one["name"]]
        drawn = plots.compared(one, self.run.samples[one["name"]], goals, self.palette)
        return self.plot(drawn, one["name"], one["title"])

    def processor(self, one):
        parts = {}
        for part in ("client", "server", "agent"):
            rows = self.by_name[f"{one['name']}_{part}"]["sides"]
            parts[part] = {row["side"]: row["median"] for row in rows}
        return self.plot(plots.processor(parts, self.palette), one["name"], one["title"])

    def latencies(self, name):
        by_side = {side: sum(rounds.values(), []) for side, rounds in self.run.requests[name].items()}
        one = self.run.figures[name]
        return self.plot(plots.latencies(one, by_side, self.palette), f"{name}.all", one["title"])

    def timeline(self, name):
        lines = {}
        for record in self.run.timelines[name]:
            requests = self.run.requests_of(record["file"], record["side"])
            back_s = (record["back_us"] - record["begin_us"]) / 1e6 if record["back_us"] else None
            lines[record["side"]] = {**stats.buckets(requests, record["begin_us"]), "back_s": back_s}
        own = next(one for one in self.whole["outages"] if one["name"] == name)
        rows = [[cell(row["side"]), *(cell(text, "n") for text in figures.outage_cells(row))] for row in own["sides"]]
        plot = self.plot(plots.timeline(lines, self.palette), f"{name}.line", own["title"])
        return plot + table(("side", *figures.OUTAGE_COLUMNS.values()), rows)

    def scenario(self, name):
        own = [one for one in self.whole["measured"] if one["scenario"] == name]
        shown = [one for one in figures.in_tables(self.whole) if one["scenario"] == name]
        if not own:
            return ""
        self.palette = plots.Palette(own)
        body = [f"<h2>{html.escape(name)}</h2>"]
        words = self.whole["sides"].get(name, {})
        body.append("<dl>" + "".join(f"<dt>{html.escape(side)}<dd>{html.escape(text)}" for side, text in words.items()) + "</dl>")
        for one in own:
            if one["name"].endswith(".cpu"):
                body.append(self.processor(one))
            elif one["base"] and one["sides"][0]["rounds"] > 1 and not one["name"].endswith(figures.PARTS):
                body.append(self.compared(one))
        body += [self.latencies(raw) for raw in self.run.requests if self.run.figures[raw]["scenario"] == name]
        body += [self.timeline(line) for line in self.run.timelines if self.run.figures[line]["scenario"] == name]
        if shown:
            body.append("<details open><summary>Its figures</summary>" + figures_table(shown) + "</details>")
        return "\n".join(body)

    def machine(self):
        one = self.whole["machine"]
        rows = [[cell(key.replace("_", " ")), cell(value)] for key, value in one.items() if value not in ("", None)]
        return table(("machine and run", ""), rows)

    def page(self, scenarios):
        titles = {one["name"]: one["title"] for one in self.whole["measured"]}
        body = ["<h1>Meridian: what it costs, what it saves, where it is worse</h1>"]
        if self.whole["machine"].get("quick"):
            body.append("<p><b>A quick run:</b> few rounds, wide intervals.</p>")
        body += ["<h2>Goals</h2>", goals_table(self.whole, titles)]
        if self.whole["missing"]:
            words = (f"<li>{html.escape(one['what'])} ({one['scenario']}): {html.escape(one['how'])}"
                     for one in self.whole["missing"])
            body.append("<h2>Not measured here</h2><ul>" + "".join(words) + "</ul>")
        body += [self.scenario(name) for name in scenarios]
        body += ["<h2>Method</h2>", METHOD % html.escape(figures.few_rounds_words(self.whole)), self.machine()]
        return PAGE % {"variables": plots.STYLE, "body": "\n".join(body)}


def main():
    folder, scenarios = sys.argv[1], sys.argv[2:]
    run = figures.Run(folder)
    for scenario in scenarios:
        run.read(scenario)
    page = Report(run, figures.read_summary(folder)).page(scenarios)
    with open(f"{folder}/report.html", "w", encoding="utf-8") as out:
        out.write(page)
    print(f"{folder}/report.html")


if __name__ == "__main__":
    main()
