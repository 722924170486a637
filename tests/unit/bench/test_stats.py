#!/usr/bin/python3
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
"""bench/stats.py on samples whose percentiles, intervals and verdicts are known."""
import math
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../bench"))
import stats


class Percentile(unittest.TestCase):
    def test_is_a_value_that_was_measured(self):
        thousand = list(range(1, 1001))
        random.Random(1).shuffle(thousand)
        cases = (
            # values, part, wanted
            ([7], 0.5, 7),
            ([7], 0.999, 7),
            ([1, 2], 0.5, 1),
            ([1, 2], 0.51, 2),
            ([3, 1, 2], 0.5, 2),
            ([1, 2, 3, 1000], 0.75, 3),
            ([1, 2, 3, 1000], 0.76, 1000),
            (thousand, 0, 1),
            (thousand, 0.014, 14),
            (range(1, 101), 0.07, 7),
            (thousand, 0.5, 500),
            (thousand, 0.99, 990),
            (thousand, 0.999, 999),
            (thousand, 1, 1000),
        )
        for values, part, wanted in cases:
            with self.subTest(count=len(values), part=part):
                self.assertEqual(stats.percentile(values, part), wanted)

    def test_one_late_answer_of_a_thousand_is_beyond_p999_and_two_are_not(self):
        self.assertEqual(stats.percentile([1] * 999 + [50], 0.999), 1)
        self.assertEqual(stats.percentile([1] * 998 + [50] * 2, 0.999), 50)


class Interval(unittest.TestCase):
    def test_of_one_value_and_of_equal_values_is_that_value(self):
        self.assertEqual(stats.median_interval([3]), (3, 3))
        self.assertEqual(stats.median_interval([3] * 20), (3, 3))

    def test_lies_around_the_median_and_is_the_same_each_time(self):
        draw = random.Random(2)
        values = [draw.gauss(10, 1) for _ in range(50)]
        low, high = stats.median_interval(values)
        self.assertLess(low, stats.alone(values)["median"])
        self.assertGreater(high, stats.alone(values)["median"])
        self.assertEqual(stats.median_interval(values), (low, high))

    def test_is_that_of_order_statistics(self):
        # The binomial's: of 100 values, the median is between the 40th and the 61st in 95 of 100 draws.
        low, high = stats.median_interval(range(1, 101))
        self.assertTrue(38 <= low <= 43, low)
        self.assertTrue(58 <= high <= 63, high)

    def test_holds_the_true_median_as_often_as_it_says(self):
        draw = random.Random(3)
        held = 0
        for _ in range(200):
            low, high = stats.median_interval([draw.gauss(5, 2) for _ in range(25)])
            held += low <= 5 <= high
        self.assertTrue(180 <= held <= 199, held)

    def test_does_not_move_with_one_value_that_is_out_of_all_bounds(self):
        low, high = stats.median_interval([1, 1.1, 0.9, 1.05, 0.95, 1.02, 0.98, 1.01, 0.99, 1000])
        self.assertTrue(0.9 <= low < high <= 1.1, (low, high))


