#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The plots of a run. Each is an SVG that is light or dark as its reader's system is, and a PNG.

Ink and lines are variables of CSS in an SVG: there, these two colours stand for nothing else.
"""
import io
import math
import os
import re

import matplotlib

matplotlib.use("svg")
import numpy
from matplotlib import pyplot, rcParams, ticker

import stats

INK = "#1c1c1e"
PALE = "#c9c9ce"
VARIABLES = {INK: ("--ink", "#e6e6e8"), PALE: ("--pale", "#4a4a50")}
STYLE = ":root{%s}@media(prefers-color-scheme:dark){:root{%s}}" % (
    ";".join(f"{name}:{light}" for light, (name, _) in VARIABLES.items()),
    ";".join(f"{name}:{dark}" for name, dark in VARIABLES.values()),
)
# Told apart by the colour-blind, too, and on both grounds.
COLOURS = ("#3b8bc4", "#e08214", "#2fa37a", "#a875c9", "#9c6b4f", "#8c8c3a", "#4fb3bf", "#c46ba0",
           "#5a66b5", "#c9a227", "#c2604a", "#6b8f5e")
BASE_COLOUR = "#8a8a90"
FAILED = "#e5383b"
PATH = re.compile(r' d="[^"]*"')  # for which a hundredth of a point is enough
ROW_INCHES = 0.34
WIDTH_INCHES = 9.0

rcParams.update(
    {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.edgecolor": PALE,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9,
        "axes.titlecolor": INK,
        "axes.grid": True,
        "axes.grid.axis": "x",
        "axes.axisbelow": True,
        "grid.color": PALE,
        "grid.linewidth": 0.5,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "figure.constrained_layout.use": True,
        "legend.frameon": False,
    }
)


def thousands(value, _):
    if value >= 10000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


class Palette:
    """The same side has the same colour in all plots of these figures."""

    def __init__(self, figures):
        sides = list(dict.fromkeys(row["side"] for one in figures for row in one["sides"] if row["side"] != "value"))
        bases = {one["base"] for one in figures}
        others = [side for side in sides if side not in bases]
        self.colours = {side: COLOURS[i % len(COLOURS)] for i, side in enumerate(others)}

    def of(self, side):
        return self.colours.get(side, BASE_COLOUR)


def saved(drawn, folder, name):
    """Writes both files; returns the SVG's text, to stand within a page."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        drawn.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawn.set_layout_engine("none")  # all is placed; the second picture need not find it out again
    svg = PATH.sub(lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), text.getvalue())
    svg = svg[svg.index("<svg") :]
    for colour, (variable, _) in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as out:
        out.write(re.sub(r"(<svg[^>]*>)", rf"\1<style>{STYLE}</style>", svg, count=1))
    drawn.savefig(os.path.join(folder, f"{name}.png"), format="png", dpi=130, facecolor="white")
    pyplot.close(drawn)
    # Ids are for this plot alone, or those of plots in the same page would meet.
    return re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", svg)


def finite(values):
    """Those that an axis has a place for; no answer at all has none, and is in the table alone."""
    return [value for value in values if math.isfinite(value)]


def ratio_axis(axes, figure, goals, palette):
    rows = figure["sides"]
    axes.axvline(1, color=INK, linewidth=0.8)
    for y, row in enumerate(rows):
        ratio = row.get("ratio")
        if not ratio or not math.isfinite(ratio["high"]):
            continue
        axes.errorbar(
            ratio["median"], y, xerr=[[ratio["median"] - ratio["low"]], [ratio["high"] - ratio["median"]]],
            fmt="o", markersize=5, capsize=3, color=palette.of(row["side"]),
            markerfacecolor=palette.of(row["side"]) if ratio["differs"] else "none",
        )
        words = stats.difference_words(ratio) or f"{ratio['median']:.3f}"
        axes.annotate(words, (ratio["median"], y), (0, 5), textcoords="offset points", ha="center", fontsize=7)
    for goal in goals:
        if goal.get("of") == figure["base"]:
            y = [row["side"] for row in rows].index(goal["side"]) if goal.get("seen") else None
            if y is not None:
                axes.plot([goal["value"]] * 2, [y - 0.4, y + 0.4], color=INK, linestyle=":", linewidth=1.2)
    seen = finite(row["ratio"][key] for row in rows if row.get("ratio") for key in ("low", "high"))
    if seen and max(seen) / max(min(seen), 1e-9) > 5:
        axes.set_xscale("log")
        close = max(seen) / max(min(seen), 1e-9) < 50
        axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5) if close else (1,)))
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlabel(f"ratio to {figure['base']}, 95 % interval; dotted: the goal")
    axes.margins(x=0.15)


def compared(figure, samples, goals, palette):
    """Left what each side did, round by round; right what it is beside the base."""
    rows = figure["sides"]
    drawn, (left, right) = pyplot.subplots(
        1, 2, sharey=True, figsize=(WIDTH_INCHES, 0.9 + ROW_INCHES * len(rows)), gridspec_kw={"width_ratios": [1, 1]}
    )
    for y, row in enumerate(rows):
        values = finite(samples[row["side"]].values())
        spread = (numpy.arange(len(values)) * 0.618 % 1 - 0.5) * 0.5
        left.plot(values, y + spread, ".", markersize=4, alpha=0.75, markeredgewidth=0, color=palette.of(row["side"]))
        for median in finite([row["median"]]):
            left.plot([median] * 2, [y - 0.36, y + 0.36], color=INK, linewidth=1.4)
    left.set_yticks(range(len(rows)), [row["side"] for row in rows])
    left.set_ylim(len(rows) - 0.4, -0.6)
    left.set_xlabel(f"{figure['unit']}, each round; line: {'all requests' if figure['pooled'] else 'median'}")
    left.set_xlim(left=0)
    left.xaxis.set_major_formatter(ticker.FuncFormatter(thousands))
    ratio_axis(right, figure, goals, palette)
    return drawn


