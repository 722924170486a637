#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The statistics of the benchmarks: values in, numbers out; no files, no words.

Percentiles are exact: a value that was measured, such that the asked part of all is not above it. Nothing is
put into buckets and nothing lies between two measured values.

Two sides are compared round by round: what was run within the same second is divided, so that what slows
the machine for longer slows both. The median of these ratios has an interval by the bootstrap: how the median
of as many ratios, drawn from them again and again, spreads; those of one run of the load are drawn together.
Where that interval holds 1, no difference was seen; where it is wide, too, whether there is one cannot be told.

A percentile of requests is one of all that a side had, in whichever round: what happens rarely is in few rounds. Its
interval is of the bootstrap by round: as many rounds, drawn again and again, with all of their requests. Of two sides
the same rounds are drawn.
"""
import math

import numpy

RESAMPLES = 4000
CONFIDENCE = 0.95
CHUNK = 2_000_000  # numbers drawn at once
WIDE = 1.25  # high beside low
SLOW_US = 100_000
BUCKET_US = 10_000


def percentile(values, part):
    """The smallest value that is not below `part` (0 to 1) of all of them."""
    ordered = numpy.sort(numpy.asarray(values, dtype=float))
    # 0.07 * 100 is a little more than 7 in floating point.
    rank = math.ceil(round(part * len(ordered), 9))
    return float(ordered[min(max(rank, 1), len(ordered)) - 1])


def interval(values):
    """What 95 % of them lie between."""
    tail = (1 - CONFIDENCE) / 2
    return percentile(values, tail), percentile(values, 1 - tail)


def median_interval(values, runs=None):
    """Low and high of the values' median. The same values give the same interval. runs: of each value, which run
    of the load it is from: what a run's values have in common (its connections) would look like more knowledge
    than there is, so runs are drawn, with all of their values."""
    groups = {}
    for i, value in enumerate(values):
        groups.setdefault(i if runs is None else runs[i], []).append(value)
    longest = max(len(group) for group in groups.values())
    table = numpy.full((len(groups), longest), numpy.nan)
    for row, group in zip(table, groups.values()):
        row[: len(group)] = group
    draw = numpy.random.default_rng(1)
    at_once = max(1, CHUNK // table.size)
    medians = []
    while len(medians) < RESAMPLES:
        count = min(at_once, RESAMPLES - len(medians))
        drawn = draw.integers(0, len(table), (count, len(table)))
        medians.extend(numpy.nanmedian(table[drawn].reshape(count, -1), axis=1))
    return interval(medians)


def ratios(side, base):
    """Round by round, for the rounds that both have: {round: value} twice, {round: ratio} out. What is infinite on
    both sides has none."""
    both = [r for r in sorted(set(side) & set(base)) if base[r] and not math.isinf(min(side[r], base[r]))]
    return {r: side[r] / base[r] for r in both}


def compared(side, base, runs=None):
    """What `side` is beside `base`, or None if they share no round. runs: {round: run}, where a run has several."""
    both = ratios(side, base)
    if not both:
        return None
    values = list(both.values())
    of_runs = [runs.get(r, r) for r in both] if runs else None
    return ratio_seen(float(numpy.median(values)), median_interval(values, of_runs), len(values))


def ratio_seen(median, interval, rounds):
    low, high = interval
    return {"median": median, "low": low, "high": high, "rounds": rounds, "differs": not low <= 1 <= high}


def difference_words(ratio):
    """Of a ratio that is none to speak of."""
    if ratio["differs"]:
        return ""
    return "cannot tell" if ratio["high"] > WIDE * ratio["low"] else "no difference seen"


def alone(values):
    """A side by itself: its median, and what 95 % of its values lie between."""
    low, high = interval(values)
    return {"median": float(numpy.median(values)), "low": low, "high": high, "rounds": len(values)}


class Pool:
    """All requests of a side: {round: latencies}."""

    def __init__(self, by_round):
        self.by_round = by_round
        groups = [numpy.sort(by_round[r]) for r in sorted(by_round)]
        self.values = numpy.unique(numpy.concatenate(groups))
        # How many of a round are not above a value: a row for each value.
        self.not_above = numpy.stack([numpy.searchsorted(one, self.values, side="right") for one in groups], axis=1)

    def percentiles(self, part, drawn):
        """For each row of `drawn`, which has how often each round was drawn: percentile() of all that it holds."""
        wanted = numpy.maximum(numpy.ceil(numpy.round(part * (drawn @ self.not_above[-1]), 9)), 1)
        low = numpy.zeros(len(drawn), dtype=int)
        high = numpy.full(len(drawn), len(self.values) - 1)
        while (low < high).any():
            middle = (low + high) // 2
            enough = (self.not_above[middle] * drawn).sum(axis=1) >= wanted
            low = numpy.where(enough, low, numpy.minimum(middle + 1, high))
            high = numpy.where(enough, middle, high)
        return self.values[low]

    def drawn(self):
        """The rounds as they are, in the first row; then RESAMPLES times as many of them."""
        count = len(self.by_round)
        again = numpy.random.default_rng(1).multinomial(count, [1 / count] * count, RESAMPLES)
        return numpy.concatenate((numpy.ones((1, count), dtype=int), again))

    def only(self, rounds):
        """The same without the other rounds."""
        if rounds >= self.by_round.keys():
            return self
        return Pool({r: self.by_round[r] for r in rounds})


def pooled(pool, part):
    """A percentile of a side by itself, as alone() has the median."""
    first, *again = pool.percentiles(part, pool.drawn())
    low, high = interval(again)
    return {"median": float(first), "low": low, "high": high, "rounds": len(pool.by_round)}


def pools_compared(side, base, part):
    """A percentile of `side` beside that of `base`, as compared() has the median."""
    both = side.by_round.keys() & base.by_round.keys()
    if not both:
        return None
    side, base = side.only(both), base.only(both)
    drawn = side.drawn()
    above, below = side.percentiles(part, drawn), base.percentiles(part, drawn)
    comparable = (below > 0) & ~(numpy.isinf(above) & numpy.isinf(below))
    if not comparable[0]:
        return None
    first, *again = above[comparable] / below[comparable]
    return ratio_seen(float(first), interval(again), len(both))


def is_affected(request):
    """Without a good answer, or with one that took more than 100 ms. A request: start_us, latency_us, outcome."""
    return request[2] != "ok" or request[1] > SLOW_US


def cost(requests, begin_us, end_us=math.inf):
    """What those that were to start within the time met: how many failed, how many were slow, and when, after
    the begin, the last of either was over."""
    within = [one for one in requests if begin_us <= one[0] < end_us]
    affected = [one for one in within if is_affected(one)]
    return {
        "failed": sum(outcome != "ok" for _, _, outcome in within),
        "slow": sum(latency > SLOW_US for _, latency, _ in within),
        "last_ms": max((start + latency - begin_us for start, latency, _ in affected), default=0) / 1000,
    }


def buckets(requests, begin_us):
    """Requests by the 10 ms in which they were to start, counted from the begin: a list for each column."""
    first = min(start for start, _, _ in requests)
    count = int((max(start for start, _, _ in requests) - first) // BUCKET_US) + 1
    line = {
        "start_s": [(first + i * BUCKET_US - begin_us) / 1e6 for i in range(count)],
        "requests": [0] * count,
        "failures": [0] * count,
        "slowest_ms": [0.0] * count,
    }
    for start, latency, outcome in requests:
        at = int((start - first) // BUCKET_US)
        line["requests"][at] += 1
        line["failures"][at] += outcome != "ok"
        line["slowest_ms"][at] = max(line["slowest_ms"][at], latency / 1000)
    return line


def verdict(goal, seen):
    """A ratio is judged by its median; where its interval holds the goal, too, that is said. Of single values
    the tail must hold the goal."""
    at_least = goal["is"] == "at_least"
    is_ratio = "differs" in seen
    value = seen["median"] if is_ratio else seen["low" if at_least else "high"]
    word = "reached" if (value >= goal["value"] if at_least else value <= goal["value"]) else "missed"
    if is_ratio and seen["low"] < goal["value"] < seen["high"]:
        word += ", inside the noise"
    return word
