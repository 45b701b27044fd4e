"""One measurement of one server, per kind of profile. Each returns its figures by name."""

import json
import socket
import statistics
import time
from dataclasses import dataclass

from . import features, load, machine
from .peers import BODY, PeerError, Server, ask, upstream_counts

GIB = 1 << 30
# Lines of the access log per request: fewer, and a server saves itself work that the others do.
LOG_LINES_MIN = 0.999
# How long the memory of a server may take to settle after connections came or went.
SETTLE_S = 0.5
# Deployments that have to be done of those that were due: fewer are no measurement.
DEPLOYS_SHARE_MIN = 0.5


@dataclass
class Bench:
    """Where and with what the load runs."""

    server_cpu: int
    load_cpu: int
    perf_load: str | None
    upstream_port: int
    seconds: float
    rate: float = 0.0
    inputs: features.Inputs | None = None


# -- Is the answer right? -------------------------------------------------------------------------


def check(server: Server, profile, bench: Bench):
    """Asks before anything is timed: status and body, and for proxies what the upstream got to see.

    Raises `PeerError` when the server does not do what it is measured for.
    """
    if profile.kind == "bulk":
        _check_bulk(server, profile)
    elif profile.kind == "keyed":
        check_features(server, bench.inputs)
    else:
        _check_constant(server, profile)
    if profile.service in ("proxy", "features"):
        # The floor passes on what it gets.
        if server.name != "floor":
            _check_heads(server)
        _check_reuse(server, profile, bench)


def _check_constant(server, profile):
    status, headers, body = ask(server.port, server.path(profile))
    if status != 200 or body != BODY.encode():
        raise PeerError(f"{server.name}: GET {server.path(profile)}: expected 200 and the constant, "
                        f"got {status} {body[:200]!r}")  # fmt: skip
    kind = headers.get("Content-Type", "")
    if not kind.startswith("application/json"):
        raise PeerError(f"{server.name}: GET {server.path(profile)}: Content-Type is {kind!r}, not application/json")


def _check_bulk(server, profile):
    if profile.direction == "up":
        status, _headers, body = ask(server.port, server.path(profile), "POST", b"x" * profile.body_bytes)
        # The sink says how many bytes reached it.
        if status != 200 or json.loads(body).get("bytes") != profile.body_bytes:
            raise PeerError(f"{server.name}: POST of {profile.body_bytes} bytes: got {status} {body[:200]!r}")
    else:
        status, _headers, body = ask(server.port, server.path(profile))
        if status != 200 or len(body) != profile.body_bytes:
            raise PeerError(f"{server.name}: GET {server.path(profile)}: got {status} and {len(body)} bytes, "
                            f"not 200 and {profile.body_bytes}")  # fmt: skip


def _check_heads(server):
    status, _headers, body = ask(server.port, "/dev/echo", headers=_host(server))
    if status != 200:
        raise PeerError(f"{server.name}: GET /dev/echo: got {status} {body[:200]!r}")
    seen = json.loads(body)
    for name, good in (("for", "127.0.0.1" in seen["for"]), ("proto", seen["proto"] == "http"),
                       ("port", seen["port"] != ""), ("host", seen["host"].startswith("127.0.0.1"))):  # fmt: skip
        # pingora's example sets X-Forwarded-For alone: less work than the others do.
        if not good and not (server.name == "pingora" and name in ("proto", "port")):
            raise PeerError(f"{server.name}: the upstream saw {name} = {seen[name]!r}; heads are not rewritten")


def _check_reuse(server, profile, bench):
    before = upstream_counts(bench.upstream_port)
    connections = 16
    if profile.kind == "keyed":
        connections = profile.connections
        _load_keyed(server, profile, bench, 1)
    else:
        load.wrk(server.port, server.path(profile), bench.load_cpu, seconds=1, connections=connections)
    accepted, requests = (b - a for a, b in zip(before, upstream_counts(bench.upstream_port), strict=True))
    # One for each client is always fair, however few requests a busy machine gets through.
    if accepted > connections and accepted * 20 > requests:
        raise PeerError(f"{server.name}: {accepted} upstream connections for {requests} requests: "
                        "no keep-alive upstream")  # fmt: skip


