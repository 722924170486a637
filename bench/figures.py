#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""Samples of a bench run -> the table on the terminal and summary.json.

A figure with the sides "direct" and "vip" is the median of the ratios vip / direct of the rounds, with a
bootstrap 95 % interval; any other is the median of its values with their 2.5 % and 97.5 % quantiles.
"""
import json
import random
import statistics
import sys

# name -> (goal or None, which side of the goal is good, unit)
GOALS = {
    "socket.connects_vs_direct": (0.98, "higher", "ratio"),
    "socket.requests_vs_direct": (0.99, "higher", "ratio"),
    "ejection.p50_us": (None, "lower", "us"),
    "ejection.p99_us": (1000, "lower", "us"),
    "ejection.count": (None, "higher", "ejections"),
    "burst.p50_us": (None, "lower", "us"),
    "burst.p99_us": (1000, "lower", "us"),
    "burst.count": (None, "higher", "ejections"),
    "manifest.us": (50000, "lower", "us"),
    "agent.rss_mib": (10, "lower", "MiB"),
    "plan.full_ms": (1000, "lower", "ms"),
    "plan.rss_mib": (150, "lower", "MiB"),
    "plan.change_1000_us": (1000, "lower", "us"),
    "plan.change_10000_us": (1000, "lower", "us"),
    "plan.change_64000_us": (1000, "lower", "us"),
    "plan.events_core": (5, "lower", "% of core"),
    "check.rules_1000_ms": (100, "lower", "ms"),
    "kube.bookinfo_rss_mib": (12, "lower", "MiB"),
    "kube.watch_to_row.p50_us": (None, "lower", "us"),
    "kube.watch_to_row.p99_us": (5000, "lower", "us"),
    "kube.lists_by_curl_ms": (None, "lower", "ms"),
    "kube.first_sync_ms": (None, "lower", "ms"),
    "kube.first_sync_beyond_ms": (5000, "lower", "ms"),
    "kube.first_sync_cpu_ms": (None, "lower", "ms"),
    "kube.rss_mib": (150, "lower", "MiB"),
    "kube.rss_peak_mib": (None, "lower", "MiB"),
    "kube.changes_per_s": (None, "higher", "/s"),
    "kube.changes_core": (30, "lower", "% of core"),
    "kube.changes_behind_ms": (None, "lower", "ms"),
    "kube.idle_core": (0.1, "lower", "% of core"),
}
RESAMPLES = 4000


def quantile(ordered, part):
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def bootstrap(values):
    rng = random.Random(1)
    medians = sorted(
        statistics.median(rng.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    return quantile(medians, 0.025), quantile(medians, 0.975)


def read(path):
    figures = {}
    with open(path, encoding="utf-8") as samples:
        for line in samples:
            sample = json.loads(line)
            sides = figures.setdefault(sample["figure"], {})
            sides.setdefault(sample["side"], {})[sample["round"]] = float(sample["value"])
    return figures


def figure(name, sides):
    goal, better, unit = GOALS.get(name, (None, "lower", "ns" if name.endswith("_ns") else ""))
    if "vip" in sides:
        both = sorted(set(sides["vip"]) & set(sides["direct"]))
        values = [sides["vip"][r] / sides["direct"][r] for r in both]
        low, high = bootstrap(values)
    else:
        values = sorted(sides["value"].values())
        low, high = quantile(values, 0.025), quantile(values, 0.975)
    return {
        "name": name,
        "median": statistics.median(values),
        "low": low,
        "high": high,
        "goal": goal,
        "better": better,
        "unit": unit,
        "rounds": len(values),
    }


def verdict(row):
    if row["goal"] is None:
        return ""
    # Of many single readings the tail must hold the goal; of a ratio, its median.
    value = row["median"] if row["unit"] == "ratio" else row["high"]
    good = value >= row["goal"] if row["better"] == "higher" else value <= row["goal"]
    return "reached" if good else "missed"


def main():
    rows = [figure(name, sides) for name, sides in read(sys.argv[1]).items()]
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump({"figures": rows}, out, indent=1)
        out.write("\n")
    print(f"{'figure':<34} {'median':>10} {'low':>10} {'high':>10}  {'unit':<9} {'rounds':>6}  goal")
    for row in rows:
        goal = "" if row["goal"] is None else f"{'≥' if row['better'] == 'higher' else '≤'} {row['goal']} {verdict(row)}"
        print(
            f"{row['name']:<34} {row['median']:>10.4g} {row['low']:>10.4g} {row['high']:>10.4g}"
            f"  {row['unit']:<9} {row['rounds']:>6}  {goal}"
        )


if __name__ == "__main__":
    main()