class Compared(unittest.TestCase):
    def test_what_slows_a_round_slows_both_sides_of_it(self):
        # The machine's speed changes fourfold from round to round; one side is always 10 % behind.
        base = {r: 1000.0 * (1 + r % 4) for r in range(40)}
        seen = stats.compared({r: value * 0.9 for r, value in base.items()}, base)
        self.assertAlmostEqual(seen["median"], 0.9)
        self.assertAlmostEqual(seen["low"], 0.9)
        self.assertAlmostEqual(seen["high"], 0.9)
        self.assertTrue(seen["differs"])
        self.assertEqual(seen["rounds"], 40)

    def test_noise_is_no_difference(self):
        draw = random.Random(4)
        base = {r: draw.gauss(100, 10) for r in range(60)}
        side = {r: draw.gauss(100, 10) for r in range(60)}
        self.assertFalse(stats.compared(side, base)["differs"])
        slower = {r: draw.gauss(85, 10) for r in range(60)}
        self.assertTrue(stats.compared(slower, base)["differs"])

    def test_what_a_run_has_in_common_is_no_difference(self):
        # Twelve runs of twelve rounds; each run has luck of its own, which all of its rounds share.
        runs = {r: r // 12 for r in range(144)}
        seen_by_round = seen_by_run = 0
        for seed in range(20):
            draw = random.Random(seed)
            luck = [draw.gauss(0, 5) for _ in range(12)]
            base = {r: draw.gauss(100, 2) for r in range(144)}
            side = {r: draw.gauss(100 + luck[runs[r]], 2) for r in range(144)}
            seen_by_round += stats.compared(side, base)["differs"]
            seen_by_run += stats.compared(side, base, runs)["differs"]
        self.assertGreater(seen_by_round, 6)
        self.assertLess(seen_by_run, 5)

    def test_a_run_may_lack_rounds(self):
        runs = {0: 0, 1: 0, 2: 1, 3: 1}
        seen = stats.compared({0: 2, 1: 2, 2: 2}, {0: 1, 1: 1, 2: 1, 3: 1}, runs)
        self.assertEqual((seen["median"], seen["low"], seen["high"], seen["rounds"]), (2, 2, 2, 3))

    def test_only_rounds_that_both_have(self):
        seen = stats.compared({0: 2, 1: 2, 7: 900}, {1: 1, 0: 1, 3: 900})
        self.assertEqual((seen["median"], seen["rounds"]), (2, 2))

    def test_nothing_in_common_and_nothing_to_divide_by(self):
        self.assertIsNone(stats.compared({0: 1}, {1: 1}))
        self.assertIsNone(stats.compared({0: 1}, {0: 0}))


class Pools(unittest.TestCase):
    def test_a_percentile_is_that_of_all_requests(self):
        draw = random.Random(5)
        rounds = {r: [draw.choice((1, 2, 3, 5, 8)) + r for _ in range(30 + r)] for r in range(9)}
        whole = sum(rounds.values(), [])
        for part in (0, 0.5, 0.9, 0.99, 0.999, 1):
            with self.subTest(part=part):
                seen = stats.pooled(stats.Pool(rounds), part)
                self.assertEqual(seen["median"], stats.percentile(whole, part))
                self.assertTrue(seen["low"] <= seen["median"] <= seen["high"])
                self.assertEqual(seen["rounds"], 9)

    def test_each_draw_is_of_whole_rounds(self):
        pool = stats.Pool({0: [5, 1, 3], 4: [7, 9], 7: [2, 2, 4, 4]})
        drawn = ((1, 1, 1), (2, 0, 1), (0, 3, 0), (0, 0, 1))
        all_of = ([1, 3, 5, 7, 9, 2, 2, 4, 4], [1, 3, 5] * 2 + [2, 2, 4, 4], [7, 9] * 3, [2, 2, 4, 4])
        for part in (0, 0.3, 0.5, 0.75, 1):
            with self.subTest(part=part):
                seen = pool.percentiles(part, stats.numpy.array(drawn))
                self.assertEqual(list(seen), [stats.percentile(one, part) for one in all_of])

    def test_a_stall_in_one_round_of_many_is_seen(self):
        still = {r: [100] * 1000 for r in range(20)}
        stalled = {**still, 7: [100] * 700 + [9000] * 300}
        seen = stats.pools_compared(stats.Pool(stalled), stats.Pool(still), 0.99)
        # The median of twenty p99 would have none of it.
        self.assertEqual((seen["median"], seen["low"], seen["high"]), (90, 1, 90))
        self.assertEqual(stats.difference_words(seen), "cannot tell")
        seen = stats.pools_compared(stats.Pool(still), stats.Pool(still), 0.99)
        self.assertEqual(stats.difference_words(seen), "no difference seen")

    def test_what_slows_a_round_slows_both_sides_of_it(self):
        draw = random.Random(6)
        speeds = {r: draw.uniform(1, 30) for r in range(20)}
        base = {r: [speed * (1 + i % 10) for i in range(200)] for r, speed in speeds.items()}
        side = {r: [value * 1.2 for value in values] for r, values in base.items()}
        seen = stats.pools_compared(stats.Pool(side), stats.Pool(base), 0.99)
        for part in ("median", "low", "high"):
            self.assertAlmostEqual(seen[part], 1.2)
        self.assertEqual(stats.difference_words(seen), "")

    def test_only_rounds_that_both_have(self):
        side, base = stats.Pool({0: [2], 1: [4], 9: [70]}), stats.Pool({0: [1], 1: [2], 5: [50]})
        seen = stats.pools_compared(side, base, 1)
        self.assertEqual((seen["median"], seen["rounds"]), (2, 2))
        self.assertIsNone(stats.pools_compared(side, stats.Pool({5: [1]}), 0.5))

    def test_what_had_no_answer_is_later_than_all(self):
        never, once = stats.Pool({0: [math.inf], 1: [math.inf]}), stats.Pool({0: [1], 1: [1]})
        self.assertEqual(stats.pooled(never, 0.5)["median"], math.inf)
        self.assertEqual(stats.pools_compared(never, once, 0.5)["median"], math.inf)
        self.assertIsNone(stats.pools_compared(never, never, 0.5))


class Outage(unittest.TestCase):
    # start, latency in us, outcome: a request every 4 ms, an outage at 20 ms, its end at 40 ms.
    REQUESTS = (
        [(at * 1000, 500, "ok") for at in range(0, 20, 4)]
        + [(20000, 300, "refused"), (24000, 150000, "ok"), (28000, 100000, "ok"), (32000, 5000, "503"), (36000, 500, "ok")]
        + [(40000, 120000, "timeout"), (44000, 500, "ok")]
    )

    def test_cost(self):
        cases = (
            # begin, end, failed, slow, last
            (20000, 40000, 2, 1, 24 + 150 - 20),
            (40000, math.inf, 1, 1, 120),
            (20000, math.inf, 3, 2, 24 + 150 - 20),
            (44000, math.inf, 0, 0, 0),
            (0, 20000, 0, 0, 0),
        )
        for begin, end, failed, slow, last in cases:
            with self.subTest(begin=begin, end=end):
                self.assertEqual(stats.cost(self.REQUESTS, begin, end), {"failed": failed, "slow": slow, "last_ms": last})

    def test_buckets(self):
        line = stats.buckets(self.REQUESTS[::-1], 20000)
        self.assertEqual(line["start_s"], [-0.02, -0.01, 0, 0.01, 0.02])
        self.assertEqual(line["requests"], [3, 2, 3, 2, 2])
        self.assertEqual(line["failures"], [0, 0, 1, 1, 1])
        self.assertEqual(line["slowest_ms"], [0.5, 0.5, 150, 5, 120])


class Verdict(unittest.TestCase):
    def test_of_ratios_and_values(self):
        ratio = {"median": 0.985, "low": 0.975, "high": 0.99, "differs": True}
        values = {"median": 50, "low": 10, "high": 90}
        cases = (
            # is, value, seen, wanted
            ("at_least", 0.97, ratio, "reached"),
            ("at_least", 0.98, ratio, "reached, inside the noise"),
            ("at_least", 0.988, ratio, "missed, inside the noise"),
            ("at_least", 0.995, ratio, "missed"),
            ("at_most", 1, ratio, "reached"),
            ("at_most", 0.98, ratio, "missed, inside the noise"),
            ("at_most", 0.9, ratio, "missed"),
            ("at_most", 100, values, "reached"),
            ("at_most", 90, values, "reached"),
            ("at_most", 60, values, "missed"),
            ("at_least", 10, values, "reached"),
            ("at_least", 20, values, "missed"),
        )
        for which, value, seen, wanted in cases:
            with self.subTest(which=which, value=value):
                self.assertEqual(stats.verdict({"is": which, "value": value}, seen), wanted)


if __name__ == "__main__":
    unittest.main()