def check_features(server: Server, inputs):
    """Who has a feature on refuses what it is there to refuse, and nobody refuses a good request."""

    def status(key, path=features.PATH, body=inputs.body):
        headers = {"Content-Type": "application/json", **_host(server)}
        headers |= {features.KEY_HEADER: key} if key else {}
        return ask(server.port, path, "POST", body, headers)

    def expect(what, wanted, answer):
        if answer[0] != wanted:
            raise PeerError(f"{server.name}: {what}: expected {wanted}, got {answer[0]} {answer[2][:200]!r}")

    first, last = inputs.keys[0], inputs.keys[-1]
    wrong = first[:-1] + ("a" if first[-1] != "a" else "b")
    _wait_for_key(lambda: status(first)[0])
    for what, key in (("the first key", first), ("the last key", last)):
        answer = status(key)
        expect(what, 200, answer)
        if answer[2] != BODY.encode():
            raise PeerError(f"{server.name}: {what}: the body is not the upstream's: {answer[2][:200]!r}")
    checks_keys = server.name in features.CHECKS_KEYS
    bodies = features.invalid_bodies()
    for what, wanted, answer in (
        ("no key", 403 if checks_keys else 200, status(None)),
        ("a wrong key", 403 if checks_keys else 200, status(wrong)),
        ("no parameter", 400 if checks_keys else 200, status(first, "/dev/orders")),
    ):
        expect(what, wanted, answer)
    for what, body in bodies.items():
        expect(f"body: {what}", 400 if server.name in features.CHECKS_BODIES else 200, status(last, body=body))
    if server.access_log:
        wanted = 1 + 2 + 3 + len(bodies)
        count = features.wait_for_lines(server.access_log, wanted)
        mistake = features.check_log_line(server.access_log)
        if count < wanted or mistake:
            raise PeerError(f"{server.name}: access log: {count} lines for {wanted} requests; {mistake}")


def _wait_for_key(status, timeout_s=5.0):
    """Changes of keys and plans reach the shards within 100 ms; a busy machine takes longer."""
    deadline = time.monotonic() + timeout_s
    while status() != 200 and time.monotonic() < deadline:
        time.sleep(0.05)


def _host(server):
    return {"Host": server.host} if server.host else {}


# -- Measurements ---------------------------------------------------------------------------------


