#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The figures of a full run -> the part of bench/RESULTS.md between its marks. The rest is written by hand.

Usage: results.py FOLDER [FILE]
"""
import os
import sys

import figures

BEGIN = "<!-- figures: written by bench/results.py -->"
END = "<!-- end of figures -->"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def machine_words(machine):
    kind = "a virtual machine" if machine.get("hypervisor") else "a machine"
    return (
        f"One run of `make bench` of {machine['date']}, version {machine['version'] or 'unknown'}, on {kind} with "
        f"{machine['cores']} processors ({machine['cpu']}), {machine['memory_mib'] / 1024:.1f} GiB, Linux {machine['kernel'].split('-')[0]}. "
        f"Its scenarios took {figures.duration(machine['seconds'])}."
    )


def goal_rows(whole):
    titles = {one["name"]: one["title"] for one in whole["measured"]}
    for goal in whole["goals"]:
        seen = goal.get("seen")
        words = figures.number(seen["median"]) + figures.between(seen, " (", ")") if seen else ""
        title = titles.get(goal["figure"], goal["figure"])
        yield title, goal["scenario"], goal["side"], figures.goal_words(goal), words, goal["verdict"]


def side_rows(own):
    for one in own:
        for row in one["sides"]:
            yield one["title"], row["side"], f"{figures.number(row['median'])} {one['unit']}", figures.ratio_words(one, row)


def text_of(whole):
    parts = [machine_words(whole["machine"]), figures.few_rounds_words(whole), "## Goals"]
    parts.append(table(("figure", "scenario", "side", "goal", "seen (95 %)", "verdict"), goal_rows(whole)))
    shown = figures.in_tables(whole)
    for scenario in dict.fromkeys(one["scenario"] for one in shown):
        own = [one for one in shown if one["scenario"] == scenario]
        parts.append(f"## {scenario}")
        parts += [f"- {side}: {words}" for side, words in whole["sides"].get(scenario, {}).items()]
        parts.append(table(("figure", "side", "median", "beside (95 %)"), side_rows(own)))
    for one in whole["outages"]:
        parts.append(f"## {one['title']}")
        rows = ((row["side"], *figures.outage_cells(row)) for row in one["sides"])
        parts.append(table(("side", *figures.OUTAGE_COLUMNS.values()), rows))
    if whole["missing"]:
        parts.append("## Not measured there")
        parts += [f"- {one['what']} ({one['scenario']}): {one['how']}" for one in whole["missing"]]
    return "\n\n".join(parts).replace("\n\n- ", "\n- ")


def main():
    if len(sys.argv) < 2 or not os.path.isfile(f"{sys.argv[1]}/summary.json"):
        sys.exit("usage: results.py FOLDER [FILE]\nFOLDER: where a full run has left its summary.json, as out/bench")
    file = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(__file__), "RESULTS.md")
    whole = figures.read_summary(sys.argv[1])
    if whole["machine"]["quick"]:
        sys.exit("results.py: a quick run is none to quote")
    if whole["machine"].get("only"):
        sys.exit(f"results.py: a run of {whole['machine']['only']} alone is no full one")
    with open(file, encoding="utf-8") as text:
        before, rest = text.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(file, "w", encoding="utf-8") as out:
        out.write(f"{before}{BEGIN}\n\n{text_of(whole)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
