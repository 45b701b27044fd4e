"""The judging half of `perf/usage-accuracy`."""

import tempfile
import unittest
from pathlib import Path

import test_compare  # noqa: F401  (puts perf on the path)

from lib import accuracy


def row(ok, throttled=0, exceeded=0, other=0, seconds=60.0):
    end = round(seconds * 1e9)
    return accuracy.Row(ok, throttled, exceeded, other, 0, end, 0, end)


class Throttle(unittest.TestCase):
    def test_bounds_of_hot_and_cold_keys(self):
        # 20 a second for 60 s and a burst of 40: 1 240.
        for one, is_hot, mistake in (
            (row(1240, 2000), True, None),
            (row(1241, 2000), True, "at most 1240.0 may be"),
            (row(1227, 2000), True, None),
            (row(1226, 2000), True, "of 1240.0 admitted"),
            (row(120), False, None),
            (row(1241), False, "at most"),
            (row(1240, exceeded=1), True, "by a quota"),
            (row(1240, other=1), True, "other answers"),
        ):
            found = accuracy.judge_throttle({0: one}, 20, 40, 1 if is_hot else 0)["mistakes"]
            self.assertEqual(bool(found), mistake is not None, (one, found))
            self.assertIn(mistake or "", "".join(found))


class Quota(unittest.TestCase):
    def test_exact_to_the_request(self):
        for one, used, before, mistake in (
            (row(100, exceeded=50), 100, 0, None),
            (row(99, exceeded=51), 99, 0, "99 of 150 admitted, 100 have to be"),
            (row(101, exceeded=49), 101, 0, "101 of 150 admitted"),
            (row(60), 60, 0, None),
            (row(60, exceeded=1), 60, 0, "60 of 61 admitted"),
            (row(99, exceeded=51), 100, 1, None),
            (row(100, exceeded=50), 99, 0, "100 used, 99 stored"),
            (row(100, throttled=50), 100, 0, "by a throttle"),
        ):
            found = accuracy.judge_quota({0: one}, 100, {0: used}, {0: before})["mistakes"]
            self.assertEqual(bool(found), mistake is not None, (one, found))
            self.assertIn(mistake or "", "".join(found))

    def test_few_mistakes_are_told_and_the_others_counted(self):
        found = accuracy.judge_quota(dict.fromkeys(range(100), row(1)), 100, {}, {})["mistakes"]
        self.assertEqual((len(found), found[-1]), (accuracy.TOLD_MAX + 1, "and 90 more"))


class Offered(unittest.TestCase):
    def test_hot_keys_get_three_times_the_rate_and_cold_ones_a_tenth(self):
        plan = accuracy.offered(1000, 100, 20, 60)
        cold = plan["rate"] * (1 - plan["hot_share"]) / 1000
        hot = plan["rate"] * plan["hot_share"] / 100 + cold
        self.assertAlmostEqual(cold, 2)
        self.assertAlmostEqual(hot, 60)
        self.assertTrue(cold * 60 < plan["quota"] < hot * 60)

    def test_tallies_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tally"
            path.write_text("3 1 2 3 4 5 6 7 8\n")
            self.assertEqual(accuracy.read(path), {3: accuracy.Row(1, 2, 3, 4, 5, 6, 7, 8)})


if __name__ == "__main__":
    unittest.main()