def closed(server: Server, profile, bench: Bench):
    """wrk's closed loop: CPU per request, requests per second, latencies under saturation."""
    watch = machine.CpuWatch([bench.server_cpu, bench.load_cpu])
    cpu_before = server.cpu_ns()
    result = load.wrk(
        server.port, server.path(profile), bench.load_cpu, seconds=bench.seconds,
        connections=profile.connections, pipeline=profile.pipeline, close=profile.close,
    )  # fmt: skip
    cpu_ns = server.cpu_ns() - cpu_before
    server.check_alive()
    requests = result["requests"]
    broken = result["errors"] + result["timeouts"]
    # wrk cuts its last requests off; more than that is a server that loses some.
    if requests == 0 or result["statuses"] or broken > profile.connections + requests // 1000:
        raise PeerError(f"{server.name}: {requests} answers, "
                        f"{result['statuses']} of them not 2xx or 3xx, {broken} errors")  # fmt: skip
    return {
        "cpu_us_per_request": cpu_ns / 1000 / requests,
        "requests_per_s": requests * 1e6 / result["duration_us"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "p999_us": result["p999_us"],
        "requests": requests,
        "errors": broken,
        **_shares(watch, bench, cpu_ns),
    }


def keyed(server: Server, profile, bench: Bench):
    """A closed loop of requests with a body and keys that change: as `closed`, by `perf-load`."""
    if server.access_log:
        # Everybody appends, so a log can be emptied under its writer, once what is buffered is out.
        features.settle(server.access_log)
        server.access_log.write_bytes(b"")
    watch = machine.CpuWatch([bench.server_cpu, bench.load_cpu])
    cpu_before = server.cpu_ns()
    result = _load_keyed(server, profile, bench, bench.seconds)
    cpu_ns = server.cpu_ns() - cpu_before
    shares = _shares(watch, bench, cpu_ns)
    server.check_alive()
    requests = result["requests"]
    figures = {
        "cpu_us_per_request": cpu_ns / 1000 / requests,
        "requests_per_s": requests * 1e6 / result["duration_us"],
        "p50_us": result["p50_ns"] / 1000,
        "p99_us": result["p99_ns"] / 1000,
        "p999_us": result["p999_ns"] / 1000,
        "requests": requests,
        **shares,
    }
    if server.access_log:
        lines = features.wait_for_lines(server.access_log, requests) / requests
        if lines < LOG_LINES_MIN and server.name not in features.RINGWAYS:
            raise PeerError(f"{server.name}: {lines:.3f} lines of access log per request: some are dropped")
        figures["log_lines_per_request"] = lines
    return figures


def _load_keyed(server, profile, bench, seconds):
    options = bench.inputs.load_options(server.host or f"127.0.0.1:{server.port}")
    result = load.own(
        bench.perf_load, bench.load_cpu, "closed", server.port, server.path(profile), seconds,
        connections=profile.connections, **options,
    )  # fmt: skip
    if not result["ok"] or result["other"] or result["errors"]:
        raise PeerError(f"{server.name}: wrong answers: {result}")
    return result


def warm_up(server: Server, profile, bench: Bench):
    """Fills pools and caches; what is measured is the warm server."""
    if profile.kind != "bulk":
        requests(server, profile, bench, 2 if profile.kind == "keyed" else 1)


def requests(server: Server, profile, bench: Bench, seconds):
    """Loads a server with a closed loop; how many answers it gave."""
    if profile.kind == "keyed":
        return _load_keyed(server, profile, bench, seconds)["requests"]
    result = load.wrk(server.port, server.path(profile), bench.load_cpu, seconds=seconds,
                      connections=profile.connections, pipeline=profile.pipeline, close=profile.close)  # fmt: skip
    return result["requests"]


def bulk(server: Server, profile, bench: Bench):
    """Bodies one after the other on a few connections; every request begun is also finished."""
    watch = machine.CpuWatch([bench.server_cpu, bench.load_cpu])
    cpu_before = server.cpu_ns()
    result = load.own(
        bench.perf_load, bench.load_cpu, "bulk", server.port, server.path(profile), bench.seconds,
        connections=profile.connections, direction=profile.direction, body_bytes=profile.body_bytes,
    )  # fmt: skip
    cpu_ns = server.cpu_ns() - cpu_before
    server.check_alive()
    gib = result["requests"] * profile.body_bytes / GIB
    if gib == 0 or result["errors"]:
        raise PeerError(f"{server.name}: {result['requests']} bodies, "
                        f"{result['errors']} errors: {result['first_error']}")  # fmt: skip
    return {
        "cpu_ms_per_gib": cpu_ns / 1e6 / gib,
        "gib_per_s": gib * 1e6 / result["duration_us"],
        "requests": result["requests"],
        **_shares(watch, bench, cpu_ns),
    }


def open_loop(server: Server, profile, bench: Bench):
    """Requests at given moments, whatever the server does; latency counts from the moment a request was due."""
    watch = machine.CpuWatch([bench.server_cpu, bench.load_cpu])
    cpu_before = server.cpu_ns()
    result = load.own(
        bench.perf_load, bench.load_cpu, "open", server.port, server.path(profile), bench.seconds,
        connections=profile.connections, rate=round(bench.rate),
    )  # fmt: skip
    cpu_ns = server.cpu_ns() - cpu_before
    server.check_alive()
    if not result["ok"] or result["other"] or result["throttled"] or result["errors"]:
        raise PeerError(f"{server.name}: wrong answers under open load: {result}")
    return {
        "p50_us": result["p50_ns"] / 1000,
        "p99_us": result["p99_ns"] / 1000,
        "p999_us": result["p999_ns"] / 1000,
        "send_lag_p99_us": result["lag_p99_ns"] / 1000,
        "requests_per_s": result["ok"] * 1e6 / result["duration_us"],
        "cpu_us_per_request": cpu_ns / 1000 / result["ok"],
        "requests": result["ok"],
        **_shares(watch, bench, cpu_ns),
    }


def deploys(server: Server, profile, bench: Bench):
    """An open loop; the server called `ringway` gets a new deployment so many times a second meanwhile."""
    if server.name != "ringway":
        return {"deploys": 0, "deploy_ms": 0.0, **open_loop(server, profile, bench)}
    with server.api.deploying(profile.deploys_per_s) as done:
        figures = open_loop(server, profile, bench)
    if len(done) < profile.deploys_per_s * bench.seconds * DEPLOYS_SHARE_MIN:
        raise PeerError(f"{server.name}: {len(done)} deployments in {bench.seconds:g} s, "
                        f"not {profile.deploys_per_s:g} a second")  # fmt: skip
    return {"deploys": len(done), "deploy_ms": statistics.median(done) * 1000, **figures}


def idle(server: Server, profile, bench: Bench):
    """User memory per keep-alive connection that has had one answer and waits."""
    watch = machine.CpuWatch([bench.server_cpu, bench.load_cpu])
    cpu_before = server.cpu_ns()
    # The first connections pay for what the server allocates once.
    _hold(server, profile, min(64, profile.connections))
    time.sleep(SETTLE_S)
    before = server.memory_bytes()
    held = []
    try:
        held = _open_idle(server, profile, profile.connections)
        time.sleep(SETTLE_S)
        during = server.memory_bytes()
        # Idle is not dead: the first and the last are still served.
        for connection in (held[0], held[-1]):
            _exchange(server, connection, server.path(profile))
    finally:
        for connection in held:
            connection.close()
    time.sleep(SETTLE_S)
    after = server.memory_bytes()
    return {
        "bytes_per_connection": (during["rss_anon"] - before["rss_anon"]) / profile.connections,
        "pss_bytes_per_connection": (during["pss"] - before["pss"]) / profile.connections,
        "bytes_kept_per_connection": (after["rss_anon"] - before["rss_anon"]) / profile.connections,
        "rss_anon_before": before["rss_anon"],
        "rss_anon_during": during["rss_anon"],
        **_shares(watch, bench, server.cpu_ns() - cpu_before),
    }


def _hold(server, profile, count):
    for connection in _open_idle(server, profile, count):
        connection.close()


def _open_idle(server, profile, count):
    held = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", server.port), 10)
            held.append(connection)
            _exchange(server, connection, server.path(profile))
    except OSError as error:
        for connection in held:
            connection.close()
        raise PeerError(f"{server.name}: after {len(held)} idle connections: {error}") from error
    return held


def _exchange(server, connection, path):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(BODY.encode()):
        piece = connection.recv(4096)
        if not piece:
            raise PeerError(f"{server.name}: an idle connection was closed after {answer[:200]!r}")
        answer += piece


def throttle(server: Server, profile, bench: Bench):
    """Offers `overload` times the rate and counts what is admitted against rate x time + burst."""
    watch = machine.CpuWatch([bench.server_cpu, bench.load_cpu])
    cpu_before = server.cpu_ns()
    result = load.own(
        bench.perf_load, bench.load_cpu, "open", server.port, server.path(profile), bench.seconds,
        connections=profile.connections, rate=round(profile.rate * profile.overload),
    )  # fmt: skip
    cpu_ns = server.cpu_ns() - cpu_before
    server.check_alive()
    if result["other"] or result["errors"] or not result["throttled"]:
        raise PeerError(f"{server.name}: expected 200 and 429 only, got {result}")
    # From the first request sent to the last answer read: never shorter than the server's own view.
    allowed = profile.rate * result["duration_us"] / 1e6 + profile.burst
    return {
        "admitted": result["ok"],
        "refused": result["throttled"],
        "allowed": allowed,
        "admitted_share": result["ok"] / allowed,
        "offered_per_s": (result["ok"] + result["throttled"]) * 1e6 / result["duration_us"],
        "cpu_us_per_request": cpu_ns / 1000 / (result["ok"] + result["throttled"]),
        **_shares(watch, bench, cpu_ns),
    }


def _shares(watch, bench, cpu_ns):
    return {
        "steal_percent": watch.steal_percent(),
        "foreign_percent": watch.foreign_percent(bench.server_cpu, cpu_ns),
    }


BY_KIND = {"closed": closed, "keyed": keyed, "bulk": bulk, "open": open_loop, "idle": idle, "throttle": throttle,
           "deploys": deploys}  # fmt: skip
