"""The profile "features": its inputs, and nginx with and without Lua refusing what they are there to refuse."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from test_compare import PERF, a_profile, figures

from lib import features, machine, measure, peers, profile, report, rounds

LUA = not (peers.program_missing("nginx") or peers.lua_missing())


class InputsTest(unittest.TestCase):
    def test_the_body_is_one_kib_of_fifteen_properties(self):
        body = features.valid_body()
        self.assertEqual((len(body), len(json.loads(body))), (1024, 15))

    def test_every_bad_body_differs_from_a_good_one(self):
        bodies = features.invalid_bodies()
        self.assertGreater(len(bodies), 30)
        self.assertEqual(len(set(bodies.values())), len(bodies))
        self.assertNotIn(features._json(features.order()), bodies.values())

    def test_keys_are_many_alike_and_the_same_each_time(self):
        keys = features.keys(10_000)
        self.assertEqual(len(set(keys)), 10_000)
        self.assertEqual({len(key) for key in keys}, {40})
        self.assertEqual(keys[:10], features.keys(10))

    def test_the_definition_has_its_features_on_and_off(self):
        for with_keys, with_body_check, wanted in (
            (True, True, ("[{api_key: []}]", "Body: true, validateRequestParameters: true")),
            (True, False, ("[{api_key: []}]", "Body: false, validateRequestParameters: true")),
            (False, False, ("security: []", "Body: false, validateRequestParameters: false")),
        ):
            text = features.definition(8080, with_keys, with_body_check)
            self.assertNotRegex(text, "@[A-Z_]+@")
            for words in wanted:
                self.assertIn(words, text)


class Differences(unittest.TestCase):
    def summary(self, **requirement):
        one = a_profile(of="ringway", less="ringway-plain", **requirement)
        done = [
            {"clean": True, "steal_percent": 0,
             "peers": {"ringway-plain": figures(plain), "ringway": figures(plain + extra)}}
            for plain, extra in ((20.0, 3.0), (25.0, 4.0), (90.0, 5.0), (20.0, 4.0))
        ]  # fmt: skip
        return one, rounds.summarise(one, ["ringway-plain", "ringway"], done, 4)

    def test_a_difference_is_formed_within_rounds(self):
        for requirement, verdict in (({"max": 4.0}, rounds.PASS), ({"max": 3.9}, rounds.FAIL)):
            _one, summary = self.summary(**requirement)
            self.assertEqual(summary["verdict"], verdict, requirement)
            self.assertEqual(summary["verdicts"][0]["value"], 4.0)

    def test_the_aim_is_shown_and_does_not_decide(self):
        one, summary = self.summary(max=6.5, aim=3.0)
        for medians in summary["medians"].values():
            medians.update(requests_per_s=1.0, p50_us=1.0, p99_us=1.0, p999_us=1.0)
        self.assertIn(
            "PASS: cpu_us_per_request: ringway - ringway-plain <= 6.5, aim 3 (is 4, quartiles 3.75..4.25)",
            report.table(one, summary),
        )

    def test_a_peer_that_was_left_out_gives_no_verdict(self):
        one = a_profile(of="ringway-unchecked", less="ringway-plain", max=1.0)
        done = [{"clean": True, "steal_percent": 0, "peers": {"ringway": figures(5.0)}}]
        self.assertEqual(rounds.summarise(one, ["ringway"], done, 1)["verdict"], rounds.NONE)


class AccessLog(unittest.TestCase):
    def test_a_line_has_all_members(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log"
            good = dict.fromkeys(features.LOG_MEMBERS, "x")
            for text, mistake in (
                (json.dumps(good) + "\n", None),
                ("", "no line"),
                ("not so\n", "no JSON"),
                (json.dumps(good | {"apiKeyId": ""}) + "\n", "lacks apiKeyId"),
            ):
                path.write_text(text)
                found = features.check_log_line(path)
                self.assertEqual(found is None, mistake is None, found)
                self.assertIn(mistake or "", found or "")


@unittest.skipUnless(LUA, "nginx, its Lua module or cjson is not installed")
class Nginx(unittest.TestCase):
    """The peers as `perf/compare` starts them, with few keys and, where limits are tested, low limits."""

    def setUp(self):
        shm = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="ringway-perf-test-", dir=shm if shm.is_dir() else None))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        server_cpu, load_cpu = machine.choose_cpus()
        self.fleet = peers.Fleet(self.folder, self.folder, server_cpu, load_cpu, {})
        self.addCleanup(self.fleet.stop)
        self.profile = profile.load(PERF / "profiles/features.toml")

    def start(self, name, **limits):
        self.fleet.inputs = features.Inputs(self.folder, key_count=50, **limits)
        if not self.fleet.upstream_port:
            self.fleet.start_upstream("nginx")
        return self.fleet.start(name, self.profile)

    def statuses(self, server, count, key=0):
        inputs = self.fleet.inputs
        headers = {features.KEY_HEADER: inputs.keys[key], "Content-Type": "application/json"}
        return [peers.ask(server.port, features.PATH, "POST", inputs.body, headers)[0] for _ in range(count)]

    def test_both_refuse_what_they_are_there_to_refuse(self):
        for name in ("nginx", "nginx-lua"):
            server = self.start(name)
            measure.check_features(server, self.fleet.inputs)
            measure._check_heads(server)

    def test_a_check_names_what_a_server_lets_through(self):
        # Without a body check, nginx is none of those that have one.
        server = self.start("nginx")
        with mock.patch.object(features, "CHECKS_BODIES", ("nginx",)):
            with self.assertRaises(peers.PeerError) as caught:
                measure.check_features(server, self.fleet.inputs)
        self.assertIn("body: no JSON: expected 400, got 200", str(caught.exception))

    def test_the_throttle_is_per_key(self):
        for name in ("nginx", "nginx-lua"):
            server = self.start(name, rate=1, burst=3)
            first = self.statuses(server, 5)
            self.assertEqual(first[:3], [200] * 3, name)
            self.assertIn(429, first[3:], name)
            self.assertEqual(self.statuses(server, 3, key=1), [200] * 3, name)

    def test_lua_counts_the_quota(self):
        server = self.start("nginx-lua", quota=4)
        self.assertEqual(self.statuses(server, 6), [200] * 4 + [429] * 2)
        self.assertEqual(self.statuses(server, 1, key=1), [200])


class Profile(unittest.TestCase):
    def test_a_requirement_names_peers_of_its_profile(self):
        one = profile.load(PERF / "profiles/features.toml")
        self.assertEqual(one.kind, "keyed")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.toml"
            text = (PERF / "profiles/features.toml").read_text().replace('less = "ringway-plain"', 'less = "haproxy"', 1)
            path.write_text(text)
            with self.assertRaises(profile.ProfileError) as caught:
                profile.load(path)
            self.assertIn("'haproxy'", str(caught.exception))

    def test_the_load_is_the_same_but_for_the_host(self):
        with tempfile.TemporaryDirectory() as folder:
            inputs = features.Inputs(Path(folder), key_count=50)
            one, other = inputs.load_options("a"), inputs.load_options("b")
        self.assertEqual({key for key in one if one[key] != other[key]}, {"host"})


class Keyed(unittest.TestCase):
    def test_dropped_log_lines_stop_a_peer_and_are_a_figure_of_ringway(self):
        result = {"requests": 1000, "duration_us": 1_000_000, "p50_ns": 1, "p99_ns": 1, "p999_ns": 1}
        bench = measure.Bench(0, 0, "perf-load", 0, 1)
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            log.write_text("")
            with (
                mock.patch.object(measure, "_load_keyed", return_value=result),
                mock.patch.object(features, "settle"),
                mock.patch.object(features, "wait_for_lines", return_value=900),
            ):
                for name, wanted in (("ringway", 0.9), ("nginx", None)):
                    server = SimpleNamespace(name=name, access_log=log, cpu_ns=lambda: 0, check_alive=lambda: None)
                    if wanted:
                        self.assertEqual(measure.keyed(server, None, bench)["log_lines_per_request"], wanted)
                    else:
                        with self.assertRaises(peers.PeerError):
                            measure.keyed(server, None, bench)


if __name__ == "__main__":
    unittest.main()
