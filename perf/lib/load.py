"""What puts load on: wrk for closed loops, `perf/load` for bodies, open loops and the throttle."""

import json
import os
import subprocess
from pathlib import Path

PERF = Path(__file__).resolve().parent.parent


class LoadError(Exception):
    """The load generator failed, or met answers it must not meet."""


def wrk(port, path, cpu, *, seconds, connections, pipeline=1, close=False):
    """A closed loop: every connection sends its next request when it has its answer.

    Returns what `wrk/report.lua` printed: requests, duration_us, p50_us, p99_us, p999_us and errors.
    """
    command = ["taskset", "-c", str(cpu), "wrk", "-t", "1", "-c", str(connections), "-d", _duration(seconds)]
    command += ["--timeout", "10s", "--latency", "-s", str(PERF / "wrk/report.lua")]
    if close:
        command += ["-H", "Connection: close"]
    environment = {**os.environ, "RINGWAY_PIPELINE": str(pipeline)}
    command.append(f"http://127.0.0.1:{port}{path}")
    text = _run(command, seconds + 20, environment)
    for line in text.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line[len("RESULT ") :])
    raise LoadError(f"wrk printed no result:\n{text}")


def own(binary, cpu, mode, port, path, seconds, **options):
    """`perf-load MODE`: prints one JSON object. Options become `--name value`."""
    command = ["taskset", "-c", str(cpu), str(binary), mode, "--address", f"127.0.0.1:{port}", "--path", path]
    command += ["--seconds", f"{seconds:g}"]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    text = _run(command, seconds + 60, None)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise LoadError(f"perf-load printed no JSON: {text!r}") from error


def _duration(seconds):
    # wrk knows whole seconds only.
    return f"{max(1, round(seconds))}s"


def _run(command, timeout_s, environment):
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"{command[3]} did not end within {timeout_s:g} s") from error
    if done.returncode != 0:
        raise LoadError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
