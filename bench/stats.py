#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""The statistics of the benchmarks: values in, numbers out; no files, no words.

Percentiles are exact: a value that was measured, such that the asked part of all is not above it. Nothing is
put into buckets and nothing lies between two measured values.

Two sides are compared round by round: what was run within the same second is divided, so that what slows
the machine for longer slows both. The median of these ratios has an interval by the bootstrap: how the median
of as many ratios, drawn from them again and again, spreads. Where that interval holds 1, no difference
was seen.
"""
import math

import numpy

RESAMPLES = 4000
CONFIDENCE = 0.95
CHUNK = 2_000_000  # numbers drawn at once
SLOW_US = 100_000
BUCKET_US = 10_000


def percentile(values, part):
    """The smallest value that is not below `part` (0 to 1) of all of them."""
    ordered = numpy.sort(numpy.asarray(values, dtype=float))
    # 0.07 * 100 is a little more than 7 in floating point.
    rank = math.ceil(round(part * len(ordered), 9))
    return float(ordered[min(max(rank, 1), len(ordered)) - 1])


def median_interval(values):
    """Low and high of the values' median. The same values give the same interval."""
    values = numpy.asarray(values, dtype=float)
    draw = numpy.random.default_rng(1)
    at_once = max(1, CHUNK // len(values))
    medians = []
    while len(medians) < RESAMPLES:
        count = min(at_once, RESAMPLES - len(medians))
        drawn = draw.integers(0, len(values), (count, len(values)))
        medians.extend(numpy.median(values[drawn], axis=1))
    tail = (1 - CONFIDENCE) / 2
    return percentile(medians, tail), percentile(medians, 1 - tail)


def ratios(side, base):
    """Round by round, for the rounds that both have: {round: value} twice, a list out. What is infinite on both
    sides has none."""
    both = [r for r in sorted(set(side) & set(base)) if base[r] and not math.isinf(min(side[r], base[r]))]
    return [side[r] / base[r] for r in both]


def compared(side, base):
    """What `side` is beside `base`, or None if they share no round."""
    both = ratios(side, base)
    if not both:
        return None
    low, high = median_interval(both)
    return {
        "median": float(numpy.median(both)),
        "low": low,
        "high": high,
        "rounds": len(both),
        "differs": not low <= 1 <= high,
    }


def alone(values):
    """A side by itself: its median, and what 95 % of its values lie between."""
    tail = (1 - CONFIDENCE) / 2
    return {
        "median": float(numpy.median(values)),
        "low": percentile(values, tail),
        "high": percentile(values, 1 - tail),
        "rounds": len(values),
    }


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