def processor(parts, palette):
    """Who had the processor for a request. `parts`: client, server, agent -> side -> microseconds."""
    sides = list(dict.fromkeys(side for part in parts.values() for side in part))
    drawn, axes = pyplot.subplots(figsize=(WIDTH_INCHES, 0.9 + ROW_INCHES * len(sides)))
    at = numpy.zeros(len(sides))
    for (name, part), shade in zip(parts.items(), (1.0, 0.6, 0.3)):
        values = numpy.array([part.get(side, 0) for side in sides])
        axes.barh(range(len(sides)), values, 0.6, left=at, alpha=shade, color=[palette.of(side) for side in sides])
        for y, (start, value) in enumerate(zip(at, values)):
            if value > 0.03 * max(at.max(), 1e-9) + 0.02 * values.max():
                axes.text(start + value / 2, y, f"{name} {value:.1f}", ha="center", va="center", fontsize=7)
        at += values
    axes.set_yticks(range(len(sides)), sides)
    axes.invert_yaxis()
    axes.set_xlabel("processor time for a request, us; agent: or proxy")
    return drawn


def latencies(figure, by_side, palette):
    """Every request: the share of those that took longer, or had no answer, to the last one."""
    drawn, axes = pyplot.subplots(figsize=(WIDTH_INCHES, 3.4))
    answered = [value for values in by_side.values() for value in finite(values)]
    first, last = min(answered, default=1) / 2, 2 * max(answered, default=1)
    for side, values in by_side.items():
        ordered = numpy.sort(values)
        later = 1 - numpy.arange(len(ordered)) / len(ordered)
        # What had no answer is endless: its part of all leaves the plot at the right.
        kept = numpy.count_nonzero(numpy.isfinite(ordered)) + 1
        ordered = numpy.minimum(ordered[:kept], last)
        axes.step(ordered, later[:kept], where="post", color=palette.of(side), linewidth=1.3, label=side)
    axes.set_xscale("log")
    axes.set_xlim(first, last)
    axes.set_yscale("log")
    axes.grid(True, axis="both")
    axes.set_yticks([0.5, 0.1, 0.01, 0.001], ["p50", "p90", "p99", "p99.9"])
    axes.yaxis.set_minor_locator(ticker.NullLocator())
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(thousands))
    axes.set_xlabel(f"{figure['unit']} from the time at which the request was to start")
    axes.set_ylabel("took longer, or had no answer")
    axes.legend(ncols=4, fontsize=8)
    return drawn


def dashes(axes, seconds, values, color):
    """A dash for each 10 ms, all in one path: a mark for each would make a page of many megabytes."""
    gap = numpy.full(len(seconds), numpy.nan)
    axes.plot(
        numpy.column_stack((seconds, seconds + 0.01, gap)).ravel(), numpy.column_stack((values, values, gap)).ravel(),
        color=color, linewidth=2.2, solid_capstyle="round",
    )


def timeline(sides, palette):
    """What an outage costs. `sides`: side -> stats.buckets(), and when it was over."""
    inches = 0.6 + 1.05 * len(sides)
    # So many axes of the same size need no search for their places, which takes seconds.
    with matplotlib.rc_context({"figure.constrained_layout.use": False}):
        drawn, rows = pyplot.subplots(len(sides), 1, sharex=True, squeeze=False, figsize=(WIDTH_INCHES, inches))
    drawn.subplots_adjust(left=0.14, right=0.93, top=1 - 0.1 / inches, bottom=0.5 / inches, hspace=0.2)
    for (side, line), axes in zip(sides.items(), rows[:, 0]):
        seconds = numpy.array(line["start_s"])
        failures = numpy.array(line["failures"])
        for mark_s in (0, line["back_s"]):
            if mark_s is not None:
                axes.axvline(mark_s, color=INK, linestyle=":", linewidth=1)
        edges = numpy.append(seconds, seconds[-1] + 0.01)
        axes.stairs(line["requests"], edges, fill=True, color=PALE, alpha=0.5)
        axes.stairs(failures, edges, fill=True, color=FAILED)
        axes.set_ylim(0, max(line["requests"]) * 1.3)
        axes.set_ylabel(side, rotation=0, ha="right", va="center")
        slowest = axes.twinx()
        dashes(slowest, seconds, numpy.where(failures > 0, numpy.nan, line["slowest_ms"]), palette.of(side))
        dashes(slowest, seconds, numpy.where(failures > 0, line["slowest_ms"], numpy.nan), FAILED)
        slowest.set_yscale("log")
        slowest.set_ylim(0.05, 20000)
        slowest.set_yticks([1, 100, 10000], ["1 ms", "100 ms", "10 s"], fontsize=7)
        slowest.yaxis.set_minor_locator(ticker.NullLocator())
        slowest.grid(False)
    rows[-1, 0].set_xlabel("s after the outage began; dotted: begin and end; bars: requests in 10 ms, red: failed; dashes: the slowest")
    return drawn
