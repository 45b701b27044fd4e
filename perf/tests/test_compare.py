"""What needs no server: rounds, verdicts, profiles, definitions. `python3 -m unittest discover -s perf/tests`."""

import sys
import tempfile
import unittest
from pathlib import Path

PERF = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PERF))

from lib import definitions, profile, report, rounds  # noqa: E402


def figures(cost, steal=0.0):
    return {"cpu_us_per_request": cost, "steal_percent": steal, "foreign_percent": 0.0}


def a_profile(**requirement):
    requirement = profile.Requirement(figure="cpu_us_per_request", **requirement)
    return profile.Profile("t", "t", "closed", "mock", "cpu_us_per_request", require=(requirement,))


def rounds_with_steal(steals, wanted=10):
    """Runs rounds whose steal follows `steals`, then stays at its last value."""
    left = list(steals)

    def measure(name):
        steal = (left.pop(0) if len(left) > 1 else left[0]) if name == "nginx" else 0.0
        return figures(5.0 if name == "ringway" else 7.0, steal)

    return rounds.run(["ringway", "nginx"], wanted, measure, lambda *_: None)


class Rounds(unittest.TestCase):
    def test_peers_alternate(self):
        order = []

        def measure(name):
            order.append(name)
            return figures(1.0)

        rounds.run(["a", "b"], 2, measure, lambda *_: None)
        self.assertEqual(order, ["a", "b", "a", "b"])

    def test_disturbed_rounds_are_replaced_until_eight_are_clean(self):
        for steals, total, clean in (
            ([0.0], 10, 10),
            ([3.0], 10, 10),  # the limit itself is clean
            ([9.0, 9.0, 0.0], 10, 8),
            ([9.0, 9.0, 9.0, 0.0], 11, 8),
            ([3.1], 30, 0),  # gives up at three times the rounds
        ):
            done = rounds_with_steal(steals)
            self.assertEqual((len(done), sum(one["clean"] for one in done)), (total, clean), steals)

    def test_verdict_needs_clean_rounds_and_ringway(self):
        for steals, requirement, verdict in (
            ([0.0], {"against": "nginx", "min_ratio": 1.2}, rounds.PASS),
            ([0.0], {"against": "nginx", "min_ratio": 1.4}, rounds.PASS),
            ([0.0], {"against": "nginx", "min_ratio": 1.41}, rounds.FAIL),
            ([9.0], {"against": "nginx", "min_ratio": 1.2}, rounds.UNSURE),
            ([0.0], {"against": "haproxy", "min_ratio": 1.2}, rounds.NONE),
            ([0.0], {"max": 5.0}, rounds.PASS),
            ([0.0], {"max": 4.9}, rounds.FAIL),
            ([0.0], {"min": 5.0, "max": 6.0}, rounds.PASS),
        ):
            summary = rounds.summarise(a_profile(**requirement), ["ringway", "nginx"], rounds_with_steal(steals), 10)
            self.assertEqual(summary["verdict"], verdict, requirement)

    def test_disturbed_rounds_do_not_count(self):
        done = [
            {"clean": clean, "steal_percent": 0, "peers": {"ringway": figures(5.0), "nginx": figures(nginx)}}
            for clean, nginx in [(True, 7.0)] * 8 + [(False, 700.0)] * 20
        ]
        summary = rounds.summarise(a_profile(max=5.0), ["ringway", "nginx"], done, 10)
        self.assertEqual(summary["ratios"]["nginx"]["cpu_us_per_request"], {"median": 1.4, "low": 1.4, "high": 1.4})

    def test_both_tables_show_ratio_and_verdict(self):
        one = a_profile(against="nginx", min_ratio=1.2)
        summary = rounds.summarise(one, ["ringway", "nginx"], rounds_with_steal([0.0]), 10)
        for medians in summary["medians"].values():
            medians.update(requests_per_s=1.0, p50_us=1.0, p99_us=1.0, p999_us=1.0)
        for markdown in (False, True):
            text = report.table(one, summary, markdown)
            self.assertIn("1.40 (1.40..1.40)", text)
            self.assertIn("PASS: cpu_us_per_request: nginx / ringway >= 1.2 (is 1.4)", text)

    def test_a_verdict_says_what_the_floor_reaches(self):
        one = a_profile(against="nginx", min_ratio=1.5)
        done = [
            {"clean": True, "steal_percent": 0, "peers": {"ringway": figures(5.0), "nginx": figures(7.0),
                                                          "floor": figures(4.0 + number % 2)}}
            for number in range(9)
        ]  # fmt: skip
        summary = rounds.summarise(one, ["ringway", "nginx", "floor"], done, 9)
        self.assertEqual(summary["verdicts"][0]["floor"], 1.75)
        for medians in summary["medians"].values():
            medians.update(requests_per_s=1.0, p50_us=1.0, p99_us=1.0, p999_us=1.0)
        self.assertIn("(is 1.4; the floor reaches 1.75)", report.table(one, summary))
        # Where it was not measured, or nothing is compared, there is nothing to say.
        del summary["verdicts"][0]["floor"]
        self.assertIn("(is 1.4)", report.table(one, summary))
        for names in (["ringway", "nginx"], ["ringway", "floor"]):
            self.assertIsNone(rounds.summarise(one, names, done, 9)["verdicts"][0]["floor"])


class Profiles(unittest.TestCase):
    def test_committed_profiles_load(self):
        known = profile.load_all(PERF / "profiles")
        self.assertIn("mock", known)
        for one in known.values():
            self.assertIn("ringway", one.peers, one.name)

    def test_mistakes_are_named(self):
        good = 'title = "t"\nkind = "closed"\nservice = "mock"\nfigure = "p50_us"\n'
        for text, said in (
            ("kind = ", "t.toml"),
            (good + "colour = 1\n", "colour"),
            (good.replace("closed", "ajar"), "kind = 'ajar'"),
            (good + 'peers = ["apache"]\n', "apache"),
        ):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "t.toml"
                path.write_text(text)
                with self.assertRaises(profile.ProfileError) as caught:
                    profile.load(path)
                self.assertIn(said, str(caught.exception))


class Pairs(unittest.TestCase):
    def test_differences_and_ratios_are_of_the_same_round(self):
        # The machine is twice as slow in the second round; the other server takes a tenth more in each.
        text = report.pairs(["ringway", "ringway-plain"], [[10.0, 11.0], [20.0, 22.0], [10.0, 11.0]])
        first, second = text.splitlines()[1:]
        self.assertEqual(first.split(), ["ringway", "10.00"])
        self.assertEqual(second.split()[:3], ["ringway-plain", "11.00", "+1.00"])
        self.assertTrue(second.endswith("1.100 (1.100..1.100)"), second)


class Definitions(unittest.TestCase):
    def test_mock_definition_has_every_route_and_the_measured_one(self):
        text = definitions.mock_routes(200, "{}")
        self.assertEqual(text.count("type: mock"), 200)
        self.assertIn("  /group-13/items-137/{id}:\n", text)


if __name__ == "__main__":
    unittest.main()
